#!/usr/bin/env python3
"""kill -9 of run_benchmarks.sh and all it started, at random moments of sampling or grading; then the same command again.

    python perf/faults_of_many.py [--rounds 20] [--suite quick] [--engine transformers]

Each round's responses are compared byte by byte with those of an undisturbed run, its verdicts but for measured times. Prints how
many rounds ended equal; exits 1 at any difference.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
MEASURED = {"cpu_s", "max_cpu_s", "wall_s", "peak_bytes", "checksum", "per_test", "hangs_on_time"}


def start(out: pathlib.Path, suite: str, engine: str) -> subprocess.Popen[bytes]:
    words = ["bash", str(ROOT / "run_benchmarks.sh"), str(ROOT / "data/demo_model"), str(out), "--config", suite]
    env = {**os.environ, "ENGINE": engine, "PYTHON": sys.executable}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=ROOT, env=env, stdout=quiet, stderr=quiet, start_new_session=True)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(item) for name, item in value.items() if name not in MEASURED}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def read_run(out: pathlib.Path) -> dict[str, Any]:
    files: dict[str, Any] = {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("*/seed*.jsonl"))
    }
    for path in sorted(out.glob("*/verdicts.jsonl")):
        files[str(path.relative_to(out))] = [without_times(json.loads(line)) for line in path.read_text().splitlines()]
    return files


def disturb(out: pathlib.Path, suite: str, engine: str, moment_s: float) -> None:
    run = start(out, suite, engine)
    time.sleep(moment_s)
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--suite", default="quick")
    parser.add_argument("--engine", default="transformers")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    generator, equal = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        if start(pathlib.Path(folder) / "whole", given.suite, given.engine).wait():
            sys.exit("the undisturbed run failed")
        length_s, reference = time.monotonic() - began, read_run(pathlib.Path(folder) / "whole")
        for number in range(given.rounds):
            out = pathlib.Path(folder) / str(number)
            disturb(out, given.suite, given.engine, generator.uniform(0.5, length_s))
            code = start(out, given.suite, given.engine).wait()
            is_equal = code == 0 and read_run(out) == reference
            equal += is_equal
            if not is_equal:
                print(f"round {number}: code {code}, files differ from the undisturbed run")
    print(f"{equal} of {given.rounds} rounds ended as the undisturbed run, {length_s:.0f} s each")
    return 0 if equal == given.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
