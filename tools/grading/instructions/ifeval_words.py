"""IFEval's checks of a response's words: keywords, letters, lengths, cases, languages, commas.

>>> has_frequency("Ha ha ha!", keyword="ha", frequency=3, relation="at least")
True
>>> is_english_capitals("THIS IS A SHORT ENGLISH TEXT."), is_english_capitals("This is not.")
(True, False)
"""

from __future__ import annotations

import re

from tools.grading.instructions.comparing import Checks, Pattern, Patterns, Relation, compare
from tools.grading.instructions.languages import is_in
from tools.grading.instructions.text import sentences, tokens, words


def has_keywords(text: str, *, keywords: Patterns) -> bool:
    """Anywhere, inside of words too, in any case."""
    return all(re.search(keyword, text, re.IGNORECASE) for keyword in keywords)


def has_frequency(text: str, *, keyword: Pattern, frequency: float, relation: Relation) -> bool:
    return compare(len(re.findall(keyword.strip(), text, re.IGNORECASE)), relation, frequency)


def has_no_forbidden_words(text: str, *, forbidden_words: Patterns) -> bool:
    return not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in forbidden_words)


def has_letter(text: str, *, letter: str, let_frequency: float, let_relation: Relation) -> bool:
    """A sign counts like a letter (the data ask for ! and #)."""
    return compare(text.lower().count(letter.strip().lower()), let_relation, let_frequency)


def is_in_language(text: str, *, language: str) -> bool:
    return is_in(text, language)


def has_sentences(text: str, *, num_sentences: float, relation: Relation) -> bool:
    return compare(len(sentences(text)), relation, num_sentences)


def has_words(text: str, *, num_words: float, relation: Relation) -> bool:
    return compare(len(words(text)), relation, num_words)


def has_capital_words(text: str, *, capital_frequency: float, capital_relation: Relation) -> bool:
    return compare(sum(token.isupper() for token in tokens(text)), capital_relation, capital_frequency)


def is_english_capitals(text: str) -> bool:
    return text.isupper() and is_in(text, "en")


def is_english_lowercase(text: str) -> bool:
    return text.islower() and is_in(text, "en")


def has_no_comma(text: str) -> bool:
    return "," not in text


CHECKS: Checks = {
    "keywords:existence": has_keywords,
    "keywords:frequency": has_frequency,
    "keywords:forbidden_words": has_no_forbidden_words,
    "keywords:letter_frequency": has_letter,
    "language:response_language": is_in_language,
    "length_constraints:number_sentences": has_sentences,
    "length_constraints:number_words": has_words,
    "change_case:capital_word_frequency": has_capital_words,
    "change_case:english_capital": is_english_capitals,
    "change_case:english_lowercase": is_english_lowercase,
    "punctuation:no_comma": has_no_comma,
}
