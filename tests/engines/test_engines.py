"""Engines: each request its own seed, a failed request is a failed request, and nothing depends on its neighbours."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil

import pytest

from tests.conftest import ROOT
from tests.support.openai_server import serve_openai
from tools.benchmarks.problems import load_benchmark
from tools.benchmarks.questions import render_question
from tools.engines import (
    ENGINES,
    Completion,
    Engine,
    EngineSetup,
    Failure,
    GenerationRequest,
    check_engine,
    create_engine,
    find_engine,
    load_tokenizer,
    make_options,
)
from tools.errors import EngineError, ModelError, UsageError
from tools.models.prompts import Prompt, encode_prompt
from tools.records import Sample, Sampling

MODEL = str(ROOT / "data" / "demo_model")


def make_engine(name: str, *, model: str = MODEL, sampling: Sampling | None = None, **options: object) -> Engine:
    defaults = {"max_retries": 2, "request_timeout_s": 10.0}
    return create_engine(
        name, EngineSetup(model, sampling or Sampling(), 512), make_options(name, {**defaults, **options})
    )


def connect(url: str, *, model: str = "served", **options: object) -> Engine:
    return make_engine("openai", model=model, base_url=url, **options)


def answer_all(engine: Engine, requests: list[GenerationRequest]) -> dict[Sample, Completion | Failure]:
    """Keeps at most `capacity` requests in flight, as the worker does."""
    found: dict[Sample, Completion | Failure] = {}
    waiting = list(reversed(requests))
    running = 0
    while waiting or running:
        while waiting and running < engine.capacity:
            engine.submit(waiting.pop())
            running += 1
        for outcome in engine.step():
            running -= 1
            found[outcome.sample] = outcome
    return found


def real_requests(count: int = 6, max_new_tokens: int = 24) -> list[GenerationRequest]:
    tokenizer = load_tokenizer(MODEL)
    loaded = load_benchmark("aime_sample")
    return [
        GenerationRequest(
            Sample("aime_sample", problem.task_id, seed),
            encode_prompt(render_question(problem, loaded.benchmark, "qwen"), "qwen", tokenizer),
            max_new_tokens,
        )
        for seed in (100, 200)
        for problem in loaded.problems[:count]
    ]


# --- openai --------------------------------------------------------------------------------------------------------


def server_requests(count: int, token_ids: tuple[int, ...] | None = (5, 6, 7)) -> list[GenerationRequest]:
    return [
        GenerationRequest(Sample("set", "p", seed), Prompt("text", token_ids, "question"), 16) for seed in range(count)
    ]


def test_token_ids_and_the_seed_are_sent_and_the_answer_comes_back():
    with serve_openai() as (url, answered):
        engine = connect(url)
        found = answer_all(engine, server_requests(20))
        engine.close()
    assert {sample.seed: outcome.text for sample, outcome in found.items()} == {
        seed: f"seed {seed}</think>\\boxed{{7}}" for seed in range(20)
    }
    assert {body["seed"] for body in answered} == set(range(20))
    assert all(body["prompt"] == [5, 6, 7] and body["temperature"] == 0.6 for body in answered)


def test_chat_gets_reasoning_back_inside_its_tags():
    with serve_openai() as (url, answered):
        engine = connect(url)
        (outcome,) = answer_all(engine, server_requests(1, token_ids=None)).values()
        engine.close()
    assert outcome.text == "<think>\nseed 0\n</think>\n\n\\boxed{7}"
    assert answered[0]["messages"] == [{"role": "user", "content": "question"}]


@pytest.mark.parametrize("fault", [429, 500, 503])
def test_passing_errors_of_a_server_are_tried_again(fault):
    with serve_openai(faults=[fault, fault]) as (url, _):
        engine = connect(url)
        (outcome,) = answer_all(engine, server_requests(1)).values()
        engine.close()
    assert isinstance(outcome, Completion)


@pytest.mark.parametrize("fault", [400, "nonsense"])
def test_a_failed_request_is_a_failure_never_an_empty_answer(fault):
    with serve_openai(faults=[fault]) as (url, _):
        engine = connect(url, max_retries=0, max_num_seqs=1)
        found = answer_all(engine, server_requests(3))
        engine.close()
    assert sorted(type(outcome).__name__ for outcome in found.values()) == ["Completion", "Completion", "Failure"]


@pytest.mark.parametrize("fault", [500, "nonsense"])
def test_a_server_that_only_fails_ends_the_run(fault):
    with serve_openai(always=fault) as (url, _):
        engine = connect(url, max_retries=0)
        with pytest.raises(EngineError, match="times in a row"):
            answer_all(engine, server_requests(20))
        engine.close()


def test_a_server_that_is_down_or_has_another_model_is_said():
    with pytest.raises(EngineError, match="OPENAI_BASE_URL"):
        connect("http://127.0.0.1:9/v1", max_retries=0)
    with serve_openai() as (url, _), pytest.raises(EngineError, match="it has served"):
        connect(url, model="other")


def test_engines_are_chosen_by_name_and_unknown_ones_refused():
    assert {name: find_engine(name).__name__ for name in ENGINES} == {
        "vllm": "VllmEngine",
        "transformers": "TransformersEngine",
        "openai": "OpenAIEngine",
        "litellm": "LiteLLMEngine",
    }
    with pytest.raises(UsageError, match="ENGINE=magic is unknown"):
        find_engine("magic")
    with pytest.raises(UsageError, match="needs OPENAI_BASE_URL"):
        make_options("openai", {})


def test_a_package_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("tools.engines.importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        UsageError, match="ENGINE=transformers needs the package transformers and torch; run `make install`"
    ):
        check_engine("transformers", Sampling())


def test_sampling_that_an_engine_cannot_apply_is_refused():
    pytest.importorskip("transformers")
    with pytest.raises(UsageError, match="ENGINE=transformers cannot apply PRESENCE_PENALTY"):
        check_engine("transformers", Sampling(presence_penalty=1.0))


def test_all_that_was_chosen_is_sent_to_a_server_and_nothing_else():
    chosen = Sampling(0.7, 0.8, 100, top_k=20, min_p=0.1, repetition_penalty=1.1, presence_penalty=0.5, stop=("END",))
    with serve_openai() as (url, answered):
        for sampling in (chosen, Sampling()):
            engine = connect(url, sampling=sampling)
            answer_all(engine, server_requests(1))
            engine.close()
    first, second = answered
    told = {"temperature": 0.7, "top_p": 0.8, "max_tokens": 16, "presence_penalty": 0.5, "stop": ["END"], "seed": 0}
    beyond = {"top_k": 20, "min_p": 0.1, "repetition_penalty": 1.1, "skip_special_tokens": False}
    rest = {"model": "served", "prompt": [5, 6, 7], "stream": True, "stream_options": {"include_usage": True}}
    assert first == told | beyond | rest
    assert (
        second == {"temperature": 0.6, "top_p": 0.95, "max_tokens": 16, "seed": 0, "skip_special_tokens": False} | rest
    )


def test_a_folder_whose_tokenizer_is_broken_is_a_model_error(tmp_path: pathlib.Path):
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="tokenizer"):
        load_tokenizer(str(tmp_path))


def test_a_model_with_code_of_its_own_is_not_run_until_it_is_trusted(tmp_path: pathlib.Path):
    pytest.importorskip("transformers")
    model = tmp_path / "model"
    shutil.copytree(MODEL, model)
    config = json.loads((model / "config.json").read_text())
    own = {"AutoConfig": "configuration_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.OwnModel"}
    (model / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": own}))
    ran = tmp_path / "ran"
    (model / "configuration_own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    with pytest.raises(ModelError) as caught:
        make_engine("transformers", model=str(model))
    assert str(caught.value) == f"{model}: the model brings code of its own; read it, then set TRUST_REMOTE_CODE=1"
    assert not ran.exists()


# --- engines with a model -------------------------------------------------------------------------------------------


def texts(found: dict[Sample, Completion | Failure]) -> dict[Sample, str]:
    return {sample: outcome.text for sample, outcome in found.items()}


@pytest.mark.slow
def test_transformers_gives_the_same_texts_in_any_order():
    engine = make_engine("transformers")
    requests = real_requests(3)
    assert texts(answer_all(engine, requests)) == texts(answer_all(engine, requests[::-1]))


@pytest.mark.slow
def test_transformers_applies_what_was_chosen():
    greedy = Sampling(temperature=0.0)
    chosen = dataclasses.replace(greedy, stop=("+",), repetition_penalty=1.01)
    plain, stopped = (
        next(iter(answer_all(make_engine("transformers", sampling=sampling), real_requests(1)[:1]).values()))
        for sampling in (greedy, chosen)
    )
    assert "+" in plain.text
    assert plain.text.startswith(stopped.text + "+")
    assert stopped.finish_reason == "stop"


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.filterwarnings("default")  # torch and vLLM warn of their own futures
def test_vllm_gives_the_same_texts_in_any_order_and_batch():
    pytest.importorskip("vllm")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    engine = make_engine("vllm", max_num_seqs=8)
    requests = real_requests()
    together = texts(answer_all(engine, requests))
    assert together == texts(answer_all(engine, requests[::-1]))
    assert together == {
        sample: text for request in requests for sample, text in texts(answer_all(engine, [request])).items()
    }
    by_problem = {}
    for sample, text in together.items():
        by_problem.setdefault(sample.task_id, set()).add(text)
    assert any(len(different) > 1 for different in by_problem.values())  # the seed is used
    too_long = dataclasses.replace(requests[0], prompt=Prompt("text", (5,) * 600, "question"))
    refused, answered = answer_all(engine, [too_long]), answer_all(engine, requests[:1])
    (failure,) = refused.values()
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("vLLM refuses it: ")
    assert texts(answered) == {requests[0].sample: together[requests[0].sample]}
