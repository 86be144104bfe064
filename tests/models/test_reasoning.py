"""Reasoning formats: golden rows of each, a response is never graded by open reasoning, and time grows with length only."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ROOT
from tools.errors import UsageError
from tools.models import reasoning
from tools.models.formats import FORMATS, ReasoningFormat
from tools.models.reasoning import (
    closes_reasoning,
    detect_format,
    find_opened_format,
    find_template_format,
    split_reasoning,
    split_response,
)
from tools.records import Generation

ROWS = [json.loads(line) for line in (ROOT / "tests/golden/reasoning_formats.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['format']}: {row['source'].partition(': ')[2]}")
def test_golden_rows(row):
    told = (row.get("is_opened"), row.get("named"))
    parts = split_reasoning(row["text"], *told)
    assert (parts.reasoning, parts.answer, parts.is_closed) == (row["reasoning"], row["answer"], row["is_closed"])
    assert closes_reasoning(row["text"], *told) is row["is_closed"]
    if "named" not in row and "is_opened" not in row:
        found = detect_format(row["text"])
        assert (found.name if found else None) == row["format"]


def test_every_format_has_a_whole_and_a_cut_off_row():
    for closed in (True, False):
        assert {row["format"] for row in ROWS if row["is_closed"] is closed} == set(FORMATS)


@pytest.mark.parametrize("entry", FORMATS.values(), ids=lambda entry: entry.name)
def test_what_is_wrapped_is_split_again(entry):
    whole = split_reasoning(entry.wrap("3 + 4", "It is 7."))
    assert (whole.reasoning.strip(), whole.answer.strip(), whole.is_closed) == ("3 + 4", "It is 7.", True)
    assert split_reasoning(entry.wrap("3 + 4", "")).is_closed is False
    assert entry.is_opened_by(f"a prompt {entry.opening[0]}\n")
    assert not entry.is_opened_by(f"a prompt {entry.wrap('x', 'y')}")


def test_a_generation_is_split_into_a_response():
    response = split_response(Generation("60", 1, "a</think>b", "length"))
    assert (response.reasoning, response.answer, response.is_closed, response.is_cut_off) == ("a", "b", True, True)
    named = split_response(Generation("60", 1, "b"), is_opened=True, reasoning_format="mistral")
    assert named.is_closed is False
    with pytest.raises(UsageError, match="REASONING_FORMAT=morse"):
        split_response(Generation("60", 1, "b"), reasoning_format="morse")


@pytest.mark.parametrize(
    ("template", "vocabulary", "name"),
    [
        ("{{ '<think>\\n' }}{% if x %}{{ x.split('</think>')[-1] }}{% endif %}", (), "think"),
        ("{{ x.split('</think>') }} ... [THINK]", (), "mistral"),
        ("<|start|>system ... <|channel|>analysis", (), "harmony"),
        ("{{ messages }}", ("<seed:think>", "</seed:think>"), "seed"),
        ("Write your thoughts after 'Here is my thought process:'", (), "granite"),
        ("{{ messages }}", (), None),
    ],
)
def test_a_template_or_a_tokenizer_tells_the_format(template, vocabulary, name):
    found = find_template_format(template, vocabulary)
    assert (found.name if found else None) == name


def test_a_prompt_tells_what_it_opened():
    assert find_opened_format("<|im_start|>assistant\n<think>\n") is FORMATS["think"]
    assert find_opened_format("<|im_start|>assistant\n<think>\n\n</think>\n\n") is None
    assert find_opened_format("<|start|>assistant") is None
    assert find_opened_format("<think:6124c78e>\n") is FORMATS["hunyuan"]
    assert find_opened_format("<think:6124c78e>\n\n</think:6124c78e>\n") is None


def test_a_new_format_is_one_entry(monkeypatch):
    patterns = (reasoning._starts_pattern, reasoning._marks_pattern)
    entry = ReasoningFormat("morse", ("<-.->",), ("<.-.>",))
    monkeypatch.setitem(FORMATS, "morse", entry)
    for pattern in patterns:
        pattern.cache_clear()
    assert split_reasoning("<-.->x<.-.>7").answer == "7"
    assert split_reasoning("x<.-.>7").answer == "7"
    assert detect_format("<-.->x") is entry
    monkeypatch.undo()
    for pattern in patterns:
        pattern.cache_clear()


HOSTILE = [
    "<think>", "</think>", "<|channel|>analysis", "<|channel|>", "<|start|>", "<|start|>assistant", "analysis", "assistant", "<thinking>",
    "\n<thinking>", "</thinking>\n<thinking>\n", "```\n<thought>", "[THINK]", "<|begin_of_box|>", "<|end_of_box|>", "<answer>", "</answer>",
    " ", "\n", "\t", "<", "<|", "Here is my response:", "<|channel|>final " + "x" * 150, "◁think▷", "<channel|>", "\n        ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("start", ["", "<thinking>", "analysis ", "<|channel|>analysis"])
def test_hostile_text_costs_its_length(piece, start):
    """A quarter of a megabyte takes a moment; time that grows with the square of the length would take minutes."""
    text = start + piece * (250_000 // len(piece))
    for told in ((None, None), (True, "harmony"), (True, "thinking")):
        split_reasoning(text, *told)
