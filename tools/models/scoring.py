"""What is scored: a context and a continuation in tokens, divided as lm-evaluation-harness divides them.

Spaces at the end of a context belong to the continuation, the two are encoded together, and the context's own tokens are
counted off: a word is not cut where the two meet. An empty context becomes the begin-of-sentence token, or the end's.
A whole text (`loglikelihood_rolling`) that is longer than the model is scored in windows, each token once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tools.errors import ModelError


@dataclasses.dataclass(frozen=True)
class TokenPair:
    """How likely is `continuation` after `context`? Neither is empty."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]

    @property
    def token_ids(self) -> tuple[int, ...]:
        return (*self.context, *self.continuation)


def encode_pairs(choices: Sequence[tuple[str, str]], tokenizer: Any) -> tuple[TokenPair, ...]:
    """The pairs of one problem. Raises ModelError for a continuation that has no token of its own."""
    return tuple(_encode_pair(context, continuation, tokenizer) for context, continuation in choices)


def _encode_pair(context: str, continuation: str, tokenizer: Any) -> TokenPair:
    if context:
        stripped = context.rstrip()
        whole = tokenizer.encode(context + continuation)
        before = tokenizer.encode(stripped)
    else:
        end = _first_token(tokenizer)
        whole = tokenizer.encode(continuation, add_special_tokens=False)
        whole = whole if whole and whole[0] == end else [end, *whole]
        before = [end]
    pair = TokenPair(tuple(whole[: len(before)]), tuple(whole[len(before) :]))
    if not pair.context or not pair.continuation or None in pair.context:
        raise ModelError(
            f"the tokenizer gives the choice {continuation[:40]!r} no token to score; choose another model"
        )
    return pair


def _first_token(tokenizer: Any) -> Any:
    """What the first token of a text is predicted from."""
    return tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id


def encode_windows(text: str, tokenizer: Any, longest: int | None = None) -> tuple[TokenPair, ...]:
    """A text as pairs that predict each of its tokens once; `longest`: tokens of a pair at most. The last window, which is
    shorter, gets more of what stands before it. Raises ModelError for a text or a tokenizer without tokens.

    >>> class Letters:
    ...     bos_token_id, eos_token_id = 0, None
    ...     def encode(self, text, add_special_tokens): return [ord(letter) for letter in text]
    >>> [("".join(map(chr, pair.context)), "".join(map(chr, pair.continuation)))
    ...  for pair in encode_windows("abcdefg", Letters(), 4)]
    [('\\x00', 'abc'), ('c', 'def'), ('def', 'g')]
    """
    tokens, first = tuple(tokenizer.encode(text, add_special_tokens=False)), _first_token(tokenizer)
    if not tokens or first is None:
        raise ModelError(f"the tokenizer gives the text {text[:40]!r} no token to score; choose another model")
    size = len(tokens) if longest is None else longest - 1
    return tuple(
        TokenPair(tokens[max(0, end - size - 1) : start] or (first,), tokens[start:end])
        for start in range(0, len(tokens), size)
        for end in [min(start + size, len(tokens))]
    )
