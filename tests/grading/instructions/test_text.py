"""Sentences, tokens, words and languages, where NLTK's ways are unexpected; each row says what NLTK 3.10.4 says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.grading.instructions.languages import is_in
from tools.grading.instructions.text import sentences, tokens, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He is Mr. Bean. She is not.", ["He is Mr. Bean.", "She is not."]),
        ("It costs 3.50 e.g. here. Yes.", ["It costs 3.50 e.g.", "here.", "Yes."]),
        ("Hi! ?", ["Hi!", "?"]),
        ("Hi. . . .", ["Hi.", ".", ".", "."]),
        ("Wow!!!", ["Wow!!", "!"]),
        ("(It rains.) Then not.", ["(It rains.)", "Then not."]),
        ("He said “Go.” She went.", ["He said “Go.”", "She went."]),
        ("One\n\nTwo. three", ["One\n\nTwo.", "three"]),
        ("* One\n* Two", ["* One\n* Two"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I can't. I cannot! 'Tis so", "I ca n't . I can not ! ' Tis so"),
        ('"Yes," he said.', "`` Yes , '' he said ."),
        ("She's 'here' (now)...", "She 's ' here ' ( now ) ..."),
        ("**Bold** 3,5 a@b.c 50% X-ray--no", "* * Bold * * 3,5 a @ b.c 50 % X-ray -- no"),
        ("U.S.A. won. I wanna go, gimme.", "U.S.A. won . I wan na go , gim me ."),
        ("Don’t — “ever”: go", "Don ’ t — “ ever ” : go"),
    ],
)
def test_tokens(text: str, expected: str) -> None:
    assert " ".join(tokens(text)) == expected


def test_words_are_runs_of_what_belongs_to_words() -> None:
    assert words("It's well_known: 3.5 x² ½ naïve ❤️") == ["It", "s", "well_known", "3", "5", "x", "naïve", "️"]


def test_languages_are_told_the_same_way_every_time() -> None:
    unclear = "Hotel Taxi Radio"  # without a seed English, Estonian or Somali
    assert len({is_in(unclear, "en") for _ in range(20)}) == 1
    assert is_in("यह एक छोटा वाक्य है।", "hi")
    assert is_in("1 + 1 = 2", "fi")  # no language can be told: followed, as its authors have it
    assert is_in("word " * 50_000, "en") is is_in("word " * 2_000, "en")


def test_mathematics_is_graded_without_what_instructions_need() -> None:
    code = (
        "import sys; from tools.grading.session import grade_text; from tools.records import Problem; "
        "from tools.grading.instructions.plug import InstructionsGrader; "
        "grade_text('\\\\boxed{7}', Problem('1', '?', '7', {})); "
        "print([name for name in ('punkt', 'langdetect', 'emoji', 'syllapy') if name in sys.modules], "
        "[name for name in sys.modules if name.startswith('tools.grading.instructions.if')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] []\n"
