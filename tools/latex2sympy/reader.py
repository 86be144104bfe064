r"""Parses LaTeX by the grammar and builds the expression tree of tools/mathematics/tree.py.

Errors name the position in the text as given, what stands there, and a hint.

>>> read_latex(r"\int_0^1 x\,dx")
('integral', ('sym', 'x'), ('sym', 'x'), ('num', 0), ('num', 1))
"""

from __future__ import annotations

import re
from typing import Any

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from antlr4.ListTokenSource import ListTokenSource

from tools.errors import LatexError
from tools.latex2sympy.builder import TreeBuilder
from tools.latex2sympy.gen.LatexMathLexer import LatexMathLexer as Lexer
from tools.latex2sympy.gen.LatexMathParser import LatexMathParser as Parser
from tools.mathematics.limits import MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_TOKENS
from tools.mathematics.tree import BeyondLimits, Tree

DOUBLED_BACKSLASH = re.compile(r"\\\\(?=[A-Za-z]{2})")
COMMAND = re.compile(r"\\[A-Za-z]+|\\.", re.DOTALL)
OPERATORS = frozenset("+-*/^_=<>")
MAX_NUMBER_CHARS = 4000
DEEPENING = frozenset([Lexer.LBRACE, Lexer.LPAREN, Lexer.LBRACKET, Lexer.LSET])
RISING = frozenset([Lexer.RBRACE, Lexer.RPAREN, Lexer.RBRACKET, Lexer.RSET])


def read_latex(text: str, builder: TreeBuilder | None = None) -> Tree:
    """The tree of a whole text, by a builder with other habits if one is given.

    Raises LatexError (or BeyondLimits, which is one) with the position.
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        raise BeyondLimits(f"{len(text)} characters; expressions are read up to {MAX_EXPRESSION_CHARS}")
    if "\\begin" not in text:
        text = DOUBLED_BACKSLASH.sub(r" \\", text)
    lexer = Lexer(InputStream(text))
    lexer.removeErrorListeners()
    tokens = lexer.getAllTokens()
    _check(tokens, text)
    parser = Parser(CommonTokenStream(ListTokenSource(_with_single_digits(tokens))))
    parser.removeErrorListeners()
    parser.addErrorListener(_Complaint(text))
    try:
        tree: Tree = (builder or TreeBuilder()).visit(parser.answer())
    except RecursionError:
        raise BeyondLimits("nested too deep") from None
    return tree


class _Complaint(ErrorListener):  # type: ignore[misc]
    """Turns the first syntax error into a LatexError with position and hint."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def syntaxError(self, recognizer: Any, symbol: Any, line: int, column: int, message: str, error: Any) -> None:
        position = getattr(symbol, "start", -1)
        at_end = symbol is None or symbol.type == -1 or self.text.rstrip()[-1:] in OPERATORS
        found = "the end" if at_end else repr(symbol.text)
        place = len(self.text) if at_end else position
        raise LatexError(f"{found} is not expected at character {place}; {self._hint(symbol, at_end)}", place)

    def _hint(self, symbol: Any, at_end: bool) -> str:
        if self.text.count("{") != self.text.count("}"):
            return "the braces do not match"
        if self.text.count("(") + self.text.count("[") != self.text.count(")") + self.text.count("]"):
            return "the brackets do not match"
        if at_end:
            return "something is missing after the last sign"
        return "a value, or an operator between two values, is missing before it"


def _check(tokens: list[Any], text: str) -> None:
    """Limits and unknown signs, before any parse."""
    if len(tokens) > MAX_TOKENS:
        raise BeyondLimits(f"{len(tokens)} signs; expressions are read up to {MAX_TOKENS}")
    depth = 0
    for token in tokens:
        if token.type == Lexer.UNKNOWN:
            command = COMMAND.match(text, token.start)
            found = command.group() if command else token.text
            raise LatexError(f"{found!r} at character {token.start} is not in the grammar", token.start)
        if token.type == Lexer.ELLIPSIS:
            raise LatexError(
                f"the ellipsis at character {token.start} does not say how it goes on; write a sum or a list",
                token.start,
            )
        depth += (token.type in DEEPENING) - (token.type in RISING)
        if depth > MAX_DEPTH:
            raise BeyondLimits(f"nested deeper than {MAX_DEPTH} at character {token.start}", token.start)
        if token.type == Lexer.NUMBER and len(token.text) > MAX_NUMBER_CHARS:
            raise BeyondLimits(f"a number of {len(token.text)} characters at {token.start}", token.start)


def _with_single_digits(tokens: list[Any]) -> list[Any]:
    r"""Cuts numbers after their first digit where LaTeX reads one sign: `\frac12`, `\sqrt23`, `a_12`; not in `2^10`."""
    result = list(tokens)
    index = 0
    while index < len(result):
        kind = result[index].type
        arguments = {Lexer.FRAC: 2, Lexer.BINOM: 2, Lexer.ROOT: 1, Lexer.UNDERSCORE: 1}.get(kind, 0)
        place = index + 1
        if kind == Lexer.ROOT and place < len(result) and result[place].type == Lexer.LBRACKET:
            while place < len(result) and result[place].type != Lexer.RBRACKET:
                place += 1
            place += 1
        for _ in range(arguments):
            if place >= len(result):
                break
            if result[place].type == Lexer.NUMBER and len(result[place].text) > 1:
                result[place : place + 1] = _cut(result[place])
            place = _after_argument(result, place)
        index += 1
    return result


def _cut(token: Any) -> list[Any]:
    if not token.text[0].isdigit():
        return [token]
    first, rest = token.clone(), token.clone()
    first.text, rest.text = token.text[0], token.text[1:]
    first.stop = token.start
    rest.start = token.start + 1
    return [first, rest]


def _after_argument(tokens: list[Any], place: int) -> int:
    if tokens[place].type != Lexer.LBRACE:
        return place + 1
    depth = 0
    for index in range(place, len(tokens)):
        depth += (tokens[index].type == Lexer.LBRACE) - (tokens[index].type == Lexer.RBRACE)
        if depth == 0:
            return index + 1
    return len(tokens)
