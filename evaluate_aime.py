#!/usr/bin/env python3
"""Grades responses to any benchmark, mathematics or programs, and prints the
score.

    python evaluate_aime.py --modelfolder out/aime24 --dataset data/aime24.jsonl

Reads seed<N>.jsonl of this toolkit or of the original; writes verdicts.jsonl
and accuracy_results.json beside them. Needs no GPU, no torch and no vLLM. A
killed grading continues. Exit code 0: a score; 1: damaged or incomplete, with
one line that says what to do.
"""

from __future__ import annotations

import gc
import os
import sys

from tools.commandline import CommandLine
from tools.errors import run_command


def main() -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start a pool of threads for a few sums
    gc.set_threshold(100_000)  # a short life with few cycles: looking for them often costs 7 % of it
    from tools.grading.door import evaluate, parse

    parser = CommandLine(__doc__, usage="evaluate_aime.py --modelfolder FOLDER [--dataset NAME] [options]")
    print(evaluate(parse(parser, sys.argv[1:], os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
