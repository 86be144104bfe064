"""Two data sets side by side for the page: the numbers are tools.analysis.compare's, refusals included."""

from __future__ import annotations

from typing import Any

from tools.analysis.compare import compare_runs
from tools.analysis.compare_text import verdict_sentence
from tools.errors import EvaluationError
from tools.results.build import read_results
from tools.results.run_folder import Run
from tools.view.opened import OpenDataset


def compare_datasets(first: OpenDataset, second: OpenDataset) -> dict[str, Any]:
    """{"a", "b": heads, "seeds"} with either "comparison" and its "sentence" or "refusal", why there is none."""
    first.refresh()
    second.refresh()
    seeds = sorted(set(first.axes()[1]) | set(second.axes()[1]))
    shown: dict[str, Any] = {"a": first.head(), "b": second.head(), "seeds": seeds}
    try:
        runs = (Run(dataset.folder, read_results(dataset.folder)) for dataset in (first, second))
        comparison = compare_runs(*runs, with_texts=False)
    except EvaluationError as error:
        return {**shown, "refusal": str(error)}
    except (KeyError, TypeError, AttributeError) as error:
        return {**shown, "refusal": f"a results file lacks what a comparison needs ({error}); grade both runs again"}
    return {**shown, "comparison": comparison.to_json(), "sentence": verdict_sentence(comparison.overall)}
