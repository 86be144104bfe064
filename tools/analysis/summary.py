"""All analyses of one graded data set as one record, for `python -m tools.analysis` and the report.

What cannot be known (token counts of foreign files, dates of undated problems, responses that are gone) is None and named
in "unknown" with its reason; nothing is estimated in its place.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from tools.analysis.budgets import ASSUMPTION, BUDGETS, score_at_budgets
from tools.analysis.contamination import score_by_month, split_at_cutoff
from tools.analysis.lengths import accuracy_by_length, describe_lengths
from tools.analysis.loops import find_loop
from tools.errors import DataError
from tools.results.run_folder import Run
from tools.store.generations import list_files

DATE_BREAKDOWNS = ("contest_date", "date", "month")
LOOPS_LISTED = 100


def analyse(run: Run, *, cutoff: str | None = None, with_texts: bool = True) -> dict[str, Any]:
    """Lengths, accuracy by length, budgets, months, cut-off test, loops and repeated responses of one run."""
    unknown: list[str] = []
    cap = run.results["settings"].get("max_new_tokens")
    record: dict[str, Any] = {
        "dataset": run.dataset,
        "lengths": describe_lengths(run.grades),
        "accuracy_by_length": accuracy_by_length(run.grades),
        "budgets": None,
        "budget_assumption": ASSUMPTION,
        "months": None,
        "cutoff": None,
        "texts": None,
        "published": run.results.get("published"),
        "unknown": unknown,
    }
    try:
        record["budgets"] = score_at_budgets(run.grades, BUDGETS, cap)
    except DataError as error:
        unknown.append(str(error))
    _add_dates(run, record, cutoff)
    if with_texts and list_files(run.folder):
        record["texts"] = describe_texts(run)
    elif with_texts:
        unknown.append(f"{run.folder} holds no generation files, so loops and repeated responses cannot be looked for")
    return record


def _add_dates(run: Run, record: dict[str, Any], cutoff: str | None) -> None:
    labels = run.results.get("labels", {})
    dates = next((labels[name] for name in DATE_BREAKDOWNS if name in labels), None)
    if dates is None:
        record["unknown"].append("the problems carry no dates, so nothing can be said by month or of contamination")
        return
    task_ids = run.task_ids
    counts = run.counts(task_ids)
    record["months"] = score_by_month(counts, task_ids, dates)
    if cutoff is not None:
        split = split_at_cutoff(counts, task_ids, dates, cutoff, labels.get("difficulty"))
        record["cutoff"] = dataclasses.asdict(split)


def describe_texts(run: Run) -> dict[str, Any]:
    """Loops, and responses that equal another seed's to the same problem (is the seed used at all? PAINS 5)."""
    loops: list[dict[str, Any]] = []
    seen: dict[tuple[str, bytes], int] = {}
    responses = repeated = cut_off = cut_off_in_loop = 0
    for generation in run.responses():
        responses += 1
        cut_off += generation.is_cut_off
        if loop := find_loop(generation.output):
            cut_off_in_loop += generation.is_cut_off
            loops.append({"task_id": generation.task_id, "seed": generation.seed, **dataclasses.asdict(loop)})
        digest = hashlib.sha1(generation.output.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        repeated += seen.setdefault((generation.task_id, digest), generation.seed) != generation.seed
    return {
        "responses": responses,
        "loops": len(loops),
        "loop_share": len(loops) / responses if responses else None,
        "cut_off": cut_off,
        "cut_off_in_loop": cut_off_in_loop,
        "loops_listed": loops[:LOOPS_LISTED],
        "repeated_responses": repeated,
        "warning": (
            f"{repeated} responses equal another seed's to the same problem: check that seeds reach the engine"
            if repeated > responses // 20 and responses
            else None
        ),
    }
