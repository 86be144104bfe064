#!/usr/bin/env python3
"""Generation through the toolkit against a bare `LLM.generate`, and against one engine start per seed.

    python perf/generation.py [--seeds 32] [--tokens 256] [--rounds 7]

The same requests (demo model, sample set, vLLM), in turns on one and the same engine, so that the machine's noise falls
on both alike:
  bare  all requests in one LLM.generate: the fastest way there is, nothing on disk
  ours  the worker's loop: queue, files, status
Then whole runs: inference.py with all seeds against inference.py once per seed, the original toolkit's way. Target: ours
loses at most 5 % of bare's throughput and is several times faster than the original's way. Exits 1 when it is missed.
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

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.benchmarks.problems import load_benchmark  # noqa: E402
from tools.engines import GenerationRequest, create_engine  # noqa: E402
from tools.engines.vllm import VllmEngine  # noqa: E402
from tools.records import Sample, Sampling  # noqa: E402
from tools.sampling.launcher import CPU_ENVIRONMENT  # noqa: E402
from tools.sampling.plan import make_plan  # noqa: E402
from tools.sampling.requests import RequestMaker, prepare_requests  # noqa: E402
from tools.sampling.settings import parse_settings  # noqa: E402
from tools.sampling.status import StatusFile, workers_folder  # noqa: E402
from tools.sampling.worker import answer_all  # noqa: E402
from tools.sampling.workqueue import WorkQueue  # noqa: E402

MODEL = ROOT / "data" / "demo_model"
LEAST_SHARE = 0.95
MEASURED_SEEDS = 4  # of the original's way; the others cost the same


def run_bare(
    engine: VllmEngine, requests: list[GenerationRequest], sampling: Sampling, ignore_eos: bool = False
) -> tuple[float, int]:
    """Seconds and tokens of one LLM.generate."""
    from vllm import SamplingParams

    params = [
        SamplingParams(
            seed=request.seed,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=request.max_new_tokens,
            stop_token_ids=engine._stop_token_ids,
            skip_special_tokens=False,
            ignore_eos=ignore_eos,
        )
        for request in requests
    ]
    prompts = [{"prompt_token_ids": list(request.prompt.token_ids or ())} for request in requests]
    started = time.monotonic()
    outputs = engine._llm.generate(prompts, params, use_tqdm=False)
    return time.monotonic() - started, sum(len(output.outputs[0].token_ids) for output in outputs)


def run_ours(engine: VllmEngine, samples: list[Sample], requests: RequestMaker, name: str) -> tuple[float, int]:
    """Seconds and tokens of the worker's loop, from a queue on disk to files on disk."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        (out / samples[0].dataset).mkdir()
        WorkQueue.create(out / ".run", samples)
        file = StatusFile(workers_folder(out), name)
        queue = WorkQueue.join(out / ".run", name)
        started = time.monotonic()
        answer_all(queue, engine, requests, out, file)
        return time.monotonic() - started, file.status.tokens


def alternate(seeds: int, tokens: int, rounds: int) -> list[float]:
    """Our share of the bare throughput, once per round, after a round that is not counted."""
    arguments = ["--model", str(MODEL), "--out", "unused", "--datasets", "aime_sample", "--engine", "vllm"]
    settings = parse_settings([*arguments, "--out-seq-len", str(tokens)], environ={})
    task_ids = [problem.task_id for problem in load_benchmark("aime_sample").problems]
    samples = make_plan({"aime_sample": (task_ids, range(seeds))})
    with tempfile.TemporaryDirectory() as folder:
        requests = prepare_requests(pathlib.Path(folder), settings)
    engine = create_engine("vllm", settings.engine_setup(requests.max_model_len), settings.engine_options)
    assert isinstance(engine, VllmEngine)
    made = [requests.make(sample) for sample in samples]
    shares = []
    for number in range(rounds + 1):
        bare_s, bare_tokens = run_bare(engine, made, settings.sampling)
        ours_s, ours_tokens = run_ours(engine, samples, requests, f"w{number}.1")
        shares.append(ours_tokens / ours_s / (bare_tokens / bare_s))
        print(f"bare {bare_tokens / bare_s:.0f} tokens/s, ours {ours_tokens / ours_s:.0f}", flush=True)
    return shares[1:]


def run_whole(tokens: int, first: int, count: int) -> float:
    """Seconds of inference.py, from its start to its end, for the seeds first, first + 1, ..."""
    with tempfile.TemporaryDirectory() as out:
        words = [sys.executable, "inference.py", "--model", str(MODEL), "--out", out, "--datasets", "aime_sample"]
        words += ["--engine", "vllm", "--seeds", str(first), "--samples-per-seed", str(count)]
        started = time.monotonic()
        subprocess.run([*words, "--out-seq-len", str(tokens)], capture_output=True, check=True, cwd=ROOT)
        return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--alternate", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alternate:
        print(json.dumps(alternate(given.seeds, given.tokens, given.rounds)))
        return 0
    # A process of its own: some of what it needs is read from the environment when a process starts.
    words, shares = [sys.executable, __file__, "--alternate", *sys.argv[1:]], []
    with subprocess.Popen(
        words, env=CPU_ENVIRONMENT | os.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        for line in process.stdout or ():
            if line.startswith("bare "):
                print(line, end="")
            elif line.startswith("["):
                shares = json.loads(line)
    if not shares:
        raise SystemExit("error: no engine here; it needs vLLM (make install-cpu)")
    share = statistics.median(shares)
    print(
        f"throughput of the worker's loop: {share:.1%} of a bare LLM.generate on the same engine "
        f"({', '.join(f'{one:.1%}' for one in shares)}; target {LEAST_SHARE:.0%})"
    )
    ours = run_whole(given.tokens, 0, given.seeds)
    original = sum(run_whole(given.tokens, seed, 1) for seed in range(MEASURED_SEEDS)) * given.seeds / MEASURED_SEEDS
    print(
        f"one engine start per seed: {original:.0f} s for {given.seeds} seeds ({MEASURED_SEEDS} measured), "
        f"ours {ours:.0f} s: {original / ours:.1f} times"
    )
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
