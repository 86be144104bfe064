#!/usr/bin/env python3
"""Many benchmarks with one command against one command each: what a single load of the model saves.

    python perf/one_load.py [--suite quick] [--engine vllm]

Runs the demo model on a suite once as a whole, and once benchmark by benchmark, in this order and again the other way round; prints
wall seconds of both and their ratio (target: one command at least 2.5 times as fast).
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.sampling.settings import RunSettings  # noqa: E402
from tools.sampling.suites import read_suite  # noqa: E402


def run(out: pathlib.Path, suite: str, engine: str, *benchmarks: str) -> float:
    """Wall seconds of sampling, grading and the report."""
    words = ["bash", str(ROOT / "run_benchmarks.sh"), str(ROOT / "data/demo_model"), str(out), "--config", suite]
    words += ["--benchmarks", ",".join(benchmarks)] if benchmarks else []
    started = time.monotonic()
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "ENGINE": engine, "PYTHON": sys.executable},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="quick")
    parser.add_argument("--engine", default="vllm")
    given = parser.parse_args()
    names = read_suite(given.suite, RunSettings)["DATASETS"].split(",")
    together, apart = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2):
            out = pathlib.Path(folder) / str(turn)
            for is_whole in (True, False) if turn == 0 else (False, True):
                if is_whole:
                    together.append(run(out / "all", given.suite, given.engine))
                else:
                    apart.append(sum(run(out / name, given.suite, given.engine, name) for name in names))
    print(f"{len(names)} benchmarks: one command {min(together):.1f} s, one each {min(apart):.1f} s")
    print(f"ratio {min(apart) / min(together):.2f} (target: at least 2.5)")


if __name__ == "__main__":
    main()
