"""Grades a program on the inputs of an EvalPlus task: base inputs first, then the others, each part in a fork of its own.

What it answers is compared out here with what the canonical solution answered (`expected.py`). The first wrong answer
ends it. A run that reaches its time limit goes on behind what it had answered, as long as it answers something: the
limit is one of each call, as in EvalPlus, and the whole part has a limit too.

>>> limits_of(Limits(), [Wanted(1, 3.0)], 0).cpu_s, limits_of(Limits(), [Wanted(1, 0.1)], 0).cpu_s
(12.0, 6.0)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tools.grading.code.calls import Call, Order, is_stopped, load_calls, run_calls
from tools.grading.code.comparison import show
from tools.grading.code.expected import Expected, ExpectedStore, Wanted, sum_sizes
from tools.grading.code.extraction import gives_name
from tools.grading.code.harness import complete_answer
from tools.grading.code.plus_problem import PlusTask, Segment
from tools.grading.code.plus_rules import Judge, Oracle
from tools.grading.code.program import CODES, FAILURES, NEAR_LIMIT, CodeGrade
from tools.grading.code.values import Answer, encode, read_value
from tools.records import Verdict
from tools.sandbox.limits import GIB, Limits
from tools.sandbox.outcome import End, Outcome
from tools.sandbox.session import Program, Sandbox

TIME_FACTOR = 4.0  # EvalPlus's: so many times what the canonical solution needs
MEMORY_FACTOR = 2
PART_FACTOR = 10  # a whole part may take so many times the limit of a call; EvalPlus: 60 s, and 1 s a call
CHUNK_CHARS = 8 << 20  # of expected answers to one fork
SPARE_CHARS = 16 << 20
MARKS_OF_FLOATS = (".", "e", "Infinity")


@dataclasses.dataclass(frozen=True)
class PlusProblem:
    """A task ready for many programs."""

    task: PlusTask
    store: ExpectedStore

    @property
    def wanted_function(self) -> str:
        return self.task.entry_point

    def complete(self, code: str) -> str:
        """A whole program runs as it is, as in EvalPlus; what is only the rest of the prompt gets the prompt before it."""
        if gives_name(code, self.task.entry_point):
            return code
        return complete_answer(code, self.task.prompt, self.task.entry_point)

    def grade(
        self, sandbox: Sandbox, code: str, *, limits: Limits, runs_all: bool = False, rules: str = "ours"
    ) -> CodeGrade:
        """Always stops at the first wrong answer. Raises DataError for a task whose canonical solution fails."""
        expected = self.store.of(sandbox, self.task)
        total = sum(len(segment.inputs) for segment in self.task.segments)
        grade = CodeGrade(Verdict.CORRECT, tests_total=total)
        program = load_calls(sandbox, self.complete(code))
        if program.error:
            _fail(grade, Verdict.COMPILE_ERROR, program.error)
        for segment in self.task.segments:
            if grade.verdict is Verdict.CORRECT:
                part = _Part(self.task, segment, expected[segment.name], grade)
                part.run(sandbox, program, limits)
            grade.metrics[segment.name] = float(grade.verdict is Verdict.CORRECT)
        grade.metrics.setdefault("plus", float(grade.verdict is Verdict.CORRECT))  # Mbpp/793 has no further inputs
        return grade


def limits_of(limits: Limits, wanted: Sequence[Wanted], peak_bytes: int) -> Limits:
    """Of a fork: the given ones, or more where the canonical solution needs it."""
    cpu_s = max(limits.cpu_s, TIME_FACTOR * max(answer.cpu_s for answer in wanted))
    data_bytes = max(limits.data_bytes, MEMORY_FACTOR * peak_bytes)
    return dataclasses.replace(
        limits,
        cpu_s=cpu_s,
        idle_s=max(limits.idle_s, 1.5 * cpu_s),
        data_bytes=data_bytes,
        memory_bytes=max(limits.memory_bytes, data_bytes + 2 * GIB),
        output_bytes=max(limits.output_bytes, SPARE_CHARS + 4 * sum_sizes(wanted)),
    )


def _fail(grade: CodeGrade, verdict: Verdict, reason: str) -> None:
    grade.verdict, grade.reason, grade.first_failing_test = verdict, reason, len(grade.codes) + 1
    grade.codes.append(CODES[verdict])


class _Part:
    """One segment of a task with one program."""

    def __init__(self, task: PlusTask, segment: Segment, expected: Expected, grade: CodeGrade) -> None:
        self.task, self.segment, self.expected, self.grade = task, segment, expected, grade
        self.judge = Judge(task.oracle, task.tolerance)
        self.cpu_s = 0.0

    def run(self, sandbox: Sandbox, program: Program, limits: Limits) -> None:
        inputs = [encode(list(arguments)) for arguments in self.segment.inputs]
        collect = "set" if self.task.oracle is Oracle.SET else None
        most_s = max(PART_FACTOR * limits.cpu_s, TIME_FACTOR * self.expected.cpu_s)
        done = 0
        while done < len(inputs):
            end = self._chunk_end(done)
            wanted = self.expected.answers[done:end]
            own_limits = limits_of(limits, wanted, self.expected.peak_bytes)
            calls, outcome = run_calls(
                sandbox, program, Order(self.task.entry_point, inputs[done:end], collect), own_limits
            )
            self._count(outcome, own_limits, is_first=not calls)
            if not self._judge_all(calls, done):
                return
            done += len(calls)
            if done < end and not self._may_go_on(calls, outcome):
                return
            if self.cpu_s > most_s:
                _fail(
                    self.grade,
                    Verdict.TIMEOUT,
                    f"used {self.cpu_s:.2f} s of CPU time, limit {most_s:g} s for all inputs",
                )
                return

    def _chunk_end(self, start: int) -> int:
        """As many inputs as have answers of a few megabytes together, at least one."""
        end, size = start, 0
        while end < len(self.segment.inputs) and (end == start or size <= CHUNK_CHARS):
            size += self.expected.answers[end].size
            end += 1
        return end

    def _count(self, outcome: Outcome, limits: Limits, *, is_first: bool) -> None:
        grade = self.grade
        self.cpu_s += outcome.cpu_s
        grade.cpu_s += outcome.cpu_s
        grade.max_cpu_s = max(grade.max_cpu_s, outcome.cpu_s)
        grade.wall_s += outcome.wall_s
        grade.peak_bytes = max(grade.peak_bytes, outcome.peak_bytes)
        is_over = outcome.end is End.CPU_LIMIT
        if is_over and is_first and outcome.cpu_s <= limits.cpu_s * limits.grace and not outcome.was_killed:
            grade.is_near_timeout = grade.hangs_on_time = True
        if not is_over and outcome.cpu_s > limits.cpu_s * NEAR_LIMIT:
            grade.hangs_on_time = True

    def _judge_all(self, calls: Sequence[Call], done: int) -> bool:
        """False at the first call that is not right; the grade then says why."""
        for number, call in enumerate(calls, done):
            if call.text is None:
                verdict = Verdict.MEMORY if call.error.startswith("MemoryError") else Verdict.RUNTIME_ERROR
                _fail(self.grade, verdict, f"{self.segment.name} input {number + 1}: {call.error}")
                return False
            if not self._is_right(number, call.text):
                wanted = (
                    "" if self.task.oracle is Oracle.ROOT else f", expected {show(self.expected.read(number)[:1000])!r}"
                )
                reason = f"{self.segment.name} input {number + 1}: answered {show(call.text[:1000])!r}{wanted}"
                _fail(self.grade, Verdict.WRONG, reason)
                return False
            self.grade.codes.append(CODES[Verdict.CORRECT])
        return True

    def _is_right(self, number: int, text: str) -> bool:
        """The same text is the same value, and no more is needed; but a float also sets the tolerance of later answers."""
        is_plain = self.task.oracle in (Oracle.EQUAL, Oracle.ANY, Oracle.OR_ZERO)
        if is_plain and "NaN" not in text and '"o"' not in text and self.expected.is_same(number, text):
            if self.judge.tolerance == 0 and _begins_with_float(text):
                self._judge(number, text)
            return True
        return self._judge(number, text)

    def _judge(self, number: int, text: str) -> bool:
        wanted = self.expected.answers[number]
        if len(text) > 24 * wanted.size + (1 << 16) and self.task.oracle not in (Oracle.ANY, Oracle.NOT_NONE):
            return False
        most_members = max(1000, wanted.size)
        expected = read_value(self.expected.read(number), most_members)
        if self.task.oracle is Oracle.SET:
            expected, answer = _as_set(expected), _as_set(read_value(text, most_members))
        else:
            answer = read_value(text, most_members)
        return self.judge.is_right(answer, expected, self.segment.inputs[number])

    def _may_go_on(self, calls: Sequence[Call], outcome: Outcome) -> bool:
        """After a run that has not answered all: whether another fork is worth it."""
        if calls and (is_stopped(outcome) or outcome.end is End.MEMORY):
            return True
        if outcome.end is End.FINISHED:
            _fail(self.grade, Verdict.WRONG, "ended before it had answered")
        else:
            _fail(self.grade, FAILURES[outcome.end], outcome.reason)
        return False


def _begins_with_float(text: str) -> bool:
    """Whether a value may be a float, or a list or tuple of floats."""
    first = text[:1000].partition(",")[0]
    return any(sign in first for sign in MARKS_OF_FLOATS)


def _as_set(answer: Answer) -> Answer:
    try:
        return Answer(set(answer.value), "set")
    except TypeError:
        return Answer(object(), "")
