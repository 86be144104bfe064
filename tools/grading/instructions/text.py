"""Words, tokens, sentences and lines of a response, as the authors' checks see them.

Tokens follow the rules of NLTK's word tokenizer, which are Treebank's with
additions; they are written here with one pass for signs that stand alone, and without its slow regular expression.

>>> sentences("Dr. Smith came. Was he late?")
('Dr. Smith came.', 'Was he late?')
>>> tokens("They can't say: it's 3,5 (or so).")
('They', 'ca', "n't", 'say', ':', 'it', "'s", '3,5', '(', 'or', 'so', ')', '.')
>>> plain_words("Well, it's done!")
['well', 'its', 'done']
"""

from __future__ import annotations

import functools
import re
import string
import unicodedata

from tools.grading.instructions.splitting import split_sentences as sentences

__all__ = [
    "EDGES", "plain_words", "sentences", "tokens", "without_punctuation", "word_tokens", "words",
]  # fmt: skip

PUNCTUATION = string.punctuation
EDGES = PUNCTUATION + " "  # what the authors strip from words and lines
_NO_PUNCTUATION = str.maketrans("", "", PUNCTUATION)
_WORD = re.compile(r"\w+")
_JOINERS = "\u200c\u200d"
_CIRCLED = {*range(0x24B6, 0x24EA), *range(0x1F130, 0x1F14A), *range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)}


def words(text: str) -> list[str]:
    """Runs of letters, digits and underscores: how both benchmarks count words.

    They ask NLTK, whose regular expressions hold more than Python's for part of a word (accents by themselves, vowel signs
    of Indian scripts, what makes a sign an emoji) and superscript digits and fractions for none.

    >>> words("x² is café_1 ½"), words("हिंदी"), words("⚠️ go")
    (['x', 'is', 'café_1'], ['हिंदी'], ['️', 'go'])
    """
    if text.isascii():
        return _WORD.findall(text)
    seen = {ord(sign): "a" if _is_in_word(sign) else " " for sign in set(text) if not sign.isascii()}
    return [text[slice(*found.span())] for found in _WORD.finditer(text.translate(seen))]


def _is_in_word(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or sign in _JOINERS or ord(sign) in _CIRCLED


def without_punctuation(text: str) -> str:
    """The text without ASCII punctuation; what it joins stays joined."""
    return text.translate(_NO_PUNCTUATION)


def plain_words(text: str) -> list[str]:
    """In lower case, without ASCII punctuation, split at whitespace."""
    return without_punctuation(text.lower()).split()


@functools.lru_cache(maxsize=16)
def tokens(text: str) -> tuple[str, ...]:
    """Words and signs of a text, sentence by sentence."""
    return tuple(token for sentence in sentences(text) for token in _sentence_tokens(sentence))


def word_tokens(text: str) -> list[str]:
    """The tokens that hold a letter or a digit."""
    return [token for token in tokens(text) if any(sign.isalnum() for sign in token)]


# What is done before and after the last full stop of a sentence is found, in this order.
_OPENING_QUOTES = (
    (re.compile("[«“‘„]|`+"), r" \g<0> "),
    (re.compile(r'^"'), "``"),
    (re.compile("``"), " `` "),
    (re.compile(r"([ (\[{<])(?:\"|'')"), r"\1 `` "),
    (re.compile(r"(?i)(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)"), "' "),
)
_SIGNS = (
    (re.compile(r"([:,])([^\d])"), r" \1 \2"),
    (re.compile(r"[:,]$"), r" \g<0> "),
    (re.compile(r"\.{2,}|[;@#$%&?!\u2012-\u2015]"), r" \g<0> "),
    (re.compile(r"([^'])' "), r"\1 ' "),
    (re.compile(r"[*\]\[(){}<>]"), r" \g<0> "),
    (re.compile("--"), " -- "),
)
_CLOSING_QUOTES = (
    (re.compile("[»”’]"), r" \g<0> "),
    (re.compile("''|\""), " '' "),
    (re.compile(r"\s+"), " "),
    (re.compile(r"([^' ])('[sS]|'[mM]|'[dD]|') "), r"\1 \2 "),
    (re.compile(r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) "), r"\1 \2 "),
)
_CONTRACTIONS = (
    re.compile(r"(?i)\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n))\b|\b(wan)(na)(?=\s)"),
    re.compile(r"(?i) ('t)(is|was)\b"),
)
_AFTER_A_STOP = "])}>\"' »”’"


def _sentence_tokens(sentence: str) -> list[str]:
    for pattern, replacement in _OPENING_QUOTES:
        sentence = pattern.sub(replacement, sentence)
    sentence = _set_off_last_stop(sentence)
    for pattern, replacement in _SIGNS:
        sentence = pattern.sub(replacement, sentence)
    sentence = f" {sentence} "
    for pattern, replacement in _CLOSING_QUOTES:
        sentence = pattern.sub(replacement, sentence)
    for pattern in _CONTRACTIONS:
        sentence = pattern.sub(lambda match: f" {' '.join(part for part in match.groups() if part)} ", sentence)
    return sentence.split()


def _set_off_last_stop(sentence: str) -> str:
    """A space around the full stop that ends a sentence, quotes and brackets after it aside; none after another stop."""
    end = sentence.rstrip()
    before = end.rstrip(_AFTER_A_STOP)
    if before[-1:] != "." or before[-2:-1] in ("", "."):
        return sentence
    return f"{before[:-1]} . {end[len(before) :]} "
