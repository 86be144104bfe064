"""Grades one program of another language: compiled, run with its tests, judged by its exit status, as MultiPL-E does.

A program that ends with status 0 before its tests have come to their end has not passed. The tests are code in the program's own
process, all the same: one that looks for a way to pass without solving finds it (docs/code.md).
"""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

from tools.errors import DataError
from tools.grading.code.language_answers import find_function, join_tests
from tools.grading.code.language_recipes import Recipe
from tools.grading.code.program import CODES, FAILURES, CodeGrade
from tools.records import JsonRow, Verdict
from tools.sandbox.outcome import End
from tools.sandbox.toolchain import JobResult, Toolchain

MAX_PROGRAM_BYTES = 4 << 20


@dataclasses.dataclass(frozen=True)
class LanguageProblem:
    """One row of MultiPL-E (`tests`) or of HumanEval in other languages (`test`)."""

    prompt: str
    tests: str
    function: str


@dataclasses.dataclass(frozen=True)
class LanguageProgram:
    """A whole program with its tests; `end_word`: what it prints at their end, empty where nothing says so."""

    text: str
    end_word: str = ""


def read_problem(row: JsonRow) -> LanguageProblem:
    """Raises DataError for a row that lacks its tests."""
    tests = row.get("tests") or row.get("test")
    prompt = row.get("prompt")
    if not isinstance(tests, str) or not isinstance(prompt, str) or not tests.strip():
        name = row.get("task_id") or row.get("name") or "?"
        raise DataError(f"problem {name} has no tests in its field `tests`: nothing can pass it")
    if row.get("entry_point"):  # BigCodeBench
        return LanguageProblem(str(row.get("code_prompt") or prompt), tests, str(row["entry_point"]))
    return LanguageProblem(prompt, tests, find_function(prompt))


def open_toolchain(recipe: Recipe, **options: Any) -> Toolchain:
    """The runner of a language. Raises SandboxError as the runner does."""
    return Toolchain(recipe.tools, recipe.readable, **options)


def find_missing(recipe: Recipe, toolchain: Toolchain) -> str:
    """What of a language's tools this machine lacks, as one line with the remedy; empty when nothing."""
    lacking = [tool for tool in recipe.tools if toolchain.paths[tool] is None]
    if lacking == [""]:
        return f"{recipe.name} of the tests is not named: install {recipe.tools['']}"
    if lacking:
        install = "; ".join(dict.fromkeys(recipe.tools[tool] for tool in lacking))
        return f"{recipe.name} needs {' and '.join(lacking)} on PATH, where every user can read it: install {install}"
    if recipe.check and toolchain.run(recipe.check, recipe.limits_of_running(60.0)).end is not End.FINISHED:
        return f"the tests in {recipe.name} need a library: install {recipe.check_needs}"
    return ""


def grade_in_language(
    toolchain: Toolchain, recipe: Recipe, problem: LanguageProblem, code: str, timeout_s: float
) -> CodeGrade:
    """Raises SandboxError where the machine fails."""
    return run_program(toolchain, recipe, make_program(recipe, problem, code), timeout_s)


def make_program(recipe: Recipe, problem: LanguageProblem, code: str) -> LanguageProgram:
    """What is compiled and run: an answer's code with the tests."""
    tests, end_word = recipe.with_end(problem.tests, secrets.token_hex(8))
    return LanguageProgram(join_tests(recipe.language, problem.prompt, problem.function, code, tests), end_word)


def run_program(toolchain: Toolchain, recipe: Recipe, program: LanguageProgram, timeout_s: float) -> CodeGrade:
    """Compiled, and run once."""
    text = program.text.encode("utf-8", "replace")
    if len(text) > MAX_PROGRAM_BYTES:
        return _fail(Verdict.COMPILE_ERROR, f"the program is longer than {MAX_PROGRAM_BYTES >> 20} MiB")
    toolchain.clear()
    for name, data in {recipe.file: text, **recipe.support_files(program.text)}.items():
        toolchain.put(name, data)
    environment = {name: value.replace("{folder}", toolchain.folder) for name, value in recipe.environment.items()}
    compile_cpu_s = 0.0
    if recipe.compile:
        compiled = toolchain.run(recipe.compile, recipe.limits_of_compiling(), environment=environment)
        compile_cpu_s = compiled.cpu_s
        if compiled.end is not End.FINISHED or not toolchain.make_executable(recipe.compiled):
            return _fail(Verdict.COMPILE_ERROR, _first_error(compiled), compiled)
    command = [word.replace("{mark}", program.end_word) for word in recipe.run]
    result = toolchain.run(command, recipe.limits_of_running(timeout_s), environment=environment)
    grade = _judge(recipe, program, result, timeout_s)
    grade.cpu_s += compile_cpu_s
    return grade


def _judge(recipe: Recipe, program: LanguageProgram, result: JobResult, timeout_s: float) -> CodeGrade:
    said = (result.stdout + result.stderr)[-200_000:].decode("utf-8", "replace")
    verdict, reason = Verdict.CORRECT, ""
    if result.end is not End.FINISHED:
        is_memory = result.end is End.FAILED and any(word in said for word in recipe.memory_words)
        verdict, reason = (Verdict.MEMORY if is_memory else FAILURES[result.end]), result.reason
    elif recipe.failure_word and recipe.failure_word in said:
        verdict, reason = Verdict.RUNTIME_ERROR, f"printed {recipe.failure_word}"
    elif program.end_word.encode() not in result.stdout:
        verdict, reason = Verdict.RUNTIME_ERROR, "ended with status 0 before its tests had ended"
    grade = _fail(verdict, reason, result)
    grade.hangs_on_time = result.cpu_s > 0.7 * timeout_s
    grade.is_near_timeout = result.end is End.CPU_LIMIT and result.code == 0
    return grade


def _fail(verdict: Verdict, reason: str, result: JobResult | None = None) -> CodeGrade:
    grade = CodeGrade(verdict, reason[:300], tests_total=1, codes=[CODES[verdict]])
    if verdict is not Verdict.CORRECT:
        grade.first_failing_test = 1
    if result is not None:
        grade.cpu_s = grade.max_cpu_s = result.cpu_s
        grade.wall_s, grade.peak_bytes = result.wall_s, result.peak_bytes
    return grade


def _first_error(compiled: JobResult) -> str:
    """The compiler's first line about an error; that of a limit where it came to one."""
    if compiled.end not in (End.FINISHED, End.FAILED):
        return f"the compiler came to its limit: {compiled.end.value}"
    lines = (compiled.stderr + b"\n" + compiled.stdout)[:100_000].decode("utf-8", "replace").splitlines()
    found = next((line for line in lines if "error" in line.lower()), None) or next(filter(None, lines), "no program")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in found).split())[:300]


def missing_grade(reason: str) -> CodeGrade:
    """Of any program while the machine lacks its language."""
    return CodeGrade(Verdict.INFRA_ERROR, reason, codes=[CODES[Verdict.INFRA_ERROR]])
