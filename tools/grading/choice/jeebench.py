r"""The grader of JEEBench, by the rules of the examination (Arora et al., "Have LLMs advanced enough?", 2023).

The row's `type` says what is asked: MCQ (one letter), MCQ(multiple) (every right letter; a quarter of the points for each of some
right ones, nothing once a wrong one is among them), Integer and Numeric (within 0.01).

>>> points("ABD", "AB", "MCQ(multiple)"), points("ABD", "ABC", "MCQ(multiple)"), points("4.50", "9/2", "Numeric")
(0.5, 0.0, 1.0)
>>> find_points_answer(r"Hence \boxed{\text{A, C}}.", "MCQ(multiple)"), find_points_answer("The answer is 2.5.", "Numeric")
('AC', '2.5')
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import ClassVar

from tools.grading.choice.plug import without_answer
from tools.grading.grader import Judgement, ResponseGrader
from tools.records import JsonObject, Problem, Response, Verdict

OPTIONS = ("", "", "", "")  # their texts stand in the statement
TOLERANCE = Fraction(1, 100)
POINTS_OF_ONE = 0.25
JOINED = re.compile(r"[A-D]{2,4}")


class JeeBenchGrader(ResponseGrader):
    """Points as the examination gives them; the score is their mean."""

    name, version = "jeebench", "1"
    gives_shares: ClassVar[bool] = True

    def record(self) -> JsonObject:
        return {"name": self.name, "version": self.version}

    def judge(self, problem: Problem, response: Response) -> Judgement:
        kind = str(problem.fields.get("type", "MCQ"))
        answer = find_points_answer(response.answer, kind, is_cut_off=response.is_cut_off)
        if answer is None:
            judged = without_answer(response, "jeebench", "no answer of the kind that is asked")
            return Judgement(judged.verdict, rule=judged.rule, reason=judged.reason, share=0.0)
        gold = str(problem.fields.get("gold") or problem.answer or "")
        share = points(gold, answer, kind)
        verdict = Verdict.CORRECT if share == 1.0 else Verdict.WRONG
        return Judgement(verdict, answer, kind, "" if share == 1.0 else f"{answer} is not {gold}", share=share)


def find_points_answer(text: str, kind: str, is_cut_off: bool = False) -> str | None:
    """The letters in their order, or the number, that a text gives."""
    if not kind.startswith("MCQ"):
        from tools.grading.math.cleaning import math_answer_cleaning
        from tools.grading.math.extraction import extract

        found = extract(text, is_prose_read=not is_cut_off).answer
        return math_answer_cleaning(found) if found else None
    from tools.grading.choice.extraction import find_letters  # here: --help needs none of it

    letters = find_letters(text, OPTIONS, is_cut_off=is_cut_off, joined=JOINED).letters
    return "".join(sorted(set(letters))) or None


def points(gold: str, answer: str, kind: str) -> float:
    """The share of the points that an answer gets, from 0 to 1."""
    if not kind.startswith("MCQ"):
        from tools.mathematics.numbers import read_number

        wanted, given = read_number(gold), read_number(answer)
        return float(wanted is not None and given is not None and abs(Fraction(wanted) - Fraction(given)) <= TOLERANCE)
    right, chosen = set(gold), set(answer)
    if chosen == right:
        return 1.0
    return POINTS_OF_ONE * len(chosen) if kind == "MCQ(multiple)" and chosen < right else 0.0
