"""The kinds that IFBench's authors judge otherwise from their commit 1d62c1d on, six of them.

>>> repeats_span("the context", prompt_to_repeat="Explain the context of it", n_start=1, n_end=2)
True
>>> has_keywords_often("a b b c c c d d d d d e e e e e e e", keyword1="a", keyword2="b", keyword3="c", keyword4="d", keyword5="e")
True
"""

from __future__ import annotations

import re
import string

from tools.grading.instructions.comparing import Checks
from tools.grading.instructions.ifbench_counts import has_equal_sentences as are_equally_long
from tools.grading.instructions.ifbench_counts import overlap_is_near
from tools.grading.instructions.text import plain_words, sentences, tokens, word_tokens

_TIMES = (1, 2, 3, 5, 7)


def overlaps(text: str, *, reference_text: str, percentage: float) -> bool:
    """Trigrams of tokens."""
    return overlap_is_near(tokens(text), tokens(reference_text), percentage)


def has_equal_sentences(text: str) -> bool:
    """Three of the same length, and no word twice."""
    found = plain_words(text)
    return are_equally_long(text) and len(found) == len(set(found))


def has_keywords_often(text: str, *, keyword1: str, keyword2: str, keyword3: str, keyword4: str, keyword5: str) -> bool:
    """Whole words."""
    keywords = (keyword1, keyword2, keyword3, keyword4, keyword5)
    return all(
        len(re.findall(rf"\b{re.escape(keyword.strip())}\b", text, re.IGNORECASE)) == times
        for keyword, times in zip(keywords, _TIMES, strict=True)
    )


def has_keyword_near_both_ends(text: str, *, keyword: str) -> bool:
    """Second word, and second to last; signs do not count."""
    found = word_tokens(text)
    return len(found) >= 2 and found[1].lower() == found[-2].lower() == keyword.strip().lower()


def repeats_span(text: str, *, prompt_to_repeat: str, n_start: float, n_end: float) -> bool:
    """The words from n_start to n_end."""
    wanted = " ".join(prompt_to_repeat.split()[int(n_start) : int(n_end) + 1])
    return text.strip().lower() == wanted.lower()


def has_alphabet_story(text: str) -> bool:
    """By the first character that is no punctuation."""
    found = [sentence.lstrip(string.punctuation + string.whitespace) for sentence in sentences(text)]
    return [sentence[:1].lower() for sentence in found] == list(string.ascii_lowercase)


CHECKS: Checks = {
    "ratio:overlap": overlaps,
    "ratio:sentence_words": has_equal_sentences,
    "count:keywords_multiple": has_keywords_often,
    "words:words_position": has_keyword_near_both_ends,
    "repeat:repeat_span": repeats_span,
    "custom:sentence_alphabet": has_alphabet_story,
}
