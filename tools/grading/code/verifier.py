"""Grades programs against the tests of their problems; the door of this room.

    for row in verify_many(problems, solutions, workers=8):
        print(row["solution_id"], row["passed"], row["status"], row["reason"])

`problems` are LiveCodeBench rows; `solutions` have solution_id, question_id and `code` (or `response`, a model's whole
answer). Programs run in tools/sandbox; what they must answer stays out of their reach. The other names are those of the
original toolkit's module and of LiveCodeBench's checker, on the same engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tools.errors import DataError
from tools.grading.code.extraction import clean_if_name, has_code, is_safe_code
from tools.grading.code.pool import PoolOptions, ProgramPool
from tools.grading.code.problem_tests import CODE_TYPE, ProblemTests, TestCase, find_id, read_tests
from tools.grading.code.program import CODES, CodeGrade, grade_program, prepare
from tools.grading.pool import LocalCrew
from tools.records import JsonObject, JsonRow, Verdict
from tools.sandbox.limits import Limits, limits_for
from tools.sandbox.session import Sandbox

__all__ = [
    "CODE_TYPE", "PoolOptions", "check_correctness", "clean_if_name", "grade_call_based", "grade_stdio", "has_code",
    "is_safe_code", "reliability_guard", "run_test", "verify_many",
]  # fmt: skip

DEFAULT_TIMEOUT_S = Limits.cpu_s


def verify_many(
    problems: Iterable[JsonRow],
    solutions: Iterable[JsonRow],
    workers: int | None = None,
    *,
    options: PoolOptions | None = None,
) -> Iterator[JsonObject]:
    """Yields a row per solution as it finishes: solution_id, question_id, passed, status (a Verdict's value), reason,
    first_failing_test (1, 2, ...), tests_run, tests_total, codes, cpu_s, max_cpu_s, wall_s, peak_bytes, hangs_on_time.

    `workers`: one process each, all cores by default. A problem may also be a place in a file ({"question_id", "path",
    "offset", "length"}), which is read when it is needed. Ids of problems are compared and given back as text. A
    solution whose problem is unknown is a grader_error. Raises SandboxError when the machine cannot give the promised protection.
    """
    by_id = {find_id(problem): {**problem, "question_id": find_id(problem)} for problem in problems}
    known: list[JsonRow] = []
    orphans: list[JsonRow] = []
    for solution in solutions:
        solution = {**solution, "question_id": str(solution["question_id"])}
        (known if solution["question_id"] in by_id else orphans).append(solution)
    for solution in orphans:
        reason = f"there is no problem {solution['question_id']}"
        ids = {"solution_id": solution["solution_id"], "question_id": solution["question_id"]}
        yield {**ids, **CodeGrade(Verdict.GRADER_ERROR, reason, codes=[-1]).to_row()}
    pool = ProgramPool(LocalCrew(workers), options or PoolOptions())
    yield from pool.grade(by_id, known)


def check_correctness(
    problem: JsonRow, code: str, timeout: float = DEFAULT_TIMEOUT_S, *, runs_all: bool = False
) -> tuple[list[int | bool], JsonObject]:
    """LiveCodeBench's checker for one program: its numbers per test (True, -1 ... -4, -200) and details."""
    grade = _grade(read_tests(problem), code, timeout, runs_all)
    return grade.codes, grade.to_row()


def run_test(problem: JsonRow, test: str, timeout: float = DEFAULT_TIMEOUT_S) -> tuple[list[int | bool], JsonObject]:
    """The same under LiveCodeBench's other name; `test` is the program."""
    return check_correctness(problem, test, timeout)


def grade_call_based(
    code: str, all_inputs: Sequence[str], all_outputs: Sequence[str], fn_name: str, timeout: float = DEFAULT_TIMEOUT_S
) -> tuple[list[int | bool], JsonObject]:
    """A function against inputs (one JSON value per line and argument) and outputs (JSON values)."""
    grade = _grade(_make_tests(all_inputs, all_outputs, fn_name), code, timeout, False)
    return grade.codes, grade.to_row()


def grade_stdio(
    code: str, all_inputs: Sequence[str], all_outputs: Sequence[str], timeout: float = DEFAULT_TIMEOUT_S
) -> tuple[list[int | bool], JsonObject]:
    """A program from stdin to stdout against inputs and outputs."""
    grade = _grade(_make_tests(all_inputs, all_outputs, None), code, timeout, False)
    return grade.codes, grade.to_row()


def _make_tests(inputs: Sequence[str], outputs: Sequence[str], function: str | None) -> ProblemTests:
    if len(inputs) != len(outputs):
        raise DataError(f"{len(inputs)} inputs but {len(outputs)} outputs")
    cases = tuple(TestCase(given, expected) for given, expected in zip(inputs, outputs, strict=True))
    return ProblemTests("given", cases, function)


def _grade(tests: ProblemTests, code: str, timeout: float, runs_all: bool) -> CodeGrade:
    limits = limits_for(timeout)
    prepared = prepare(tests)
    if not code.strip():
        return CodeGrade(Verdict.NO_ANSWER, "no code", codes=[CODES[Verdict.NO_ANSWER]])
    with Sandbox() as sandbox:
        return grade_program(sandbox, prepared, code, limits=limits, runs_all=runs_all)


def reliability_guard(maximum_memory_bytes: int | None = None) -> Limits:
    """The original's name for its guard. There it crippled the running interpreter; here it returns limits to hand to
    the sandbox, which is the protection, and changes nothing in this process."""
    if maximum_memory_bytes is None:
        return Limits()
    return Limits(memory_bytes=maximum_memory_bytes, data_bytes=min(maximum_memory_bytes, Limits.data_bytes))
