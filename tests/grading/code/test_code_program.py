"""grading/code/program.py: from how a run ended to a verdict, without running anything."""

from __future__ import annotations

from typing import Any

import pytest

from tools.grading.code.problem_tests import ProblemTests, TestCase
from tools.grading.code.program import grade_program, prepare
from tools.records import Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End, Outcome
from tools.sandbox.session import Program

LIMIT_S = 10.0
PROBLEM = prepare(ProblemTests("double", (TestCase("1\n", "2\n"),), None))


class StubSandbox:
    """Answers every run with the same outcome."""

    is_shared = False

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def load(self, *_: Any, **__: Any) -> Program:
        program = Program.__new__(Program)
        object.__setattr__(program, "error", "")
        object.__setattr__(program, "function", None)
        return program

    def ask(self, _payload: bytes) -> None:
        return None

    def run(self, *_: Any) -> Outcome:
        return self.outcome


def grade(end: End, cpu_s: float, *, was_killed: bool = False) -> Any:
    output = b"2\n" if end is End.FINISHED else None
    outcome = Outcome(end, output, "why", cpu_s, cpu_s, 0, was_killed)
    sandbox: Any = StubSandbox(outcome)
    return grade_program(sandbox, PROBLEM, "code", limits=Limits(cpu_s=LIMIT_S, grace=1.5))


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (End.FINISHED, Verdict.CORRECT),
        (End.FAILED, Verdict.RUNTIME_ERROR),
        (End.MEMORY, Verdict.MEMORY),
        (End.CPU_LIMIT, Verdict.TIMEOUT),
        (End.IDLE_LIMIT, Verdict.TIMEOUT),
    ],
)
def test_every_end_has_its_verdict(end: End, verdict: Verdict) -> None:
    found = grade(end, 0.1)
    assert found.verdict is verdict
    assert found.first_failing_test == (None if verdict is Verdict.CORRECT else 1)


@pytest.mark.parametrize(("cpu_s", "is_near"), [(6.9, False), (7.1, True)])
def test_a_run_beyond_seven_tenths_of_its_limit_hangs_on_time(cpu_s: float, is_near: bool) -> None:
    found = grade(End.FINISHED, cpu_s)
    assert found.verdict is Verdict.CORRECT
    assert found.hangs_on_time is is_near


@pytest.mark.parametrize(
    ("cpu_s", "was_killed", "is_near_timeout"), [(14.9, False, True), (15.1, False, False), (12.0, True, False)]
)
def test_only_a_run_that_ended_within_the_grace_is_worth_a_second_one(
    cpu_s: float, was_killed: bool, is_near_timeout: bool
) -> None:
    found = grade(End.CPU_LIMIT, cpu_s, was_killed=was_killed)
    assert found.verdict is Verdict.TIMEOUT
    assert found.is_near_timeout is is_near_timeout
    assert found.hangs_on_time is is_near_timeout
