#!/usr/bin/env python3
"""What the orchestration costs, and what a second worker on the same machine brings.

    python perf/workers.py [--engine vllm] [--model data/demo_model] [--samples 1600] [--rounds 3]

Runs the real worker loop (queue, engine, files, status) with one worker and with two at the same time, in turns. Wall
time says what a user gets; on a machine that others use too, CPU time says what it would be with free cores: both are
printed. Orchestration: CPU time of the loop outside of the engine, as a share of all. Exits 1 above 3 %, or when two
workers do less than 1.7 times the work of one. A throughput needs many times the batch of 64: with 240 samples most of
the time is the last answers' tail, which each of two workers has by itself and in which batches are small.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.benchmarks.problems import load_benchmark  # noqa: E402
from tools.engines import create_engine  # noqa: E402
from tools.sampling.launcher import CPU_ENVIRONMENT  # noqa: E402
from tools.sampling.plan import make_plan  # noqa: E402
from tools.sampling.requests import prepare_requests  # noqa: E402
from tools.sampling.settings import RunSettings, parse_settings  # noqa: E402
from tools.sampling.status import StatusFile, workers_folder  # noqa: E402
from tools.sampling.worker import answer_all  # noqa: E402
from tools.sampling.workqueue import WorkQueue, living_workers  # noqa: E402

NEW_TOKENS = 200
MOST_ORCHESTRATION, LEAST_GAIN = 0.03, 1.7


class TimedEngine:
    """A real engine that notes the CPU time spent in it."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.capacity, self.cpu_s = engine, engine.capacity, 0.0

    def submit(self, request: Any) -> None:
        started = time.process_time()
        self.engine.submit(request)
        self.cpu_s += time.process_time() - started

    def step(self) -> Any:
        started = time.process_time()
        outcomes = self.engine.step()
        self.cpu_s += time.process_time() - started
        return outcomes


def work(out: pathlib.Path, name: str, workers: int) -> dict[str, float]:
    """One worker's part of a run; begins when all workers have loaded their engines."""
    settings = RunSettings.from_json((out / ".run/settings.json").read_text())
    requests = prepare_requests(out, settings)
    setup = settings.engine_setup(requests.max_model_len)
    engine = TimedEngine(create_engine(settings.engine, setup, settings.engine_options))
    file = StatusFile(workers_folder(out), name)
    queue = WorkQueue.join(out / ".run", name)
    while len(living_workers(out / ".run")) < workers:
        time.sleep(0.05)
    wall, cpu = time.monotonic(), time.process_time()
    answer_all(queue, engine, requests, out, file)  # type: ignore[arg-type]
    cpu_s = time.process_time() - cpu
    tokens = file.status.tokens
    return {"wall_s": time.monotonic() - wall, "cpu_s": cpu_s, "engine_cpu_s": engine.cpu_s, "tokens": tokens}


def run(settings: RunSettings, samples: int, workers: int) -> list[dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        (out / ".run").mkdir()
        (out / ".run/settings.json").write_text(settings.to_json())
        loaded = load_benchmark("aime_sample")
        task_ids = [problem.task_id for problem in loaded.problems]
        WorkQueue.create(out / ".run", make_plan({"aime_sample": (task_ids, range(samples // len(task_ids)))}))
        words = [sys.executable, __file__, "--out", folder, "--workers", str(workers), "--name"]
        env = CPU_ENVIRONMENT | os.environ | {"HF_HUB_OFFLINE": "1"}
        running = [
            subprocess.Popen([*words, f"w{n}.1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
            for n in range(workers)
        ]
        return [json.loads(process.communicate()[0].splitlines()[-1]) for process in running]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="vllm")
    parser.add_argument("--model", default=str(ROOT / "data/demo_model"))
    parser.add_argument("--samples", type=int, default=1600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.name:
        print("\n" + json.dumps(work(given.out, given.name, given.workers)))
        return 0
    arguments = ["--model", given.model, "--out", "unused", "--datasets", "aime_sample", "--engine", given.engine]
    arguments += ["--out-seq-len", str(NEW_TOKENS), "--seeds", "0", "--samples-per-seed", "1"]
    settings = parse_settings(arguments, environ={})
    wall, cpu, overhead = [], [], []
    for _ in range(given.rounds):
        (one,), two = run(settings, given.samples, 1), run(settings, given.samples, 2)
        wall.append(one["wall_s"] / max(row["wall_s"] for row in two))
        rate = [sum(row["tokens"] for row in rows) / sum(row["cpu_s"] for row in rows) for rows in ([one], two)]
        cpu.append(2 * rate[1] / rate[0])
        overhead.append(1 - one["engine_cpu_s"] / one["cpu_s"])
        print(f"one worker {one['tokens'] / one['wall_s']:.0f} tokens/s, two {wall[-1]:.2f} times (wall), {cpu[-1]:.2f} times "
              f"(per CPU second, two free cores); orchestration {overhead[-1]:.2%}", flush=True)  # fmt: skip
    gain, share = statistics.median(wall), statistics.median(overhead)
    print(f"median: {gain:.2f} times by wall time (target {LEAST_GAIN}), {statistics.median(cpu):.2f} by CPU time; "
          f"orchestration {share:.2%} of the time (target {MOST_ORCHESTRATION:.0%})")  # fmt: skip
    return 0 if share <= MOST_ORCHESTRATION and gain >= LEAST_GAIN else 1


if __name__ == "__main__":
    sys.exit(main())
