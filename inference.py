#!/usr/bin/env python3
"""Samples a model on problem sets: one worker per GPU, every answer on disk as it finishes, resumable at any moment.

    python inference.py --model nvidia/AceReason-Nemotron-1.1-7B --out out --datasets aime24,aime25

The same command continues a stopped run. Outputs: OUT/<set>/seed<N>.jsonl, OUT/<set>/manifest.json, OUT/status.json,
OUT/logs/. Grading is a command of its own: evaluate_aime.py, evaluate_livecodebench.py.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

from tools.errors import EngineError, EngineOutOfMemory, EvaluationError, run_command


def main() -> int:
    if "--worker" in sys.argv[1:]:
        return run_as_worker(sys.argv[1:])
    from tools.generate import generate
    from tools.settings import parse_settings

    family = os.environ.get("FAMILY", "aime")
    parser = argparse.ArgumentParser(
        prog="inference.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    generate(parse_settings(sys.argv[1:], family=family, parser=parser))
    return 0


def run_as_worker(arguments: list[str]) -> int:
    """The supervisor's side door. Tells it by the exit code what to do next."""
    from tools.supervisor import EXIT_OUT_OF_MEMORY, EXIT_PERMANENT
    from tools.worker import run_worker

    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--max-num-seqs", type=int)
    given = parser.parse_args(arguments)
    try:
        return run_worker(given.out, given.worker, given.max_num_seqs)
    except EvaluationError as error:
        print(f"error: {error}", flush=True)
        if isinstance(error, EngineOutOfMemory):
            return EXIT_OUT_OF_MEMORY
        return 3 if isinstance(error, EngineError) else EXIT_PERMANENT


if __name__ == "__main__":
    sys.exit(run_command(main))
