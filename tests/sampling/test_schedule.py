"""The real Scheduler on simulated GPUs: the engine model is right, and the targets of makespan hold."""

from __future__ import annotations

import pytest

from perf import schedule
from perf.schedule_engine import CONTEXT_S, SEQUENCE_S, START_S, STEP_S, SimulatedEngine, lower_bound_s


def run_all(engine: SimulatedEngine) -> int:
    finished = 0
    while engine.in_flight:
        finished += len(engine.run_until(engine.time_s + 1e6))
    return finished


def test_one_sequence_takes_what_the_model_says():
    engine = SimulatedEngine()
    engine.submit("a", 1000)
    assert run_all(engine) == 1
    assert engine.time_s == pytest.approx(START_S + 1000 * (STEP_S + SEQUENCE_S) + CONTEXT_S * 1000 * 1001 / 2)


def test_many_sequences_share_each_step():
    engine = SimulatedEngine()
    for number in range(100):
        engine.submit(number, 1000)
    run_all(engine)
    assert engine.time_s == pytest.approx(
        START_S + 1000 * (STEP_S + 100 * SEQUENCE_S) + CONTEXT_S * 100 * 1000 * 1001 / 2
    )


def test_a_full_cache_preempts_and_everything_finishes():
    engine = SimulatedEngine()
    for number in range(60):
        engine.submit(number, 30000)
    assert run_all(engine) == 60
    assert engine.preemptions > 0


def test_no_schedule_beats_the_bound():
    lengths = {str(problem): [1000 * (problem + 1)] * 8 for problem in range(20)}
    everything = [tokens for values in lengths.values() for tokens in values]
    assert schedule.simulate(lengths, gpus=4) >= lower_bound_s(everything, 4)


def test_a_lost_gpus_work_is_done_by_the_others():
    lengths = {str(problem): [20000] * 8 for problem in range(20)}
    assert schedule.simulate(lengths, gpus=2, losses={1: 100.0}) > schedule.simulate(lengths, gpus=2)


@pytest.mark.parametrize("order", [None, 1])
def test_aime_is_near_the_bound(bench_dir, order):
    lengths = schedule.read_lengths(bench_dir / "lengths/aime.jsonl")
    everything = [tokens for values in lengths.values() for tokens in values]
    plain = schedule.simulate(lengths, order=order)
    assert plain <= 1.10 * lower_bound_s(everything, 8)
    assert schedule.simulate(lengths, losses={7: plain / 2}, order=order) <= 1.25 * lower_bound_s(everything, 7)
    assert schedule.simulate_original("aime", lengths) >= 2.5 * plain


@pytest.mark.slow
def test_livecodebench_is_near_the_bound(bench_dir):
    lengths = schedule.read_lengths(bench_dir / "lengths/livecodebench.jsonl")
    everything = [tokens for values in lengths.values() for tokens in values]
    plain = schedule.simulate(lengths)
    assert plain <= 1.10 * lower_bound_s(everything, 8)
    assert schedule.simulate_original("livecodebench", lengths) >= 1.25 * plain
