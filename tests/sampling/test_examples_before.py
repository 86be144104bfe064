"""Few-shot: problems with their answers before each question, as earlier turns, in the prompt and in the run's identity."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.support.real_runs import SCRIPTED
from tools.benchmarks.benchmark import find_benchmark
from tools.benchmarks.problems import load_benchmark
from tools.benchmarks.questions import turns_of
from tools.errors import DataError
from tools.sampling.requests import encode_prompts
from tools.sampling.run import sample
from tools.sampling.settings import parse_settings
from tools.store.manifest import read_manifest

FEW = {"benchmark": "shown", "count": 2, "same": "category", "answer": "cot_content"}
ASKED = [
    {"id": "q1", "question": "2 + 2?", "options": ["3", "4 in all"], "answer": "B", "category": "sums"},
    {"id": "q2", "question": "Who?", "options": ["I", "you"], "answer": "A", "category": "people"},
]
SHOWN = [
    {"id": f"{kind}{number}", "question": f"{kind} {number}?", "options": ["no", "yes"], "answer": "B", "category": kind,
     "cot_content": f"A: Think of {number}."}
    for number in range(3)
    for kind in ("sums", "people")
]  # fmt: skip


@pytest.fixture
def few_shot(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    entry = {"grader": "choice", "question": "choice", "samples_per_seed": 1}
    for name, rows, more in (("asked", ASKED, {"examples": FEW}), ("shown", SHOWN, {})):
        (folder / f"{name}.json").write_text(json.dumps(entry | more))
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("BENCHMARKS_DIR", str(folder))
    return folder


@pytest.mark.parametrize(("kind", "answer"), [("chat", "Answer: B"), ("qwen", "\\boxed{B}"), ("r1", "\\boxed{B}")])
def test_examples_of_the_same_kind_stand_before_the_question(few_shot: pathlib.Path, kind: str, answer: str) -> None:
    loaded = load_benchmark("asked")
    turns = turns_of(loaded.problems[0], loaded.benchmark, kind, loaded.examples)
    assert [role for role, _ in turns] == ["user", "assistant"] * 2 + ["user"]
    assert [text.split("\n")[0] for _, text in turns[::2]] == ["sums 0?", "sums 1?", "2 + 2?"]
    assert [text for _, text in turns[1::2]] == [f"Think of {number}.\n\n{answer}" for number in range(2)]
    words = ["--model", "m", "--out", "o", "--benchmarks", "asked", "--model-type", kind, "--engine", SCRIPTED]
    prompt = encode_prompts([loaded], parse_settings(words, environ={}), None)["asked", "q2"]
    assert [message["content"].split("\n")[0] for message in prompt.messages] == [
        "people 0?", "Think of 0.", "people 1?", "Think of 1.", "Who?",
    ]  # fmt: skip
    if kind != "chat":
        places = [prompt.text.index(text) for text in ("people 0?", "Think of 0.", "people 1?", "Think of 1.", "Who?")]
        assert places == sorted(places)


def test_a_kind_with_too_few_examples_is_one_line(few_shot: pathlib.Path) -> None:
    (few_shot / "shown.jsonl").write_text(json.dumps(SHOWN[0]) + "\n")
    loaded = load_benchmark("asked")
    with pytest.raises(DataError, match=r"'q1' wants 2 examples and .*shown.jsonl has 1 with category 'sums'"):
        turns_of(loaded.problems[0], loaded.benchmark, "chat", loaded.examples)


def test_examples_of_examples_are_not_looked_for(few_shot: pathlib.Path) -> None:
    entry = {"grader": "choice", "question": "choice", "examples": FEW | {"benchmark": "own", "count": 1, "same": ""}}
    (few_shot / "own.json").write_text(json.dumps(entry))
    (few_shot / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ASKED))
    loaded = load_benchmark("own")
    assert len(turns_of(loaded.problems[0], loaded.benchmark, "chat", loaded.examples)) == 3


def test_other_examples_are_another_run(few_shot: pathlib.Path, tmp_path: pathlib.Path) -> None:
    options = {"engine": SCRIPTED, "samples_per_seed": 1, "gpus": 1, "model_type": "qwen"}
    out = sample("any/name", tmp_path / "out", ["asked"], seeds=[1], **options)
    manifest = read_manifest(out / "asked")
    assert manifest is not None
    assert manifest.settings["examples_sha256"] == load_benchmark("shown").sha256
    assert "Think of 1." in json.loads((out / "asked" / "manifest.json").read_text())["first_prompt"]
    with (few_shot / "shown.jsonl").open("a") as file:
        file.write(json.dumps(SHOWN[0] | {"id": "more"}) + "\n")
    with pytest.raises(Exception, match="examples_sha256"):
        sample("any/name", tmp_path / "out", ["asked"], seeds=[1, 2], **options)


@pytest.mark.parametrize("name", ["mmlu_5shot", "mmlu_pro_5shot"])
def test_the_catalogues_examples_are_benchmarks(name: str) -> None:
    fields = find_benchmark(name).examples
    assert fields is not None
    examples, parent = find_benchmark(fields.benchmark), find_benchmark(name.removesuffix("_5shot"))
    assert examples.source is not None
    assert parent.source is not None
    assert (examples.source.dataset, fields.count) == (parent.source.dataset, 5)
    assert examples.problems is not None
    assert examples.problems % fields.count == 0
