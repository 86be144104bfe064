"""The original toolkit's rules beside any grader that has them: its verdicts count, ours say where they differ.

`--grader original` grades every response twice, by both rules; results count the verdicts that differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tools.grading.grader import Facts, Grader
from tools.records import Grade, JsonObject, Problem, Response


class BesideOriginal:
    """Two graders as one. `theirs` has `combine(ours, theirs) -> Grade`, the verdict as the original's users know it."""

    def __init__(self, ours: Grader, theirs: Any) -> None:
        self.ours, self.theirs = ours, theirs
        self.name, self.version, self.Options, self.options = ours.name, ours.version, ours.Options, theirs.options
        self.gives_shares, self.metric_kinds = ours.gives_shares, ours.metric_kinds

    def record(self) -> JsonObject:
        record: JsonObject = self.theirs.record()
        return record

    def prepare(self, problem: Problem, response: Response) -> tuple[Any, Any]:
        return self.ours.prepare(problem, response), self.theirs.prepare(problem, response)

    def grade(self, prepared: Iterable[tuple[Any, Any]]) -> Iterator[Grade]:
        pairs = list(prepared)
        ours = {grade.key: grade for grade in self.ours.grade(one for one, _ in pairs)}
        for theirs in self.theirs.grade(other for _, other in pairs):
            mine = ours[theirs.key]
            combined: Grade = self.theirs.combine(mine, theirs)
            yield dataclasses.replace(combined, differs_from_original=theirs.is_correct != mine.is_correct)

    def facts(self, grades: Sequence[Grade]) -> Facts:
        facts: Facts = self.theirs.facts(grades)
        return facts

    @property
    def equal(self) -> Callable[[str, str], bool] | None:
        return self.ours.equal
