"""The figures of each seed: the values of its documents, in their order, handed to the task's own aggregation.

>>> mean_figures({"100": {"t": {"acc,none": 0.5, "sample_len": 4}}, "101": {"t": {"acc,none": 1.0, "sample_len": 4}}})
{'t': {'acc,none': 0.75, 'sample_len': 4}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.lm_eval_tasks.values import is_number
from tools.records import Grade, JsonObject, JsonRow

TEXT = "lm_eval_text"
Values = dict[str, dict[str, list[Any]]]  # task -> "metric,filter" -> one value a document


def figures_by_seed(
    grades: Sequence[Grade],
    repeats: int,
    aggregate: Callable[[Values], JsonObject],
    replay: Callable[[Sequence[Sequence[Any]]], Sequence[JsonObject]],
) -> dict[str, JsonObject]:
    """Seed -> task or group -> its figures. `grades` are in the order of the problems. Where a task repeats its question,
    `repeats` seeds in a row are one sample of it, judged together; the first names them, and a rest is left out.

    A grade that keeps its text is judged again among the others: it needs them, or the task draws random numbers.
    """
    seeds = sorted({grade.seed for grade in grades})
    found = {}
    for start in range(0, len(seeds) - repeats + 1, repeats):
        chosen = seeds[start : start + repeats]
        together = _by_problem([grade for grade in grades if grade.seed in chosen], repeats)
        again = {task_id: same for task_id, same in together.items() if TEXT in same[0].details}
        new = dict(zip(again, replay([_to_doc(same) for same in again.values()]) if again else (), strict=True))
        values: Values = {}
        for task_id, same in together.items():
            known = {**same[0].metrics, **same[0].details.get("lm_eval_values", {})}
            for key, value in new.get(task_id, known).items():
                values.setdefault(same[0].details["lm_eval_task"], {}).setdefault(key, []).append(value)
        if values:
            found[str(chosen[0])] = aggregate(values)
    return found


def _by_problem(grades: Sequence[Grade], repeats: int) -> dict[str, list[Grade]]:
    """The samples of each problem, those alone that are whole."""
    found: dict[str, list[Grade]] = {}
    for grade in grades:
        found.setdefault(grade.task_id, []).append(grade)
    return {task_id: same for task_id, same in found.items() if len(same) == repeats}


def _to_doc(same: Sequence[Grade]) -> list[Any]:
    """Task, document, its hash, and the texts in the order of the seeds."""
    details = same[0].details
    texts = [grade.details[TEXT] for grade in sorted(same, key=lambda grade: grade.seed)]
    return [details["lm_eval_task"], *details["lm_eval_doc"], texts]


def mean_figures(by_seed: Mapping[str, JsonRow]) -> JsonObject:
    """The mean of each figure over the seeds; standard errors of single seeds have none."""
    first = next(iter(by_seed.values()), {})
    return {
        name: {
            key: (value if key == "sample_len" else _mean([figures[name][key] for figures in by_seed.values()]))
            for key, value in found.items()
            if "_stderr," not in key and all(is_number(figures.get(name, {}).get(key)) for figures in by_seed.values())
        }
        for name, found in first.items()
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
