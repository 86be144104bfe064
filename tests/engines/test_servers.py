"""Habits of real servers: an answer, or one line that names the option to set; never a wrong answer, a hang, a traceback."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import resource
import time

import pytest

from tests.engines.test_engines import answer_all, connect, server_requests
from tests.support.server_habits import ANSWER, HABITS, THOUGHT, WHOLE, serve_habit
from tools.engines import Completion, Failure
from tools.engines.request_gate import GateOutcome, RequestGate
from tools.engines.server_connection import Address
from tools.errors import EngineUnavailable, UsageError, run_command
from tools.records import Sample, Sampling
from tools.results.build import read_results
from tools.store.generations import read_folder

SHARED = {"max_retries": 1, "request_timeout_s": 20.0}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.engines.server_client.FIRST_PAUSE_S", 0.02)


def ask(habit: str, count: int = 1, first_seed: int = 0, **options: object) -> list[Completion | Failure]:
    """Outcomes of so many chat requests, each answered once."""
    with serve_habit(habit) as server:
        engine = connect(server.url, **{**SHARED, **options})
        try:
            requests = server_requests(first_seed + count, token_ids=None)[first_seed:]
            found = answer_all(engine, requests)
        finally:
            engine.close()
    assert len(found) == count
    return list(found.values())


ANSWERS = {
    "plain": (ANSWER, "stop", 20),
    "no_models": (ANSWER, "stop", 20),
    "o_series": (ANSWER, "stop", 20),
    "rejects_seed": (ANSWER, "stop", 20),
    "forbids_extra": (ANSWER, "stop", 20),
    "rejects_stream": (ANSWER, "stop", 20),
    "one_of_two": (ANSWER, "stop", 20),
    "proxy": (ANSWER, "stop", 20),
    "limited_at_first": (ANSWER, "stop", 20),
    "cut_once": (ANSWER, "stop", 20),
    "breaks_off_once": (ANSWER, "stop", 20),
    "error_in_stream_once": (ANSWER, "stop", 20),
    "error_200_once": (ANSWER, "stop", 20),
    "odd_stream": ("3 ≤ 4.😀", "stop", None),
    "zipped": (ANSWER, "stop", 20),
    "same_host": (ANSWER, "stop", 20),
    "empty_finish": (ANSWER, "length", 20),
    "no_usage": (ANSWER, "stop", None),
    "odd_usage": (ANSWER, "stop", None),
    "list_usage": (ANSWER, "stop", None),
    "null_length": ("", "length", 20),
    "thought_length": (f"<think>\n{THOUGHT}", "length", 20),
    "refusal": ("I cannot.", "stop", 20),
    "finish_null": (ANSWER, "stop", 5),
    "finish_null_at_cap": (ANSWER, "length", 16),
    "finish_eos": (ANSWER, "stop", 20),
    "finish_max": (ANSWER, "length", 20),
    "finish_model_length": (ANSWER, "length", 20),
    "content_list": (WHOLE, "stop", 20),
    "reasoning": (WHOLE, "stop", 20),
    "reasoning_content": (WHOLE, "stop", 20),
    "both_names": (WHOLE, "stop", 20),
    "reasoning_details": (WHOLE, "stop", 20),
    "reasoning_summary": (WHOLE, "stop", 20),
    "in_the_text": (WHOLE, "stop", 20),
    "twice": (WHOLE, "stop", 20),
    "twice_unmarked": (WHOLE, "stop", 20),
    "surrogate": (f"x \ufffd y\x00\u2028</think>{ANSWER}", "stop", 20),
}
FAILURES = {
    "bad_temperature": "change TEMPERATURE",
    "long_prompt": "lower OUT_SEQ_LEN",
    "controls": "EXTRA_BODY",
    "filter": "FILTERED=count",
    "azure_filter": "FILTERED=count",
    "empty": "empty",
    "finish_abort": "broke off",
    "error_200": "Provider returned error",
    "drops": "ended the connection",
    "deep": "not a completion",
    "no_choices": "not a completion",
    "odd_choices": "not a completion",
    "html": "not a completion",
    "nothing": "not a completion",
}
ENDS = {
    "models_elsewhere": "redirects to another host",
    "elsewhere": "redirects to another host",
    "circle": "in a circle",
    "context": "lower OUT_SEQ_LEN",
    "quota": "account",
    "key": "OPENAI_API_KEY",
    "no_route": "OPENAI_BASE_URL",
    "no_such_model": "--model",
}
BY_THEMSELVES = {
    "rejects_stop", "short_seeds", "refuses_extra_body", "two_at_a_time", "two_places", "never_closes", "ends_always", "long_later", "drip", "drip_headers",
    "huge", "huge_stream", "bomb",
}  # fmt: skip


def test_every_habit_is_tried() -> None:
    assert {*ANSWERS, *FAILURES, *ENDS, *BY_THEMSELVES} == {*HABITS}


@pytest.mark.parametrize("stream", [1, 0])
@pytest.mark.parametrize("habit", [*ANSWERS])
def test_a_habit_that_has_an_answer_gives_it(habit: str, stream: int) -> None:
    if habit == "proxy" and not stream:
        return  # that it needs the stream is its habit
    (outcome,) = ask(habit, stream=stream)
    assert isinstance(outcome, Completion), outcome
    assert (outcome.text, outcome.finish_reason, outcome.output_tokens) == ANSWERS[habit]


@pytest.mark.parametrize("habit", [*FAILURES])
def test_a_request_that_fails_says_what_to_set_and_the_run_goes_on(habit: str) -> None:
    outcomes = ask(habit, 3)
    for outcome in outcomes:
        assert isinstance(outcome, Failure)
        assert FAILURES[habit] in outcome.reason
        assert outcome.reason.isprintable()


@pytest.mark.parametrize("habit", [*ENDS])
def test_what_no_request_can_pass_ends_the_run_at_once_in_one_line(habit: str) -> None:
    with pytest.raises(EngineUnavailable, match=ENDS[habit]) as error:
        ask(habit, 12)
    assert "\n" not in str(error.value)


def test_a_filtered_answer_counts_where_that_is_asked_for() -> None:
    (outcome,) = ask("filter", filtered="count")
    assert outcome == Completion(outcome.sample, "", "stop", 50, 20)


def test_filtered_answers_do_not_end_a_run_that_could_go_on() -> None:
    assert {type(outcome) for outcome in ask("filter", 30)} == {Failure}


def test_what_is_refused_is_left_out_after_one_refusal_and_told() -> None:
    with serve_habit("o_series") as server:
        engine = connect(server.url, **SHARED)
        answer_all(engine, server_requests(20, token_ids=None))
        assert engine.dropped == ("temperature",)
        engine.close()
    assert server.answered == 20
    assert len(server.bodies) == 22
    assert server.bodies[-1]["max_completion_tokens"] == 16


def test_a_stop_that_a_server_refuses_is_applied_here() -> None:
    (outcome,) = ask("rejects_stop", sampling=Sampling(stop=("is",)))
    assert (outcome.text, outcome.finish_reason) == ("The answer ", "stop")


def test_seeds_that_are_too_long_for_a_server_are_cut_to_its_bits() -> None:
    with serve_habit("short_seeds") as server:
        engine = connect(server.url, **SHARED)
        (request,) = server_requests(1, token_ids=None)
        request = dataclasses.replace(request, sample=Sample("set", "p", (1 << 40) + 5))
        (outcome,) = answer_all(engine, [request]).values()
        assert engine.dropped == ("seed beyond 31 bits",)
        engine.close()
    assert isinstance(outcome, Completion)
    assert server.bodies[-1]["seed"] == 5


def test_extra_body_is_laid_over_and_its_refusal_names_it() -> None:
    with serve_habit("plain") as server:
        engine = connect(server.url, **SHARED, extra_body='{"magic": {"deep": 1}, "top_p": null}')
        answer_all(engine, server_requests(1, token_ids=None))
        engine.close()
    assert server.bodies[0]["magic"] == {"deep": 1}
    assert "top_p" not in server.bodies[0]
    (outcome,) = ask("refuses_extra_body", extra_body='{"magic": 1}')
    assert "EXTRA_BODY" in outcome.reason
    with pytest.raises(UsageError, match="no JSON object"):
        connect("http://127.0.0.1:9", extra_body="[1]")


@pytest.mark.parametrize("habit", ["two_at_a_time", "two_places"])
def test_sixty_four_threads_at_a_server_for_two_finish_and_sample_nothing_twice(habit: str) -> None:
    with serve_habit(habit) as server:
        engine = connect(server.url, max_retries=0, request_timeout_s=60.0)
        found = answer_all(engine, server_requests(100, token_ids=None))
        engine.close()
    assert engine.capacity == 64
    assert {type(outcome) for outcome in found.values()} == {Completion}
    assert server.answered == 100


def test_the_gate_halves_once_for_those_refused_together_and_recovers() -> None:
    gate = RequestGate(16)
    gate.enter()
    gate.is_understood()
    began = [gate.enter() for _ in range(10)]
    for moment in began:
        gate.leave(GateOutcome.BUSY, moment)
    assert gate.limit == 8
    gate.leave(GateOutcome.ANSWERED)
    for _ in range(500):
        gate.leave(GateOutcome.ANSWERED, gate.enter())
    assert gate.limit == 16


def test_an_answer_that_is_whole_is_taken_though_the_server_does_not_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.engines.server_connection.LINGER_S", 0.2)
    (outcome,) = ask("never_closes")
    assert (outcome.text, outcome.output_tokens) == (ANSWER, 20)


def test_a_finish_reason_in_every_event_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.engines.server_connection.LINGER_S", 0.25)
    (outcome,) = ask("ends_always")
    assert (outcome.text, outcome.output_tokens) == (ANSWER, 20)


def test_prompts_that_are_too_long_do_not_end_a_run_that_has_answers() -> None:
    outcomes = ask("long_later", 30)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Completion"] + ["Failure"] * 29


@pytest.mark.parametrize("habit", ["drip", "drip_headers"])
def test_an_answer_that_drips_ends_at_its_deadline(habit: str) -> None:
    began = time.monotonic()
    (outcome,) = ask(habit, request_timeout_s=1.0)
    assert isinstance(outcome, Failure)
    assert "REQUEST_TIMEOUT_S" in outcome.reason
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("habit", ["huge", "huge_stream", "bomb"])
def test_an_answer_without_end_is_refused_in_little_memory(habit: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (outcome,) = ask(habit)
    assert isinstance(outcome, Failure)
    assert "OUT_SEQ_LEN" in outcome.reason
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < (700 if habit == "bomb" else 200) << 10  # KiB; the server's own bomb stands in this process too


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "http://", "http://host:port/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="OPENAI_BASE_URL"):
        Address.parse(url)


def test_an_address_keeps_its_query() -> None:
    address = Address.parse("https://host/openai/deployments/d?api-version=1")
    assert address.path_of("/chat/completions") == "/openai/deployments/d/chat/completions?api-version=1"


def test_controls_of_others_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise EngineUnavailable("it says \x1b]0;owned\x07 \u202e and \udcff\nmore")

    assert run_command(fail) == 1
    assert capsys.readouterr().err == "error: it says ]0;owned and more\n"


def test_a_run_records_what_its_server_refused(tmp_path: pathlib.Path, run_script) -> None:
    words = ["--model", "served", "--out", tmp_path, "--benchmarks", "aime_sample", "--limit", "3", "--seeds", "100"]
    with serve_habit("rejects_seed") as server:
        words += ["--engine", "openai", "--openai-base-url", server.url, "--model-type", "chat"]
        done = run_script("python", "inference.py", *words)
        assert done.returncode == 0, done.stderr
        assert re.search("note: the server refuses seed", done.stderr)
        assert server.answered == 24
        done = run_script("python", "inference.py", *words, "--extra-body", '{"user": "me"}')
    assert done.returncode == 1
    assert "extra_body was ''" in done.stderr
    folder = tmp_path / "aime_sample"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["dropped"] == ["seed"]
    run_script("python", "evaluate_aime.py", "-g", folder, "-q", "aime_sample")
    results = read_results(folder)
    assert "the server refused seed: it sampled by its own defaults there" in " ".join(results.warnings)
    assert "server refused seed" in results.headline
    assert results.settings["dropped"] == "seed"
    assert len([*read_folder(tmp_path / "aime_sample")]) == 24
