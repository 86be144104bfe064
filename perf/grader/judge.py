"""One grader on a list of cases from stdin, for run.py: `judge.py ours|math-verify TIMEOUT_S`. Prints JSON.

The time limit is an alarm in this process, as math-verify's own is; only the benchmark uses one.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Judge = Callable[[str, str, str], bool]


def judge_of(name: str) -> Judge:
    """The judge (gold, prediction, mode) of a grader; importing it is part of the measured cold start."""
    if name == "ours":
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from tools.grader import is_correct, math_equal

        return lambda gold, pred, mode: (is_correct if mode == "response" else math_equal)(pred, gold)
    from math_verify import parse, verify

    def judge(gold: str, pred: str, mode: str) -> bool:
        return bool(verify(parse(f"${gold}$"), parse(pred if mode == "response" else f"\\boxed{{{pred}}}")))

    return judge


class TooLong(BaseException):
    """Past every `except Exception` of a library."""


def give_up(*_: Any) -> None:
    raise TooLong


def main() -> int:
    cases = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a grader that prints must not disturb the result
    judge = judge_of(sys.argv[1])
    verdicts: list[bool | None] = []
    cpu_s: list[float] = []
    signal.signal(signal.SIGALRM, give_up)
    for case in cases:
        started = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
        try:
            verdicts.append(bool(judge(case["gold"], case["pred"], case["mode"])))
        except (Exception, TooLong):  # noqa: BLE001 - whatever a grader throws counts against it
            verdicts.append(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        cpu_s.append(time.process_time() - started)
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    total = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    json.dump({"verdicts": verdicts, "cpu_s": cpu_s, "total_cpu_s": total}, answers)
    answers.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
