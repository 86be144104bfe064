"""Grades one program on the tests of one problem: runs them in the sandbox, compares out here, says what failed first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.errors import DataError
from tools.grading.code.checkers import find_objection
from tools.grading.code.comparison import (
    canonical_json,
    ends_with_line,
    longest_sensible_result,
    result_matches,
    show,
    stdout_matches,
)
from tools.grading.code.harness import complete_answer
from tools.grading.code.original import result_matches_original, stdout_matches_original
from tools.grading.code.problem_tests import ProblemTests, TestCase, pack_arguments
from tools.records import JsonObject, Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.order import choose_order
from tools.sandbox.outcome import End, Outcome
from tools.sandbox.session import Program, Sandbox

Comparison = Callable[[str, str], bool]
NEAR_LIMIT = 0.7  # a run that used more than this share of its time limit hangs on time
FAILURES = {
    End.FAILED: Verdict.RUNTIME_ERROR,
    End.MEMORY: Verdict.MEMORY,
    End.CPU_LIMIT: Verdict.TIMEOUT,
    End.IDLE_LIMIT: Verdict.TIMEOUT,
}
# LiveCodeBench's numbers, as check_correctness returns them per test.
CODES: dict[Verdict, int | bool] = {
    Verdict.CORRECT: True, Verdict.WRONG: -2, Verdict.TIMEOUT: -3, Verdict.RUNTIME_ERROR: -4, Verdict.MEMORY: -4,
    Verdict.COMPILE_ERROR: -200, Verdict.NO_ANSWER: -100, Verdict.TRUNCATED: -100, Verdict.GRADER_ERROR: -1,
    Verdict.INFRA_ERROR: -1,
}  # fmt: skip


@dataclass
class CodeGrade:
    """What is known of one program. Times in CPU seconds of the program, memory in bytes, maxima and sums over tests.

    `hangs_on_time`: another machine could well decide otherwise. `is_near_timeout`: over the limit, but it finished
    within the grace: worth a second run alone. `codes` has LiveCodeBench's number for each test that ran.
    """

    verdict: Verdict
    reason: str = ""
    first_failing_test: int | None = None
    tests_total: int = 0
    codes: list[int | bool] = field(default_factory=list)
    cpu_s: float = 0.0
    max_cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0
    hangs_on_time: bool = False
    is_near_timeout: bool = False
    per_test: list[JsonObject] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.CORRECT

    def to_row(self) -> JsonObject:
        """As plain data, for verdicts.jsonl and for the pipe between processes."""
        row: JsonObject = {
            "passed": self.passed, "status": self.verdict.value, "reason": self.reason,
            "first_failing_test": self.first_failing_test, "tests_run": len(self.codes),
            "tests_total": self.tests_total, "codes": self.codes, "cpu_s": round(self.cpu_s, 6),
            "max_cpu_s": round(self.max_cpu_s, 6), "wall_s": round(self.wall_s, 6), "peak_bytes": self.peak_bytes,
            "hangs_on_time": self.hangs_on_time, "is_near_timeout": self.is_near_timeout,
        }  # fmt: skip
        if self.per_test:
            row["per_test"] = self.per_test
        if self.metrics:
            row["metrics"] = self.metrics
        return row


@dataclass(frozen=True)
class PreparedTest:
    """A test as the sandbox takes it, and what to compare with. Made once per problem, used for all its solutions."""

    payload: bytes
    expected: str
    output_bytes: int


@dataclass(frozen=True)
class PreparedProblem:
    """A problem ready for many solutions. `harness`, `prompt`, `entry_point`, `checker` and `cpu_s` as in ProblemTests."""

    question_id: str
    function: str | None
    tests: tuple[PreparedTest, ...]
    harness: str | None = None
    prompt: str = ""
    entry_point: str = ""
    checker: str = ""
    cpu_s: float = 0.0

    @property
    def wanted_function(self) -> str | None:
        """The function that a solution has to define, if the problem names one."""
        return self.function or self.entry_point or None

    def complete(self, code: str) -> str:
        """The text that is run for a solution: the solution, with what HumanEval and MBPP put around it."""
        if self.harness is None:
            return code
        return complete_answer(code, self.prompt, self.entry_point) + self.harness

    def grade(
        self, sandbox: Sandbox, code: str, *, limits: Limits, runs_all: bool = False, rules: str = "ours"
    ) -> CodeGrade:
        """As `grade_program`. A time limit of the problem's own holds where it is the longer one."""
        if self.cpu_s > limits.cpu_s:
            limits = dataclasses.replace(limits, cpu_s=self.cpu_s, idle_s=max(limits.idle_s, 1.5 * self.cpu_s))
        return grade_program(sandbox, self, code, limits=limits, runs_all=runs_all, rules=rules)


def prepare(tests: ProblemTests) -> PreparedProblem:
    """Raises DataError for a problem without tests and for tests that do not say what to call."""
    if not tests.cases:
        raise DataError(f"problem {tests.question_id} has no tests: nothing can pass it")
    prepared = [_prepare_case(tests, number, case) for number, case in enumerate(tests.cases, 1)]
    return PreparedProblem(
        tests.question_id,
        tests.function,
        tuple(prepared),
        tests.harness,
        tests.prompt,
        tests.entry_point,
        tests.checker,
        tests.cpu_s,
    )


def _prepare_case(tests: ProblemTests, number: int, case: TestCase) -> PreparedTest:
    if tests.function is None:
        payload, expected = case.input.encode("utf-8", "surrogatepass"), case.expected
        return PreparedTest(payload, expected, max(Limits.output_bytes, 4 * len(expected)))
    try:
        payload, expected = pack_arguments(case), canonical_json(case.expected)
    except (ValueError, RecursionError) as error:
        raise DataError(f"problem {tests.question_id}: test {number} is not JSON ({error})") from error
    return PreparedTest(payload, expected, max(Limits.output_bytes, longest_sensible_result(expected)))


def grade_program(
    sandbox: Sandbox,
    problem: PreparedProblem,
    code: str,
    *,
    limits: Limits,
    runs_all: bool = False,
    rules: str = "ours",
) -> CodeGrade:
    """Stops at the first test that fails, unless `runs_all`. SandboxError is for the caller: it is not a verdict."""
    grade = CodeGrade(Verdict.CORRECT, tests_total=len(problem.tests))
    program = sandbox.load(problem.complete(code), problem.function, has_prelude=problem.harness is None)
    matches = find_comparison(problem, rules)
    if program.error:
        grade.verdict, grade.reason = Verdict.COMPILE_ERROR, program.error
        grade.first_failing_test, grade.codes = 1, [CODES[Verdict.COMPILE_ERROR]]
        return grade
    order = list(range(1, len(problem.tests) + 1)) if sandbox.is_shared else choose_order(len(problem.tests))
    results: dict[int, tuple[Verdict, str, Outcome]] = {}
    while order:
        number = order.pop(0)
        test, test_limits = problem.tests[number - 1], limits
        if test.output_bytes > limits.output_bytes:
            test_limits = Limits(**{**limits.__dict__, "output_bytes": test.output_bytes})
        results[number] = _run_test(sandbox, program, test, test_limits, matches, problem.checker)
        if results[number][0] is not Verdict.CORRECT and not runs_all:
            order = [earlier for earlier in range(1, number) if earlier not in results]  # one of these may fail first
    for number in sorted(results):
        _count(grade, number, *results[number], limits, runs_all)
        if results[number][0] is not Verdict.CORRECT and not runs_all:
            break
    return grade


def find_comparison(problem: PreparedProblem, rules: str) -> Comparison:
    """How this problem's answers compare, by our rules or the original's."""
    if problem.harness is not None:
        return ends_with_line
    if rules == "original":
        return stdout_matches_original if problem.function is None else result_matches_original
    return stdout_matches if problem.function is None else result_matches


def _run_test(
    sandbox: Sandbox, program: Program, test: PreparedTest, limits: Limits, matches: Comparison, checker: str
) -> tuple[Verdict, str, Outcome]:
    quick = sandbox.ask(test.payload)
    if quick is not None and matches(quick[0].decode("utf-8", "replace"), test.expected):
        return Verdict.CORRECT, "", Outcome(End.FINISHED, quick[0], "", quick[1], quick[1], 0)
    if program.function is None:
        outcome = sandbox.run(program, test.payload, limits)
    else:
        outcome = sandbox.call(program, test.payload, limits)
    if outcome.end is not End.FINISHED:
        return FAILURES[outcome.end], outcome.reason + _explain(outcome.reason), outcome
    if outcome.output is None:
        return Verdict.WRONG, outcome.reason, outcome
    output = outcome.output.decode("utf-8", "replace")
    if matches(output, test.expected):
        return Verdict.CORRECT, "", outcome
    reason = f"answered {show(output[:1000])!r}, expected {show(test.expected[:1000])!r}"
    if checker:
        objection = find_objection(sandbox, checker, test.payload.decode("utf-8", "replace"), test.expected, output)
        if objection is None:
            return Verdict.CORRECT, "", outcome
        reason = f"answered {show(output[:1000])!r}; {objection}"
    return Verdict.WRONG, reason, outcome


def _explain(reason: str) -> str:
    """What a person can do about an exception that is not the program's fault."""
    if reason.startswith("ModuleNotFoundError: No module named"):
        return "; if that is a library, install it beside the toolkit (docs/code.md lists what programs may import)"
    return ""


def _count(
    grade: CodeGrade, number: int, verdict: Verdict, reason: str, outcome: Outcome, limits: Limits, runs_all: bool
) -> None:
    grade.codes.append(CODES[verdict])
    grade.cpu_s += outcome.cpu_s
    grade.max_cpu_s = max(grade.max_cpu_s, outcome.cpu_s)
    grade.wall_s += outcome.wall_s
    grade.peak_bytes = max(grade.peak_bytes, outcome.peak_bytes)
    is_over = outcome.end is End.CPU_LIMIT
    is_near_timeout = is_over and outcome.cpu_s <= limits.cpu_s * limits.grace and not outcome.was_killed
    if is_near_timeout or (not is_over and outcome.cpu_s > limits.cpu_s * NEAR_LIMIT):
        grade.hangs_on_time = True
    if verdict is not Verdict.CORRECT and grade.first_failing_test is None:
        grade.verdict, grade.reason, grade.first_failing_test = verdict, reason, number
        grade.is_near_timeout = is_near_timeout
    if runs_all:
        times = {"cpu_s": round(outcome.cpu_s, 6), "wall_s": round(outcome.wall_s, 6), "peak_bytes": outcome.peak_bytes}
        grade.per_test.append({"test": number, "status": verdict.value, **times})
