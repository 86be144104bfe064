#!/usr/bin/env python3
"""Grades responses to AIME and other mathematical sets (MATH-500, AMC 2023,
choice letters) and prints the score.

    python evaluate_aime.py --modelfolder out/aime24 --dataset data/aime24.jsonl

Reads seed<N>.jsonl of this toolkit or of the original; writes verdicts.jsonl
and accuracy_results.json beside them. Needs no GPU, no torch and no vLLM. Exit
code 0: a score; 1: damaged or incomplete, with one line that says what to do.
"""

from __future__ import annotations

import argparse
import gc
import os
import pathlib
import sys

from tools.commandline import CommandLine, parse_seeds
from tools.errors import run_command


def parse_arguments() -> argparse.Namespace:
    parser = CommandLine(__doc__, usage="evaluate_aime.py --modelfolder FOLDER [--dataset FILE] [options]")
    add = parser.add_argument
    add("--modelfolder", "--generation-path", "-g", required=True, metavar="DIR", help="holds seed<N>.jsonl of one set")
    add(
        "--dataset",
        "--test_data",
        "--question-path",
        "-q",
        metavar="SET",
        help="problem file or set [the folder's name]",
    )
    add("--seeds", metavar="LIST", help="seeds that a score needs, e.g. '100 200' [all planned or there]")
    add("--allow-incomplete", action="store_true", help="grade what is there, by its true number of samples")
    add(
        "--answer-from",
        choices=("answer", "anywhere"),
        default="answer",
        help="anywhere: the reasoning too, as the original read it",
    )
    add("--grader", choices=("ours", "original"), default="ours", help="original: the original toolkit's rules")
    add("--comparison", choices=("integer", "math", "choice"), help="how answers compare [the catalogue's]")
    return parser.parse_args()


def main() -> int:
    given = parse_arguments()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start a pool of threads for a few sums
    gc.set_threshold(100_000)  # a short life with few cycles: looking for them often costs 7 % of it
    from tools.grading.evaluate import GradingOptions, evaluate_folder
    from tools.results.text import format_table

    folder = pathlib.Path(given.modelfolder)
    seeds = parse_seeds(given.seeds) if given.seeds else None
    options = GradingOptions(given.answer_from, given.grader, given.comparison, seeds, given.allow_incomplete)
    results = evaluate_folder(folder, given.dataset or folder.resolve().name, options)
    print(format_table([results]))
    print(f"verdicts and results: {folder}/verdicts.jsonl, {folder}/accuracy_results.json", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
