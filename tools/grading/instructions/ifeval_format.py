"""IFEval's checks of a response's form: lists, sections, titles, quotation marks, JSON, paragraphs.

Each takes the text and, by name, what the prompt asked for. Scans are written out where the authors' regular
expressions take quadratic time on hostile text (a hundred thousand brackets, asterisks or empty lines).

>>> has_bullets("* one\\n* two\\n", num_bullets=2), has_title("<< >>"), has_title("<<Song>>")
(True, False, True)
"""

from __future__ import annotations

import json
import re

from tools.grading.instructions.comparing import Checks, Pattern

_NOT_SPACE = re.compile(r"\S")
_HIGHLIGHT = re.compile(r"\*[^\n*]*\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*[^\n*]*\*\*")
_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_MARKERS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}
_FENCES = ("```json", "```Json", "```JSON", "```")
_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_ENDS_A_WORD = frozenset(".,?!'\"")


def has_placeholders(text: str, *, num_placeholders: float) -> bool:
    """`[something]` within a line, at least so many."""
    return sum(_count_bracketed(line) for line in text.split("\n")) >= num_placeholders


def _count_bracketed(line: str) -> int:
    count = position = 0
    while (opened := line.find("[", position)) >= 0 and (closed := line.find("]", opened)) >= 0:
        count, position = count + 1, closed + 1
    return count


def has_bullets(text: str, *, num_bullets: float) -> bool:
    """Exactly so many lines that begin with - or with one *."""
    return _count_bullets(text, "*") + _count_bullets(text, "-") == num_bullets


def _count_bullets(text: str, mark: str) -> int:
    """As the authors' `^\\s*MARK.*$` counts: empty lines before a bullet belong to it, and * may be followed by a line's
    end, which then takes the next line with it, but not by another *."""
    count = start = 0
    while found := _NOT_SPACE.search(text, start):
        at = found.start()
        is_bullet = text[at] == mark and (mark == "-" or text[at + 1 : at + 2] not in ("", "*"))
        count += is_bullet
        end = text.find("\n", at + 2 if is_bullet and mark == "*" else at)
        if end < 0:
            break
        start = end + 1
    return count


def is_one_of_the_answers(text: str) -> bool:
    return any(answer in text for answer in _ANSWERS)


def has_highlights(text: str, *, num_highlights: float) -> bool:
    """*so* many or **so** many; the latter are counted as well as the former."""
    single = sum(bool(found.strip("*").strip()) for found in _HIGHLIGHT.findall(text))
    double = sum(bool(found.removeprefix("**").removesuffix("**").strip()) for found in _DOUBLE_HIGHLIGHT.findall(text))
    return single + double >= num_highlights


def has_sections(text: str, *, section_spliter: Pattern, num_sections: float) -> bool:
    """The field is misspelt in the authors' data."""
    return len(re.findall(rf"\s?{section_spliter.strip()}\s?\d+\s?", text)) >= num_sections


def has_divided_paragraphs(text: str, *, num_paragraphs: float) -> bool:
    """Paragraphs with *** between them; an empty one may stand at the begin and at the end only."""
    paragraphs = _DIVIDER.split(text)
    if not all(paragraph.strip() for paragraph in paragraphs[1:-1]):
        return False
    # A single paragraph is first and last, and counts as one of both.
    ends = paragraphs[:1] + (paragraphs[-1:] if len(paragraphs) > 1 else [])
    return len(paragraphs) - sum(not end.strip() for end in ends) == num_paragraphs


def paragraph_starts_with(text: str, *, num_paragraphs: float, nth_paragraph: float, first_word: str) -> bool:
    """So many paragraphs with an empty line between them, of which one begins with a word."""
    paragraphs = text.split("\n\n")
    count = sum(bool(paragraph.strip()) for paragraph in paragraphs)
    if not 1 <= nth_paragraph <= count:
        return False
    paragraph = paragraphs[int(nth_paragraph) - 1].split()
    if not paragraph:
        return False
    word = paragraph[0].lstrip("'").lstrip('"')
    end = next((at for at, sign in enumerate(word) if sign in _ENDS_A_WORD), len(word))
    return count == num_paragraphs and word[:end].lower() == first_word.lower()


def has_postscript(text: str, *, postscript_marker: Pattern) -> bool:
    marker = postscript_marker.strip()
    pattern = _MARKERS.get(marker) or re.compile(marker.lower())
    return bool(pattern.search(text.lower()))


def is_json(text: str) -> bool:
    text = text.strip()
    for fence in _FENCES:
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def has_title(text: str) -> bool:
    """<<something>> within a line."""
    return any(_titled(line) for line in text.split("\n"))


def _titled(line: str) -> bool:
    opened, closed = line.find("<<"), line.rfind(">>")
    return 0 <= opened <= closed - 3 and bool(line[opened : closed + 2].lstrip("<").rstrip(">").strip())


def is_quoted(text: str) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def ends_with(text: str, *, end_phrase: str) -> bool:
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def repeats_the_prompt(text: str, *, prompt_to_repeat: str) -> bool:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def has_two_responses(text: str) -> bool:
    """Two different ones with ****** between them; nothing but space may stand before and after."""
    parts = text.split("******")
    if not all(part.strip() for part in parts[1:-1]):
        return False
    responses = [part.strip() for part in parts if part.strip()]
    return len(responses) == 2 and responses[0] != responses[1]


CHECKS: Checks = {
    "detectable_content:number_placeholders": has_placeholders,
    "detectable_content:postscript": has_postscript,
    "detectable_format:number_bullet_lists": has_bullets,
    "detectable_format:constrained_response": is_one_of_the_answers,
    "detectable_format:number_highlighted_sections": has_highlights,
    "detectable_format:multiple_sections": has_sections,
    "detectable_format:json_format": is_json,
    "detectable_format:title": has_title,
    "length_constraints:number_paragraphs": has_divided_paragraphs,
    "length_constraints:nth_paragraph_first_word": paragraph_starts_with,
    "combination:two_responses": has_two_responses,
    "combination:repeat_prompt": repeats_the_prompt,
    "startend:end_checker": ends_with,
    "startend:quotation": is_quoted,
}
