"""What a judge's reply says, by the rule of its template. A reply that follows no rule is None: asked again, never a score.

>>> parse_reply("A good answer. Rating: [[7]]", "rating").score
7.0
>>> parse_reply("My final verdict: [[A>>B]]", "five_point").label
'A>>B'
>>> parse_reply("I cannot say.", "rating") is None
True
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping

LONGEST_REPLY = 200_000  # characters that are looked at: the end of a longer one
NUMBER = r"(\d{1,6}(?:\.\d{0,6})?)"
RATINGS = (re.compile(rf"\[\[{NUMBER}\]\]"), re.compile(rf"\[{NUMBER}\]"))
FIVE_POINT = re.compile(r"\[\[([AB<>=]{2,6})\]\]")
JSON_SCORE = re.compile(rf'"score"\s*:\s*"?\s*\[?{NUMBER}')
YES_NO = re.compile(r'(?im)^[\s*"\'-]*correct[\s*"\']*[:=][\s*"\']*(yes|no)\b')
CONFIDENCE = re.compile(r'(?im)^[\s*"\'-]*confidence[\s*"\']*[:=][\s*"\'|]*(\d{1,3})\b')
GRADE_LETTER = re.compile(r"\W{0,4}(?:([ABC])\b|(INCORRECT|NOT_ATTEMPTED|CORRECT)\b)")
WORDS = {"CORRECT": "A", "INCORRECT": "B", "NOT_ATTEMPTED": "C"}
STRENGTHS = {"A>>B", "A>B", "A=B", "B>A", "B>>A", "A<B", "A<<B", "B<A", "B<<A", "B=A"}


@dataclasses.dataclass(frozen=True)
class ParsedReply:
    """`label` is the reply's verdict in the words of its rule; `score` a number; `confidence` from 0 to 1."""

    label: str
    score: float | None = None
    confidence: float | None = None
    second_share: float | None = None  # how much of the verdict is for assistant B, where tokens weigh it


def parse_reply(text: str, rule: str) -> ParsedReply | None:
    """By one of RULES; None where the reply does not say it."""
    return RULES[rule](text[-LONGEST_REPLY:])


def weigh_tokens(first_tokens: Mapping[str, float], names: tuple[str, str] = ("m", "M")) -> ParsedReply | None:
    """AlpacaEval 2's verdict: the second name's share of both names' probability; one that is not told has none.

    >>> weigh_tokens({"m": -0.01, "M": -4.6}).label, weigh_tokens({"The": -0.1}) is None
    ('A', True)
    """
    first, second = (math.exp(min(0.0, first_tokens[name])) if name in first_tokens else 0.0 for name in names)
    if first + second == 0:
        return None
    share = second / (first + second)
    return ParsedReply("A" if share < 0.5 else "B", second_share=share)


def _rating(text: str) -> ParsedReply | None:
    """FastChat's: the first [[number]], else the first [number]."""
    found = next((match for pattern in RATINGS if (match := pattern.search(text))), None)
    return None if found is None else ParsedReply(found[1], float(found[1]))


def _json_score(text: str) -> ParsedReply | None:
    """WildBench's: the last "score" of an object, quoted or not."""
    found = JSON_SCORE.findall(text)
    return ParsedReply(found[-1], float(found[-1])) if found else None


def _three_way(text: str) -> ParsedReply | None:
    """FastChat's pairs: the first of [[A]], [[B]], [[C]] that stands in the text at all."""
    return next((ParsedReply(letter) for letter in "ABC" if f"[[{letter}]]" in text), None)


def _five_point(text: str) -> ParsedReply | None:
    """Arena-Hard's: the last label."""
    found = [label for label in FIVE_POINT.findall(text.upper()) if label in STRENGTHS]
    return ParsedReply(found[-1]) if found else None


def _model_name(text: str) -> ParsedReply | None:
    """AlpacaEval's: the first output is called m, the second one M, and nothing else is said."""
    word = text.strip().strip("\"'`.*")
    return ParsedReply({"m": "A", "M": "B"}[word]) if word in ("m", "M") else None


def _grade_letter(text: str) -> ParsedReply | None:
    """SimpleQA's letter or its word, at the beginning: its authors take any A, B or C, of "INCORRECT" the C too."""
    found = GRADE_LETTER.match(text.strip())
    return None if found is None else ParsedReply(found[1] or WORDS[found[2]])


def _yes_no(text: str) -> ParsedReply | None:
    """HLE's line `correct: yes`, and its line `confidence: 80`."""
    found, sure = YES_NO.findall(text), CONFIDENCE.findall(text)
    if not found:
        return None
    return ParsedReply(found[-1].lower(), None, min(100, int(sure[-1])) / 100 if sure else None)


RULES: dict[str, Callable[[str], ParsedReply | None]] = {
    "rating": _rating,
    "json_score": _json_score,
    "three_way": _three_way,
    "five_point": _five_point,
    "model_name": _model_name,
    "grade_letter": _grade_letter,
    "yes_no": _yes_no,
}
