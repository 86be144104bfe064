#!/usr/bin/env python3
"""Rescoring 64 x 30 responses of 30 kB: evaluate_aime.py as a whole process against reading and parsing alone.

    python perf/rescoring.py

Prints CPU seconds of both, alternating in one run, and their ratio (target: at most 2.6), and the CPU time of --help.
"""

from __future__ import annotations

import json
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
READ_AND_PARSE = "import json,pathlib,sys\nfor p in pathlib.Path(sys.argv[1]).glob('seed*.jsonl'):\n    for l in p.open('rb'): json.loads(l)"


def write_responses(folder: pathlib.Path, seeds: int = 64, problems: int = 30, size: int = 30_000) -> pathlib.Path:
    """Long reasoning with guesses in boxes, then an answer that is right two times out of three."""
    draw = random.Random(0)
    dataset = folder / "rescoring.jsonl"
    answers = [draw.randrange(1000) for _ in range(problems)]
    rows = [{"id": index, "problem": f"Problem {index}", "answer": str(answer)} for index, answer in enumerate(answers)]
    dataset.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = [
        "so",
        "then",
        "the",
        "sum",
        "of",
        "x",
        "and",
        "y",
        "equals",
        "\\frac{1}{2}",
        "wait",
        "\\boxed{12}",
        "check",
        "again",
    ]
    generations = folder / "rescoring"
    generations.mkdir()
    for seed in range(seeds):
        with (generations / f"seed{seed}.jsonl").open("w") as file:
            for index, answer in enumerate(answers):
                reasoning = " ".join(draw.choices(words, k=size // 5))[:size]
                given = answer if draw.random() < 2 / 3 else draw.randrange(1000)
                row = {"task_id": str(index), "output": f"{reasoning}</think>The answer is $\\boxed{{{given}}}$."}
                file.write(json.dumps(row) + "\n")
    return generations


def cpu_seconds(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generations = write_responses(folder)
        command = ("evaluate_aime.py", "--modelfolder", str(generations), "--dataset", str(folder / "rescoring.jsonl"))
        parsing, grading = [], []
        for _ in range(5):
            parsing.append(cpu_seconds("-c", READ_AND_PARSE, str(generations)))
            grading.append(cpu_seconds(*command))
        read, grade = statistics.median(parsing), statistics.median(grading)
        print(f"read and parse {read:.2f} s, evaluate_aime.py {grade:.2f} s: ratio {grade / read:.2f} (target 2.6)")
    print(
        f"--help: {statistics.median(cpu_seconds('evaluate_aime.py', '--help') for _ in range(5)):.3f} s of CPU (target 0.2)"
    )


if __name__ == "__main__":
    main()
