r"""Finds the letter that a response gives: one extractor for grading, voting and reports.

The last box; else the last statement ("the answer is (C)", "**Answer:** C", an answer tag); else a text that is nothing but a
letter or an option; else "option C is correct"; else the last lone letter of the last sentence. A statement behind the
last box takes it back. Several letters are no answer. A letter beyond the options is an answer, and wrong.

Every step looks at each character a fixed number of times, in the last 100 000 characters.

>>> find_letter(r"So it is \boxed{\text{(C)}}.", ("1", "2", "3")).letter
'C'
>>> find_letter("The answer is B. Wait, the answer is C.", ("1", "2", "3")).letter
'C'
>>> find_letter("Answer: A or B", ("1", "2", "3"))
Found(letter=None, rule='statement', reason='several letters: A, B')
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from tools.grading.choice.statements import first_statement, is_denied_behind, strong_statements, weak_statements
from tools.grading.choice.targets import Options, plain, read_content
from tools.grading.math.answer_phrases import last_tagged
from tools.grading.math.boxes import boxes, joined_boxes

WINDOW_CHARS = 100_000
SHORT_CHARS = 1_000
STOP_TOKENS = re.compile(r"<\|(?:im_end|end_of_text|eot_id|endoftext)\|>|<｜end▁of▁sentence｜>|</s>")
# A model that was shown examples goes on to a question of its own.
NEXT_QUESTION = re.compile(r"\n[ \t]*(?:Question|Q)\s*\d*\s*:")
LABELLED_LINE = re.compile(r"^[ \t]*(?:(?:option|choice)\s+)?\(?[A-Z][.):]\s", re.MULTILINE | re.IGNORECASE)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\S])|\n")
LONE = re.compile(
    r"""(?<![A-Za-z0-9])(?:option|choice)s?\s+\(?([A-Z])\)?(?![A-Za-z0-9'])      # option C
    |(?<![A-Za-z0-9\])_^])\s?\(([A-Z])\)(?![A-Za-z0-9'^_])                       # (C)
    |^\s*([A-Z])[.):](?=\s)                                                       # C. at the start
    |(?<=[a-z,:]\s)([B-HJ-Z])(?=[.!]?\s*$)                                        # it is C.""",
    re.VERBOSE,
)


@dataclasses.dataclass(frozen=True)
class Found:
    """The letter, by which rule it was found; without one, why not."""

    letter: str | None
    rule: str = ""
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class FoundLetters:
    """Every letter that a text gives as its answer, in its order, and the rule that found them."""

    letters: tuple[str, ...] = ()
    rule: str = ""


def find_letter(text: str, choices: Sequence[str] = (), *, is_cut_off: bool = False, is_first: bool = False) -> Found:
    """The letter of a response's answer part. In a text that was cut off only boxes and statements count.

    With `is_first` the first statement counts, as some benchmarks' authors read it, and the first letter of several.
    """
    found = find_letters(text, choices, is_cut_off=is_cut_off, is_first=is_first)
    if len(found.letters) == 1:
        return Found(found.letters[0], found.rule)
    if found.letters:
        return Found(None, found.rule, f"several letters: {', '.join(found.letters)}")
    return Found(None, reason="no letter")


def find_letters(
    text: str,
    choices: Sequence[str] = (),
    *,
    is_cut_off: bool = False,
    is_first: bool = False,
    joined: re.Pattern[str] | None = None,
) -> FoundLetters:
    """As `find_letter`, for questions with several right letters. `joined` tells how they may stand together ("ACD")."""
    options = Options(choices)
    text = STOP_TOKENS.sub("", text) if "<" in text else text
    if joined is not None:
        text = _apart(text, joined)
    found_boxes = boxes(text)
    if found_boxes and found_boxes[-1][2] is None:  # cut off inside a box: what it would have said is not guessed at
        text, is_cut_off = text[: found_boxes[-1][0]], True
    boxed = _from_box(text, options)
    if boxed is not None:
        return boxed
    tagged = last_tagged(text) if "nswer>" in text or "NSWER>" in text else None
    letters = read_content(tagged, options) if tagged else ()
    if letters:
        return FoundLetters(letters, "answer tag")
    words = _own_part(plain(text[-WINDOW_CHARS:]), options)
    first = first_statement(words, len(choices)) if is_first else None
    if first is not None:
        return FoundLetters((first,), "first statement")
    statements = strong_statements(words, options)
    if statements:
        return FoundLetters(statements[-1].letters, "statement")
    return FoundLetters() if is_cut_off else _from_rest(words, options)


def _apart(text: str, joined: re.Pattern[str]) -> str:
    """Letters that stand together get commas: "ACD" is A, C, D."""
    return re.sub(rf"(?<![A-Za-z\\])(?:{joined.pattern})(?![A-Za-z])", lambda match: ", ".join(match.group()), text)


def _from_box(text: str, options: Options) -> FoundLetters | None:
    """The last box with those joined to it, or a statement behind it; None where no box holds a letter or an option."""
    joined = joined_boxes(text)
    if joined is None or joined[0] is None:
        return None
    letters = read_content(joined[0], options) or _by_mathematics(joined[0], options)
    if not letters:
        return None
    end = boxes(text)[-1][1]
    later = strong_statements(plain(text[end:][-WINDOW_CHARS:]), options)
    return FoundLetters(later[-1].letters, "statement") if later else FoundLetters(letters, "box")


def _by_mathematics(text: str, options: Options) -> tuple[str, ...]:
    """The one option that equals a boxed formula, as far as that can be told at once."""
    from tools.grading.math.grader import grade_quickly

    if not any(options.texts) or len(text) > SHORT_CHARS:
        return ()
    pairs = zip(options.letters, options.texts, strict=True)
    grades = [(letter, grade_quickly(text, each[:SHORT_CHARS], "math")) for letter, each in pairs]
    equal = [letter for letter, grade in grades if grade is not None and grade.is_correct]
    return (equal[0],) if len(equal) == 1 else ()


def _own_part(text: str, options: Options) -> str:
    """Without the questions that a model asks itself behind its answer."""
    following = NEXT_QUESTION.search(text)
    if following and strong_statements(text[: following.start()], options):
        return text[: following.start()]
    return text


def _from_rest(text: str, options: Options) -> FoundLetters:
    text = text.strip()
    if len(text) <= SHORT_CHARS and (letters := read_content(text, options, is_box=False)):
        return FoundLetters(letters, "whole text")
    weak = weak_statements(text, options)
    if weak and not is_denied_behind(text, weak[-1].end):
        return FoundLetters(weak[-1].letters, "option called correct")
    before, _, last_line = text.rpartition("\n")
    # Under other lines with labels it is one more option that is looked at.
    if before and len(last_line) <= SHORT_CHARS and not LABELLED_LINE.search(before[-WINDOW_CHARS:]):
        letters = read_content(last_line, options, is_box=False)
        if letters and set(letters) <= set(options.letters) and any(letter in last_line for letter in letters):
            return FoundLetters(letters, "last line")
    return _last_lone(text, options)


def _last_lone(text: str, options: Options) -> FoundLetters:
    """A letter that stands alone in the last sentence, if it is the only one there."""
    sentence = SENTENCE_END.split(text[-SHORT_CHARS:])[-1]
    lone = [next(group for group in match.groups() if group) for match in LONE.finditer(sentence)]
    letters = tuple(dict.fromkeys(letter for letter in lone if letter in options.letters))
    if not letters or re.search(r"\bnot\b|n't\b|\bcannot\b|\bincorrect\b|\bwrong\b|\bfalse\b", sentence, re.IGNORECASE):
        return FoundLetters()
    return FoundLetters(letters, "last letter")
