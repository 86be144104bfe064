"""Every kind of instruction on texts of our own, one that follows and one that nearly does, and on hostile texts."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.support.cpu import takes_less
from tools.grading.instructions import IFBENCH_RULES
from tools.grading.instructions.following import follow, readings
from tools.grading.instructions.registry import IFBENCH, IFEVAL, ask, find_checks

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "instructions.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
BY_NAME = {row["instruction"]: row for row in ROWS}
OLDEST, EARLIER, LATER = IFBENCH_RULES
MOST_S = 1.5  # for 50 000 characters; what is linear takes 0.2 s, what is quadratic many seconds


@pytest.fixture(autouse=True)
def no_tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verbs are told by the list, whatever lies on this machine."""
    monkeypatch.setattr("tools.grading.instructions.verbs.find_tagger", lambda: None)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['instruction']}-{row['strict']}" for row in ROWS])
def test_golden_row(row: dict[str, Any]) -> None:
    followed = follow(row["text"], [ask(row["instruction"], row["arguments"])])
    assert (followed.strict, followed.loose) == ((row["strict"],), (row["loose"],))


def test_every_kind_has_a_text_that_follows_and_one_that_does_not() -> None:
    assert (len(IFEVAL), len(IFBENCH)) == (25, 58)
    seen = {(row["instruction"], row["strict"]) for row in ROWS}
    assert seen == {(name, verdict) for name in find_checks() for verdict in (True, False)}


@pytest.mark.parametrize("name", sorted(find_checks()))
def test_an_empty_text_follows_nothing(name: str) -> None:
    asked = ask(name, BY_NAME[name]["arguments"])
    assert not any(asked.is_followed_by(text) for text in ("", " ", "\n\t\n"))
    assert follow(" \n ", [asked]).loose == (False,)


def test_there_are_eight_readings() -> None:
    assert readings("*a*\n*b*\n*c*") == [
        "*a*\n*b*\n*c*", "a\nb\nc", "*b*\n*c*", "*a*\n*b*", "*b*", "b\nc", "a\nb", "b",
    ]  # fmt: skip


def test_a_response_is_read_leniently_without_its_first_line_its_last_line_and_its_asterisks() -> None:
    quoted, short = (
        ask("startend:quotation", {}),
        ask("length_constraints:number_words", {"relation": "less than", "num_words": 3}),
    )
    assert follow('Sure:\n*"one two"*\nBye.', [quoted, short]).strict == (False, False)
    assert follow('Sure:\n*"one two"*\nBye.', [quoted, short]).loose == (True, True)
    assert follow('One more\nline before\n"one two"', [quoted]).loose == (False,)


HOSTILE = {
    "brackets": "[" * 50_000,
    "asterisks": "*" * 50_000,
    "empty lines": "\n" * 50_000 + "x",
    "blank lines": " \n" * 25_000 + "x",
    "angles": "<<" * 25_000,
    "stops": "." * 50_000,
    "spaced stops": ". " * 25_000,
    "spaces": "a" + " " * 50_000 + "b",
    "quotes": "\"' " * 16_000,
    "one word": "x" * 50_000,
    "words": "word, " * 8_000,
    "questions": "Question 1" + "\n" * 50_000,
    "emoji": "⚠️ " * 16_000,
    "csv": 'ProductID,Category,Brand,Price,Stock\n"' + "a" * 50_000,
    "marks": "?!" * 25_000,
    "parentheses": "a.)" * 16_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_takes_linear_time(text: str) -> None:
    asked = {name: [ask(name, BY_NAME[name]["arguments"])] for name in find_checks()}
    assert [name for name, one in asked.items() if not takes_less(MOST_S, follow, text, one)] == []


@pytest.mark.parametrize(
    ("name", "arguments", "text", "earlier", "later"),
    [
        ("repeat:repeat_span", {"prompt_to_repeat": "Say it again", "n_start": 1, "n_end": 2}, "it again", False, True),
        ("repeat:repeat_span", {"prompt_to_repeat": "Say it again", "n_start": 1, "n_end": 2}, "ay", True, False),
        ("ratio:sentence_words", {}, "A cat. A dog. A hen.", True, False),
        ("words:words_position", {"keyword": "tea"}, "Hot, tea is good tea always!", False, True),
        ("words:words_position", {"keyword": "tea"}, "(tea was tea once", True, False),
        ("ratio:overlap", {"reference_text": "a big red sea", "percentage": 100}, "a big red sea.", False, False),
        ("ratio:overlap", {"reference_text": "a big red sea", "percentage": 67}, "a big red sea.", False, True),
    ],
)
def test_the_rules_of_ifbench_are_those_of_a_commit(
    name: str, arguments: dict[str, Any], text: str, earlier: bool, later: bool
) -> None:
    assert ask(name, arguments, EARLIER).is_followed_by(text) is earlier
    assert ask(name, arguments, LATER).is_followed_by(text) is later


@pytest.mark.parametrize(
    ("name", "arguments", "text", "oldest", "earlier"),
    [
        ("count:pronouns", {"N": 1}, "This and that.", False, True),
        ("words:keywords_specific_position", {"keyword": "tea", "n": 1, "m": 4}, "I like, tea a lot.", True, False),
        ("words:words_position", {"keyword": "tea"}, "Hot tea is good tea!", True, False),
        ("words:words_position", {"keyword": "tea"}, "Hot tea is a tea ever!", False, True),
        ("repeat:repeat_span", {"prompt_to_repeat": "Say it again", "n_start": 1, "n_end": 2}, "it", True, False),
    ],
)
def test_the_oldest_rules_of_ifbench(
    name: str, arguments: dict[str, Any], text: str, oldest: bool, earlier: bool
) -> None:
    assert ask(name, arguments, OLDEST).is_followed_by(text) is oldest
    assert ask(name, arguments, EARLIER).is_followed_by(text) is earlier
