"""Engines: each request its own seed, a failed request is a failed request, and nothing depends on its neighbours."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import pytest

from tests.conftest import ROOT
from tests.support.openai_server import serve_openai
from tools.benchmarks.problems import load_benchmark
from tools.engines import Completion, Engine, Failure, Request, choose_engine, load_tokenizer
from tools.errors import EngineError, ModelError, UsageError
from tools.models.prompts import Prompt, encode_prompt
from tools.records import Sample
from tools.sampling.settings import RunSettings, parse_settings

MODEL = str(ROOT / "data" / "demo_model")


def settings_of(engine: str, **changes: object) -> RunSettings:
    settings = parse_settings(
        ["--model", MODEL, "--out", "out", "--engine", engine, "--openai-base-url", "http://127.0.0.1:9"], environ={}
    )
    return dataclasses.replace(settings, **{"max_retries": 2, "request_timeout_s": 10.0, **changes})


def answer_all(engine: Engine, requests: list[Request]) -> dict[Sample, Completion | Failure]:
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


def real_requests(count: int = 6, max_new_tokens: int = 24) -> list[Request]:
    tokenizer = load_tokenizer(settings_of("transformers"))
    problems = load_benchmark("aime_sample").problems[:count]
    return [
        Request(
            Sample("aime_sample", problem.task_id, seed),
            encode_prompt(problem, "math", "qwen", tokenizer),
            max_new_tokens,
        )
        for seed in (100, 200)
        for problem in problems
    ]


# --- openai --------------------------------------------------------------------------------------------------------


def server_requests(count: int, token_ids: tuple[int, ...] | None = (5, 6, 7)) -> list[Request]:
    return [Request(Sample("set", "p", seed), Prompt("text", token_ids, "question"), 16) for seed in range(count)]


def test_token_ids_and_the_seed_are_sent_and_the_answer_comes_back():
    from tools.engines.openai import OpenAIEngine

    with serve_openai() as (url, answered):
        engine = OpenAIEngine(settings_of("openai", base_url=url, model="served"))
        found = answer_all(engine, server_requests(20))
        engine.close()
    assert {sample.seed: outcome.text for sample, outcome in found.items()} == {
        seed: f"seed {seed}</think>\\boxed{{7}}" for seed in range(20)
    }
    assert {body["seed"] for body in answered} == set(range(20))
    assert all(body["prompt"] == [5, 6, 7] and body["temperature"] == 0.6 for body in answered)


def test_chat_gets_reasoning_back_inside_its_tags():
    from tools.engines.openai import OpenAIEngine

    with serve_openai() as (url, answered):
        engine = OpenAIEngine(settings_of("openai", base_url=url, model="served"))
        (outcome,) = answer_all(engine, server_requests(1, token_ids=None)).values()
        engine.close()
    assert outcome.text == "<think>\nseed 0\n</think>\n\n\\boxed{7}"
    assert answered[0]["messages"] == [{"role": "user", "content": "question"}]


@pytest.mark.parametrize("fault", [429, 500, 503])
def test_passing_errors_of_a_server_are_tried_again(fault):
    from tools.engines.openai import OpenAIEngine

    with serve_openai(faults=[fault, fault]) as (url, _):
        engine = OpenAIEngine(settings_of("openai", base_url=url, model="served"))
        (outcome,) = answer_all(engine, server_requests(1)).values()
        engine.close()
    assert isinstance(outcome, Completion)


@pytest.mark.parametrize("fault", [400, "nonsense"])
def test_a_failed_request_is_a_failure_never_an_empty_answer(fault):
    from tools.engines.openai import OpenAIEngine

    with serve_openai(faults=[fault]) as (url, _):
        engine = OpenAIEngine(settings_of("openai", base_url=url, model="served", max_retries=0, max_num_seqs=1))
        found = answer_all(engine, server_requests(3))
        engine.close()
    assert sorted(type(outcome).__name__ for outcome in found.values()) == ["Completion", "Completion", "Failure"]


@pytest.mark.parametrize("fault", [500, "nonsense"])
def test_a_server_that_only_fails_ends_the_run(fault):
    from tools.engines.openai import OpenAIEngine

    with serve_openai(always=fault) as (url, _):
        engine = OpenAIEngine(settings_of("openai", base_url=url, model="served", max_retries=0))
        with pytest.raises(EngineError, match="times in a row"):
            answer_all(engine, server_requests(20))
        engine.close()


def test_a_server_that_is_down_or_has_another_model_is_said():
    from tools.engines.openai import OpenAIEngine

    with pytest.raises(EngineError, match="OPENAI_BASE_URL"):
        OpenAIEngine(settings_of("openai", base_url="http://127.0.0.1:9/v1", max_retries=0))
    with serve_openai() as (url, _), pytest.raises(EngineError, match="it has served"):
        OpenAIEngine(settings_of("openai", base_url=url, model="other"))


def test_engines_are_chosen_by_name_and_unknown_ones_refused():
    assert choose_engine("transformers") == "transformers"
    with pytest.raises(UsageError):
        parse_settings(["--model", MODEL, "--out", "out", "--engine", "magic"], environ={})


def test_a_folder_whose_tokenizer_is_broken_is_a_model_error(tmp_path: pathlib.Path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="tokenizer"):
        load_tokenizer(dataclasses.replace(settings_of("transformers"), model=str(tmp_path)))


# --- engines with a model -------------------------------------------------------------------------------------------


def texts(found: dict[Sample, Completion | Failure]) -> dict[Sample, str]:
    return {sample: outcome.text for sample, outcome in found.items()}


@pytest.mark.slow
def test_pains_08_transformers_gives_the_same_texts_in_any_order():
    from tools.engines.transformers import TransformersEngine

    engine = TransformersEngine(settings_of("transformers"))
    requests = real_requests(3)
    assert texts(answer_all(engine, requests)) == texts(answer_all(engine, requests[::-1]))


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.filterwarnings("default")  # torch and vLLM warn of their own futures
def test_pains_08_vllm_gives_the_same_texts_in_any_order_and_batch():
    pytest.importorskip("vllm")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tools.engines.vllm import VllmEngine

    engine = VllmEngine(settings_of("vllm", max_num_seqs=8), 512)
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
