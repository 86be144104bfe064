#!/usr/bin/env python3
"""Grading mathematics with two processes against one: 500 answers that take the LaTeX grammar and SymPy.

    python perf/grader/processes.py [--answers 500] [--rounds 3]

Prints the wall seconds of both, in turns in one run, and their ratio (target: at least 1.7 on two free cores).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tools.grading.grader import GradingOptions
from tools.grading.session import grade

WANTED = 1.7


def write_run(folder: pathlib.Path, answers: int) -> tuple[pathlib.Path, pathlib.Path]:
    """Definite integrals as answers, their values as references; every fourth one is wrong."""
    rows, texts = [], []
    for number in range(1, answers + 1):
        rows.append({"id": str(number), "problem": "Integrate.", "answer": f"\\frac{{{number}^3}}{{3}}"})
        upper = number + (number % 4 == 0)
        texts.append({"task_id": str(number), "output": f"So it is \\boxed{{\\int_0^{{{upper}}} x^2\\,dx}}."})
    problems, run = folder / "integrals.jsonl", folder / "run"
    run.mkdir()
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "seed1.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    return run, problems


def seconds(run: pathlib.Path, problems: pathlib.Path, workers: int) -> float:
    (run / "verdicts.jsonl").unlink(missing_ok=True)
    started = time.monotonic()
    results = grade(run, str(problems), GradingOptions(workers=workers))
    assert abs(results.score.mean - 0.75) < 0.01, results.headline
    return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run, problems = write_run(pathlib.Path(folder), given.answers)
        rounds = [(seconds(run, problems, 1), seconds(run, problems, 2)) for _ in range(given.rounds)]
    one, two = (statistics.median(times) for times in zip(*rounds, strict=True))
    ratio = one / two
    print(f"{given.answers} answers: one process {one:.1f} s, two {two:.1f} s: {ratio:.2f} times (target {WANTED})")
    return 0 if ratio >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
