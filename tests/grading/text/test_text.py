"""Short texts as answers (BIG-Bench Hard and its successors): what is harmless, what is not, and real right answers."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.support.cpu import grows_linearly
from tools.grading.grader import Generation, NoOptions, Problem, Response, Verdict, Workplace
from tools.grading.text.comparison import same_text
from tools.grading.text.extraction import find_text
from tools.grading.text.plug import TextGrader

GRADER = TextGrader(NoOptions(), Workplace())
FORMS = (
    "{}", "So the answer is {}.", "The answer is: {}", "**Answer:** {}", "Let me think.\n\nThe final answer is **{}**.",
    "Work.\n\\boxed{{{}}}", "Hm.\n\n$\\boxed{{\\text{{{}}}}}$", "Answer: `{}`",
)  # fmt: skip
SPOILT = ("The answer is not {}.", "The answer is {} or something else.", "The answer is un{}")


def verdict(text: str, gold: str, statement: str = "?", finish: str = "stop", is_closed: bool | None = None) -> Verdict:
    response = Response(Generation("1", 100, text, finish_reason=finish), "", text, is_closed)
    return GRADER.judge(Problem("1", statement, gold, {}), response).verdict


@pytest.mark.parametrize(
    ("given", "gold", "is_same"),
    [
        ("Yes", "yes", True), ("**No**.", "No", True), ("yes", "no", False), ("yes or no", "no", False), ("\"valid\"", "valid", True),
        ("invalid", "valid", False), ("[1, 2]", "1,2", True), ("1, 2", "1,2", True), ("2, 1", "1,2", False), ("1,200", "1200", True),
        ("12.0", "12", True), ("12.01", "12", False), ("(B)", "B", True), ("b", "(B)", True), ("C", "(B)", False), ("is it?", "is it", True),
        ("the dog's", "the dogs", True), ("apple, fig, kiwi", "apple fig kiwi", True), ("apple fig", "apple fig kiwi", False),
        ("apple fig kiwi pear", "apple fig kiwi", False), ("No, because he lies", "No", True), ("True. It holds.", "True", True),
        ("] ) }", "] ) }", True), ("])}", "] ) }", True), ("[ ( { } ) ]", "} ) ]", False), ("] )", "] ) }", False), ("", "yes", False),
        ("D, A, A", "D, A, A", True), ("D,A,A", "D, A, A", True), ("A, D, A", "D, A, A", False), ("yes, no, unknown", "yes, no, unknown", True),
    ],
)  # fmt: skip
def test_equal_texts(given: str, gold: str, is_same: bool) -> None:
    assert same_text(given, gold) is is_same


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The answer is: 5\nThe answer is: 7", "7"),
        ("First \\boxed{a} and last \\boxed{b}. The answer is c.", "b"),
        ("<answer>blue</answer>", "blue"),
        ("Final Answer:\n\nblue", "blue"),
        ("one\ntwo\n", "two"),
        ("", None),
    ],
)
def test_where_the_text_is_found(text: str, found: str | None) -> None:
    assert find_text(text).text == found


def test_an_option_may_stand_with_its_text() -> None:
    statement = "When?\nOptions:\n(A) 4 March\n(B) 5 March"
    assert verdict("The answer is (B) 5 March.", "(B)", statement) is Verdict.CORRECT
    assert verdict("The answer is 5 March.", "(B)", statement) is Verdict.CORRECT
    assert verdict("The answer is (A) 4 March.", "(B)", statement) is Verdict.WRONG
    assert verdict("The answer is (A) or (B).", "(B)", statement) is Verdict.NO_ANSWER


def test_cut_off_before_an_answer_is_truncated() -> None:
    assert verdict("Let us see: yes", "yes", finish="length") is Verdict.TRUNCATED
    assert verdict("", "yes", is_closed=False) is Verdict.TRUNCATED
    assert verdict("", "yes") is Verdict.NO_ANSWER


@pytest.mark.parametrize(
    "piece", ["\n", "answer is ", "answer:\n", "**", "# final answer\n", "\\boxed{a} ", "not answer is b "]
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    small, large = (piece * (size // len(piece)) for size in (20_000, 80_000))
    assert grows_linearly(find_text, small, large, times=10, always_fine_s=0.1)


def test_votes_join_equal_spellings() -> None:
    assert GRADER.equal("Yes.", "yes")
    assert not GRADER.equal("yes", "no")


def test_every_real_right_answer_is_accepted_and_no_longer_text_that_holds_it(data_dir: pathlib.Path) -> None:
    files = [*sorted((data_dir / "breadth/bbh").glob("*.json")), data_dir / "breadth/bbeh/mini.json"]
    if not files[-1].is_file():
        pytest.skip("no files of BIG-Bench Hard in the data folder")
    for file in files:
        for example in json.loads(file.read_text(encoding="utf-8"))["examples"][::5]:
            gold, statement = str(example["target"]), example["input"]
            for form in FORMS:
                assert verdict(form.format(gold), gold, statement) is Verdict.CORRECT, (file.name, form, gold)
            for form in SPOILT:
                assert verdict(form.format(gold, gold), gold, statement) is not Verdict.CORRECT, (file.name, form, gold)
