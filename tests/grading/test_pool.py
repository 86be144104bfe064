"""grading/pool.py: deaths and silence of grading processes, with real processes that do what they are told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tools.errors import SandboxError
from tools.grading.pool import LocalCrew, Pool, Work

WORKER = "tests.support.obedient_worker"


def failed(solution: Any, reason: str) -> dict[str, Any]:
    return {"solution_id": solution["solution_id"], "failed": reason}


def run(orders: list[str], workers: int = 1, **work: Any) -> dict[str, Any]:
    """Rows by solution; each solution is an order to the process: "answer", "die", "die once FILE", "die noting FILE" or
    "sleep"."""
    solutions = [{"solution_id": f"{n} {order}", "question_id": "q", "order": order} for n, order in enumerate(orders)]
    with Pool(LocalCrew(workers), Work(WORKER, {}, failed, **work)) as pool:
        rows = [row for row, _ in pool.run({"q": {"question_id": "q"}}, solutions)]
    assert Counter(row["solution_id"] for row in rows) == Counter(solution["solution_id"] for solution in solutions)
    return {row["solution_id"]: row for row in rows}


def test_every_solution_gets_one_row() -> None:
    assert all("failed" not in row for row in run(["answer"] * 20, workers=2).values())


def test_a_solution_at_which_workers_end_twice_is_one_that_we_cannot_grade(tmp_path: Any) -> None:
    order = f"die noting {tmp_path / 'deaths'}"
    rows = run(["answer", order, "answer"])
    assert [name for name, row in rows.items() if "failed" in row] == [f"1 {order}"]
    assert rows[f"1 {order}"]["failed"] == "the grading process ended with status 9"
    assert (tmp_path / "deaths").read_text() == "xx"


def test_a_solution_at_which_a_worker_ends_once_is_tried_again(tmp_path: Any) -> None:
    rows = run(["answer", f"die once {tmp_path / 'mark'}", "answer"])
    assert not any("failed" in row for row in rows.values())


def test_with_one_try_every_death_is_the_solutions() -> None:
    rows = run(["die"] * 8 + ["answer"], max_tries=1)
    assert [name for name, row in rows.items() if "failed" not in row] == ["8 answer"]


def test_workers_that_end_again_and_again_stop_the_grading() -> None:
    with pytest.raises(SandboxError, match="again and again"):
        run(["die"] * 8)


def test_a_silent_worker_is_ended_and_its_solution_named() -> None:
    rows = run(["answer", "sleep", "answer"], max_tries=1, silent_timeout_s=0.5)
    assert [name for name, row in rows.items() if "failed" in row] == ["1 sleep"]
    assert rows["1 sleep"]["failed"] == "no answer within 0.5 s"
