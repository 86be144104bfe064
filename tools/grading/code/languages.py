"""The grader of programs in other languages than Python (MultiPL-E): compiled and run with their tests, in the sandbox.

    {"grader": "language", "grader_options": {"language": "cpp"}, ...}

What a language needs is a recipe in data/languages (language_recipes.py); where this machine lacks it, programs are
infra_error with the package to install. The rest is as in plug.py: only programs are kept of the responses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from tools.benchmarks.benchmark import Benchmark
from tools.commandline import option
from tools.errors import UsageError
from tools.grading.code.plug import Candidate, describe_wait, finish, source_of
from tools.grading.grader import Facts, Judgement, Workplace, to_grade
from tools.records import Grade, JsonObject, JsonRow, MetricKind, Problem, Response, Verdict

# The pool and the recipes are imported where they are used: --help needs neither.

VERSION = "1.1"  # goes up with every change that could change a verdict
WORKER = "tools.grading.code.language_worker"


@dataclasses.dataclass(frozen=True)
class LanguageOptions:
    """Which language, and how long a program may run."""

    language: str = option("", "language of the programs, a file of data/languages")
    timeout_s: float = option(
        15.0, "CPU seconds of a program, its virtual machine included", name="TIMEOUT", flags=("-t",)
    )
    is_unsafe_allowed: bool = option(
        False, "run programs even where the protection does not hold", name="UNSAFE_NO_SANDBOX"
    )

    def __post_init__(self) -> None:
        if not 0.05 <= self.timeout_s <= 3600:
            raise UsageError(f"--timeout {self.timeout_s:g} is not between 0.05 and 3600 seconds")


class LanguageGrader:
    """Takes the last program of a response in the benchmark's language and runs it with the problem's tests."""

    name, version, Options = "language", VERSION, LanguageOptions
    original: ClassVar[type | None] = None
    gives_shares: ClassVar[bool] = False
    metric_kinds: ClassVar[Mapping[str, MetricKind]] = {}
    equal = None  # programs are not voted on

    def __init__(self, options: LanguageOptions, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        from tools.grading.code.language_recipes import find_recipe

        self.options, self.workplace = options, workplace
        self._recipe = find_recipe(options.language)
        self._protection: JsonObject = {}

    def record(self) -> JsonObject:
        return {
            "name": "language", "version": self.version, "answer_from": "answer", "language": self._recipe.language,
            "timeout_s": self.options.timeout_s,
        }  # fmt: skip

    def prepare(self, problem: Problem, response: Response) -> Grade | Candidate:
        """The grade of a response without a program, or the program."""
        code = self.extract(problem, response.answer)
        if code is not None:
            base = to_grade(response, Judgement(Verdict.GRADER_ERROR))
            return Candidate(base, code, source_of(problem))
        is_truncated = response.is_closed is False or response.is_cut_off
        verdict = Verdict.TRUNCATED if is_truncated else Verdict.NO_ANSWER
        reason = "cut off before an answer" if is_truncated else f"no {self._recipe.name} block in the answer"
        return to_grade(response, Judgement(verdict, rule="extraction", reason=reason))

    def extract(self, problem: Problem, answer: str) -> str | None:
        from tools.grading.code.language_answers import extract_code, find_function

        function = find_function(str(problem.fields.get("prompt") or problem.statement))
        return extract_code(answer, self._recipe.labels, function)

    def grade(self, prepared: Iterable[Grade | Candidate]) -> Iterator[Grade]:
        from tools.grading.code.pool import infra_error
        from tools.grading.crews import choose_crew
        from tools.grading.pool import Pool, Work

        programs: dict[str, Candidate] = {}
        for one in prepared:
            if isinstance(one, Grade):
                yield one
            else:
                programs[f"{one.base.task_id} seed {one.base.seed}"] = one
        if not programs:
            return
        sources = {program.base.task_id: program.source for program in programs.values()}
        rows = [
            {"solution_id": name, "question_id": program.base.task_id, "code": program.code}
            for name, program in programs.items()
        ]
        options = {**dataclasses.asdict(self.options), "language": self._recipe.language}
        crew = choose_crew(self.workplace.launcher, self.workplace.workers)
        with Pool(crew, Work(WORKER, options, infra_error), self._note, self._tell_wait) as pool:
            again = []
            for row, solution in pool.run(sources, rows):
                if row["is_near_timeout"]:
                    again.append(solution)
                else:
                    yield finish(programs[row["solution_id"]].base, row)
            for row, _solution in pool.run(sources, again, size=1):  # alone on the machine; this run decides
                row = {**row, "was_rerun_alone": True, "hangs_on_time": True}
                yield finish(programs[row["solution_id"]].base, row)

    def _note(self, line: JsonRow) -> None:
        from tools.sandbox.protection import weaker

        if "protection" in line:
            self._protection = weaker(self._protection, line["protection"])

    def _tell_wait(self, names: Sequence[str]) -> None:
        self.workplace.on_wait(describe_wait(names))

    def facts(self, grades: Sequence[Grade]) -> Facts:
        from tools.results.timing import describe_timing

        protection = self._protection or self._find_protection()
        doubts = []
        if not protection.get("is_safe", False):
            missing = " and ".join(protection.get("missing", [])) or "the sandbox"
            doubts.append(f"programs ran without {missing}: they could have read anything")
        sections = {"sandbox": dict(protection), "timing": describe_timing(grades).to_json()}
        return Facts(tuple(doubts), tuple(protection.get("warnings", ())), sections)

    def _find_protection(self) -> JsonObject:
        """What holds on this machine, when no program was run that would have told. Raises SandboxError."""
        from tools.sandbox.toolchain import Toolchain

        with Toolchain(is_unsafe_allowed=self.options.is_unsafe_allowed) as toolchain:
            return toolchain.protection.to_json()


@dataclasses.dataclass(frozen=True)
class UnittestOptions(LanguageOptions):
    """The same, for Python of an environment of the user's (PROGRAM_PYTHON) and tests in the form of unittest."""

    language: str = "unittest"
    timeout_s: float = option(60.0, "CPU seconds of a program with its imports", name="TIMEOUT", flags=("-t",))


class UnittestGrader(LanguageGrader):
    """BigCodeBench: the last Python program of a response, and its unittest file, in PROGRAM_PYTHON."""

    name, Options = "unittest", UnittestOptions

    def extract(self, problem: Problem, answer: str) -> str | None:
        from tools.grading.code.extraction import extract_program

        return extract_program(answer, str(problem.fields.get("entry_point") or "task_func"))
