"""What the page can ask for, each a function from the address's parameters to JSON."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.errors import EvaluationError
from tools.view.comparison import compare_datasets
from tools.view.opened import OpenDataset, OpenRun, open_runs
from tools.view.page_json import head_of, overview_of, sample_of
from tools.view.search import Query, find_samples


class NotFound(EvaluationError):
    """The address names a run, data set or sample that is not open here."""


class Routes:
    """The API over the runs that were opened together."""

    def __init__(self, outs: list[Path]) -> None:
        self.runs: dict[str, OpenRun] = {run.name: run for run in open_runs(outs)}
        self.api: dict[str, Callable[[dict[str, str]], Any]] = {
            "api/runs": self.list_runs,
            "api/overview": self.overview,
            "api/sample": self.sample,
            "api/samples": self.samples,
            "api/problem": self.problem,
            "api/test": self.test,
            "api/compare": self.compare,
        }
        self._reports: dict[tuple[str, str], tuple[int, tuple[str, str]]] = {}
        self._report_lock = threading.Lock()

    def list_runs(self, _: dict[str, str]) -> dict[str, object]:
        """Every run with the heads of its data sets."""
        runs = []
        for run in self.runs.values():
            run.find_datasets()
            heads = [head_of(dataset) for dataset in run.datasets.values()]
            runs.append({"name": run.name, "status": run.status(), "datasets": heads})
        return {"runs": runs}

    def overview(self, parameters: dict[str, str]) -> dict[str, object]:
        """A data set's first view; {"version"} alone when the caller has this version and nothing is going on."""
        dataset = self._dataset(parameters)
        dataset.refresh()
        if parameters.get("version") == str(dataset.version):
            return {"version": dataset.version, "status": dataset.run.status(), "is_unchanged": True}
        return overview_of(dataset)

    def sample(self, parameters: dict[str, str]) -> dict[str, object]:
        found = sample_of(self._dataset(parameters), parameters.get("task", ""), _whole(parameters.get("seed")) or 0)
        if found is None:
            raise NotFound("this sample is not in the folder (yet)")
        return found

    def problem(self, parameters: dict[str, str]) -> dict[str, object]:
        """A statement; the first one of a set of gigabytes takes as long as reading through its file."""
        problem = self._dataset(parameters).problems().read(parameters.get("task", ""))
        if problem is None:
            raise NotFound("the problem file is not here, or does not hold this problem")
        return {**problem, "has_tests": "question_content" in problem}

    def test(self, parameters: dict[str, str]) -> dict[str, object]:
        return self._dataset(parameters).test(parameters.get("task", ""), _whole(parameters.get("number")) or 0)

    def samples(self, parameters: dict[str, str]) -> dict[str, object]:
        verdicts = frozenset(filter(None, parameters.get("verdicts", "").split(",")))
        query = Query(
            verdicts,
            parameters.get("task", ""),
            _whole(parameters.get("seed")),
            parameters.get("text", ""),
            max(0, _whole(parameters.get("offset")) or 0),
        )
        return find_samples(self._dataset(parameters), query)

    def compare(self, parameters: dict[str, str]) -> dict[str, object]:
        sides = [
            self._dataset({"run": parameters.get(f"{side}_run", ""), "dataset": parameters.get(f"{side}_dataset", "")})
            for side in ("a", "b")
        ]
        return compare_datasets(*sides)

    def report(self, parameters: dict[str, str]) -> tuple[str, str]:
        """(report.html, its content security policy) of one data set, made again when its files changed."""
        from tools.report.page import build_report, report_policy
        from tools.results.run_folder import RunFolder

        dataset = self._dataset(parameters)
        dataset.refresh()
        key = dataset.run.name, dataset.folder.name
        with self._report_lock:
            kept = self._reports.get(key)
            if kept is None or kept[0] != dataset.version:
                html = build_report([RunFolder(dataset.folder)])
                kept = self._reports[key] = dataset.version, (html, report_policy())
        return kept[1]

    def _dataset(self, parameters: dict[str, str]) -> OpenDataset:
        run = self.runs.get(parameters.get("run", ""))
        dataset = run.datasets.get(parameters.get("dataset", "")) if run else None
        if dataset is None:
            raise NotFound("no such run or data set is open here; start the page with its folder")
        return dataset


def _whole(text: str | None) -> int | None:
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
