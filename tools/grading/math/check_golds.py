"""Which reference answers of a benchmark no reader of mathematics understands: only their own text would equal them.

    python -m tools check-golds mine.jsonl

Run it on a file of your own before you spend a GPU on it. Exit code 1 when there are some.
"""

from __future__ import annotations

import sys

from tools.benchmarks.problems import load_benchmark
from tools.commandline import CommandLine
from tools.errors import run_command


def main() -> int:
    from tools.grading.math.grader import unreadable_golds

    parser = CommandLine(__doc__, usage="python -m tools check-golds SET")
    parser.add_argument("benchmark", metavar="SET", help="benchmark or problem file")
    loaded = load_benchmark(parser.parse_args().benchmark, is_asked=False)
    golds = {problem.task_id: problem.answer for problem in loaded.problems if problem.answer is not None}
    reasons = dict(unreadable_golds(golds.values()))
    for task_id, gold in golds.items():
        if gold in reasons:
            print(f"problem {task_id}: {gold[:120]!r}: {reasons[gold]}")
    unread = sum(gold in reasons for gold in golds.values())
    print(f"{loaded.name}: {unread} of {len(golds)} reference answers are not read as mathematics or words")
    return 1 if unread else 0


if __name__ == "__main__":
    sys.exit(run_command(main))
