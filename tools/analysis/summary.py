"""All analyses of one graded data set as one record, for `python -m tools analysis` and the report.

What cannot be known (token counts of foreign files, dates of undated problems, responses that are gone) is None and named
in `unknown` with its reason; nothing is estimated in its place.
"""

from __future__ import annotations

import dataclasses
import hashlib

from tools.analysis.budgets import ASSUMPTION, BUDGETS, BudgetScore, score_at_budgets
from tools.analysis.contamination import CutoffSplit, MonthScore, score_by_month, split_at_cutoff
from tools.analysis.lengths import LengthBin, Lengths, accuracy_by_length, describe_lengths
from tools.analysis.loops import Loop, find_loop
from tools.errors import DataError
from tools.results.published import PublishedVerdict
from tools.results.run_folder import RunFolder
from tools.store.generations import list_files

DATE_BREAKDOWNS = ("contest_date", "date", "month")
LOOPS_LISTED = 100
REPEATED_SHARE = 20  # one repeated response in so many may be chance on short answers; more is a sign


@dataclasses.dataclass(frozen=True)
class LoopingResponse:
    """A response that ends in a loop."""

    task_id: str
    seed: int
    loop: Loop

    def to_json(self) -> dict[str, object]:
        return {"task_id": self.task_id, "seed": self.seed, **dataclasses.asdict(self.loop)}


@dataclasses.dataclass(frozen=True)
class Texts:
    """What reading every response shows: loops, and responses that equal another seed's to the same problem."""

    responses: int
    loops: int
    cut_off: int
    cut_off_in_loop: int
    listed: tuple[LoopingResponse, ...]
    repeated_responses: int

    @property
    def warning(self) -> str | None:
        if not self.responses or self.repeated_responses <= self.responses // REPEATED_SHARE:
            return None
        number = self.repeated_responses
        return f"{number} responses equal another seed's to the same problem: check that seeds reach the engine"

    def to_json(self) -> dict[str, object]:
        return {
            "responses": self.responses,
            "loops": self.loops,
            "loop_share": self.loops / self.responses if self.responses else None,
            "cut_off": self.cut_off,
            "cut_off_in_loop": self.cut_off_in_loop,
            "loops_listed": [found.to_json() for found in self.listed],
            "repeated_responses": self.repeated_responses,
            "warning": self.warning,
        }


@dataclasses.dataclass(frozen=True)
class Analysis:
    """All analyses of one benchmark; None for what `unknown` says cannot be known, or for what was not asked for."""

    benchmark: str
    lengths: Lengths
    accuracy_by_length: tuple[LengthBin, ...]
    budgets: tuple[BudgetScore, ...] | None
    months: tuple[MonthScore, ...] | None
    cutoff: CutoffSplit | None
    texts: Texts | None
    published: PublishedVerdict | None
    unknown: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "dataset": self.benchmark,
            "lengths": self.lengths.to_json(),
            "accuracy_by_length": [row.to_json() for row in self.accuracy_by_length],
            "budgets": None if self.budgets is None else [row.to_json() for row in self.budgets],
            "budget_assumption": ASSUMPTION,
            "months": None if self.months is None else [row.to_json() for row in self.months],
            "cutoff": dataclasses.asdict(self.cutoff) if self.cutoff else None,
            "texts": self.texts.to_json() if self.texts else None,
            "published": self.published.to_json() if self.published else None,
            "unknown": list(self.unknown),
        }


def analyse(run: RunFolder, *, cutoff: str | None = None, with_texts: bool = True) -> Analysis:
    """Lengths, accuracy by length, budgets, months, cut-off test, loops and repeated responses of one run."""
    unknown: list[str] = []
    budgets, texts = None, None
    try:
        budgets = tuple(score_at_budgets(run.grades, BUDGETS, run.results.cap))
    except DataError as error:
        unknown.append(str(error))
    months, split = _by_date(run, cutoff, unknown)
    if with_texts and list_files(run.folder):
        texts = describe_texts(run)
    elif with_texts:
        unknown.append(f"{run.folder} holds no generation files, so loops and repeated responses cannot be looked for")
    return Analysis(
        benchmark=run.benchmark,
        lengths=describe_lengths(run.grades),
        accuracy_by_length=tuple(accuracy_by_length(run.grades)),
        budgets=budgets,
        months=months,
        cutoff=split,
        texts=texts,
        published=run.results.published,
        unknown=tuple(unknown),
    )


def _by_date(
    run: RunFolder, cutoff: str | None, unknown: list[str]
) -> tuple[tuple[MonthScore, ...] | None, CutoffSplit | None]:
    labels = run.results.labels
    dates = next((labels[name] for name in DATE_BREAKDOWNS if name in labels), None)
    if dates is None:
        unknown.append("the problems carry no dates, so nothing can be said by month or of contamination")
        return None, None
    task_ids = run.task_ids
    counts = run.counts(task_ids)
    split = split_at_cutoff(counts, task_ids, dates, cutoff, labels.get("difficulty")) if cutoff is not None else None
    return tuple(score_by_month(counts, task_ids, dates)), split


def describe_texts(run: RunFolder) -> Texts:
    """Reads every response once. Equal responses ask: is the seed used at all?"""
    loops: list[LoopingResponse] = []
    seen: dict[tuple[str, bytes], int] = {}
    responses = repeated = cut_off = cut_off_in_loop = 0
    for generation in run.responses():
        responses += 1
        cut_off += generation.is_cut_off
        if loop := find_loop(generation.output):
            cut_off_in_loop += generation.is_cut_off
            loops.append(LoopingResponse(generation.task_id, generation.seed, loop))
        digest = hashlib.sha1(generation.output.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        repeated += seen.setdefault((generation.task_id, digest), generation.seed) != generation.seed
    return Texts(responses, len(loops), cut_off, cut_off_in_loop, tuple(loops[:LOOPS_LISTED]), repeated)
