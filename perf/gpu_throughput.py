#!/usr/bin/env python3
"""The throughput stage of perf/gpu_check.py, a process of its own: the worker's loop against a bare LLM.generate.

    python perf/gpu_throughput.py --work FOLDER [--on-cpu]

One engine, a model with random weights (1.3 billion parameters, made here), every answer at its full length. Both ways
in turns, each twice after a round that warms up; the better round counts. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from perf.generation import run_bare, run_ours  # noqa: E402
from tools.benchmarks.problems import load_benchmark  # noqa: E402
from tools.engines import create_engine  # noqa: E402
from tools.engines.vllm import VllmEngine  # noqa: E402
from tools.sampling.launcher import CPU_ENVIRONMENT  # noqa: E402
from tools.sampling.plan import make_plan  # noqa: E402
from tools.sampling.requests import prepare_requests  # noqa: E402
from tools.sampling.settings import parse_settings  # noqa: E402

DEMO = ROOT / "data" / "demo_model"
LARGE = {
    "hidden_size": 1536, "num_hidden_layers": 28, "num_attention_heads": 12, "num_key_value_heads": 2,
    "intermediate_size": 8960,
}  # fmt: skip
SMALL = {
    "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 256,
}  # fmt: skip


def make_model(folder: pathlib.Path, sizes: dict[str, int]) -> None:
    """A Qwen2 with random weights and the demo model's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    config = json.loads((folder / "config.json").read_text()) | sizes
    config.pop("head_dim", None)
    if "layer_types" in config:
        config["layer_types"] = ["full_attention"] * sizes["num_hidden_layers"]
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).to(torch.bfloat16)
    model.save_pretrained(folder)


def measure(work: pathlib.Path, tokens: int, problems: int, seeds: int) -> dict[str, float | int]:
    """Tokens per second of both ways, on one engine."""
    words = ["--model", str(work / "random_model"), "--out", "unused", "--datasets", "aime_sample", "--engine", "vllm"]
    words += ["--model-type", "qwen", "--out-seq-len", str(tokens), "--limit", str(problems)]
    settings = parse_settings(words, environ={})
    with tempfile.TemporaryDirectory() as folder:
        requests = prepare_requests(pathlib.Path(folder), settings)
    setup = settings.engine_setup(requests.max_model_len)
    engine = create_engine(settings.engine, setup, settings.engine_options)
    assert isinstance(engine, VllmEngine)
    engine._sampling_params = functools.partial(engine._sampling_params, ignore_eos=True)
    engine._stop_token_ids = []
    task_ids = [problem.task_id for problem in load_benchmark("aime_sample").problems[:problems]]
    samples = make_plan({"aime_sample": (task_ids, range(seeds))})
    best = {"bare": 0.0, "ours": 0.0}
    for number, way in enumerate(("bare", "ours", "bare", "ours", "ours", "bare")):
        if way == "bare":
            wall_s, count = run_bare(engine, [requests.make(sample) for sample in samples], settings.sampling, True)
        else:
            wall_s, count = run_ours(engine, samples, requests, f"round{number}")
        if number > 1:
            best[way] = max(best[way], count / wall_s)
    engine.close()
    told: dict[str, float | int] = {f"{way}_tokens_per_s": round(speed) for way, speed in best.items()}
    return {**told, "share": round(best["ours"] / best["bare"], 4), "sequences": len(samples), "tokens": tokens}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--on-cpu", action="store_true")
    given = parser.parse_args()
    if given.on_cpu:
        os.environ.update(CPU_ENVIRONMENT | os.environ)
    make_model(given.work / "random_model", SMALL if given.on_cpu else LARGE)
    tokens, problems, seeds = (48, 4, 8) if given.on_cpu else (1024, 16, 32)
    print(f"\n{json.dumps(measure(given.work, tokens, problems, seeds))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
