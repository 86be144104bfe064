"""WildBench's rows: a conversation whose last words wait for an answer."""

from __future__ import annotations

import json
import pathlib

import pytest

from tools.benchmarks.benchmark import find_benchmark
from tools.benchmarks.problems import LoadedBenchmark, load_benchmark
from tools.benchmarks.questions import render_question, turns_of
from tools.judging.messages import values_of
from tools.models.chat import NO_OPTIONS
from tools.models.prompts import render_without_tokenizer

ROW = {
    "session_id": "a1",
    "conversation_input": [
        {"role": "user", "content": "Name a {fruit}.", "language": "English", "toxic": False},
        {"role": "assistant", "content": "An apple.", "language": "English", "toxic": False},
        {"role": "user", "content": "And another?", "language": "English", "toxic": False},
    ],
    "checklist": ["Is it a fruit?", "Is it another one?"],
    "primary_tag": "Information seeking",
    "references": {"gpt-4": "A pear."},
}


def read(folder: pathlib.Path, row: dict[str, object]) -> LoadedBenchmark:
    path = folder / "wildbench.jsonl"
    path.write_text(json.dumps(row) + "\n")
    return load_benchmark(path, benchmark=find_benchmark("WildBench"), is_whole=False)


@pytest.mark.parametrize("padding", [0, 100_000], ids=["short", "so long that it stays in the file"])
def test_a_conversation_is_asked_as_it_went_and_judged_with_its_history(tmp_path: pathlib.Path, padding: int) -> None:
    first = {**ROW["conversation_input"][0], "content": "Name a {fruit}." + " " * padding}
    loaded = read(tmp_path, ROW | {"conversation_input": [first, *ROW["conversation_input"][1:]]})
    problem = loaded.problems[0]
    assert (problem.task_id, problem.statement) == ("a1", "And another?")
    for kind, marks in (("chat", None), ("qwen", "<|im_start|>user"), ("r1", "<｜User｜>")):
        turns = turns_of(problem, loaded.benchmark, kind)
        prompt = render_without_tokenizer(render_question(problem, loaded.benchmark, kind), kind, NO_OPTIONS, turns)
        assert [message["content"].strip() for message in prompt.messages] == [
            "Name a {fruit}.", "An apple.", "And another?",
        ]  # fmt: skip
        if marks:
            assert prompt.text.count(marks) == 2
            assert prompt.text.index("An apple.") < prompt.text.index("And another?")
    values = values_of(problem, ["A pear."], [])
    assert values["history"].split("\n\n") == ["USER: " + first["content"], "ASSISTANT: An apple."]
    assert (values["query"], values["answer"]) == ("And another?", "A pear.")
    assert values["checklist"] == "- Is it a fruit?\n- Is it another one?"


def test_a_conversation_of_one_sentence_has_no_history(tmp_path: pathlib.Path) -> None:
    problem = read(tmp_path, ROW | {"conversation_input": ROW["conversation_input"][:1]}).problems[0]
    assert problem.statement == "Name a {fruit}."
    assert values_of(problem, ["An apple."], [])["history"] == ""
