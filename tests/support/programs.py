"""A small problem of programs, and the verdicts of programs on it: what tests of the verifier share."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from tools.code_verifier import (
    verify_many,
)
from tools.grading.code.pool import PoolOptions

DOUBLE = "print(int(input()) * 2)"


def problem(
    question_id: str = "double", tests: list[tuple[str, str]] | None = None, function: str | None = None
) -> dict[str, Any]:
    rows = [
        {"input": given, "output": expected, "testtype": "functional" if function else "stdin"}
        for given, expected in (tests if tests is not None else [("1\n", "2\n"), ("21\n", "42\n"), ("-3\n", "-6\n")])
    ]
    return {
        "question_id": question_id, "public_test_cases": json.dumps(rows[:1]), "private_test_cases": json.dumps(rows[1:]),
        "starter_code": "", "metadata": json.dumps({"func_name": function} if function else {}),
    }  # fmt: skip


def pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def verdicts(*codes: str, of: dict[str, Any] | None = None, workers: int = 1, **options: Any) -> list[dict[str, Any]]:
    row = of or problem()
    solutions = [
        {"solution_id": str(number), "question_id": row["question_id"], "code": code}
        for number, code in enumerate(codes)
    ]
    found = verify_many([row], solutions, workers, options=PoolOptions(**options))
    return sorted(found, key=lambda verdict: int(verdict["solution_id"]))
