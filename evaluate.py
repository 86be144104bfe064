#!/usr/bin/env python3
"""Grades a run: every benchmark in its folder, with a table at the end; or one
folder of stored responses.

    python evaluate.py out
    python evaluate.py out --benchmarks ifeval,gsm8k
    python evaluate.py -g responses -q IFBench_test.jsonl --benchmark ifbench

Responses are FOLDER/seed<N>.jsonl with task_id and output on each line, of any
toolkit. A file given with -q is the set's own as its authors publish it: JSONL,
JSON, CSV, Parquet, also packed. Writes verdicts.jsonl and accuracy_results.json
beside the responses. A killed grading continues. Exit code 0: a score for each;
1: one has none, with one line that says why and what to do.
"""

from __future__ import annotations

import os
import sys

from tools.commandline import CommandLine
from tools.errors import run_command


def main() -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start a pool of threads for a few sums
    from tools.grading.door import evaluate, evaluate_run, parse

    parser = CommandLine(__doc__, usage="evaluate.py OUT [options] | -g FOLDER [-q FILE] [--benchmark NAME] [options]")
    parser.add_argument("run", nargs="?", metavar="OUT", help="folder of a run: all of its benchmarks are graded")
    parser.add_argument(
        "--benchmarks", "--tasks", "--datasets", metavar="LIST", help="of a run: only these, separated by commas"
    )
    given = parse(parser, sys.argv[1:], os.environ)
    if given.is_run:
        return evaluate_run(given)
    print(evaluate(given))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
