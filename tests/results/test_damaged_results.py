"""A results file of which any one value is something else: read as it is, or refused in one line, and never a traceback."""

from __future__ import annotations

import copy
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tools.errors import StorageError
from tools.records import Grade, Verdict
from tools.report.exports import csv_table, markdown_table
from tools.results.build import build_results, parse_results

PLAN = [(f"p{problem}", seed) for problem in range(4) for seed in (1, 2)]
GRADES = [
    Grade(task_id, seed, Verdict.CORRECT if (int(task_id[1]) + seed) % 3 else Verdict.WRONG, metrics={"points": 0.5})
    for task_id, seed in PLAN
]
WRONG = [None, -1, "x", [], {}, [None], {"a": None}, float("nan"), float("inf"), True]


@pytest.fixture(scope="module")
def row() -> dict[str, Any]:
    labels = {"topic": {f"p{problem}": "sums" if problem % 2 else "products" for problem in range(4)}}
    results = build_results(
        model="m", dataset="mine", set_name="mine", grades=GRADES, task_ids=[f"p{n}" for n in range(4)], seeds=[1, 2],
        settings={"max_new_tokens": 100}, grader={"name": "ours", "version": "1"}, labels=labels,
    )  # fmt: skip
    parsed: dict[str, Any] = json.loads(json.dumps(results.to_json()))
    assert parse_results(parsed, pathlib.Path("results.json")) == results
    return parsed


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of every object, and the first of every list."""
    if place:
        yield place
    parts = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else []
    for key, part in parts:
        yield from places(part, (*place, key))


def test_any_value_may_be_another(row: dict[str, Any]) -> None:
    refused, read = [], 0
    for *way, last in places(row):
        for wrong in WRONG:
            damaged = copy.deepcopy(row)
            inner = damaged
            for key in way:
                inner = inner[key]
            inner[last] = wrong
            try:
                results = parse_results(damaged, pathlib.Path("results.json"))
            except StorageError as error:
                refused.append(str(error))
                continue
            assert results.headline
            assert results.published is None or results.published.to_json()
            assert csv_table([results])
            assert markdown_table([results])
            json.dumps(results.to_json(), allow_nan=True)
            read += 1
    assert len(refused) > 300
    assert all("grade the run again" in text and "\n" not in text for text in refused)
    assert read > 100  # settings, sections and names may be anything


@pytest.mark.parametrize("wrong", [[], "{}", 7, None, {"schema_version": 2}, {"schema_version": "2"}])
def test_what_is_no_results_file_is_told(wrong: Any) -> None:
    with pytest.raises(StorageError, match=r"results\.json (has version|lacks)"):
        parse_results(wrong, pathlib.Path("results.json"))
