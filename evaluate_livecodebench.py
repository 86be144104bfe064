#!/usr/bin/env python3
"""Grades responses to LiveCodeBench (HumanEval, MBPP) and prints the scores of
v5, v6 and every month.

    python evaluate_livecodebench.py -g out -q data/livecodebench.jsonl

Reads seed<N>.jsonl of this toolkit or of the original; runs each program in a
sandbox (see python -m tools.sandbox.check); writes verdicts.jsonl as verdicts
come, and accuracy_results.json, beside them. A killed grading continues. Exit
code 0: a score; 1: damaged, incomplete or unprotected, with one line that says
what to do.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

from tools.commandline import CommandLine, parse_seeds
from tools.errors import UsageError, run_command


def parse_arguments() -> argparse.Namespace:
    parser = CommandLine(__doc__, usage="evaluate_livecodebench.py -g FOLDER [-q FILE] [options]")
    add = parser.add_argument
    add("--generation-path", "--modelfolder", "-g", metavar="DIR", help="holds seed<N>.jsonl, or the run's folder")
    add("--question-path", "--dataset", "-q", metavar="SET", help="problem file or set [the folder's name]")
    add("--timeout", "-t", type=float, metavar="S", help="CPU seconds a test [6; original: 10]")
    add("--seeds", "-s", metavar="LIST", help="seeds that a score needs, e.g. '100 200' [all planned or there]")
    add("--set", metavar="NAME", dest="set_name", help="one frozen set: v5, v6, v5+v6, 2024-08, 06/24-01/25 ...")
    add("--workers", "-w", type=int, metavar="N", help="processes that grade [all cores]")
    add("--launcher", metavar="WHERE", help="local, or ray: on all nodes of a Ray cluster [LAUNCHER, else local]")
    add("--allow-incomplete", action="store_true", help="grade what is there, by its true number of samples")
    add("--run-all", action="store_true", help="run all tests of every program, not only to the first failure")
    add("--advice", action="store_true", help="note risky names (os, subprocess, ...) in the verdicts")
    add("--grader", choices=("ours", "original"), default="ours", help="original: the original toolkit's rules")
    add("--calibrate", action="store_true", help="measure this machine against the reference of the time limit")
    add("--unsafe-no-sandbox", action="store_true", help="run programs even where the protection does not hold")
    given = parser.parse_args()
    if given.generation_path is None and not given.calibrate:
        raise UsageError("give the folder with the responses with --generation-path; see --help")
    if given.timeout is not None and not 0.05 <= given.timeout <= 3600:
        raise UsageError(f"--timeout {given.timeout:g} is not between 0.05 and 3600 seconds")
    if given.workers is not None and not 1 <= given.workers <= 1024:
        raise UsageError(f"--workers {given.workers} is not between 1 and 1024")
    given.launcher = given.launcher or os.environ.get("LAUNCHER") or "local"
    if given.launcher not in ("local", "ray"):
        raise UsageError(f"LAUNCHER={given.launcher}: choose local or ray")
    return given


def main() -> int:
    given = parse_arguments()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start a pool of threads for a few sums
    if given.calibrate:
        from tools.grading.code.calibration import calibrate

        print(calibrate().describe())
        if given.generation_path is None:
            return 0
    from tools.grading.code.evaluation import CodeOptions, evaluate_code_folder
    from tools.results.text import format_results

    options = CodeOptions(
        timeout_s=given.timeout or (10.0 if given.grader == "original" else 6.0),
        workers=given.workers,
        rules=given.grader,
        seeds=parse_seeds(given.seeds) if given.seeds else None,
        allow_incomplete=given.allow_incomplete,
        is_unsafe_allowed=given.unsafe_no_sandbox,
        runs_all=given.run_all,
        with_advice=given.advice,
        set_name=given.set_name,
        launcher=given.launcher,
    )
    folder = pathlib.Path(given.generation_path)
    results = evaluate_code_folder(folder, given.question_path, options)
    print(format_results(results))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
