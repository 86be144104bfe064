"""What a grader is: one class with a name, a version and options, by which the session grades any folder.

A grader reads a response in two steps. `prepare` reduces it to what grading needs (an extracted answer, a program), so
that no text is kept; `grade` turns what was prepared into grades, lazily and in any order: one after another, by a
pool of processes, or in one batch. Most graders judge one response at a time and need no more than `judge`:

>>> class Length(ResponseGrader):
...     name, version = "length", "1"
...     def judge(self, problem, response):
...         return Judgement(Verdict.CORRECT if len(response.answer) < 9 else Verdict.WRONG)
>>> grader = Length(NoOptions(), Workplace())
>>> one = Response(Generation("1", 100, "short"), "", "short", None)
>>> [grade.verdict.value for grade in grader.grade([grader.prepare(Problem("1", "?", None, {}), one)])]
['correct']
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from tools.benchmarks.benchmark import Benchmark
from tools.records import Generation, Grade, JsonObject, JsonRow, MetricKind, Problem, Response, Verdict

__all__ = [
    "Facts", "Generation", "Grader", "GradingOptions", "Judgement", "MetricKind", "NoOptions", "Problem", "Response",
    "ResponseGrader", "Verdict", "Workplace", "our_fault", "to_grade",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Workplace:
    """Where and how widely to grade: `workers` processes (all cores by default) on this machine or a Ray cluster; `folder`
    is the one that is graded, for what a grader keeps there."""

    workers: int | None = None
    launcher: str = "local"
    on_wait: Callable[[str], None] = lambda _text: None  # told in words when nothing has come for a while
    folder: pathlib.Path | None = None


@dataclasses.dataclass(frozen=True)
class GradingOptions:
    """How to grade. `rules`: "ours" or "original"; `grader`: options of the benchmark's grader by name; `subset`: one
    frozen part; `workers`, `launcher`: where graders run that need processes."""

    rules: str = "ours"
    seeds: tuple[int, ...] | None = None
    allow_incomplete: bool = False
    subset: str | None = None
    workers: int | None = None
    launcher: str = "local"
    grader: JsonRow = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Facts:
    """What results say beside the grades: reasons not to claim the score, warnings, sections of the grader's own."""

    doubts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sections: JsonRow = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """Of a grader that has none."""


class Grader(Protocol):
    """A plug of the registry in tools/grading/__init__.py. `Options` is a dataclass whose fields are options of the
    command line (tools/commandline.py) and may also stand in a benchmark's entry."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Goes up with every change that could change a verdict."""

    @property
    def Options(self) -> type: ...

    @property
    def options(self) -> Any: ...

    def record(self) -> JsonObject:
        """How the results name the grader and its rules. With `options` it decides which old verdicts still hold."""

    def prepare(self, problem: Problem, response: Response) -> Any:
        """What is needed of a response; small, since that of all responses is kept."""

    def grade(self, prepared: Iterable[Any]) -> Iterator[Grade]:
        """One grade for each, in any order."""

    def facts(self, grades: Sequence[Grade]) -> Facts:
        """Of all grades of a folder."""

    @property
    def gives_shares(self) -> bool:
        """Whether a response can earn a part of the points: then no sample is simply right, and there is no pass@k."""

    @property
    def metric_kinds(self) -> Mapping[str, MetricKind]:
        """What the `metrics` of its grades mean; one that is not named here has no bounds."""

    @property
    def equal(self) -> Callable[[str, str], bool] | None:
        """Whether two answers are the same, for majority votes; None where answers cannot be voted on."""


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What `judge` says of one response. `share` of the points, where a grader gives shares."""

    verdict: Verdict
    answer: str | None = None
    rule: str = ""
    reason: str = ""
    share: float | None = None
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    details: JsonRow = dataclasses.field(default_factory=dict)
    is_correct_in_reasoning: bool | None = None


class ResponseGrader:
    """The base of graders that judge one response at a time, in this process."""

    name: ClassVar[str]
    version: ClassVar[str]
    Options: ClassVar[type] = NoOptions
    gives_shares: ClassVar[bool] = False
    metric_kinds: ClassVar[Mapping[str, MetricKind]] = {}
    original: ClassVar[Any] = None  # the grader of the original toolkit's rules, where it had some

    def __init__(self, options: Any, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        self.options, self.workplace, self.benchmark = options, workplace, benchmark

    def judge(self, problem: Problem, response: Response) -> Judgement:
        raise NotImplementedError(f"{type(self).__name__}.judge")

    def record(self) -> JsonObject:
        return {"name": self.name, "version": self.version}

    def prepare(self, problem: Problem, response: Response) -> Any:
        return to_grade(response, self.judge(problem, response))

    def grade_at_once(self, problem: Problem, response: Response) -> Grade | None:
        """For a page that follows a run: the grade, where it can be told without a process; else None."""
        prepared = self.prepare(problem, response)
        return prepared if isinstance(prepared, Grade) else None

    def grade(self, prepared: Iterable[Any]) -> Iterator[Grade]:
        yield from prepared

    def facts(self, grades: Sequence[Grade]) -> Facts:
        return Facts()

    @property
    def equal(self) -> Callable[[str, str], bool] | None:
        return str.__eq__


def to_grade(response: Response, judgement: Judgement) -> Grade:
    """A judgement with what is known of its response."""
    generation = response.generation
    return Grade(
        generation.task_id,
        generation.seed,
        judgement.verdict,
        answer=judgement.answer,
        rule=judgement.rule,
        reason=judgement.reason,
        output_tokens=generation.output_tokens,
        reasoning_chars=len(response.reasoning),
        is_cut_off=generation.is_cut_off,
        closes_reasoning=response.is_closed,
        is_correct_in_reasoning=judgement.is_correct_in_reasoning,
        share=judgement.share,
        metrics=dict(judgement.metrics),
        details=dict(judgement.details),
    )


def our_fault(response: Response, error: Exception) -> Grade:
    """The grade of a response at which the grader itself failed."""
    reason = f"fault of the grader: {type(error).__name__}: {error}"[:300]
    return to_grade(response, Judgement(Verdict.GRADER_ERROR, rule="fault", reason=reason))
