"""Converts the responses of another toolkit into files of ours, so that evaluate_*.py can grade them.

    python -m tools import results/output-rs*.jsonl --benchmark aime24 --to imported/aime24
    python evaluate_aime.py -g imported/aime24 -q aime24

Formats, told by themselves: NeMo-Skills (output-rs<N>.jsonl), lm-evaluation-harness (samples_*.jsonl), OpenAI's batch
API, MathArena, Evalchemy (results_*.json), and rows with an id or a statement and one response or a list of them.
Each response is joined to its problem by id, statement or row, and the reference in the file is checked against ours.
"""

from __future__ import annotations

import pathlib
import sys

from tools.benchmarks.problems import load_benchmark
from tools.commandline import CommandLine
from tools.errors import IncompleteRun, run_command
from tools.importing.convert import convert, find_inputs
from tools.store.foreign import ForeignFormat


def main() -> int:
    parser = CommandLine(__doc__, usage="python -m tools import PATH... --to DIR --benchmark SET [--format NAME]")
    parser.add_argument("paths", nargs="+", type=pathlib.Path, metavar="PATH", help="files, or folders of files")
    parser.add_argument("--to", required=True, type=pathlib.Path, metavar="DIR", help="folder for seed<N>.jsonl")
    parser.add_argument("--benchmark", "-q", required=True, metavar="SET", help="benchmark or problem file")
    parser.add_argument("--format", choices=[kind.value for kind in ForeignFormat], help="[told by the files]")
    given = parser.parse_args()
    inputs = find_inputs(given.paths, ForeignFormat(given.format) if given.format else None)
    loaded = load_benchmark(given.benchmark, is_asked=False)
    done = convert(inputs, loaded, given.to)
    kinds = ", ".join(kind.words for kind in done.formats)
    print(
        f"{kinds}: {done.samples} responses to {done.problems} of {len(loaded.problems)} problems, "
        f"seeds {' '.join(map(str, done.seeds))}, in {given.to}"
    )
    if done.failed:
        raise IncompleteRun(f"{done.failed} rows hold an error instead of a response; these samples are missing")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
