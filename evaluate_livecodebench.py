#!/usr/bin/env python3
"""Grades responses to any benchmark, programs or mathematics, and prints the
scores: of LiveCodeBench also those of v5, v6 and every month.

    python evaluate_livecodebench.py -g out -q data/livecodebench.jsonl

Reads seed<N>.jsonl of this toolkit or of the original; runs each program in a
sandbox (see python -m tools sandbox-check); writes verdicts.jsonl as verdicts
come, and accuracy_results.json, beside them. A killed grading continues. Exit
code 0: a score; 1: damaged, incomplete or unprotected, with one line that says
what to do.
"""

from __future__ import annotations

import os
import sys

from tools.commandline import CommandLine
from tools.errors import run_command


def main() -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start a pool of threads for a few sums
    from tools.grading.door import evaluate, parse

    parser = CommandLine(__doc__, usage="evaluate_livecodebench.py -g FOLDER [-q NAME] [options]")
    print(evaluate(parse(parser, sys.argv[1:], os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
