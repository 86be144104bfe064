"""Problems with two turns: the second is asked when the first has ended, and both are one line."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import types
import typing

import pytest

from tests.support.real_runs import SCRIPTED
from tools.engines import Completion, Failure, GenerationRequest
from tools.models.chat import NO_OPTIONS
from tools.models.prompts import Prompt, encode_prompt, render_prompt, render_without_tokenizer
from tools.records import Sample
from tools.sampling.run import sample
from tools.sampling.settings import RunSettings
from tools.sampling.turns import TurnEngine
from tools.store.generations import read_folder

TALKS = [
    {"question_id": 81, "turns": ["Write a poem.", "Now in prose."], "category": "writing"},
    {"question_id": 82, "turns": ["Add 1 and 1.", "Double it.", "And again."], "category": "math"},
    {"question_id": 83, "turns": ["Say hello."], "category": "writing"},
]


class Echo:
    """Answers with what it was asked, and what went before."""

    capacity = 2

    def __init__(self, **answers: Completion | Failure) -> None:
        self.asked: list[GenerationRequest] = []
        self._waiting: list[GenerationRequest] = []
        self._answers = answers

    def submit(self, request: GenerationRequest) -> None:
        self.asked.append(request)
        self._waiting.append(request)

    def step(self) -> list[Completion | Failure]:
        request = self._waiting.pop(0)
        given = self._answers.get(f"turn_{len(request.prompt.turns) // 2 + 1}")
        if given is not None:
            return [dataclasses.replace(given, sample=request.sample)]
        text = f"thinking</think>about {request.prompt.question}<|im_end|>"
        return [Completion(request.sample, text, "stop", 10, 5)]


ONE = Sample("talks", "81", 100)


def ask(engine: Echo, settings: RunSettings, *later: str) -> Completion | Failure:
    turns = TurnEngine(engine, settings, 1000)  # type: ignore[arg-type]
    turns.submit(GenerationRequest(ONE, Prompt("Hi?", None, "Hi?"), 64, 7, later))
    for _ in range(5):
        if found := turns.step():
            return found[0]
    raise AssertionError("nothing came back")


@pytest.fixture
def settings() -> RunSettings:
    """What is looked at of them."""
    told = types.SimpleNamespace(uses_tokenizer=False, model_type="chat", chat=NO_OPTIONS, reasoning_format=None)
    return typing.cast(RunSettings, told)


def test_the_next_turn_sees_the_answers_before_it_without_their_reasoning(settings: RunSettings) -> None:
    engine = Echo()
    found = ask(engine, settings, "And you?", "Bye.")
    assert isinstance(found, Completion)
    assert found.turns == tuple(f"thinking</think>about {said}<|im_end|>" for said in ("Hi?", "And you?", "Bye."))
    assert (found.text, found.prompt_tokens, found.output_tokens) == (found.turns[2], 30, 15)
    assert [message["content"] for message in engine.asked[2].prompt.messages] == [
        "Hi?", "about Hi?", "And you?", "about And you?", "Bye.",
    ]  # fmt: skip
    assert {request.seed for request in engine.asked} == {7}


def test_a_single_turn_goes_through_as_it_is(settings: RunSettings) -> None:
    found = ask(Echo(), settings)
    assert isinstance(found, Completion)
    assert found.turns == ()


def test_a_turn_without_an_answer_is_the_last(settings: RunSettings) -> None:
    engine = Echo(turn_1=Completion(ONE, "<think>never", "length", 1, 64))
    found = ask(engine, settings, "And you?")
    assert isinstance(found, Completion)
    assert (found.turns, found.finish_reason, len(engine.asked)) == (("<think>never",), "length", 1)


def test_a_second_turn_that_fails_fails_the_sample(settings: RunSettings) -> None:
    engine = Echo(turn_2=Failure(ONE, "a bad day"))
    assert ask(engine, settings, "And you?") == Failure(ONE, "a bad day")


def test_a_run_writes_one_line_with_its_turns(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "grader": "judge",
        "grader_options": {"template": "mt_bench"},
        "question": "{problem}",
        "samples_per_seed": 1,
    }
    (tmp_path / "entries").mkdir()
    (tmp_path / "entries" / "talks.json").write_text(json.dumps(entry))
    monkeypatch.setenv("BENCHMARKS_DIR", str(tmp_path / "entries"))
    (tmp_path / "entries" / "talks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TALKS))
    options = {"engine": SCRIPTED, "samples_per_seed": 1, "gpus": 1, "model_type": "chat"}
    out = sample("any/name", tmp_path / "out", ["talks"], seeds=[100, 200], **options)
    lines = list(read_folder(out / "talks"))
    assert len(lines) == 6
    lengths = {(line.task_id, line.seed): len(line.turns) for line in lines}
    assert [lengths[name, 100] for name in ("81", "82", "83")] == [2, 3, 0]
    assert all(line.output == line.turns[-1] for line in lines if line.turns)
    row = json.loads((out / "talks" / "seed100.jsonl").read_text().splitlines()[0])
    assert len(row["turns"]) == 2


def test_prompts_of_every_type_hold_the_turns_before() -> None:
    turns = (("user", "1 + 1?"), ("assistant", "2"), ("user", "Double it."))
    assert render_prompt("Double it.", "qwen", turns=turns).count("<|im_start|>user") == 2
    r1 = render_prompt("Double it.", "r1", turns=turns)
    assert r1.startswith(
        "<｜begin▁of▁sentence｜><｜User｜>1 + 1?<｜Assistant｜>2<｜end▁of▁sentence｜><｜User｜>Double it."
    )
    assert r1.count("<｜begin▁of▁sentence｜>") == 1
    assert [each["role"] for each in render_without_tokenizer("?", "chat", turns=turns).messages] == [
        "user", "assistant", "user",
    ]  # fmt: skip


def test_a_tokenizers_template_gets_the_turns_before() -> None:
    class Tokenizer:
        chat_template = "some"
        bos_token_id = None

        def apply_chat_template(self, messages: list[dict[str, str]], **_: object) -> str:
            return "|".join(f"{each['role']}:{each['content']}" for each in messages)

        def encode(self, text: str, **_: object) -> list[int]:
            return [1] * len(text)

    prompt = encode_prompt(
        "Double it.", "chat", Tokenizer(), turns=(("user", "1 + 1?"), ("assistant", "2"), ("user", "Double it."))
    )
    assert prompt.text == "user:1 + 1?|assistant:2|user:Double it."
