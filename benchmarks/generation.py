#!/usr/bin/env python3
"""Generation through inference.py against a bare `LLM.generate`, and against one engine start per seed.

    python benchmarks/generation.py [--seeds 4] [--tokens 128]

The same requests (demo model, sample set, vLLM) three ways, each as a whole process, one after the other:
  bare      one engine, all requests in one LLM.generate: the fastest way there is, nothing on disk
  ours      inference.py: queue, files, manifest, progress, one worker
  original  one engine start per base seed, as the original toolkit does
Prints tokens per second of the engine's work for bare and ours (start-up is the same), by the wall and, since the CPU
build is one busy thread and other people's work is not in it, by CPU time; and whole seconds for all. Target:
ours loses at most 5 % of bare's throughput and is several times faster than the original's way.
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
MODEL = ROOT / "data" / "demo_model"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}

BARE = """
import dataclasses, json, sys, time
sys.path.insert(0, sys.argv[1])
from tools.engines import load_tokenizer
from tools.engines.vllm import VllmEngine
from tools.problems import load_problem_set
from tools.prompts import encode_prompt
from tools.settings import parse_settings
model, seeds, tokens = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
settings = parse_settings(["--model", model, "--out", "x", "--out-seq-len", str(tokens), "--engine", "vllm"], environ={})
tokenizer = load_tokenizer(settings)
prompts = [list(encode_prompt(p, "math", "qwen", tokenizer).token_ids) for p in load_problem_set("aime_sample").problems]
engine = VllmEngine(settings, max(map(len, prompts)) + tokens)
from vllm import SamplingParams
params = [
    SamplingParams(seed=seed, temperature=0.6, top_p=0.95, max_tokens=tokens, stop_token_ids=engine._stop_token_ids, skip_special_tokens=False)
    for seed in range(seeds) for _ in prompts
]
begin, cpu_begin = time.monotonic(), time.process_time()
outputs = engine._llm.generate([{"prompt_token_ids": ids} for _ in range(seeds) for ids in prompts], params, use_tqdm=False)
seconds, cpu = time.monotonic() - begin, time.process_time() - cpu_begin
print(json.dumps({"seconds": seconds, "cpu": cpu, "tokens": sum(len(o.outputs[0].token_ids) for o in outputs)}))
"""


def run_bare(seeds: int, tokens: int) -> dict[str, float]:
    begin = time.monotonic()
    words = [sys.executable, "-c", BARE, str(ROOT), str(MODEL), str(seeds), str(tokens)]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=True, cwd=ROOT)
    return {**json.loads(done.stdout.strip().split("\n")[-1]), "whole": time.monotonic() - begin}


def run_ours(seeds: int, tokens: int, first: int = 0) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as out:
        begin = time.monotonic()
        words = [
            sys.executable,
            "inference.py",
            "--model",
            str(MODEL),
            "--out",
            out,
            "--datasets",
            "aime_sample",
            "--engine",
            "vllm",
        ]
        words += ["--seeds", str(first), "--samples-per-seed", str(seeds), "--out-seq-len", str(tokens)]
        subprocess.run(words, env=ENVIRONMENT, capture_output=True, check=True, cwd=ROOT)
        whole = time.monotonic() - begin
        status = json.loads((pathlib.Path(out) / "status.json").read_text())
        (worker,) = status["workers"]
        return {
            "seconds": worker["answering_s"],
            "cpu": worker["answering_cpu_s"],
            "tokens": status["tokens"],
            "whole": whole,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    ratios: dict[str, list[float]] = {"seconds": [], "cpu": []}
    for _ in range(given.rounds):
        bare, ours = run_bare(given.seeds, given.tokens), run_ours(given.seeds, given.tokens)
        for clock, found in ratios.items():
            found.append(ours["tokens"] / ours[clock] / (bare["tokens"] / bare[clock]))
        print(
            f"bare {bare['tokens'] / bare['seconds']:.0f} tokens/s, ours {ours['tokens'] / ours['seconds']:.0f} tokens/s "
            f"(whole {bare['whole']:.1f} s, {ours['whole']:.1f} s)"
        )
    for clock, found in ratios.items():
        spread = ", ".join(f"{100 * ratio:.1f}" for ratio in found)
        name = "wall" if clock == "seconds" else "CPU"
        print(
            f"throughput of inference.py by {name} time: {100 * statistics.median(found):.1f} % of a bare LLM.generate ({spread}; target 95)"
        )
    original = sum(run_ours(1, given.tokens, first=seed)["whole"] for seed in range(4)) * given.seeds / 4
    print(
        f"one engine start per seed: {original:.0f} s for {given.seeds} seeds (4 measured), ours {ours['whole']:.0f} s: {original / ours['whole']:.1f} times"
    )


if __name__ == "__main__":
    main()
