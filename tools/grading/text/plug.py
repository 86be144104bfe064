"""The grader of short texts (BIG-Bench Hard, BIG-Bench Extra Hard): option letters, words, numbers, lists of words, brackets."""

from __future__ import annotations

import re
from collections.abc import Callable

from tools.benchmarks.choices import listed_options
from tools.grading.choice.plug import without_answer
from tools.grading.grader import Judgement, ResponseGrader
from tools.records import JsonObject, Problem, Response, Verdict

OPTION = re.compile(r"\(([A-Z])\)")
BOXED = "\\boxed{"
WRAPPED = re.compile(r"\s*\\(?:text|texttt|mathrm|mathtt)\{(.*)\}\s*")


class TextGrader(ResponseGrader):
    """Reads the final text outside the reasoning and compares it; a right answer like "(B)" is read as multiple choice."""

    name, version = "text", "1"

    def record(self) -> JsonObject:
        return {"name": self.name, "version": self.version}

    def judge(self, problem: Problem, response: Response) -> Judgement:
        gold = (problem.answer or "").strip()
        option = OPTION.fullmatch(gold)
        answer, rule, reason = self._option(problem, response) if option else self._text(gold, response)
        if answer is None:
            return without_answer(response, rule, reason)
        from tools.grading.text.comparison import same_text

        is_same = same_text(answer, gold)
        shown = answer[:200]
        return Judgement(
            Verdict.CORRECT if is_same else Verdict.WRONG, shown, rule, "" if is_same else f"it is not {gold[:200]}"
        )

    @property
    def equal(self) -> Callable[[str, str], bool]:
        from tools.grading.text.comparison import same_text

        return same_text

    @staticmethod
    def _option(problem: Problem, response: Response) -> tuple[str | None, str, str]:
        from tools.grading.choice.extraction import find_letter

        found = find_letter(response.answer, listed_options(problem.statement), is_cut_off=response.is_cut_off)
        return (f"({found.letter})" if found.letter else None), found.rule, found.reason

    @staticmethod
    def _text(gold: str, response: Response) -> tuple[str | None, str, str]:
        from tools.grading.text.comparison import is_brackets
        from tools.grading.text.extraction import find_text

        text = response.answer
        if is_brackets(gold) and BOXED in text:  # the box's own brace is the last one of the line
            content = text.rpartition(BOXED)[2].split("\n", 1)[0].rstrip(" .$*").removesuffix("}")
            inner = WRAPPED.fullmatch(content)
            return (inner[1] if inner else content).strip() or None, "box", "the box is empty"
        found = find_text(text, is_cut_off=response.is_cut_off)
        return found.text, found.rule, "no final text"
