#!/usr/bin/env python3
"""How good the order and sharing of tools/sampling/plan.py are: eight simulated GPUs against the lower bound and the original.

    python perf/schedule.py [--lengths FOLDER] [--gpus 8] [--capacity 256] [--seed 0]

Drives the real Scheduler the way tools/sampling/worker.py does, with lengths of answers from a folder of <set>.jsonl files (one
line a problem: {"problem", "lengths": [tokens, ...]}). Prints the makespan and its ratios, for: nothing known before,
lengths known from an earlier run, one GPU lost at half time, a GPU that starts late; and the original's way (for each
base seed one engine start on every GPU, then a fixed batch). Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import pathlib
import random
import sys
from collections.abc import Mapping, Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from perf.schedule_engine import START_S, SimulatedEngine, lower_bound_s
from tools.records import Sample
from tools.sampling.plan import Scheduler

POLL_S = 1.0
# Where the original's way is too near the bound for LEAST_SPEEDUP (LiveCodeBench: 132 sequences at once), this share of
# what is possible is asked for.
LEAST_SPEEDUP, NEARLY = 2.5, 0.9
# The original's batches per GPU and engine start: 30 AIME problems; of LiveCodeBench 132 (1055 over 8 GPUs).
ORIGINAL_SEQUENCES = {"aime": 8, "livecodebench": 1}  # samples per problem and base seed, spread over the GPUs
Lengths = Mapping[str, Sequence[int]]


def simulate(
    lengths: Lengths,
    gpus: int = 8,
    capacity: int = 256,
    *,
    seen: Mapping[tuple[str, str], Sequence[int]] | None = None,
    losses: Mapping[int, float] | None = None,
    late_starts: Mapping[int, float] | None = None,
    order: int | None = None,
) -> float:
    """The makespan in seconds. `losses`: GPU -> when it dies; `late_starts`: GPU -> how late it begins; `order`: a seed
    that shuffles the samples of each problem."""
    rows = {problem: list(values) for problem, values in lengths.items()}
    if order is not None:
        for values in rows.values():
            random.Random(order).shuffle(values)
    length_of = {Sample("set", p, seed): tokens for p, values in rows.items() for seed, tokens in enumerate(values)}
    scheduler = Scheduler(length_of, seen)
    engines = [SimulatedEngine(capacity, (late_starts or {}).get(gpu, 0.0)) for gpu in range(gpus)]
    living = set(range(gpus))
    turns = [(engine.time_s, gpu) for gpu, engine in enumerate(engines)]
    heapq.heapify(turns)
    makespan = 0.0
    while scheduler.open:
        now, gpu = heapq.heappop(turns)
        engine, name = engines[gpu], f"gpu{gpu}"
        if now >= (losses or {}).get(gpu, float("inf")):
            living.discard(gpu)
            scheduler.put_back(scheduler.holders().get(name, []))
            continue
        for sample in scheduler.take(name, engine.capacity - engine.in_flight, len(living)):
            engine.submit(sample, length_of[sample])
        for sample, tokens in engine.run_until(now + POLL_S):
            scheduler.finish(sample, tokens)
            makespan = max(makespan, engine.time_s)
        heapq.heappush(turns, (engine.time_s, gpu))
    return makespan


def simulate_original(name: str, lengths: Lengths, gpus: int = 8, capacity: int = 256) -> float:
    """The original toolkit: base seed after base seed, one engine start on every GPU, a fixed batch each, and a wait
    for the slowest before the next. AIME: every GPU samples all problems of one year with a seed of its own;
    LiveCodeBench: every GPU has a slice of the problems."""
    total = 0.0
    problems = list(lengths)
    samples = len(lengths[problems[0]])
    if ORIGINAL_SEQUENCES[name] > 1:
        years = [problems[: len(problems) // 2], problems[len(problems) // 2 :]]
        rounds = [
            [[lengths[p][seed] for p in year] for seed in range(first, min(first + gpus, samples))]
            for year in years
            for first in range(0, samples, gpus)
        ]
    else:
        size = -(-len(problems) // gpus)
        slices = [problems[start : start + size] for start in range(0, len(problems), size)]
        rounds = [[[lengths[p][seed] for p in part] for part in slices] for seed in range(samples)]
    for batches in rounds:
        total += max(_run_batch(batch, capacity) for batch in batches)
    return total


def _run_batch(batch: Sequence[int], capacity: int) -> float:
    engine = SimulatedEngine(capacity)
    for number, tokens in enumerate(batch):
        engine.submit(number, tokens)
    while engine.in_flight:
        engine.run_until(engine.time_s + 3600.0)
    return engine.time_s


def read_lengths(path: pathlib.Path) -> dict[str, list[int]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {str(row["problem"]): row["lengths"] for row in rows}


def report(name: str, lengths: Lengths, gpus: int, capacity: int, order: int | None) -> bool:
    """Prints one set's table; True when all targets hold."""
    everything = [tokens for values in lengths.values() for tokens in values]
    bound, bound_less = (lower_bound_s(everything, count, capacity) for count in (gpus, gpus - 1))
    plain = simulate(lengths, gpus, capacity, order=order)
    generator = random.Random(1)
    earlier = {("set", p): [generator.choice(values) for _ in range(8)] for p, values in lengths.items()}
    known = simulate(lengths, gpus, capacity, seen=earlier, order=order)
    lost = simulate(lengths, gpus, capacity, losses={gpus - 1: plain / 2}, order=order)
    late = simulate(lengths, gpus, capacity, late_starts={gpus - 1: 5 * START_S}, order=order)
    original = simulate_original(name, lengths, gpus, capacity)
    rows = (
        ("nothing known before", plain, plain / bound, 1.10),
        ("lengths of an earlier run", known, known / bound, 1.10),
        (f"one GPU lost at half time (bound of {gpus - 1})", lost, lost / bound_less, 1.25),
        ("one GPU starts five minutes late", late, late / bound, None),
        ("the original's way", original, original / bound, None),
    )
    print(f"{name}: {len(everything)} answers on {gpus} GPUs, lower bound {bound:.0f} s")
    for text, seconds, ratio, target in rows:
        wanted = "" if target is None else f"  (target {target:.2f}: {'met' if ratio <= target else 'MISSED'})"
        print(f"  {text:46} {seconds:7.0f} s  {ratio:6.3f} x bound{wanted}")
    speedup = original / plain
    possible = original / bound
    is_possible = possible >= LEAST_SPEEDUP
    verdict = "met" if speedup >= LEAST_SPEEDUP else "MISSED" if is_possible else "out of reach of any schedule"
    print(
        f"  {'faster than the original':46} {speedup:7.2f} times of {possible:.2f} possible "
        f"(target {LEAST_SPEEDUP:.2f}: {verdict})"
    )
    is_fast = speedup >= (LEAST_SPEEDUP if is_possible else NEARLY * possible)
    return is_fast and all(wanted is None or ratio <= wanted for _, _, ratio, wanted in rows)


def main() -> int:
    default = pathlib.Path(os.environ.get("BENCH_DIR") or ".") / "lengths"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=pathlib.Path, default=default)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--capacity", type=int, default=256, help="sequences at once per engine")
    parser.add_argument("--seed", type=int, default=None, help="shuffles the answers of each problem")
    given = parser.parse_args()
    paths = [given.lengths / f"{name}.jsonl" for name in ORIGINAL_SEQUENCES]
    if not all(path.is_file() for path in paths):
        print(f"error: {given.lengths} holds no aime.jsonl and livecodebench.jsonl; give --lengths", file=sys.stderr)
        return 2
    results = [report(path.stem, read_lengths(path), given.gpus, given.capacity, given.seed) for path in paths]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
