"""IFBench's checks that count: words, names, numbers, keywords, pronouns, stop words, kinds of sentences.

Numbers come as floats in the authors' file (5.0).

>>> has_conjunctions("This and that, but And so on.", small_n=4)  # "and" and "And" are two for the authors
True
>>> has_numbers("It costs 1,000.50 or 2.", N=2)
True
"""

from __future__ import annotations

import re

from tools.grading.instructions.comparing import Checks, Words
from tools.grading.instructions.text import EDGES, plain_words, sentences, tokens, without_punctuation, words
from tools.grading.instructions.word_lists import CONJUNCTIONS, NAMES, PRONOUNS, STOP_WORDS

_NAME = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
_DIGITS = re.compile(r"\d+")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_TIMES = (1, 2, 3, 5, 7)
_OVERLAP_TOLERANCE = 2


def has_word_count(text: str, *, min_words: float, max_words: float) -> bool:
    return min_words <= len(words(text)) <= max_words


def has_unique_words(text: str, *, N: float) -> bool:
    return len({word.strip(EDGES) for word in text.lower().split()}) >= N


def has_conjunctions(text: str, *, small_n: float) -> bool:
    found = {word for word in text.split() if word.strip(EDGES).lower() in CONJUNCTIONS}
    return len(found) >= small_n


def has_names(text: str, *, N: float) -> bool:
    return len(set(_NAME.findall(text))) >= N


def has_numbers(text: str, *, N: float) -> bool:
    return len(_DIGITS.findall(without_punctuation(text))) == N


def has_pronouns(text: str, *, N: float) -> bool:
    return sum(token in PRONOUNS for token in tokens(text.replace("/", " ").lower())) >= N


def has_all_punctuation(text: str) -> bool:
    """. , ! ? ; : and an interrobang; what stands in the first interrobang does not count for itself."""
    if not any(sign in text for sign in ("!?", "?!", "‽")):
        return False
    rest = text.replace("?!", "", 1) if "?!" in text else text.replace("!?", "", 1)
    return all(sign in rest for sign in ".,!?;:")


def has_keywords_often(text: str, *, keyword1: str, keyword2: str, keyword3: str, keyword4: str, keyword5: str) -> bool:
    """One each 1, 2, 3, 5 and 7 times, inside of other words too."""
    keywords = (keyword1, keyword2, keyword3, keyword4, keyword5)
    text = text.lower()
    return all(text.count(keyword.strip().lower()) == times for keyword, times in zip(keywords, _TIMES, strict=True))


def is_japanese_at(text: str, *, N: float) -> bool:
    """Every N-th word has a kana or kanji; numbers and lone punctuation are let through."""
    for number, word in enumerate(text.split(), start=1):
        word = word.strip(EDGES)
        if number % N == 0 and word and not word.isdigit() and not _JAPANESE.search(word):
            return False
    return True


def has_stop_words(text: str, *, percentage: float) -> bool:
    found = words(text)
    if not found:
        return False
    return sum(word.lower() in STOP_WORDS for word in found) / len(found) * 100 <= percentage


def has_statements_and_questions(text: str) -> bool:
    """Two that end in a full stop for each that ends in a question mark; none of both will do."""
    ends = [sentence[-1:] for sentence in sentences(text)]
    return ends.count(".") == 2 * ends.count("?")


def has_balanced_sentences(text: str) -> bool:
    ends = [sentence[-1:] for sentence in sentences(text)]
    return ends.count(".") == ends.count("?") == ends.count("!")


def has_equal_sentences(text: str) -> bool:
    """Three of the same length. That their words differ is asked, but not looked at."""
    found = sentences(text)
    return len(found) == 3 and len({len(sentence.strip()) for sentence in found}) == 1


def overlaps(text: str, *, reference_text: str, percentage: float) -> bool:
    """Of the text's trigrams so many per cent are the reference's. They are trigrams of characters."""
    return overlap_is_near(text, reference_text, percentage)


def overlap_is_near(ours: str | Words, theirs: str | Words, percentage: float) -> bool:
    """Over trigrams of any sequence, with a tolerance of two points."""
    found = set(zip(ours, ours[1:], ours[2:], strict=False))
    if not found:
        return False
    share = len(found & set(zip(theirs, theirs[1:], theirs[2:], strict=False))) / len(found) * 100
    return percentage - _OVERLAP_TOLERANCE <= share <= percentage + _OVERLAP_TOLERANCE


def repeats_words_at_most(text: str, *, small_n: float) -> bool:
    found = plain_words(text)
    counts: dict[str, int] = {}
    for word in found:
        counts[word] = counts.get(word, 0) + 1
    return max(counts.values(), default=0) <= small_n


CHECKS: Checks = {
    "count:word_count_range": has_word_count,
    "count:unique_word_count": has_unique_words,
    "count:conjunctions": has_conjunctions,
    "count:person_names": has_names,
    "count:numbers": has_numbers,
    "count:pronouns": has_pronouns,
    "count:punctuation": has_all_punctuation,
    "count:keywords_multiple": has_keywords_often,
    "count:words_japanese": is_japanese_at,
    "ratio:stop_words": has_stop_words,
    "ratio:sentence_type": has_statements_and_questions,
    "ratio:sentence_balance": has_balanced_sentences,
    "ratio:sentence_words": has_equal_sentences,
    "ratio:overlap": overlaps,
    "words:repeats": repeats_words_at_most,
}
