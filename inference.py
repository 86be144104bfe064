#!/usr/bin/env python3
"""Samples a model on problem sets: one worker per GPU, every answer on disk as
it finishes, resumable at any moment by the same command.

    python inference.py --model nvidia/AceReason-Nemotron-1.1-7B --out out \\
        --datasets aime24,aime25

Outputs: OUT/<benchmark>/seed<N>.jsonl and manifest.json, OUT/status.json and
OUT/logs/. Grading is a command of its own: evaluate_aime.py or
evaluate_livecodebench.py, whatever the benchmark.
"""

from __future__ import annotations

import os
import pathlib
import sys

from tools.commandline import CommandLine
from tools.errors import EvaluationError, run_command


def main() -> int:
    if "--worker" in sys.argv[1:]:
        return run_as_worker(sys.argv[1:])
    from tools.sampling.settings import DEFAULT_DOOR, parse_settings

    parser = CommandLine(__doc__, usage="inference.py --model MODEL --out OUT [options]")
    settings = parse_settings(sys.argv[1:], os.environ.get("DOOR", DEFAULT_DOOR), parser=parser)
    from tools.sampling.run import generate

    generate(settings)
    return 0


def run_as_worker(arguments: list[str]) -> int:
    """The supervisor's side door. Tells it by the exit code what to do next.

    After an error it leaves at once: an engine whose process has died can take half a minute to clean up, and the
    supervisor ends all that is left of this worker's group anyway.
    """
    from tools.sampling.launcher import exit_code_of
    from tools.sampling.worker import run_worker

    parser = CommandLine(run_as_worker.__doc__)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--max-num-seqs", type=int)
    given = parser.parse_args(arguments)
    try:
        return run_worker(given.out, given.worker, given.max_num_seqs)
    except EvaluationError as error:
        print(f"error: {error}", flush=True)
        sys.stderr.flush()
        os._exit(exit_code_of(error))


if __name__ == "__main__":
    sys.exit(run_command(main))
