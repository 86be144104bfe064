"""Where a text says which option is the answer: "the answer is (C)", "**Answer:** C", "option C is correct".

A statement that is denied ("the answer is not B", "the incorrect answer is (H)", "the answer is (D) is wrong") is none. What
is taken back counts no more: the last statement is the answer. Where a text goes on to further parts, "(b) ...", the
letter of the first part stands.

>>> options = Options(("1", "2", "3", "4"))
>>> [one.letters for one in strong_statements("The answer is (B). Wait, the correct answer is (C).", options)]
[('B',), ('C',)]
>>> strong_statements("The answer is not B. The wrong answer is (A).", options)
[]
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator

from tools.grading.choice.targets import MOST_TARGET_CHARS, Options, read_target

MOST_STATEMENTS = 500
QUALIFIED = r"""(?:correct|right|best|final|appropriate|suitable|accurate|likely|plausible|fitting|reasonable|closest|nearest|only|my|chosen
    |selected|valid|true)\s+(?:option|choice|selection|response|letter|statement|one|match|ans)s?"""
VERB = r"""(?:is|was|are|'s|would\s+be|should\s+be|must\s+be|will\s+be|has\s+to\s+be|can\s+only\s+be|becomes|seems\s+to\s+be|appears\s+to\s+be)
    (?![A-Za-z])"""
FILLER = r"""(?:therefore|thus|then|hence|clearly|likely|probably|actually|indeed|definitely|simply|indicated|given|as|by|to\s+be|most|closest|best
    |the|following|either|both|option|choice|letter|correct|in|this|case|represented|described|stated|provided|follows|now|still|also)"""
STRONG = re.compile(
    rf"""(?<![A-Za-z])(?:
    (?:answers?|ans\.?|{QUALIFIED})(?:\s+(?:choice|option|letter))?(?:\s+(?:to|of|for|in|among|from|here)\b(?:\s+[A-Za-z'-]+){{0,8}}?)?
        (?:\s+{VERB}(?:\s+{FILLER}(?![A-Za-z])){{0,6}}\s*[:–—-]?|\s*[:=](?!=)(?:\s*(?:the\s+)?(?:correct\s+|final\s+)?(?:option|choice|letter)\b)?|\s*(?:->|→|⇒))
    |(?:I|we)(?:\s+(?:would|will|must|should|can|have\s+to)|'ll|'d)?\s+(?:choose|pick|select|go\s+with|opt\s+for)(?![A-Za-z])(?:\s+(?:the\s+)?(?:option|choice|letter))?
    )\s*
    |答案(?:应该|應該)?(?:是|为|為|选|選)?\s*:?\s*(?:选项|選項)?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
HEADING = re.compile(
    r"^[ \t]*(?:the\s+)?(?:final\s+|correct\s+)?(?:answer|choice)[ \t]*:?[ \t]*\n\s*", re.IGNORECASE | re.MULTILINE
)
# Said of an option: weaker, because single options are looked at in such words too.
WEAK = re.compile(
    r"""(?:(?:option|choice|answer|alternative)\s+\(?([A-Za-z])\)?|\(([A-Z])\))(?:\s+(?:is|as)\s+(?:therefore\s+|thus\s+|indeed\s+)?(?:the\s+)?(?:most\s+)?
        (?:correct|right|best|appropriate|accurate)(?![A-Za-z])|[ ,]+(?:the\s+)?(?:correct|right|best)\s+(?:answer|option|choice))
    |(?<![A-Za-z])([A-Z])\s+(?:is\s+)?(?:the\s+)(?:most\s+)?(?:correct|right|best|appropriate|accurate)\s+(?:answer|option|choice)
    |(?:corresponds\s+to|matches|matching|selects?|namely|which\s+is|that\s+is|this\s+is|points\s+to|leads\s+to|leaves)\s+(?:only\s+)?(?:the\s+)?
        (?:(?:answer|option|choice)\s+\(?([A-Za-z])\)?|\(([A-Z])\))(?![A-Za-z'])""",
    re.IGNORECASE | re.VERBOSE,
)
DENIED_BEFORE = re.compile(
    r"(?:\b(?:incorrect|wrong|invalid|false)|(?:\bnot|n't|\bnever)(?:\s+(?:the|a|an|my|necessarily|only))?(?:\s+(?!but)[a-z]+)?)\s+$",
    re.IGNORECASE,
)
NOT_BUT = re.compile(r"not\s+\(?[A-Z]\)?,?\s+but\s+(?:rather\s+)?")
NONE_OF = re.compile(r"\b(?:none|neither|nor|if)\b[^.\n]*$", re.IGNORECASE)
ANOTHER_SUBJECT = re.compile(
    r"\b(?:since|because|as|while|whereas|so|therefore|thus|although|option|options|choice|other|others)\b|\(|;",
    re.IGNORECASE,
)
DENIED_BEHIND = re.compile(
    r"""\b(?:is|are|was|were|seems|does|do|can|would)\s*(?:also|therefore|thus|still|clearly|actually|likely|probably|both)?\s*
    (?:incorrect|wrong|false|invalid|unrelated|irrelevant|partially|not\s+(?:the\s+|a\s+|an\s+|entirely\s+|fully\s+|completely\s+)?
    (?:correct|right|true|valid|answer|complete|accurate|possible|supported|fit)|ruled\s+out|eliminated)""",
    re.IGNORECASE | re.VERBOSE,
)
TAKEN_BACK = re.compile(
    r"""\b(?:wait|hold\s+on|on\s+second\s+thought|oops|scratch\s+that|correction|(?:i|i've|we)\s+(?:have\s+)?made\s+(?:a|an)\s+(?:mistake|error)
    |let\s+me\s+(?:re|double|correct|check)|i\s+was\s+wrong|after\s+(?:re|double))""",
    re.IGNORECASE | re.VERBOSE,
)
NEXT_PART = re.compile(r"(?:^|[\n.;:][ \t]*)(?:\([b-h]\)|[b-h]\)|(?<=\n)[B-H]\)|Part\s+\(?[bB2]\)?)\s", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class ChoiceStatement:
    """One statement in a plain text: where it starts and ends, the letters that it names, whether it is denied behind."""

    start: int
    end: int
    letters: tuple[str, ...]
    is_denied: bool = False


def strong_statements(text: str, options: Options) -> list[ChoiceStatement]:
    """Every statement of what the answer is, in order, in a plain text; those of further parts are left out."""
    found: list[ChoiceStatement] = []
    for one in _statements_at(text, options, _places(text)[-MOST_STATEMENTS:]):
        if one.is_denied:
            continue
        if found and one.letters != found[-1].letters and NEXT_PART.search(text, found[-1].end, one.start):
            break
        found.append(one)
    return found


def first_statement(text: str, count: int) -> str | None:
    """The letter of the first "answer is (X)" that stands, else of the first "Answer: X": until the text takes it back in
    so many words. Of several letters it is the first, and what the sentence says further is not looked at.

    `count` is that of the options.
    """
    chosen: dict[bool, ChoiceStatement] = {}
    for one in _statements_at(text, Options(("",) * count), _places(text)[:MOST_STATEMENTS]):
        words = text[one.start : one.end].lower()
        is_said = words.startswith("answer is")
        if not words.startswith("ans"):
            continue
        if is_said not in chosen or TAKEN_BACK.search(text, chosen[is_said].end, one.start):
            chosen[is_said] = one
    found = chosen.get(True) or chosen.get(False)
    return found.letters[0] if found else None


def _places(text: str) -> list[tuple[int, int]]:
    """(end, start) of every announcement, in order."""
    return sorted({(match.end(), match.start()) for pattern in (STRONG, HEADING) for match in pattern.finditer(text)})


def _statements_at(text: str, options: Options, places: Iterable[tuple[int, int]]) -> Iterator[ChoiceStatement]:
    for end, start in places:
        if DENIED_BEFORE.search(text, max(0, start - 40), start):
            continue
        denial = NOT_BUT.match(text, end)
        end = denial.end() if denial else end
        letters = read_target(text[end : end + MOST_TARGET_CHARS], options)
        if letters:
            yield ChoiceStatement(start, end, letters, is_denied_behind(text, end))


def weak_statements(text: str, options: Options) -> list[ChoiceStatement]:
    """Every place where an option is called the right one, in a plain text."""
    found = []
    for match in WEAK.finditer(text):
        letter = next(group for group in match.groups() if group).upper()
        before = text[max(0, match.start() - 120) : match.start()]
        is_denied = DENIED_BEFORE.search(before) or NONE_OF.search(before)
        if letter in options.letters and not is_denied:
            found.append(ChoiceStatement(match.start(), match.end(), (letter,)))
    return found


def is_denied_behind(text: str, end: int) -> bool:
    """Whether the sentence goes on to deny what it names at `end`: "(D) is incorrect", "(I) 1/3, but this is incorrect"."""
    sentence = re.split(r"\.\s|\n", text[end : end + 160], maxsplit=1)[0]
    named = re.match(
        r"[\s\"'(]*(?:(?:option|choice)s?\s*)?\(?[A-Z]\)?(?:(?:,|\s+and|\s+or)\s*\(?[A-Z]\)?(?![A-Za-z]))*", sentence
    )
    rest = sentence[named.end() :] if named else sentence
    other = ANOTHER_SUBJECT.search(rest)
    return DENIED_BEHIND.search(rest[: other.start()] if other else rest) is not None
