"""From responses to a task's values, by its own code: filters, process_results, aggregation, groups. For child.py alone.

The same steps in the same order as lm_eval.evaluator.evaluate, one document at a time; then, for the documents of one
seed, the figures under the names that lm-eval gives them ("exact_match,strict-match").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.metrics import acc_all, mean, stderr_for_metric

from tools.errors import DataError
from tools.lm_eval_tasks.tasks import OUTPUT_TYPES, SCORED, WHOLE, BuiltTasks, doc_hash
from tools.lm_eval_tasks.values import from_json, is_number, to_json
from tools.records import JsonObject

LONGEST_TEXT = 2000
CLOSED_FORMS = (mean, acc_all)  # whose standard error needs no thousands of resamples


class TaskJudge:
    """One built name; documents are read once."""

    def __init__(self, built: BuiltTasks) -> None:
        self._built = built
        self._docs: dict[str, list[Any]] = {}

    def judge(self, name: str, doc_id: int, expected_hash: str, responses: Sequence[Any]) -> JsonObject:
        """`responses`: the texts of one document, or (log-likelihood, is it greedy) of each choice.

        Returns the values by "metric,filter", what the filters made of the (first) response, for values that are no
        numbers the figure of this document alone, and whether the task drew random numbers. Raises DataError when the
        document is not the one that was asked.
        """
        self._built.state.restore()
        task, instances = self._filter(name, doc_id, expected_hash, responses)
        values: dict[str, Any] = {}
        for key in instances[0].filtered_resps:
            values |= self._process(task, instances, key)
        plain = {key: to_json(value) for key, value in values.items()}
        is_random = not self._built.state.is_now
        return {
            "values": plain,
            "filtered": {key: str(text)[:LONGEST_TEXT] for key, text in instances[0].filtered_resps.items()},
            "alone": {key: self._alone(task, key, value) for key, value in values.items() if not is_number(plain[key])},
            "is_random": is_random,
        }

    def replay(self, docs: Sequence[Any]) -> list[Any]:
        """The values of documents, each given as `judge` has them, in lm-eval's order and from its random numbers on:
        for tasks that draw while they grade. All are of one seed."""
        self._built.state.restore()
        found: list[dict[str, Any]] = [{} for _ in docs]
        for name in self._built.tasks:
            mine = [(place, self._filter(*doc)) for place, doc in enumerate(docs) if doc[0] == name]
            for key in mine[0][1][1][0].filtered_resps if mine else ():
                for place, (task, instances) in mine:
                    values = self._process(task, instances, key)
                    found[place] |= {metric: to_json(value) for metric, value in values.items()}
        return found

    def _filter(self, name: str, doc_id: int, expected_hash: str, responses: Sequence[Any]) -> tuple[Any, list[Any]]:
        task = self._built.tasks[name]
        doc = self._doc(name, doc_id, expected_hash)
        is_scored = OUTPUT_TYPES[task.OUTPUT_TYPE] == SCORED
        groups = [[tuple(each)] for each in responses] if is_scored else [list(responses)]
        if task.OUTPUT_TYPE == WHOLE:  # of the windows of one text
            groups = [[sum(value for value, _ in responses)]]
        instances = [self._instance(task, name, doc_id, doc, index, got) for index, got in enumerate(groups)]
        task._instances = instances
        task.apply_filters()
        return task, instances

    @staticmethod
    def _process(task: Any, instances: list[Any], key: str) -> JsonObject:
        results = [instance.filtered_resps[key] for instance in instances]
        found = task.process_results(instances[0].doc, results)
        return {f"{metric},{key}": value for metric, value in found.items()}

    def _doc(self, name: str, doc_id: int, expected_hash: str) -> Any:
        task = self._built.tasks[name]
        if name not in self._docs:
            self._docs[name] = list(task.eval_docs)
        docs = self._docs[name]
        if not 0 <= doc_id < len(docs) or doc_hash(docs[doc_id]) != expected_hash:
            raise DataError(
                f"lm:{name}: its document {doc_id} is not the one that was asked (another version of the task, or of its "
                f"data); grade with what it was planned with, or sample it again (lm_eval {self._built.version} is installed)"
            )
        return docs[doc_id]

    @staticmethod
    def _instance(task: Any, name: str, doc_id: int, doc: Any, index: int, responses: list[Any]) -> Any:
        kind = "loglikelihood" if task.OUTPUT_TYPE == "multiple_choice" else task.OUTPUT_TYPE
        instance = Instance(kind, doc, ("", {}), index, metadata=(name, doc_id, 1))
        instance.resps = responses
        return instance

    @staticmethod
    def _alone(task: Any, key: str, value: Any) -> float | None:
        try:
            figure = to_json(aggregation_of(task, key)([value]))
        except Exception:  # noqa: BLE001 - a figure of one document need not exist
            return None
        return float(figure) if is_number(figure) else None

    def aggregate(self, values: Mapping[str, Mapping[str, Sequence[Any]]]) -> JsonObject:
        """Task -> "metric,filter" -> the documents' values, in their order; returns the figures of tasks and groups."""
        figures: dict[str, Any] = {}
        for name, by_key in values.items():
            task = self._built.tasks[name]
            figures[name] = {"name": name, "alias": name, "sample_len": max(map(len, by_key.values()), default=0)}
            for key, items in by_key.items():
                figures[name] |= figure_of(task, key, [from_json(item) for item in items])
        for name, group in self._built.groups.items():
            figures[name] = dict(group.aggregate(figures))
        return {
            name: {key: to_json(value) for key, value in found.items() if "," in key or key == "sample_len"}
            for name, found in figures.items()
        }


def aggregation_of(task: Any, key: str) -> Any:
    return task.aggregation().get(key.rpartition(",")[0], mean)


def figure_of(task: Any, key: str, items: list[Any]) -> JsonObject:
    """A figure, and its standard error where there is a formula for it, as lm-eval names them."""
    metric, _, filter_name = key.rpartition(",")
    aggregate = aggregation_of(task, key)
    stderr = stderr_for_metric(aggregate, bootstrap_iters=1) if aggregate in CLOSED_FORMS else None
    error = stderr(items) if stderr and len(items) > 1 else "N/A"
    return {key: aggregate(items), f"{metric}_stderr,{filter_name}": error}
