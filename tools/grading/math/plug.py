"""The grader of mathematics as a plug of the session: what the pure functions of grader.py say of each response.

Integers, numbers and equal texts are decided here, in microseconds. What needs mathematics goes to processes
(worker.py), as many as there are cores; each may be ended, so that no answer can hold up a grading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tools.commandline import option
from tools.grading.grader import Facts, Judgement, ResponseGrader, to_grade
from tools.grading.math import COMPARISON_NAMES, VERSION
from tools.records import Grade, JsonObject, JsonRow, Problem, Response, Verdict

# The rules themselves are imported where they are used: --help needs none of them.
if TYPE_CHECKING:
    from tools.grading.math.grader import MathGrade

WORKER = "tools.grading.math.worker"
WALL_LIMIT_S = 120.0  # of one answer; its CPU limit (worker.py) is the one that is reached on a machine that works


@dataclasses.dataclass(frozen=True)
class MathOptions:
    """How mathematical answers are read and compared."""

    answer_from: str = option(
        "answer", "anywhere: the reasoning too, as the original read it", choices=("answer", "anywhere")
    )
    comparison: str = option("math", "how answers compare", shown="the entry's", choices=COMPARISON_NAMES)
    original_rules: str = "aime"  # which of the original's rules a benchmark was graded by


@dataclasses.dataclass(frozen=True)
class Reading:
    """What was read of one response: the answer outside the reasoning and, where it may differ, the one anywhere.

    Each is an answer, the grade that the response has without one, or None where nothing was asked.
    """

    reference: str
    answer: str | MathGrade
    anywhere: str | MathGrade | None
    tells_reasoning: bool  # the response has a part that was not read


@dataclasses.dataclass(frozen=True)
class Hard:
    """A response whose verdict takes mathematics: what was read of it, and all of its grade that is known."""

    base: Grade
    reading: Reading


class MathGrader(ResponseGrader):
    """Extracts the final answer outside the reasoning and compares it with the reference."""

    name, version, Options = "math", VERSION, MathOptions

    def record(self) -> JsonObject:
        return {"name": "ours", "version": self.version, "answer_from": self.options.answer_from}

    def prepare(self, problem: Problem, response: Response) -> Grade | Hard:
        """The grade, or what has still to be compared by mathematics."""
        reading = self._read(problem, response)
        answer = self._compare_quickly(reading.answer, reading.reference)
        anywhere = self._compare_quickly(reading.anywhere, reading.reference)
        if answer is None or (anywhere is None and reading.anywhere is not None):
            return Hard(to_grade(response, Judgement(Verdict.GRADER_ERROR)), reading)
        return to_grade(response, judge(reading, answer, anywhere))

    def grade_at_once(self, problem: Problem, response: Response) -> Grade | None:
        """Without the look at what stands anywhere in the text, which changes no verdict."""
        reading = self._read(problem, response)
        answer = self._compare_quickly(reading.answer, reading.reference)
        return None if answer is None else to_grade(response, judge(reading, answer, None))

    def grade(self, prepared: Iterable[Grade | Hard]) -> Iterator[Grade]:
        hard: list[Hard] = []
        for one in prepared:
            if isinstance(one, Grade):
                yield one
            else:
                hard.append(one)
        if hard:
            yield from self._grade_hard(hard)

    def facts(self, grades: Sequence[Grade]) -> Facts:
        return Facts(sections=count_read_anywhere(grades))

    @property
    def equal(self) -> Callable[[str, str], bool]:
        return answers_equal

    def _read(self, problem: Problem, response: Response) -> Reading:
        from tools.grading.math.grader import MathGrade, find_answer

        is_read_anywhere = self.options.answer_from == "anywhere"
        text = response.generation.output if is_read_anywhere else response.answer
        comparison = self.options.comparison
        answer = find_answer(text, comparison=comparison, is_cut_off=response.is_cut_off)
        if isinstance(answer, MathGrade) and answer.verdict is Verdict.NO_ANSWER and response.is_closed is False:
            answer = MathGrade(Verdict.TRUNCATED, rule="extraction", reason="the reasoning is never closed")
        anywhere = None
        # The last box of the answer is the last box of the whole text too.
        if not is_read_anywhere and response.is_closed is not None and "\\boxed" not in text:
            anywhere = find_answer(response.generation.output, comparison=comparison)
        tells_reasoning = response.is_closed is not None and not is_read_anywhere
        return Reading(problem.answer or "", answer, anywhere, tells_reasoning)

    def _compare_quickly(self, side: str | MathGrade | None, reference: str) -> MathGrade | None:
        from tools.grading.math.grader import grade_quickly

        if side is None or not isinstance(side, str):
            return side
        return grade_quickly(side, reference, self.options.comparison)

    def _grade_hard(self, hard: list[Hard]) -> Iterator[Grade]:
        from tools.grading.pool import LocalCrew, Pool, Work

        by_id = {f"{one.base.task_id} seed {one.base.seed}": one for one in hard}
        problems = {
            one.base.task_id: {"question_id": one.base.task_id, "reference": one.reading.reference} for one in hard
        }
        rows = [
            {
                "solution_id": name,
                "question_id": one.base.task_id,
                "answers": [side for side in (one.reading.answer, one.reading.anywhere) if isinstance(side, str)],
            }
            for name, one in by_id.items()
        ]
        work = Work(WORKER, {"comparison": self.options.comparison}, failed, 1, WALL_LIMIT_S)
        crew = LocalCrew(self.workplace.workers)
        with Pool(crew, work, on_wait=lambda names: self.workplace.on_wait(f"still at {', '.join(names)}")) as pool:
            for row, solution in pool.run(problems, rows):
                yield finish_row(by_id[solution["solution_id"]], row)


def failed(solution: JsonRow, reason: str) -> JsonObject:
    """The row of an answer at which a process ended."""
    return {"solution_id": solution["solution_id"], "failed": reason}


def finish_row(hard: Hard, row: JsonRow) -> Grade:
    """A process's row joined with what was read of its response."""
    from tools.grading.math.grader import MathGrade

    reading = hard.reading
    if "failed" in row:
        found = judge(
            reading, MathGrade(Verdict.GRADER_ERROR, None, "fault", f"the comparison was ended: {row['failed']}")
        )
    else:
        grades = [MathGrade(**{**grade, "verdict": Verdict(grade["verdict"])}) for grade in row["grades"]]
        answer = grades.pop(0) if isinstance(reading.answer, str) else reading.answer
        found = judge(reading, answer, grades.pop(0) if isinstance(reading.anywhere, str) else reading.anywhere)
    return dataclasses.replace(hard.base, **found.__dict__)


def judge(reading: Reading, answer: MathGrade, anywhere: MathGrade | None = None) -> Judgement:
    """The verdict, with whether the right answer stands in the reasoning only, and whether reading anywhere differs."""
    seen, details = None, answer.details
    if reading.tells_reasoning and not answer.is_correct:
        seen = anywhere is not None and anywhere.is_correct
    if reading.tells_reasoning and anywhere is not None and anywhere.is_correct != answer.is_correct:
        details = {**details, "read_anywhere": anywhere.verdict.value}
    return Judgement(
        answer.verdict,
        answer=answer.answer,
        rule=answer.rule,
        reason=answer.reason,
        details=details,
        is_correct_in_reasoning=seen,
    )


def answers_equal(one: str, other: str) -> bool:
    """Whether two answers get one vote together; integers, which are most, at once."""
    if one.isascii() and other.isascii() and one.isdigit() and other.isdigit() and len(one) + len(other) < MANY_DIGITS:
        return int(one) == int(other)
    from tools.grading.math.grader import math_equal

    return math_equal(one, other)


MANY_DIGITS = 1000  # Python refuses to read some thousand at once


def count_read_anywhere(grades: Sequence[Grade]) -> dict[str, int]:
    return {"would_differ_read_anywhere": sum("read_anywhere" in grade.details for grade in grades)}


class OriginalMathGrader(ResponseGrader):
    """The original toolkit's rules: the whole text is read, and numbers may be off by its tolerances."""

    name, version, Options = "math", VERSION, MathOptions

    def record(self) -> JsonObject:
        return {"name": "original", "version": self.version, "answer_from": self.options.answer_from}

    def judge(self, problem: Problem, response: Response) -> Judgement:
        from tools.grading.math.original import is_correct_original

        rules = self.options.original_rules
        is_right = is_correct_original(response.generation.output, problem.answer or "", rules=rules)
        return Judgement(Verdict.CORRECT if is_right else Verdict.WRONG)

    def facts(self, grades: Sequence[Grade]) -> Facts:
        return Facts(sections=count_read_anywhere(grades))

    @staticmethod
    def combine(ours: Grade, theirs: Grade) -> Grade:
        """What their rules reject keeps our reason for it, unless we find it right."""
        rejected = Verdict.WRONG if ours.is_correct else ours.verdict
        verdict = Verdict.CORRECT if theirs.is_correct else rejected
        return dataclasses.replace(ours, verdict=verdict, rule="original", reason=f"ours: {ours.verdict} ({ours.rule})")


MathGrader.original = OriginalMathGrader
