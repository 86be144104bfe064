"""Golden cases of comparison: LiveCodeBench's rules made exact, and the original's where they differ."""

from __future__ import annotations

import json
import pathlib
import time
from typing import Any

import pytest

from tools.grading.code.comparison import ends_with_line, result_matches, stdout_matches
from tools.grading.code.original import result_matches_original, stdout_matches_original

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "golden" / "code_comparison.jsonl"
ROWS = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").split("\n") if line]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['form']}-{number}" for number, row in enumerate(ROWS)])
def test_golden_comparisons(row: dict[str, Any]) -> None:
    ours, original = {
        "stdout": (stdout_matches, stdout_matches_original),
        "result": (result_matches, result_matches_original),
    }[row["form"]]
    assert ours(row["output"], row["expected"]) is row["ours"], row["source"]
    assert original(row["output"], row["expected"]) is row["original"], row["source"]


def test_long_integers_compare_exactly_and_quickly() -> None:
    digits = "7" * 4000
    assert stdout_matches(digits, digits)
    assert not stdout_matches(digits, digits[:-1] + "8")
    assert not result_matches("1" * 5000, "1" * 4999 + "2")
    assert result_matches("1" * 5000, "1" * 5000 + " ")


def test_huge_exponents_and_outputs_do_not_stop_the_comparison() -> None:
    started = time.process_time()
    assert not stdout_matches(" ".join(["1e999999"] * 300_000), "1 2")
    assert not stdout_matches(" ".join(["1e999999"] * 20_000), " ".join(["2e999999"] * 20_000))
    assert not result_matches("[" * 200_000 + "]" * 200_000, "[]")
    assert not result_matches("[" + "1," * 10**7 + "1]", "[1]")
    assert time.process_time() - started < 5


def test_only_the_last_line_says_that_test_code_came_to_its_end() -> None:
    assert ends_with_line("noise\nabc\n", "abc")
    assert not ends_with_line("abc\nnoise", "abc")
    assert not ends_with_line("", "abc")
