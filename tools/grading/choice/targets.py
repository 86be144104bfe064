r"""What is named as the answer at one place of a text: a letter, several letters, or the text of one option.

Texts are compared in plain spelling, without the marks of Markdown and LaTeX. The article "A" and the pronoun "I" are no
letters: a bare one counts only where nothing, a mark, a joining word or its own option's text follows.

>>> options = Options(("the spleen", "the liver", "a kidney"))
>>> read_target("(B), because it stores iron", options), read_target("A good guess", options), read_target("a kidney.", options)
(('B',), (), ('C',))
>>> read_target("B or C, depending on the age", options), read_content(r"\text{(C)}", options)
(('B', 'C'), ('C',))
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from tools.mathematics.numbers import read_number

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_TARGET_CHARS = 1_000
WRAPPER = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|bf|sf|it|tt)|boldsymbol|bm|boxed|fbox)\s*(?=\{)")
DRESSING = re.compile(
    r"\*+|`+|__+|\$+|[{}]|\\(?:[()\[\],;:! ]|left(?![a-z])|right(?![a-z])|q?quad(?![a-z]))|^[ \t]*[#>]+[ \t]*",
    re.MULTILINE,
)
QUOTES = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "（": "(", "）": ")", "：": ":", "．": ".", "。": ". ", "，": ", "}
)
SPACES = re.compile(r"\s+")
LABEL = re.compile(r"\(?([A-Z])\s*[).:]\s*(?=\S)|([A-Z])\s+[-–—]\s+(?=\S)")
# One letter, as it may be written: C, (C), [C], "C", option C, (c), option c.
LETTER = re.compile(
    r"""[\s"']*(?:\((?!\s*[A-Za-z]\s*\))\s*)?(?:(?P<word>(?:option|choice|letter|answer|alternative)s?(?![A-Za-z]))\s*:?\s*)?["']?
    (?:\(\s*(?P<round>[A-Za-z])\s*\)|\[\s*(?P<square>[A-Z])\s*\]
    |(?:(?P<bare>[A-Z])|(?P<low>[a-z])(?=[\s.,;:)"]|$))(?![A-Za-z0-9'_^=\\\[(])(?!["']?\s*[=^\\<>≈]))["']?""",
    re.VERBOSE,
)
# A further letter behind one: "A and C", "(A), (B)", "B/C". A bare one has to end there: "B, I think" has one letter.
FURTHER = re.compile(
    r"""\s*\)?\s*(?:,\s*(?:and|or|&)?|;|/|&|\+|and/or|and|or|as\s+well\s+as)\s*(?:also\s+)?(?:(?:option|choice|answer)s?\s*)?["']?
    (?:\(\s*([A-Z])\s*\)|([A-Z])(?=["']?\s*(?:[.,;:)/&\n]|$|(?:and|or|are|both|depending)\b)))["']?""",
    re.VERBOSE,
)
# "(B) 0 or (F) 2": the option's text stands between.
FURTHER_BEHIND_TEXT = re.compile(r"(?:(?! is | are )[^.;()\n]){1,60}?,?\s(?:or|and/or)\s+\(([A-Z])\)")
# "B or something else" names no single letter either.
HEDGED = re.compile(r"\s*\)?[\"']?\s*,?\s*or\s+(?:something|some|another|none|other|any|one\s+of)\b")
# What may follow a bare A or I that is a letter.
JOINING = re.compile(
    r"""\s*(?:$|[.,;:)!?\n"'/&–—|]|-\s|(?:because|since|as|for|due|given|with|which|where|and|or|but|not|if|when|rather|based|is|are
    |according)(?![A-Za-z]))""",
    re.VERBOSE,
)
CLAUSE_END = re.compile(r"\.(?:\s|$)|[;:!?\n]|,\s|\s[–—(]|\s(?:because|since|which|as|for|due|given|but|so|based)\b")


class Options:
    """The options of one problem with their plain spellings, by which a text is known again.

    >>> Options(("(i) only", "Both")).letter_of("both."), Options(("4", "5")).letter_of("5.0"), Options(("x", "x")).letter_of("x")
    ('B', 'B', None)
    """

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts = tuple(texts)
        self.spellings = [spelling(text) for text in self.texts]
        self.letters = LETTERS[: len(self.texts)] or LETTERS

    def letter_of(self, text: str) -> str | None:
        """The one option that a text is, by its spelling or as a number; None for none and for several."""
        wanted = spelling(text)
        if not wanted:
            return None
        same = [index for index, each in enumerate(self.spellings) if each == wanted]
        if not same:
            number = read_number(wanted)
            same = [] if number is None else [i for i, one in enumerate(self.spellings) if read_number(one) == number]
        return LETTERS[same[0]] if len(same) == 1 else None

    def begins(self, letter: str, text: str) -> bool:
        """Whether a text begins with an option's own words."""
        index = LETTERS.index(letter)
        words = self.spellings[index].split()[:2] if index < len(self.spellings) else []
        return bool(words) and spelling(text[:200]).split()[: len(words)] == words


def plain(text: str) -> str:
    r"""A text without marks of layout: `**Answer:** $\text{(C)}$` is `Answer: (C)`."""
    text = text.translate(QUOTES)
    if "\\" in text:
        text = WRAPPER.sub("", text)
    return DRESSING.sub("", text)


def spelling(text: str) -> str:
    """By which two texts are the same option: no layout, no case, no marks around it."""
    text = unicodedata.normalize("NFKC", plain(text[: 4 * MOST_TARGET_CHARS]))
    return SPACES.sub(" ", text.replace("−", "-")).strip(" \"'.,;:!?").casefold()


def read_content(text: str, options: Options, is_box: bool = True) -> tuple[str, ...]:
    """The letters of a text that is nothing but an answer; () where it is none.

    In a box or a tag "C. 42 m" is C whatever stands behind the letter; elsewhere that has to be the option's own text.
    """
    bare = plain(text).strip(" \n\t.,;:")
    own = options.letter_of(text)
    if own is not None and not (len(bare) == 1 and bare in options.letters):
        return (own,)
    match = LETTER.match(bare)
    if match is None:
        return ()
    letters, end = _letters_from(bare, match)
    rest = bare[end:].strip(" ).\"'")
    if not rest:
        return letters
    if len(letters) > 1 or not bare[match.start() : match.end()].strip("\"' ([])").isupper():
        return () if match["word"] is None else letters
    is_marked = bool(match["round"] or match["square"] or match["word"]) or bare[end:].lstrip()[:1] in tuple(".):-–—,(")
    return letters if options.begins(letters[0], rest) or (is_box and is_marked) else ()


def read_target(text: str, options: Options) -> tuple[str, ...]:
    """The letters that a text begins with, or the option whose text it begins with; () where it names none."""
    text = text[:MOST_TARGET_CHARS]
    match = LETTER.match(text)
    if match is not None and _is_letter(text, match, options):
        own = (
            None if match["word"] or not match["bare"] or JOINING.match(text, match.end()) else _own_text(text, options)
        )
        return (own,) if own else _letters_from(text, match)[0]
    own = _own_text(text, options)
    return (own,) if own else ()


def _is_letter(text: str, match: re.Match[str], options: Options) -> bool:
    if match["low"] is not None:  # a small letter counts behind "option" alone, or where the text ends with it
        return match["word"] is not None or not text[match.end() :].strip(" .)")
    if match["round"] is not None and match["round"].islower():  # "(a) 0 to 10 Hz" may be a part of the question
        return match["round"].upper() in options.letters and JOINING.match(text, match.end()) is not None
    letter = match["bare"]
    if letter not in ("A", "I") or match["word"]:
        return True
    return JOINING.match(text, match.end()) is not None or options.begins(letter, text[match.end() :])


def _letters_from(text: str, match: re.Match[str]) -> tuple[tuple[str, ...], int]:
    """The letter of a match with those that are joined to it, and where they end."""
    letters = [(match["round"] or match["square"] or match["bare"] or match["low"]).upper()]
    end = match.end()
    while len(letters) < len(LETTERS) and (further := FURTHER.match(text, end)):
        letters.append(further[1] or further[2])
        end = further.end()
    if match["round"] and (further := FURTHER_BEHIND_TEXT.match(text, end)):
        letters.append(further[1])
    if HEDGED.match(text, end):
        letters.append("?")
    return tuple(dict.fromkeys(letters)), end


def _own_text(text: str, options: Options) -> str | None:
    """The option that the first line is, whole or up to the end of a clause."""
    line = text.lstrip().split("\n", 1)[0]
    label = LABEL.match(line)
    line = line[label.end() :] if label else line
    ends = [len(line), *(match.start() for _, match in zip(range(8), CLAUSE_END.finditer(line), strict=False))]
    return next((letter for end in ends if (letter := options.letter_of(line[:end]))), None)
