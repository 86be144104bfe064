"""Where the quick reader is in its tokens, and what it may do there: look, step, expect, complain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tools.mathematics.limits import MAX_DEPTH
from tools.mathematics.tokens import Token
from tools.mathematics.tree import BeyondLimits, Unreadable


class TokenCursor:
    """A position in a list of tokens that ends with an `end` token."""

    def __init__(self, source: str, tokens: list[Token]) -> None:
        self.source, self.tokens, self.index = source, tokens, 0
        self.bars = 0  # how many |...| are open
        self.in_set = False  # a set builder may use ":" and "|"
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def kind(self) -> str:
        return self.tokens[self.index].kind

    @property
    def text(self) -> str:
        token = self.tokens[self.index]
        return token.text if token.kind != "text" else " " + token.text + " "

    @property
    def position(self) -> int:
        return self.tokens[self.index].position

    @property
    def previous(self) -> Token:
        return self.tokens[max(0, self.index - 1)]

    @property
    def is_spaced(self) -> bool:
        return self.source[self.position - 1 : self.position].isspace()

    def following(self, steps: int = 1) -> Token:
        return self.tokens[min(self.index + steps, len(self.tokens) - 1)]

    def next_is_text(self) -> bool:
        return self.following().kind in ("text", "word")

    def advance(self) -> None:
        self.index = min(self.index + 1, len(self.tokens) - 1)

    def error(self, what: str) -> Unreadable:
        found = repr(self.text) if self.kind != "end" else "the end"
        return Unreadable(f"{what} {found} at character {self.position}", self.position)

    def expect(self, *texts: str) -> str:
        found = self.text
        if found not in texts:
            raise self.error(f"{texts[0]} expected before")
        self.advance()
        return found

    @contextmanager
    def nested(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > 2 * MAX_DEPTH:
            raise BeyondLimits(f"nested deeper than {MAX_DEPTH}", self.position)
        yield
        self.depth -= 1

    def raw_sign(self) -> str:
        """`+` or `{+}`, or any group as text."""
        if self.text in ("+", "-", "*"):
            sign = self.text
            self.advance()
            return sign
        return self.raw_group()

    def raw_group(self) -> str:
        """The signs of a brace group, or of one token, joined: for names."""
        if self.text != "{":
            text = self.text.strip()
            if self.kind not in ("number", "word", "command", "text"):
                raise self.error("a name expected before")
            if self.kind in ("number", "word") and len(text) > 1:  # x_12 is x_1 followed by 2
                token = self.token
                self.tokens[self.index : self.index + 1] = [
                    Token(token.kind, text[0], token.position),
                    Token(token.kind, text[1:], token.position + 1),
                ]
                text = text[0]
            self.advance()
            return text
        pieces: list[str] = []
        depth, start = 0, self.index
        while True:
            depth += (self.text == "{") - (self.text == "}")
            if self.kind == "end":
                self.index = start
                raise self.error("brace never closed:")
            if depth == 0:
                self.advance()
                return "".join(pieces[1:])
            pieces.append(self.text.strip())
            self.advance()
