"""IFBench's checks that belong to one prompt each: tables, dates, countries, capitals, questions, a story.

>>> has_multiples("14, 21, 28, 35, 42, 49"), has_dates("1796-04-12, 1805-12-02"), has_dates("1796-13-01")
(True, True, False)
"""

from __future__ import annotations

import csv
import io
import re
import string
import unicodedata
from itertools import pairwise

from tools.grading.instructions.comparing import Checks
from tools.grading.instructions.text import EDGES, sentences, without_punctuation
from tools.grading.instructions.word_lists import NORTHERN_CAPITALS

_DIGITS = re.compile(r"\d+")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LIFE = range(1769, 1822)  # Napoleon's
_QUESTION = re.compile(r"Question \d+[.|):;]?\s*")
_OPTION = re.compile(r"[A-Ea-e][.|)]\s*\w")
_MULTIPLES = [str(number) for number in range(14, 51, 7)]
_CITY_COLUMNS = ["ID", "Country", "City", "Year", "Count"]
_SPECIAL = re.compile(r"[^\d\w\s]")


def _header(columns: str, separator: str) -> re.Pattern[str]:
    """A line of these columns, each in quotes or not."""
    return re.compile(separator.join(f'({column}|"{column}")' for column in columns.split()))


_PRODUCT_HEADER = _header("ProductID Category Brand Price Stock", r",[ \t]*")
_STUDENT_HEADER = _header("StudentID Subject Grade Semester Score", r"\t *")


def has_multiples(text: str) -> bool:
    return _DIGITS.findall(text) == _MULTIPLES


def has_four_questions(text: str) -> bool:
    """Each longer than the one before, with five options, and nothing before the first."""
    if not text.startswith("Question"):
        return False
    questions = [part.strip() for part in _QUESTION.split(text) if part.strip()]
    if len(questions) != 4:
        return False
    lengths = []
    for question in questions:
        lines = [line.strip() for line in question.split("\n")]
        options = [number for number, line in enumerate(lines) if _OPTION.match(line)]
        if len(options) != 5:
            return False
        lengths.append(len(" ".join(lines[: options[0]]).strip()))
    return all(before < after for before, after in pairwise(lengths))


def lists_countries_backwards(text: str) -> bool:
    """52 lines or more from the one with Zimbabwe on, in reverse order."""
    lines = [line for each in text.split("\n") if (line := each.strip(EDGES))]
    begin = next((number for number, line in enumerate(lines) if "Zimbabwe" in line), len(lines))
    plain = [_to_ascii(line) for line in lines[begin:]]
    return len(plain) >= 52 and all(before >= after for before, after in pairwise(plain))


def _to_ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def is_reversed_by_words(text: str) -> bool:
    backwards = " ".join(without_punctuation(text.lower()).split()[::-1])
    return "bald eagle" in backwards and backwards in sentences(backwards)


def is_reversed_by_letters(text: str) -> bool:
    return "elgae dlab" in text.lower()


def has_alphabet_story(text: str) -> bool:
    """26 sentences from a to z, by their first character."""
    found = sentences(text)
    return [sentence.lower().strip()[:1] for sentence in found] == list(string.ascii_lowercase)


def lists_capitals(text: str) -> bool:
    found = [name.strip() for name in _to_ascii(text).split(",") if name.strip()]
    return found == list(NORTHERN_CAPITALS)


def has_city_table(text: str) -> bool:
    rows = _read_table(text, ",")
    return len(rows) == 8 and rows[0] == _CITY_COLUMNS and all(len(row) == 5 for row in rows[1:])


def has_product_table(text: str) -> bool:
    """14 rows of five; one field up to the first row that is no such has a special character within quotes."""
    if not _PRODUCT_HEADER.fullmatch(text.split("\n")[0].strip()):
        return False
    rows = _read_table(text.replace('"', '"""'), ",")
    if len(rows) != 15:
        return False
    for row in rows[1:]:
        if len(row) != 5:
            return False
        if any(_has_special_quote(field) for field in row):
            return True
    return False


def _has_special_quote(field: str) -> bool:
    """A quote at its begin and, in the same line, a special character and another quote after it."""
    line = field.split("\n")[0]
    return line.startswith('"') and bool(_SPECIAL.search(line, 1, max(line.rfind('"'), 1)))


def has_student_table(text: str) -> bool:
    """Three rows of five with tabs between them, every field in quotes."""
    if not _STUDENT_HEADER.fullmatch(text.split("\n")[0].strip()):
        return False
    rows = _read_table(text.replace('"', '"""'), "\t")
    fields = [field.strip() for row in rows for field in row]
    return (
        [len(row) for row in rows] == [5] * 4
        and all(field.startswith('"') and field.endswith('"') for field in fields)
    )  # fmt: skip


def _read_table(text: str, delimiter: str) -> list[list[str]]:
    """Its rows; none where it is no table (the authors' program ends there)."""
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return []


def has_dates(text: str) -> bool:
    """Dates of Napoleon's life, with commas between them; a month or day 00 is let through."""
    return all(_is_date(part.strip()) for part in text.split(","))


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = (int(part) for part in found.groups())
    return year in _LIFE and month <= 12 and (month == 0 or day <= _DAYS[month - 1])


CHECKS: Checks = {
    "custom:multiples": has_multiples,
    "custom:mcq_count_length": has_four_questions,
    "custom:reverse_newline": lists_countries_backwards,
    "custom:word_reverse": is_reversed_by_words,
    "custom:character_reverse": is_reversed_by_letters,
    "custom:sentence_alphabet": has_alphabet_story,
    "custom:european_capitals_sort": lists_capitals,
    "custom:csv_city": has_city_table,
    "custom:csv_special_character": has_product_table,
    "custom:csv_quotes": has_student_table,
    "custom:date_format_list": has_dates,
}
