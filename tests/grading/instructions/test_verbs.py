"""Whether a text starts with a verb: by NLTK's weights where they lie, else by a list; and what the results say of it."""

from __future__ import annotations

import json
import pathlib

import pytest

from tools.benchmarks.benchmark import find_benchmark
from tools.grading import create_grader
from tools.grading.grader import Workplace
from tools.grading.instructions import verbs
from tools.grading.session import grade_text
from tools.records import Problem

PROBLEM = Problem("1", "?", None, {"instruction_id_list": ["words:start_verb"], "kwargs": [{}]})


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "find_tagger", lambda: None)


@pytest.fixture
def weights(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A tagger of our own in NLTK's form: by suffix, by the word after, and words with one tag."""
    folder = tmp_path / "nltk_data" / "taggers" / verbs.TAGGER
    folder.mkdir(parents=True)
    parts = {
        "weights": {
            "bias": {"NN": 1.0}, "i suffix ing": {"VBG": 2.0}, "i+1 word the": {"VB": 1.5}, "i+2 word -end2-": {"NN": 9.0},
            "i+1 word -END-": {"NN": 2.0}, "i word !DIGITS": {"CD": 3.0}, "i word !YEAR": {"CD": 3.0}, "i word !HYPHEN": {"JJ": 3.0},
        },
        "tagdict": {"Take": "VBP", "The": "DT"},
        "classes": ["CD", "DT", "JJ", "NN", "VB", "VBG", "VBP"],
    }  # fmt: skip
    for part, value in parts.items():
        (folder / f"{verbs.TAGGER}.{part}.json").write_text(json.dumps(value))
    monkeypatch.setenv("NLTK_DATA", f"/nowhere:{tmp_path / 'nltk_data'}")
    return folder


@pytest.mark.parametrize(
    ("text", "is_verb"),
    [
        ("Imagine a sea.", True),
        ("Writing is good.", True),
        ("Tried and true.", True),
        ("Is it?", True),
        ("To write is good.", False),
        ("**Imagine** a sea.", False),
        ("Table and chair.", False),
        ("2 of them.", False),
    ],
)
def test_by_the_list(no_data: None, text: str, is_verb: bool) -> None:
    assert verbs.starts_with_verb(text) is is_verb


@pytest.mark.parametrize(
    ("text", "is_verb"),
    [
        ("Imagine the sea.", True),  # a word before "the"
        ("Imagine a sea.", False),  # nothing known: the bias decides
        ("Writing it down.", True),  # its suffix
        ("Writing", False),  # nothing after it
        ("Take it.", True),  # always a verb
        ("The the the.", False),  # never one
        ("1984 the book.", False),
        ("7th the day.", False),
        ("Well-known the man.", False),
    ],
)
def test_by_the_weights_of_a_tagger(weights: pathlib.Path, text: str, is_verb: bool) -> None:
    assert verbs.find_tagger() == weights
    assert verbs.starts_with_verb(text) is is_verb


def test_the_results_say_what_decided(weights: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grader = create_grader(find_benchmark("ifbench"), {}, "ours", Workplace())
    graded = [grade_text("Imagine a sea.", PROBLEM, find_benchmark("ifbench"))]
    assert grader.record()["verbs"] == verbs.TAGGER
    assert grader.facts(graded).warnings == ()
    monkeypatch.setattr(verbs, "find_tagger", lambda: None)
    assert grader.record()["verbs"] == verbs.LIST
    assert "1 verdicts on words:start_verb are by a list of verbs" in grader.facts(graded).warnings[0]
    assert grader.facts([]).warnings == ()
