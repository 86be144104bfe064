"""Tests of a problem: read one problem at a time, without running a pickle, and never passed when they cannot be read."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import pickle
import zlib
from typing import Any

import pytest

from tests.support.programs import pack, problem, verdicts
from tools.code_verifier import (
    verify_many,
)
from tools.errors import DataError
from tools.grading.code.problem_tests import CODE_TYPE, read_tests, unpickle_text


def test_tests_are_decoded_one_problem_at_a_time_and_from_their_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "problems.jsonl"
    big = [{"input": "1\n", "output": "2\n", "testtype": "stdin"}] * 20_000
    offset, problems = 0, []
    with path.open("wb") as file:
        for number in range(6):
            row = {**problem(str(number)), "private_test_cases": pack(pickle.dumps(json.dumps(big)))}
            line = json.dumps(row).encode() + b"\n"
            problems.append({"question_id": str(number), "path": str(path), "offset": offset, "length": len(line)})
            offset += file.write(line)
    solutions = [{"solution_id": str(number), "question_id": str(number), "code": "print(0)"} for number in range(6)]
    found = list(verify_many(problems, solutions, 1))
    assert {verdict["tests_total"] for verdict in found} == {20_001}
    assert {verdict["status"] for verdict in found} == {"wrong"}


def test_a_problem_that_cannot_be_read_or_has_no_tests_is_never_passed() -> None:
    broken = [
        {**problem(), "private_test_cases": "not base64 !"},
        {**problem(), "private_test_cases": pack(b"not a pickle")},
        {**problem(), "private_test_cases": pack(pickle.dumps(["[]"]))},
        {**problem(), "private_test_cases": pack(pickle.dumps(print))},
        {**problem(), "private_test_cases": base64.b64encode(zlib.compress(b"x" * 999)[:-9]).decode()},
        {**problem(), "private_test_cases": "[{}]"},
        {**problem(), "public_test_cases": "[]", "private_test_cases": "[]"},
        {**problem(), "public_test_cases": None, "private_test_cases": None},
        {**problem(tests=[("1", "[")], function="f")},
        {**problem(tests=[("{", "1")], function="f")},
        {**problem(), "metadata": "{"},
    ]
    for row in broken:
        (verdict,) = verdicts("print(2)\ndef f(x): return 1", of=row)
        assert verdict["status"] == "grader_error", row
        assert verdict["reason"].startswith("problem double"), verdict["reason"]


def test_packed_tests_are_read_without_running_the_pickle() -> None:
    text = json.dumps([{"input": "ü\n", "output": "1\n", "testtype": "stdin"}])
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        tests = read_tests({**problem(), "private_test_cases": pack(pickle.dumps(text, protocol))})
        assert tests.cases[-1].input == "ü\n"
        assert tests.code_type is CODE_TYPE.standard_input


class Bomb:
    def __reduce__(self) -> Any:
        return (pathlib.Path.touch, (pathlib.Path("/tmp/bomb-went-off"),))


@pytest.mark.parametrize("value", [Bomb(), [Bomb()], ["a"], b"bytes", 1, ("a", "b"), {"a": 1}])
def test_a_pickle_of_anything_but_one_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="pickle"):
        unpickle_text(pickle.dumps(value))
    assert not os.path.exists("/tmp/bomb-went-off")


def test_the_function_s_name_comes_from_metadata_or_the_starter_code() -> None:
    row = problem(tests=[("1", "1")], function="f")
    assert read_tests(row).function == "f"
    assert (
        read_tests({**row, "metadata": "{}", "starter_code": "class Solution:\n    def g(self, x):\n"}).function == "g"
    )
    with pytest.raises(DataError, match="func_name"):
        read_tests({**row, "metadata": "{}"})
