"""The one extractor of letters: golden rows, what is never a letter, bounds, hostile texts."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.cpu import grows_linearly
from tools.grading.choice.extraction import find_letter, find_letters

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "tests/golden/choice_letters.jsonl").read_text("utf-8").splitlines()
]
PIECES = (
    "The answer is ", "(", ")", "A", "B", "I", " or ", "not ", "\\boxed{", "}", "**", "answer: ", "\n", "Option ", " is correct", "$", "\\text{",
    "Wait, ", "(b) ", "Question: ", ". ", "<answer>", "</answer>", "x", "答案是", "\u2028", "\\", "1/2", ", ", "the liver",
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['source'][14:]}: {row['text'][-40:]!r}")
def test_a_golden_row(row: dict[str, Any]) -> None:
    found = find_letter(
        row["text"], row["choices"], is_cut_off=row.get("is_cut_off", False), is_first=row.get("is_first", False)
    )
    assert found.letter == row["letter"], found


def test_several_letters_are_told() -> None:
    found = find_letter("Answer: A or C", ("1", "2", "3"))
    assert (found.letter, found.reason) == (None, "several letters: A, C")
    assert find_letters("Answer: A or C", ("1", "2", "3")).letters == ("A", "C")


def test_two_equal_options_are_no_answer_by_their_text() -> None:
    assert find_letter("The answer is 4.", ("4", "4", "5")).letter is None
    assert find_letter("The answer is 5.", ("4", "4", "5")).letter == "C"


def test_a_letter_comes_before_an_option_that_looks_like_one() -> None:
    assert find_letter(r"\boxed{A}", ("B", "C", "A")).letter == "A"


def test_without_known_options_any_letter_counts() -> None:
    assert find_letter("The answer is (Q).").letter == "Q"


def test_hostile_texts_raise_nothing() -> None:
    source = random.Random(7)
    for _ in range(3000):
        text = "".join(source.choice(PIECES) for _ in range(source.randint(1, 40)))
        for is_first in (False, True):
            found = find_letter(text, ("the spleen", "the liver", "1/2"), is_first=is_first)
            assert found.letter is None or (len(found.letter) == 1 and found.letter.isupper())


@pytest.mark.parametrize(
    "piece", [*PIECES, "The answer is (A) ", "Answer: A, ", "(A) ", "the answer to the of in ", "A and ", "not B but "]
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    def find(text: str) -> None:
        find_letter(text, ("the spleen", "the liver", "1/2"))

    small, large = (piece * (size // len(piece)) for size in (20_000, 80_000))
    assert grows_linearly(find, small, large, times=10, always_fine_s=0.1)
