r"""Reads the value that a sentence concludes with: "So the mean is 7.", "The roots are 2 and 3.", "Tom paid $5.".

A sentence that denies, bounds or chooses ("at least 5", "not 5", "5 or more") gives those words with the value, so that
no rule takes the bare value for the answer. Tokens are cut in one pass; nothing here backtracks.

>>> concluded("We know that a = 4. The roots are 2 and 3.")
'2, 3'
>>> concluded("It takes at least 5 hours.")
'at least 5 hours'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.grading.math.math_spans import math_spans
from tools.mathematics.unit_table import is_unit_word

NUMBER = r"[-+\u2212]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?:\s?/\s?\d+(?:\.\d+)?)?(?:\s?\\?%)?"
MONEY = r"(?:[-+\u2212]?\\?[$€£¥₹₩]\s?)"
TOKEN = re.compile(
    rf"""(?P<value>{MONEY}?{NUMBER}(?![!\d]))
    |(?P<end>[.?!](?=[\s"')\]]|$)|\n|[。！？])
    |(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
    |(?P<sign>[=:≈：＝]|\\approx(?![a-z]))
    |(?P<separator>[,;、，])
    |(?P<opening>\()|(?P<closing>\))
    |(?P<space>[^\S\n]+)
    |(?P<other>.)""",
    re.VERBOSE,
)
VERBS = frozenset(
    "is are was were equals equal be being get gets got obtain obtains have has gives give yields makes make takes take "
    "needs need paid pays pay costs cost contains becomes remain remains ist sind beträgt es son est sont и равно является".split()
)
TO_BEFORE = frozenset(
    "equal equals equivalent simplifies comes adds reduces rounds up amounts sums leads evaluates".split()
)
ARTICLES = frozenset(
    "the a an exactly only just about approximately therefore thus then also now still indeed precisely roughly".split()
)
JOINS = frozenset(["and", "or", "y", "und", "et", "и", "和", "或"])
DENIALS = frozenset("not never isn't aren't wasn't than without except excluding unlike instead".split())
BOUNDS = frozenset("least most between under over below above within exceeding unless beyond neither either".split())
AFTER_BOUNDS = frozenset("more less fewer greater larger smaller above below higher lower".split())
CONDITIONS = frozenset("at when for where if with since as".split())
COUNTED = frozenset(["are", "is", "exist", "exists", "were", "remain", "remains"])
PLACES = frozenset("decimal decimals significant places place digits".split())
CLAUSE_ENDS = frozenset("because since which as so if when".split())


@dataclass(frozen=True)
class Piece:
    """One token of a sentence."""

    kind: str  # value, word, sign, separator, opening, closing, end, other
    text: str
    start: int
    end: int


def pieces_of(text: str) -> list[Piece]:
    """Words, values (numbers and formulas), signs; spaces left out."""
    found: list[Piece] = []
    position = 0
    for start, end, inner in [*math_spans(text), (len(text), len(text), "")]:
        while position < start:
            match = TOKEN.match(text, position, start)
            if match is None:
                position += 1
                continue
            kind = match.lastgroup or "other"
            if kind == "value" and position and _continues(text[position - 1]):
                kind = "other"
            if kind != "space":
                found.append(Piece(kind, match.group(), position, match.end()))
            position = match.end()
        if start < end:
            kind = "value" if _is_value(inner) else "word"
            found.append(Piece(kind, inner.strip(), start, end))
        position = max(position, end)
    return found


def _continues(sign: str) -> bool:
    return sign in "._^" or (sign.isascii() and sign.isalnum())


def _is_value(formula: str) -> bool:
    """A lone letter in dollars only names something."""
    formula = formula.strip()
    return len(formula) > 1 or formula.isdigit()


def is_sentence(text: str) -> bool:
    """Words around a value or a line break; `5 hours`, `June 20` and `x = 2 or x = 3` are answers, not sentences."""
    pieces = pieces_of(text)
    last_value = max((place for place, piece in enumerate(pieces) if piece.kind == "value"), default=-1)
    words_in_row = words_before = 0
    is_value_seen = False
    for place, piece in enumerate(pieces):
        if piece.text == "\n":
            return True
        is_word = piece.kind == "word" and len(piece.text) > 1 and "\\" not in piece.text
        is_word = is_word and (piece.start == 0 or text[piece.start - 1] not in "\\{")
        words_in_row = (
            words_in_row + 1 if is_word and piece.text.lower() not in JOINS else words_in_row if is_word else 0
        )
        if is_word:
            words_before += piece.text.lower() not in JOINS and not is_value_seen
            leads_on = not piece.text.isascii() or piece.text.lower() in VERBS
            if words_in_row == 3 or (leads_on and place < last_value):
                return True
        if piece.kind == "value":
            if words_before >= 2 or (_is_formula(piece) and words_before):
                return True
            is_value_seen = True
    has_formula = any(_is_formula(piece) for piece in pieces)
    return has_formula and any(
        piece.kind == "word" and not _is_formula(piece) and len(piece.text) > 1 and piece.text.lower() not in JOINS
        for piece in pieces
    )


def _is_formula(piece: Piece) -> bool:
    """Between delimiters, which its text is without."""
    return piece.end - piece.start > len(piece.text)


def concluded(text: str) -> str | None:
    """What the last sentence with a value in it concludes; None without any value."""
    sentence: list[Piece] = []
    sentences = [sentence]
    for piece in pieces_of(text):
        if piece.kind == "end":
            sentence = []
            sentences.append(sentence)
        else:
            sentence.append(piece)
    for sentence in reversed(sentences):
        groups = [] if _is_denied_whole(sentence) else _groups(sentence)
        # "the maximum is 5, attained at x = 2": where it holds is not what is asked
        claims = [group for group in groups if not _is_condition(sentence, group)]
        groups = claims or groups
        if groups:
            return _conclusion(sentence, groups)
    return None


def _groups(sentence: list[Piece]) -> list[tuple[int, int, str]]:
    """(first piece, behind the last piece, text) of every value: lists of values joined, tuples whole."""
    singles: list[tuple[int, int, str]] = []
    index = 0
    while index < len(sentence):
        found = _single(sentence, index)
        if found is None:
            index += 1
            continue
        singles.append(found)
        index = found[1]
    groups: list[tuple[int, int, str]] = []
    for single in singles:
        if groups and _is_joined(sentence[groups[-1][1] : single[0]]):
            first, _, text = groups[-1]
            groups[-1] = (first, single[1], f"{text}, {single[2]}")
        elif not _is_denied(sentence, single[0]):
            groups.append(single)
    return groups


def _single(sentence: list[Piece], index: int) -> tuple[int, int, str] | None:
    """`5`, `5 hours`, `x = 2`, `(2, 3)` beginning at a piece."""
    piece = sentence[index]
    following = sentence[index + 1] if index + 1 < len(sentence) else None
    if piece.kind == "opening":
        parts: list[str] = []
        for place in range(index + 1, min(index + 20, len(sentence))):
            part = sentence[place]
            if part.kind == "closing" and len(parts) >= 3:
                return index, place + 1, "(" + "".join(parts) + ")"
            if part.kind != ("separator" if len(parts) % 2 else "value"):
                return None
            parts.append(part.text)
        return None
    if (
        piece.kind == "word"
        and len(piece.text) == 1
        and following is not None
        and following.text == "="
        and index + 2 < len(sentence)
    ):
        value = _single(sentence, index + 2) if sentence[index + 2].kind in ("value", "opening") else None
        is_whole = value is not None and (index == 0 or sentence[index - 1].kind in ("word", "separator", "sign"))
        return (index, value[1], f"{piece.text} = {value[2]}") if value is not None and is_whole else None
    if piece.kind != "value":
        return None
    text, end = (
        piece.text.replace("$", r"\$") if piece.text[:2] != r"\$" and _is_money(piece) else piece.text,
        index + 1,
    )
    if following is not None and following.kind == "word" and is_unit_word(following.text) and "\\" not in piece.text:
        text, end = f"{text} {following.text}", end + 1
    return index, end, text


def _is_money(piece: Piece) -> bool:
    return piece.text.startswith("$") and piece.end - piece.start == len(piece.text)


def _is_joined(between: list[Piece]) -> bool:
    """Only commas and joining words stand between two values."""
    return (
        bool(between)
        and len(between) <= 2
        and all(piece.kind == "separator" or piece.text.lower() in JOINS for piece in between)
    )


def _is_denied(sentence: list[Piece], index: int) -> bool:
    """`not 5`, `than the 5`, `isn't 5`."""
    before = [piece.text.lower() for piece in sentence[max(0, index - 2) : index] if piece.kind == "word"]
    return bool(DENIALS & set(before)) or any(word.endswith("n't") for word in before)


def _conclusion(sentence: list[Piece], groups: list[tuple[int, int, str]]) -> str:
    """Counted things first (`There are exactly 5 of them: ...`), then what the last verb or sign leads to."""
    counted = _counted(sentence)
    if counted is not None:
        return counted
    signs = [place for place, piece in enumerate(sentence) if _is_sign(sentence, place, piece)]
    for place in reversed(signs):
        after = [group for group in groups if group[0] > place or group[0] <= place < group[1]]
        if not after:
            continue
        led = [
            group
            for group in after
            if group[0] > place and all(piece.text.lower() in ARTICLES for piece in sentence[place + 1 : group[0]])
        ]
        return _bounded(sentence, led[0] if led else after[-1])
    return _bounded(sentence, groups[-1])


def _is_denied_whole(sentence: list[Piece]) -> bool:
    """`It is not true that ...`, `it would be wrong to say ...`."""
    said = " ".join(piece.text.lower() for piece in sentence if piece.kind == "word")
    return any(denial in said for denial in ("not true", "not correct", "not the case", "be wrong to", "incorrect to"))


def _is_condition(sentence: list[Piece], group: tuple[int, int, str]) -> bool:
    before = sentence[group[0] - 1].text.lower() if group[0] else ""
    return "=" in group[2] and before in CONDITIONS


def _counted(sentence: list[Piece]) -> str | None:
    """`There are exactly 5 of them: 1, 2, 3, 4 and 6`: the number that is counted, None in other sentences."""
    if len(sentence) < 3 or sentence[0].text.lower() != "there" or sentence[1].text.lower() not in COUNTED:
        return None
    for place in range(2, min(7, len(sentence))):
        if sentence[place].kind == "value":
            first = _single(sentence, place)
            return None if first is None else _bounded(sentence, first)
        if sentence[place].kind != "word":
            return None
    return None


def _is_sign(sentence: list[Piece], place: int, piece: Piece) -> bool:
    if piece.kind == "sign":
        return True
    word = piece.text.lower()
    if word == "to":
        return place > 0 and sentence[place - 1].text.lower() in TO_BEFORE
    return piece.kind == "word" and word in VERBS


def _bounded(sentence: list[Piece], group: tuple[int, int, str]) -> str:
    """The value, with the words that make it a bound or a choice."""
    first, end, text = group
    before = [piece.text for piece in sentence[max(0, first - 2) : first] if piece.kind == "word"]
    after = [piece.text for piece in sentence[end : end + 2]]
    if BOUNDS & {word.lower() for word in before}:
        text = " ".join([*before, text])
    if len(after) == 2 and after[0].lower() in ("or", "and") and after[1].lower() in AFTER_BOUNDS:
        text = " ".join([text, *after])
    return text
