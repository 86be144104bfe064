"""Responses that run in circles are found, honest ones are not."""

from __future__ import annotations

import json
import pathlib
import random

import pytest

from tools.analysis import loops


@pytest.mark.parametrize(
    "text",
    [
        "Start. " + "Wait, let me check. " * 50,
        "x" * 700,
        "So the answer is 5. " + "a paragraph that is rather long, with many words in it. " * 20 + "a paragraph that",
        "Long thought. " + "".join(f"sentence {i} of the period; " for i in range(100)) * 5,
        "".join(f"Alternatively, perhaps I can consider case {i}, but that is not helpful.\n\n" for i in range(200)),
    ],
)
def test_loops_are_found(text: str) -> None:
    loop = loops.find_loop(text)
    assert loop is not None
    assert 0 <= loop.start < len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "Wait. " * 20,
        "".join(random.Random(0).choices("etaoin shrdlu", k=20000)),
        "| 1 | 2 |\n" * 40,
        "".join(random.Random(1).choices("etaoin shrdlu", k=400)) * 3,  # a paragraph said three times
    ],
)
def test_honest_texts_are_no_loops(text: str) -> None:
    assert loops.find_loop(text) is None


def test_an_exact_loop_says_where_it_begins_and_how_often_it_repeats() -> None:
    loop = loops.find_loop("A prelude that ends here! " + "again and again; " * 60)
    assert loop is not None
    assert loop.kind == "exact"
    assert loop.start == pytest.approx(26, abs=1)
    assert loop.repeats == pytest.approx(60, abs=0.2)
    assert sorted(loop.unit) == sorted("again and again; ")


def test_real_answered_responses_hold_no_loop_and_runaway_ones_do(data_dir: pathlib.Path) -> None:
    rows = [json.loads(line) for line in (data_dir / "aime24_generations.jsonl").read_bytes().split(b"\n") if line]
    answered = [row["response_or_answer"] for row in rows if row["has_boxed"]]
    runaway = [row["response_or_answer"] for row in rows if not row["has_boxed"]]
    assert sum(loops.find_loop(text) is not None for text in answered) == 0
    found = sum(loops.find_loop(text) is not None for text in runaway)
    assert found > len(runaway) / 2
