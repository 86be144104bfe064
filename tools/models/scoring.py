"""What is scored: a context and a continuation in tokens, divided as lm-evaluation-harness divides them.

Spaces at the end of a context belong to the continuation, the two are encoded together, and the context's own tokens are
counted off: a word is not cut where the two meet. An empty context becomes the begin-of-sentence token, or the end's.
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
        end = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        whole = tokenizer.encode(continuation, add_special_tokens=False)
        whole = whole if whole and whole[0] == end else [end, *whole]
        before = [end]
    pair = TokenPair(tuple(whole[: len(before)]), tuple(whole[len(before) :]))
    if not pair.context or not pair.continuation or None in pair.context:
        raise ModelError(
            f"the tokenizer gives the choice {continuation[:40]!r} no token to score; choose another model"
        )
    return pair
