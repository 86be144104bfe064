"""The grader of multiple choice: the letter that a response gives against the right one. Votes are letters."""

from __future__ import annotations

import dataclasses

from tools.commandline import option
from tools.grading.choice import VERSION
from tools.grading.grader import Judgement, ResponseGrader
from tools.records import JsonObject, Problem, Response, Verdict


@dataclasses.dataclass(frozen=True)
class ChoiceOptions:
    """Which statement of an answer counts where a text makes several."""

    letter_from: str = option(
        "last", "first: as the authors of some benchmarks read it", shown="the entry's", choices=("last", "first")
    )


class ChoiceGrader(ResponseGrader):
    """Reads the letter outside the reasoning and compares it."""

    name, version, Options = "choice", VERSION, ChoiceOptions

    def record(self) -> JsonObject:
        return {"name": self.name, "version": self.version, "letter_from": self.options.letter_from}

    def judge(self, problem: Problem, response: Response) -> Judgement:
        from tools.grading.choice.extraction import find_letter

        is_first = self.options.letter_from == "first"
        found = find_letter(response.answer, problem.choices, is_cut_off=response.is_cut_off, is_first=is_first)
        if found.letter is None:
            return without_answer(response, found.rule, found.reason)
        if found.letter == problem.answer:
            return Judgement(Verdict.CORRECT, found.letter, found.rule)
        count = len(problem.choices)
        is_option = not count or ord(found.letter) - ord("A") < count
        reason = (
            f"{found.letter} is not {problem.answer}" if is_option else f"{found.letter} is none of the {count} options"
        )
        return Judgement(Verdict.WRONG, found.letter, found.rule, reason)


def without_answer(response: Response, rule: str, reason: str) -> Judgement:
    """Cut off before an answer is a fact about the budget; finished without one is another."""
    if response.is_closed is False:
        return Judgement(Verdict.TRUNCATED, rule=rule, reason="the reasoning is never closed")
    if response.is_cut_off:
        return Judgement(Verdict.TRUNCATED, rule=rule, reason="cut off before an answer")
    return Judgement(Verdict.NO_ANSWER, rule=rule, reason=reason)
