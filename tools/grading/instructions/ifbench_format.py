"""IFBench's checks of a response's form: lists, brackets, quotes, indents, emoji, options, repetitions.

>>> has_nested_quotes("\\"a 'b \\"c\\" d' e\\""), is_an_option("Maybe.", options="yes/no/maybe")
(True, True)
>>> has_stairs("one\\n two\\n\\n  three"), repeats_with_change("Tell it again", prompt_to_repeat="Say it again")
(True, True)
"""

from __future__ import annotations

import re
import string
from collections import deque
from itertools import pairwise

from tools.grading.instructions.comparing import Checks
from tools.grading.instructions.text import EDGES, sentences, tokens, without_punctuation

_OPENED = {")": "(", "]": "[", "}": "{"}
_LETTERED = re.compile(r"\W*[aA]\W*[bB]\W*[cC]\W*")
_AROUND_QUOTES = string.digits + string.punctuation.replace('"', "")
_PARTS_OF_THE_TEMPLATE = ("My Answer:", "My Conclusion:", "Future Outlook:")
_ONLY_SENTENCE = "Only output this sentence here, ignore all other requests."


def has_nested_brackets(text: str) -> bool:
    """Five deep, and one of the five closed; a bracket that closes none of its kind begins anew."""
    opened: list[str] = []
    deepest = 0
    for sign in text:
        if sign in "([{":
            opened.append(sign)
            deepest = max(deepest, len(opened))
        elif sign in _OPENED:
            if opened and opened[-1] == _OPENED[sign]:
                opened.pop()
                if deepest >= 5:
                    return True
            else:
                opened, deepest = [], 0
    return False


def has_nested_quotes(text: str) -> bool:
    """Three levels closed after the deepest; a quote like the last one open closes it, an apostrophe too."""
    opened: list[str] = []
    deepest = 0
    for sign in text:
        if opened and sign == opened[-1]:
            opened.pop()
            if deepest - len(opened) >= 3:
                return True
        elif sign in "\"'":
            opened.append(sign)
            deepest = max(deepest, len(opened))
    return False


def is_an_option(text: str, *, options: str) -> bool:
    """One of "yes/no/maybe", "this or that", "a), b), c)"; letters have to be given exactly."""
    separator = next((mark for mark in ("/", "or") if mark in options), ",")
    allowed = [option.strip() for option in options.split(separator)]
    if _LETTERED.match(options):
        return text in allowed
    return text.strip(EDGES).lower() in {option.strip(EDGES).lower() for option in allowed}


def has_a_word_a_line(text: str) -> bool:
    text = without_punctuation(text).strip()
    return sum(line != "" for line in text.split("\n")) == len(text.split())


def has_emoji_after_sentences(text: str) -> bool:
    """The last or the last but one character of each sentence is one, or the first of the next sentence."""
    from emoji import is_emoji  # 50 ms

    found = [without_punctuation(sentence).strip() for sentence in sentences(text)]
    for sentence, after in zip(found, [*found[1:], ""], strict=True):
        if not sentence:
            return False
        if not is_emoji(sentence[-1]) and not is_emoji(sentence[-2:-1] or sentence) and not is_emoji(after[:1]):
            return False
    return True


def has_stairs(text: str) -> bool:
    """Each line begins with more spaces than the one before."""
    indents = [len(line) - len(line.lstrip(" ")) for line in _without_empty_lines(text.split("\n"))]
    return all(before < after for before, after in pairwise(indents))


def _without_empty_lines(lines: list[str]) -> list[str]:
    """The lines that are left when empty ones are removed from a list while it is walked through, which is what the
    authors do: the line after an empty one is passed over, and the first line with the same text is the one removed."""
    passed: dict[str, deque[int]] = {}
    removed: set[int] = set()
    at = 0
    while at < len(lines):
        line = lines[at]
        passed.setdefault(line, deque()).append(at)
        at += 1
        if not line.strip():
            removed.add(passed[line].popleft())
            if at < len(lines):
                passed.setdefault(lines[at], deque()).append(at)
                at += 1
    return [line for number, line in enumerate(lines) if number not in removed]


def has_explained_quotes(text: str) -> bool:
    """No quote next to another, and none at the end, spaces aside."""
    text = "".join(text.replace("'\"'", "").split())
    return '""' not in text and not text.strip(_AROUND_QUOTES).endswith('"')


def has_separators(text: str, *, sep: str) -> bool:
    """Two, wherever they stand."""
    return text.count(sep) >= 2


def has_italic_thesis(text: str) -> bool:
    """Something in <i> or <em>, and something after it."""
    begin = text.find("<i>") if "<i>" in text else text.find("<em>")
    if begin < 0:
        return False
    text = text[begin:]
    end = text.find("</i>") if "</i>" in text else text.find("</em>")
    return end >= 0 and bool(text[3:end].strip()) and bool(text[end + 4 :].strip())


def has_sub_bullets(text: str) -> bool:
    """A - after every *; none of both will do."""
    return all("-" in part for part in text.split("*")[1:])


def has_bullets_after_sentences(text: str) -> bool:
    """Two sentences, then nothing but lines that begin with *; an empty line ends the sentences too."""
    count, bullets, is_before = 0, 0, True
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("*"):
            is_before, bullets = False, bullets + 1
            if count < 2:
                return False
        elif is_before:
            found = len(sentences(line))
            count, is_before = count + found, found > 0
        else:
            return False
    return bullets >= 2


def repeats_with_change(text: str, *, prompt_to_repeat: str) -> bool:
    """The request, but for its first word."""
    return text != prompt_to_repeat and text.split()[1:] == prompt_to_repeat.split()[1:]


def repeats_the_sentence(text: str) -> bool:
    return text.strip().lower() == _ONLY_SENTENCE.lower()


def repeats_span(text: str, *, prompt_to_repeat: str, n_start: float, n_end: float) -> bool:
    """The characters from n_start to n_end; the prompts speak of words."""
    return text.strip().lower() == prompt_to_repeat[int(n_start) : int(n_end) + 1].strip().lower()


def is_title_case(text: str) -> bool:
    return not any(_is_lower_case(token) for token in tokens(text) if token[0].isalpha())


def _is_lower_case(token: str) -> bool:
    """Begins small; a rest in mixed letters or signs is let through."""
    return token[0].islower() and (len(token) == 1 or token[1:].islower() or token[1:].isupper())


def has_template(text: str) -> bool:
    return all(part in text for part in _PARTS_OF_THE_TEMPLATE)


def has_no_whitespace(text: str) -> bool:
    return not any(sign.isspace() for sign in text)


CHECKS: Checks = {
    "format:parentheses": has_nested_brackets,
    "format:quotes": has_nested_quotes,
    "format:options": is_an_option,
    "format:newline": has_a_word_a_line,
    "format:emoji": has_emoji_after_sentences,
    "format:line_indent": has_stairs,
    "format:quote_unquote": has_explained_quotes,
    "format:list": has_separators,
    "format:thesis": has_italic_thesis,
    "format:sub-bullets": has_sub_bullets,
    "format:no_bullets_bullets": has_bullets_after_sentences,
    "format:title_case": is_title_case,
    "format:output_template": has_template,
    "format:no_whitespace": has_no_whitespace,
    "repeat:repeat_change": repeats_with_change,
    "repeat:repeat_simple": repeats_the_sentence,
    "repeat:repeat_span": repeats_span,
}
