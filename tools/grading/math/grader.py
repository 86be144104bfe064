r"""Grades mathematical answers: is this response right, and why. For evaluate_aime.py, rescoring and audits.

Two plain calls, `math_equal` for two bare answers and `is_correct` for a whole response; `grade_response` says besides
which rule decided. Text of a model is data here: it is never evaluated. Integers compare as integers (and cost about
10 microseconds); everything else goes through tools/mathematics, whose rules and conventions docs/grading.md lists.

>>> math_equal("0.5", r"\frac{1}{2}"), math_equal("2.04", "204")
(True, False)
>>> grade_response(r"So 3 + 4 = \boxed{7}.", "7", comparison="integer").rule
'integer'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tools.errors import UsageError
from tools.grading.math import VERSION
from tools.grading.math.cleaning import math_answer_cleaning, plain_form
from tools.grading.math.extraction import MAX_BARE_ANSWER_CHARS, Extraction, extract, extract_answer
from tools.grading.math.math_spans import math_spans
from tools.grading.votes import equal_classes
from tools.mathematics.limits import SYMBOLIC_TIMEOUT_S
from tools.mathematics.numbers import PLAIN_INTEGER, Number, int_from_digits, lowest, read_number
from tools.models.reasoning import split_reasoning
from tools.records import Verdict

__all__ = [
    "GRADER_VERSION",
    "MathGrade",
    "extract_answer",
    "get_answer_by_majority_voting",
    "grade_answer",
    "grade_response",
    "group_equal_answers",
    "is_correct",
    "math_answer_cleaning",
    "math_equal",
    "numeric_equal",
    "symbolic_equal",
    "unreadable_golds",
]

GRADER_VERSION = VERSION
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-4, 1e-6  # the original's, for `is_close` only
BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])")
WORDS = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}")
# Signs that sentences do not hold outside formulas, and words after which a value is not what is claimed.
NO_PROSE = re.compile(r"__|[{}\[\]]|\\|\('|\w\(\w")
HEDGE = re.compile(
    r"\b(?:not|no|never|unless|impossible|cannot|except|excluding|least|most|more|less|fewer|greater|smaller|than|between|either"
    r"|neither|nor|if|otherwise|when|whenever|multiples?|divisible|until|without|wrong|incorrect)\b|n't\b",
    re.IGNORECASE,
)
MAX_NESTED_BOXES = 5
INTEGER_NOISE = re.compile(r"^(?:\\text\{|\{|\\mathbf\{|\$|\\\(|\\ |\s)*([+-]?\d{1,9})(?:\}|\$|\\\)|\.|\s)*$")
CHOICE = re.compile(
    r"^\(?\s*(?:\\(?:text|textbf|mathrm|mathbf|textrm)\s*\{)*\s*\(?\s*([A-J])\s*\)?\s*\}*\s*[).:]?(?:(?<=[).:}])\s*.*)?$"
)


@dataclass(frozen=True)
class MathGrade:
    """One verdict with its why: the rule that decided, a reason in words, both sides as they were read."""

    verdict: Verdict
    answer: str | None = None
    rule: str = ""
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_correct(self) -> bool:
        return self.verdict is Verdict.CORRECT


def is_correct(response: str, reference: str) -> bool:
    """Whether a whole response ends in the reference answer."""
    return grade_response(response, reference).is_correct


def math_equal(
    prediction: str,
    reference: str,
    include_percentage: bool = False,
    is_close: bool = False,
    timeout: float = SYMBOLIC_TIMEOUT_S,
) -> bool:
    """Whether two bare answers denote the same mathematical object.

    `include_percentage` accepts a number that is off by a factor 100, `is_close` one within the original's
    tolerances; both are off by default. `timeout` bounds the symbolic work in seconds.
    """
    if grade_answer(prediction, reference, timeout=timeout).is_correct:
        return True
    return (include_percentage or is_close) and _is_leniently_equal(prediction, reference, include_percentage, is_close)


def grade_answer(
    prediction: str, reference: str, *, comparison: str = "math", timeout: float = SYMBOLIC_TIMEOUT_S
) -> MathGrade:
    """Compares two bare answers; `comparison`: "integer", "math" or "choice"."""
    if comparison not in COMPARISONS:
        raise UsageError(f"comparison {comparison!r} is unknown; use one of {', '.join(COMPARISONS)}")
    grade = COMPARISONS[comparison](prediction, reference, timeout)
    assert grade is not None
    return grade


def grade_response(
    response: str,
    reference: str,
    *,
    comparison: str = "math",
    answer_from: str = "answer",
    is_opened_by_prompt: bool | None = None,
    is_cut_off: bool = False,
    timeout: float = SYMBOLIC_TIMEOUT_S,
) -> MathGrade:
    """Splits off the reasoning, extracts the final answer and compares it with the reference.

    `answer_from`: "answer" reads what stands outside the reasoning tags, "anywhere" the whole text as the original
    did. `is_cut_off`: the engine stopped at its token limit. Without an answer the verdict is `truncated` when the
    text was cut (also inside the reasoning or a box), else `no_answer`.
    """
    if answer_from not in ("answer", "anywhere"):
        raise UsageError(f"answer_from {answer_from!r} is unknown; use answer or anywhere")
    is_closed: bool | None = None
    text = response
    if answer_from == "answer":
        parts = split_reasoning(response, is_opened_by_prompt)
        text, is_closed = parts.answer, parts.is_closed
    answer = find_answer(text, comparison=comparison, is_cut_off=is_cut_off, is_closed=is_closed)
    if isinstance(answer, MathGrade):
        return answer
    return grade_answer(answer, reference, comparison=comparison, timeout=timeout)


def find_answer(
    text: str, *, comparison: str = "math", is_cut_off: bool = False, is_closed: bool | None = None
) -> str | MathGrade:
    """The final answer of a text, or the grade that it has without one."""
    # A cut-off text has no concluding sentence, and AIME's prompts ask for a box: neither is guessed at.
    found = extract(text, is_prose_read=comparison != "integer" and not is_cut_off)
    if not found.answer or not found.answer.strip():
        return _without_answer(found, is_cut_off, is_closed)
    return found.answer


def grade_quickly(prediction: str, reference: str, comparison: str = "math") -> MathGrade | None:
    """What integers, numbers and equal texts decide at once; None where it takes mathematics (`grade_answer`)."""
    return COMPARISONS[comparison](prediction, reference, None)


def _without_answer(found: Extraction, is_cut_off: bool, is_closed: bool | None) -> MathGrade:
    if found.is_unfinished:
        return MathGrade(Verdict.TRUNCATED, rule="extraction", reason="the last box is never closed")
    if is_closed is False:
        return MathGrade(Verdict.TRUNCATED, rule="extraction", reason="the reasoning is never closed")
    if is_cut_off:
        return MathGrade(Verdict.TRUNCATED, rule="extraction", reason="cut off before an answer")
    return MathGrade(Verdict.NO_ANSWER, rule="extraction", reason="no pattern of a final answer matches")


def _grade_integer(prediction: str, reference: str, timeout: float | None) -> MathGrade | None:
    """AIME: both are integers. What is not written as one is read as mathematics first (`2^3`, `m+n=204`)."""
    gold = INTEGER_NOISE.match(reference)
    if gold is None:
        return _grade_math(prediction, reference, timeout)
    given = INTEGER_NOISE.match(prediction)
    if given is None:
        return _grade_math(prediction, reference, timeout)
    is_equal = int(given[1]) == int(gold[1])
    verdict = Verdict.CORRECT if is_equal else Verdict.WRONG
    return MathGrade(verdict, given[1], "integer", "" if is_equal else f"{int(given[1])} is not {int(gold[1])}")


def _grade_math(prediction: str, reference: str, timeout: float | None) -> MathGrade | None:
    if prediction == reference and prediction.strip():
        return MathGrade(Verdict.CORRECT, prediction, "same text")
    if "box" in prediction or "box" in reference:
        prediction, reference = _unboxed(prediction), _unboxed(reference)
    given, gold = plain_form(prediction), plain_form(reference)
    if not given:
        return MathGrade(Verdict.NO_ANSWER, prediction, "extraction", "the answer is empty")
    if given == gold:
        return MathGrade(Verdict.CORRECT, prediction, "same text")
    if PLAIN_INTEGER.fullmatch(given) and PLAIN_INTEGER.fullmatch(gold):
        return _by_rule(prediction, int_from_digits(given) == int_from_digits(gold), "number")
    given_number, gold_number = read_number(given), read_number(gold)
    if given_number is not None and gold_number is not None:
        return _by_rule(prediction, given_number == gold_number, "number")
    if timeout is None:
        return None
    return _grade_expression(prediction, reference, given, gold, timeout)


def _grade_choice(prediction: str, reference: str, timeout: float | None) -> MathGrade | None:
    """Choice letters (GPQA, MMLU): the letter alone decides, with or without parentheses, full stop or option text."""
    gold, given = CHOICE.match(reference.strip()), CHOICE.match(prediction.strip())
    if gold is None:
        return _grade_math(prediction, reference, timeout)
    if given is None:
        return MathGrade(Verdict.WRONG, prediction, "choice", "the answer is not one choice letter")
    return _by_rule(given[1], given[1] == gold[1], "choice")


def _by_rule(answer: str, is_equal: bool, rule: str, reason: str = "") -> MathGrade:
    return MathGrade(Verdict.CORRECT if is_equal else Verdict.WRONG, answer, rule, reason)


def _grade_expression(prediction: str, reference: str, given: str, gold: str, timeout: float) -> MathGrade:
    """Everything that is not two plain numbers: words, letters, mathematics."""
    from tools.mathematics.answers import compare_answers

    found = compare_answers(given, gold, timeout)
    if found.is_equal is False and found.rule in ("unreadable", "text", "string"):
        inner, inner_gold = _out_of_sentence(prediction), _out_of_sentence(reference)
        if (inner is None) != (inner_gold is None):  # two sentences are compared as words
            found = compare_answers(inner or given, inner_gold or gold, timeout)
    verdict = {True: Verdict.CORRECT, False: Verdict.WRONG, None: Verdict.GRADER_ERROR}[found.is_equal]
    forms = {"given": found.given_form, "gold": found.gold_form}
    return MathGrade(verdict, prediction, found.rule, found.reason, {key: form for key, form in forms.items() if form})


def _unboxed(text: str) -> str:
    """The content of the last box, for an answer that is still a response around one."""
    for _ in range(MAX_NESTED_BOXES):
        if BOX.search(text) is None:
            break
        text = extract(text).answer or ""
    return text


def _out_of_sentence(text: str) -> str | None:
    """The value that a sentence gives as an answer (`We find that $x < 3$.`), None for anything shorter.

    None too where words deny, bound or condition the value: then it is not what the sentence says.
    """
    found = extract(text)
    if not found.answer or found.pattern not in ("conclusion", "phrase"):
        return None
    outside = _outside_formulas(text)
    # A longer text is a whole response, whose sentences the extraction weighs.
    if len(text) <= MAX_BARE_ANSWER_CHARS and (NO_PROSE.search(outside) or HEDGE.search(outside)):
        return None
    return plain_form(found.answer) if WORDS.search(outside) or found.pattern == "phrase" else None


def _outside_formulas(text: str) -> str:
    position, pieces = 0, []
    for start, end, _ in math_spans(text):
        pieces.append(text[position:start])
        position = end
    return " ".join([*pieces, text[position:]])


def symbolic_equal(prediction: str, reference: str, timeout: float = SYMBOLIC_TIMEOUT_S) -> bool | None:
    """Whether two expressions are equal as mathematics; None when that was not decided within the budget."""
    from tools.mathematics.answers import compare_answers

    return compare_answers(plain_form(prediction), plain_form(reference), timeout).is_equal


def unreadable_golds(golds: Iterable[str]) -> list[tuple[str, str]]:
    r"""The gold answers that no reader understands, each with the reason: only their own text would equal them.

    >>> unreadable_golds(["204", r"\frac{1}{2}", "Tuesday", r"\frac{}{2}"])
    [('\\frac{}{2}', "'}' is not expected at character 6; a value, or an operator between two values, is missing before it")]
    """
    from tools.mathematics.answers import why_unreadable

    found = ((gold, why_unreadable(plain_form(gold))) for gold in dict.fromkeys(golds))
    return [(gold, reason) for gold, reason in found if reason]


def numeric_equal(prediction: float, reference: float) -> bool:
    """The original toolkit's tolerances: relative 1e-4 to the reference, absolute 1e-6."""
    return abs(prediction - reference) <= max(RELATIVE_TOLERANCE * abs(reference), ABSOLUTE_TOLERANCE)


def _is_leniently_equal(prediction: str, reference: str, include_percentage: bool, is_close: bool) -> bool:
    given = _number_or_percent(prediction)
    gold = _number_or_percent(reference)
    if given is None or gold is None:
        return False
    candidates = [gold, Fraction(gold) / 100, gold * 100] if include_percentage else [gold]
    if is_close:
        return any(numeric_equal(float(given), float(candidate)) for candidate in candidates)
    return any(given == candidate for candidate in candidates)


def _number_or_percent(text: str) -> Number | None:
    text = plain_form(text)
    if text.endswith("%"):
        number = read_number(text[:-1].rstrip("\\ "))
        return None if number is None else lowest(Fraction(number) / 100)
    return read_number(text)


def group_equal_answers(answers: Sequence[str | None]) -> list[int | None]:
    """Class numbers in order of first appearance: equal answers share one; None stays None.

    >>> group_equal_answers(["1/2", None, "3", "0.5"])
    [0, None, 1, 0]
    """
    return equal_classes(answers, math_equal)


def get_answer_by_majority_voting(outputs: Sequence[str]) -> str | None:
    r"""The answer that most responses agree on, equal answers counted together; the earlier one wins a tie.

    >>> get_answer_by_majority_voting([r"\boxed{1/2}", r"\boxed{3}", r"\boxed{0.5}"])
    '1/2'
    """
    answers = [extract_answer(split_reasoning(output).answer) for output in outputs]
    classes = group_equal_answers(answers)
    counts: dict[int, int] = {}
    for number in classes:
        if number is not None:
            counts[number] = counts.get(number, 0) + 1
    if not counts:
        return None
    winner = max(counts, key=lambda number: (counts[number], -number))
    return answers[classes.index(winner)]


# With a time limit of None they apply their quick rules only, and say None where those do not decide.
COMPARISONS: dict[str, Callable[[str, str, float | None], MathGrade | None]] = {
    "integer": _grade_integer,
    "math": _grade_math,
    "choice": _grade_choice,
}
