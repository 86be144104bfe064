"""LiteLLM as an engine: answers, refusals and costs against servers on this machine. Skips without the package."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.engines.test_engines import answer_all, make_engine
from tests.support.server_habits import ANSWER, WHOLE, serve_habit
from tools.engines import Completion, Failure, GenerationRequest, check_engine
from tools.errors import EngineUnavailable, UsageError
from tools.models.prompts import Prompt
from tools.records import Sample, Sampling
from tools.results.build import read_results
from tools.sampling.settings import parse_settings
from tools.store.generations import read_folder

PRICES = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("tools.engines.importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs the package litellm; run `pip install -r requirements-hosted.txt`"):
        check_engine("litellm", Sampling())


@pytest.fixture
def _package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setattr("tools.engines.server_client.FIRST_PAUSE_S", 0.02)
    pytest.importorskip("litellm")


needs_package = pytest.mark.usefixtures("_package")
quiet = pytest.mark.filterwarnings("ignore")  # the package's own


def questions(count: int) -> list[GenerationRequest]:
    return [
        GenerationRequest(Sample("set", "p", seed), Prompt("question", None, "question"), 16) for seed in range(count)
    ]


def ask(habit: str, count: int = 1, model: str = "openai/served", **options: object) -> list[Completion | Failure]:
    with serve_habit(habit) as server:
        options = {"max_retries": 1, "request_timeout_s": 20.0, **options}
        engine = make_engine("litellm", model=model, api_base=server.url, **options)
        try:
            found = answer_all(engine, questions(count))
        finally:
            engine.close()
    return list(found.values())


@needs_package
@quiet
@pytest.mark.parametrize("stream", [1, 0])
@pytest.mark.parametrize(("habit", "text"), [("plain", ANSWER), ("reasoning_content", WHOLE), ("rejects_seed", ANSWER)])
def test_an_answer_comes_back_with_its_reasoning_and_counts(habit, text, stream):
    (outcome,) = ask(habit, stream=stream)
    assert isinstance(outcome, Completion), outcome
    assert (outcome.text, outcome.finish_reason, outcome.output_tokens) == (text, "stop", 20)
    assert outcome.cost is None


@needs_package
@quiet
def test_the_cost_of_an_answer_is_told_where_the_price_is_known():
    import litellm

    litellm.register_model({"openai/priced": PRICES})
    (outcome,) = ask("plain", model="openai/priced")
    assert isinstance(outcome, Completion), outcome
    assert outcome.cost == pytest.approx((outcome.prompt_tokens or 0) * 1e-6 + 20 * 2e-6)


@needs_package
@quiet
@pytest.mark.parametrize(
    ("habit", "words"), [("filter", "FILTERED=count"), ("context", "OUT_SEQ_LEN"), ("error_200", ""), ("drops", "")]
)
def test_what_fails_is_a_failure_with_its_reason(habit, words):
    try:
        (outcome,) = ask(habit)
        reason = outcome.reason if isinstance(outcome, Failure) else ""
    except EngineUnavailable as error:
        reason = str(error)
    assert reason
    assert words in reason
    assert "\n" not in reason


@needs_package
@quiet
def test_a_wrong_key_ends_the_run_and_names_the_keys():
    with pytest.raises(EngineUnavailable, match="ANTHROPIC_API_KEY"):
        ask("key")


@needs_package
@quiet
def test_a_busy_provider_is_asked_less_and_all_are_answered():
    outcomes = ask("two_at_a_time", 12, max_num_seqs=8)
    assert all(isinstance(outcome, Completion) for outcome in outcomes)


@needs_package
@quiet
def test_a_run_records_what_it_cost(tmp_path: pathlib.Path, run_script) -> None:
    """A price comes with the model's name: gpt-4o-mini is in every release's table."""
    words = ["--model", "openai/gpt-4o-mini", "--out", tmp_path, "--benchmarks", "aime_sample", "--limit", "2"]
    with serve_habit("plain") as server:
        words += ["--engine", "litellm", "--litellm-api-base", server.url, "--seeds", "100"]
        without = run_script("python", "inference.py", *words)
        assert without.returncode == 1
        assert "check the provider's key" in without.stderr
        done = run_script("python", "inference.py", *words, env={"OPENAI_API_KEY": "none"})
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "aime_sample"
    costs = [generation.cost for generation in read_folder(folder)]
    assert len(costs) == 16
    assert all(cost and cost > 0 for cost in costs)
    assert json.loads((folder / "manifest.json").read_text())["settings"]["engine"] == "litellm"
    run_script("python", "evaluate_aime.py", "-g", folder, "-q", "aime_sample")
    assert read_results(folder).sections["sampling_cost"] == pytest.approx(sum(costs), abs=1e-5)


def test_other_prompts_than_the_providers_own_are_refused():
    words = ["--model", "openai/served", "--out", "out", "--engine", "litellm", "--model-type", "qwen"]
    with pytest.raises(UsageError, match="ENGINE=litellm leaves the template to the provider; set MODEL_TYPE=chat"):
        parse_settings(words, environ={})
