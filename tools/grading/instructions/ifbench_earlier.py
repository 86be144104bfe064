"""The kinds that IFBench's authors judged otherwise at their commit 6fffd61 of 2025, four of them.

>>> has_keyword_at("I like, tea a lot.", keyword="tea", n=1, m=4)
True
>>> repeats_span("the context of", prompt_to_repeat="Explain the context of it", n_start=1, n_end=4)
True
"""

from __future__ import annotations

from tools.grading.instructions.comparing import Checks
from tools.grading.instructions.text import sentences, tokens
from tools.grading.instructions.word_lists import FEWER_PRONOUNS


def has_pronouns(text: str, *, N: float) -> bool:
    """Personal, possessive and reflexive ones."""
    return sum(token in FEWER_PRONOUNS for token in tokens(text.replace("/", " ").lower())) >= N


def has_keyword_at(text: str, *, keyword: str, n: float, m: float) -> bool:
    """Signs count as words."""
    found = sentences(text)
    if len(found) < n:
        return False
    near = tokens(found[int(n) - 1])
    return len(near) >= m and near[int(m) - 1].lower() == keyword.strip().lower()


def has_keyword_near_both_ends(text: str, *, keyword: str) -> bool:
    """Second token, and second to last."""
    found = tokens(text)
    return len(found) >= 2 and found[1].lower() == found[-2].lower() == keyword.strip().lower()


def repeats_span(text: str, *, prompt_to_repeat: str, n_start: float, n_end: float) -> bool:
    """The words from n_start to the one before n_end; with a start or an end of 0 the authors draw one by chance."""
    return text.lower().split() == prompt_to_repeat.lower().split()[int(n_start) : int(n_end)]


CHECKS: Checks = {
    "count:pronouns": has_pronouns,
    "words:keywords_specific_position": has_keyword_at,
    "words:words_position": has_keyword_near_both_ends,
    "repeat:repeat_span": repeats_span,
}
