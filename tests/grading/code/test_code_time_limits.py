"""Time limits: CPU time counts, and a program that is close to its limit is run again alone."""

from __future__ import annotations

from tests.support.programs import problem, verdicts
from tools.sandbox.limits import Limits


def test_time_limits_count_cpu_time_not_waiting_for_a_busy_machine() -> None:
    half = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.5: pass\nprint(int(input()) * 2)"
    row = problem(tests=[("1\n", "2\n")])
    found = verdicts(*[half] * 8, of=row, workers=8, limits=Limits(cpu_s=1.0))
    assert [verdict["status"] for verdict in found] == ["correct"] * 8
    assert max(verdict["cpu_s"] for verdict in found) < 1.0


def test_a_program_just_over_its_limit_is_run_again_alone_and_marked() -> None:
    close = (
        "import os, time\nt = time.process_time()\nwhile time.process_time() - t < 1.05: pass\nprint(int(input()) * 2)"
    )
    (verdict,) = verdicts(close, of=problem(tests=[("1\n", "2\n")]), limits=Limits(cpu_s=1.0, grace=2.0))
    assert verdict["status"] == "timeout"
    assert verdict["was_rerun_alone"]
    assert verdict["hangs_on_time"]
