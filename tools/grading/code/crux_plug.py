"""CRUXEval as a grader of the session: what a function returns, or which input makes it return something (`task`).

The answer is found in the response (`crux_answers.py`); a grading process decides about it (`crux.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

from tools.benchmarks.benchmark import Benchmark
from tools.commandline import option
from tools.errors import UsageError
from tools.grading.code.plug import Candidate, CodeGrader, CodeOptions, source_of
from tools.grading.grader import Judgement, Workplace, to_grade
from tools.records import Grade, JsonObject, MetricKind, Problem, Response, Verdict

TASKS = ("output", "input")
CRUX_VERSION = "1"  # goes up with every change that could change a verdict


@dataclasses.dataclass(frozen=True)
class CruxOptions(CodeOptions):
    """The same, with the time limit of CRUXEval's authors. `task` is said by a benchmark's entry."""

    timeout_s: float = option(3.0, "CPU seconds an answer", name="TIMEOUT", flags=("-t",))
    task: str = "output"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.task not in TASKS:
            raise UsageError(f"task {self.task!r} of cruxeval is neither output nor input")


class CruxGrader(CodeGrader):
    """The answer is a value, or a call of f; alone or as its side of `assert f(...) == ...`."""

    name, version, Options = "cruxeval", CRUX_VERSION, CruxOptions
    original = None
    metric_kinds: ClassVar[Mapping[str, MetricKind]] = {}

    def __init__(self, options: CruxOptions, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        self.task = options.task
        super().__init__(options, workplace, benchmark)

    @property
    def equal(self) -> Callable[[str, str], bool] | None:
        return str.__eq__

    def record(self) -> JsonObject:
        return super().record() | {"name": self.name, "task": self.task}

    def prepare(self, problem: Problem, response: Response) -> Grade | Candidate:
        from tools.grading.code.crux_answers import Task, find_expression  # here: --help needs none of it

        found = find_expression(response.answer, Task(self.task))
        is_truncated = response.is_closed is False or (response.is_cut_off and "[/ANSWER]" not in response.answer)
        if found is None or is_truncated:
            verdict = Verdict.TRUNCATED if is_truncated else Verdict.NO_ANSWER
            reason = "cut off before an answer" if is_truncated else "no Python expression in the answer"
            return to_grade(response, Judgement(verdict, rule="extraction", reason=reason))
        base = to_grade(response, Judgement(Verdict.GRADER_ERROR, answer=found.source[:1000]))
        return Candidate(base, found.given, source_of(problem))
