"""The grader of programs as a plug of the session: takes the program out of each response and runs it on the tests.

Programs run in the pool of processes (pool.py), each under the sandbox. Only programs are kept of the responses, and a
problem's tests are read when it is graded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.problems import read_row
from tools.commandline import option
from tools.errors import DataError, UsageError
from tools.grading.grader import Facts, Judgement, Workplace, to_grade
from tools.records import Grade, JsonObject, JsonRow, MetricKind, Problem, Response, Verdict
from tools.sandbox.limits import Limits, limits_for

# The pool and the rules are imported where they are used: --help needs none of them.

VERIFIER_VERSION = "1.2"  # goes up with every change that could change a verdict
ORIGINAL_END = "</think>"  # what the original looked for, whatever the model writes
KEPT = ("first_failing_test", "tests_run", "tests_total", "cpu_s", "max_cpu_s", "wall_s", "peak_bytes")
KEPT_IF_SAID = ("hangs_on_time", "was_rerun_alone", "per_test", "risky_names")


@dataclasses.dataclass(frozen=True)
class CodeOptions:
    """How programs are run. Times are CPU seconds of one test."""

    timeout_s: float = option(Limits.cpu_s, "CPU seconds a test", name="TIMEOUT", flags=("-t",))
    runs_all: bool = option(False, "run all tests of every program, not only to the first failure", name="RUN_ALL")
    with_advice: bool = option(False, "note risky names (os, subprocess, ...) in the verdicts", name="ADVICE")
    is_unsafe_allowed: bool = option(
        False, "run programs even where the protection does not hold", name="UNSAFE_NO_SANDBOX"
    )

    def __post_init__(self) -> None:
        if not 0.05 <= self.timeout_s <= 3600:
            raise UsageError(f"--timeout {self.timeout_s:g} is not between 0.05 and 3600 seconds")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A program to run, and all of its grade that is known. `base` is the grade of a response without one."""

    base: Grade
    code: str
    source: JsonRow  # where the problem's row is


class CodeGrader:
    """Runs the last program of each response on the tests of its problem."""

    name, version, Options = "code", VERIFIER_VERSION, CodeOptions
    rules = "ours"
    task = ""  # of CRUXEval
    gives_shares: ClassVar[bool] = False
    metric_kinds: ClassVar[Mapping[str, MetricKind]] = {"base": MetricKind(), "plus": MetricKind()}  # of EvalPlus
    original: ClassVar[type | None] = None

    def __init__(self, options: CodeOptions, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        from tools.grading.code.pool import PoolOptions, ProgramPool
        from tools.grading.crews import choose_crew

        self.options, self.workplace = options, workplace
        self._functions: dict[str, str | None] = {}
        self._pool = ProgramPool(
            choose_crew(workplace.launcher, workplace.workers),
            PoolOptions(
                limits=limits_for(options.timeout_s),
                runs_all=options.runs_all,
                with_advice=options.with_advice,
                is_unsafe_allowed=options.is_unsafe_allowed,
                rules=self.rules,
                task=self.task,
            ),
            lambda names: workplace.on_wait(describe_wait(names)),
        )

    @property
    def equal(self) -> Callable[[str, str], bool] | None:
        return None  # programs are not voted on

    def record(self) -> JsonObject:
        return {
            "name": self.rules, "version": self.version, "answer_from": "answer", "timeout_s": self.options.timeout_s,
        }  # fmt: skip

    def extract(self, response: Response, function: str | None) -> str | None:
        from tools.grading.code.extraction import extract_program

        return extract_program(response.answer, function)

    def prepare(self, problem: Problem, response: Response) -> Grade | Candidate:
        """The grade of a response without a program, or the program."""
        if problem.task_id not in self._functions:
            self._functions[problem.task_id] = find_function(problem)
        function = self._functions[problem.task_id]
        code = self.extract(response, function)
        if (
            function and self.rules == "ours" and "question_content" not in problem.fields
        ):  # LiveCodeBench wants a fence
            code = find_raw(problem, response, function) or code
        if code is not None and code.strip():
            base = to_grade(response, Judgement(Verdict.GRADER_ERROR))
            return Candidate(base, code, source_of(problem))
        is_truncated = response.is_closed is False or response.is_cut_off
        verdict = Verdict.TRUNCATED if is_truncated else Verdict.NO_ANSWER
        reason = "cut off before an answer" if is_truncated else "no Python block in the answer"
        return to_grade(response, Judgement(verdict, rule="extraction", reason=reason))

    def grade(self, prepared: Iterable[Grade | Candidate]) -> Iterator[Grade]:
        programs: dict[str, Candidate] = {}
        for one in prepared:
            if isinstance(one, Grade):
                yield one
            else:
                programs[f"{one.base.task_id} seed {one.base.seed}"] = one
        sources = {program.base.task_id: program.source for program in programs.values()}
        rows = [
            {"solution_id": name, "question_id": program.base.task_id, "code": program.code}
            for name, program in programs.items()
        ]
        for row in self._pool.grade(sources, rows):
            yield finish(programs[row["solution_id"]].base, row)

    def facts(self, grades: Sequence[Grade]) -> Facts:
        from tools.results.timing import describe_timing

        protection = self._pool.protection or self._pool.find_protection()
        doubts = []
        if not protection.get("is_safe", False):
            missing = " and ".join(protection.get("missing", [])) or "the sandbox"
            doubts.append(f"programs ran without {missing}: they could have read the expected outputs")
        sections = {"sandbox": dict(protection), "timing": describe_timing(grades).to_json()}
        return Facts(tuple(doubts), tuple(protection.get("warnings", ())), sections)


def describe_wait(names: Sequence[str]) -> str:
    if not names:
        return "no grading process has started yet; they wait for a free core of the cluster"
    return f"still running: {', '.join(names)}"


def find_function(problem: Problem) -> str | None:
    """The function that a program has to define, for the extraction only; a damaged row gets its verdict when graded."""
    from tools.grading.code.problem_tests import find_function_name, find_tested_function

    try:
        named = find_function_name(problem.fields, bool(problem.fields.get("starter_code")))
        if named or "question_content" in problem.fields:  # LiveCodeBench's rows are large, and their tests no asserts
            return named
        return find_tested_function(read_row(problem))
    except DataError:
        return None


def find_raw(problem: Problem, response: Response, function: str) -> str | None:
    """Completions of HumanEval and programs as their authors store them have no fence around them."""
    from tools.grading.code.harness import find_raw_program

    prompt = str(problem.fields.get("prompt") or "") if problem.fields.get("entry_point") else ""
    return find_raw_program(response.answer, prompt, function)


def source_of(problem: Problem) -> JsonObject:
    """Where a grading process finds a problem's row with its tests."""
    assert problem.place is not None, "a problem that was not read from a file"
    place = {"path": problem.place.path, "offset": problem.place.offset, "length": problem.place.length}
    return {"question_id": problem.task_id, **place}


def finish(base: Grade, row: JsonRow) -> Grade:
    """Joins a grading process's row with what is known of the response."""
    details = {name: row[name] for name in KEPT if row.get(name) is not None}
    details |= {name: row[name] for name in KEPT_IF_SAID if row.get(name)}
    number = row.get("first_failing_test")
    rule = f"test {number}" if number else f"{row['tests_run']} tests"
    verdict, metrics = Verdict(row["status"]), dict(row.get("metrics", {}))
    return dataclasses.replace(base, verdict=verdict, rule=rule, reason=row["reason"], metrics=metrics, details=details)


@dataclasses.dataclass(frozen=True)
class OriginalCodeOptions(CodeOptions):
    """The same, with the original's time limit."""

    timeout_s: float = option(10.0, "CPU seconds a test", name="TIMEOUT", flags=("-t",))


class OriginalCodeGrader(CodeGrader):
    """The original toolkit's rules: the whole text is read, and a response without `</think>` fails."""

    Options = OriginalCodeOptions
    rules = "original"

    def extract(self, response: Response, function: str | None) -> str | None:
        from tools.grading.code.extraction import extract_program

        text = response.generation.output
        return extract_program(text, function) if ORIGINAL_END in text else None

    @staticmethod
    def combine(ours: Grade, theirs: Grade) -> Grade:
        return theirs


CodeGrader.original = OriginalCodeGrader
