"""Two data sets side by side for the page: the numbers are tools.analysis.compare's, refusals included."""

from __future__ import annotations

from typing import Any

from tools.analysis.compare import compare_runs
from tools.analysis.compare_text import verdict_sentence
from tools.errors import EvaluationError
from tools.results.run_folder import RunFolder
from tools.view.opened import OpenDataset
from tools.view.page_json import head_of


def compare_datasets(first: OpenDataset, second: OpenDataset) -> dict[str, object]:
    """{"a", "b": heads, "seeds"} with either "comparison" and its "sentence" or "refusal", why there is none."""
    first.refresh()
    second.refresh()
    seeds = sorted(set(first.axes()[1]) | set(second.axes()[1]))
    shown: dict[str, Any] = {"a": head_of(first), "b": head_of(second), "seeds": seeds}
    try:
        comparison = compare_runs(RunFolder(first.folder), RunFolder(second.folder), with_texts=False)
    except EvaluationError as error:
        return {**shown, "refusal": str(error)}
    return {**shown, "comparison": comparison.to_json(), "sentence": verdict_sentence(comparison.overall)}
