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
from tools.latex2sympy.primaries import ENCODED
from tools.mathematics.limits import MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_TOKENS
from tools.mathematics.tree import BeyondLimits, Tree

DOUBLED_BACKSLASH = re.compile(r"\\\\(?=[A-Za-z]{2})")
COMMAND = re.compile(r"\\[A-Za-z]+|\\.", re.DOTALL)
# `\\variable{x_1}`: the lexer knows letters and digits only, so other names go through it in hexadecimal digits.
VARIABLE = re.compile(
    r"\\variable\{(?:([A-Za-z0-9]{1,20})_(?:\{([A-Za-z0-9,]{1,20})\}|([A-Za-z0-9]))|(\\[A-Za-z]{1,12}))\}"
)
OPERATORS = frozenset("+-*/^_=<>")
MAX_NUMBER_CHARS = 4000
FIRST_GROUP = re.compile(r"\d{1,3}(?:,\d{3})*")
GROUP = re.compile(r"\d{3}(?:\.\d+)?")
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
    if "\\variable" in text:
        text = VARIABLE.sub(_encoded, text)
    lexer = Lexer(InputStream(text))
    lexer.removeErrorListeners()
    tokens = lexer.getAllTokens()
    _check(tokens, text)
    tokens = _with_single_digits(_with_ratios(_with_grouped_numbers(tokens)))
    parser = Parser(CommonTokenStream(ListTokenSource(tokens)))
    parser.removeErrorListeners()
    parser.addErrorListener(_Complaint(text))
    try:
        tree: Tree = (builder or TreeBuilder()).visit(parser.answer())
    except RecursionError:
        raise BeyondLimits("nested too deep") from None
    return tree


def _encoded(match: re.Match[str]) -> str:
    name = match[4] or f"{match[1]}_{{{match[2] or match[3]}}}"
    return rf"\variable{{{ENCODED}{name.encode().hex()}}}"


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


def _with_grouped_numbers(tokens: list[Any]) -> list[Any]:
    """Outside brackets `1,000.00` is one number; a list of numbers has spaces or other than three digits."""
    result: list[Any] = []
    depth = 0
    for token in tokens:
        depth += (token.type in DEEPENING) - (token.type in RISING)
        is_group = (
            depth == 0
            and token.type == Lexer.NUMBER
            and GROUP.fullmatch(token.text) is not None
            and len(result) >= 2
            and result[-1].type == Lexer.COMMA
            and result[-2].type == Lexer.NUMBER
            and FIRST_GROUP.fullmatch(result[-2].text) is not None
            and result[-2].stop + 1 == result[-1].start == token.start - 1
        )
        if not is_group:
            result.append(token)
            continue
        joined = result[-2].clone()
        joined.text, joined.stop = result[-2].text + "," + token.text, token.stop
        result[-2:] = [joined]
    for token in result:
        if token.type == Lexer.NUMBER and "," in token.text:
            stop = token.stop
            token.text = token.text.replace(",", "")
            token.stop = stop
    return result


def _with_ratios(tokens: list[Any]) -> list[Any]:
    """`S:T = 7:32` as quotients; inside braces a colon means such that."""
    depth = 0
    for token in tokens:
        depth += (token.type in (Lexer.LSET, Lexer.LBRACE)) - (token.type in (Lexer.RSET, Lexer.RBRACE))
        if token.type == Lexer.COLON and depth == 0:
            token.type = Lexer.OVER
    return tokens


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
