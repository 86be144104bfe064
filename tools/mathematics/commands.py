r"""Commands of the quick reader that take arguments: fractions, roots, number sets, accents, matrices.

>>> from tools.mathematics.reader import read
>>> read(r"\frac12")
('div', ('num', 1), ('num', 2))
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.mathematics.tokens import Token
from tools.mathematics.tree import Tree, Unreadable

if TYPE_CHECKING:
    from tools.mathematics.brackets import BracketReader

CASES = ("cases", "dcases", "rcases")
IF_WORDS = frozenset(["if", "for", "when", "where", "whenever", "as"])
OTHERWISE_WORDS = frozenset(["otherwise", "else", "elsewhere"])
MATRICES = ("pmatrix", "bmatrix", "matrix", "smallmatrix", "array", "Bmatrix", "vmatrix", "Vmatrix")
MAX_DERIVATIVE_TOKENS = 24
FUNCTION_LETTERS = frozenset("fghFGH")
# Over the joined tokens of `{d^2 f}{dx^2}`, or of `{d}{dx}f(x)`.
DERIVATIVE = re.compile(
    r"(?P<head>\{(?P<sign>d|\\partial)(?:\^\{?(?P<order>[23])\}?)?(?:(?P<name>[A-Za-z])|(?=\}))\}"
    r"\{(?:d|\\partial)(?P<variable>[A-Za-z])(?:\^\{?(?P<below>[23])\}?)?\}(?(name)|(?P<body>[A-Za-z])(?:\((?P=variable)\)(?![\^_(\w\\])|(?==|$))))"
)
NUMBER_SETS = frozenset("RZNQC")


def _fraction(reader: BracketReader) -> Tree:
    if (reader.text == "{" and reader.following().text[:1] == "d") or reader.following().text == r"\partial":
        mark = reader.index
        try:
            return _derivative(reader)
        except Unreadable:
            reader.index = mark
            if reader.following().text in ("d", r"\partial"):
                raise
    if (reader.following() if reader.text == "{" else reader.token).text == "d":
        raise reader.error("a derivative is left to the grammar:")
    above, below = _fraction_part(reader), _fraction_part(reader)
    return ("div", above, below)


def _fraction_part(reader: BracketReader) -> Tree:
    r"""A group, or one sign: `\frac12` is one half."""
    if reader.text == "{":
        return reader.bracketed("{")
    if reader.kind == "number" and len(reader.text) > 1:
        token = reader.token
        if not token.text[0].isdigit():
            raise reader.error("a digit expected before")
        reader.tokens[reader.index : reader.index + 1] = [
            Token("number", token.text[0], token.position),
            Token("number", token.text[1:].lstrip(",") or "0", token.position + 1),
        ]
    if reader.kind == "word" and len(reader.text.rstrip("'")) in (2, 3):
        return reader.split_word()
    return reader.primary()


def _root(reader: BracketReader) -> Tree:
    degree: Tree = ("num", 2)
    if reader.text == "[":
        degree = reader.bracketed("[")
    return ("root", _fraction_part(reader), degree)


def _binomial(reader: BracketReader) -> Tree:
    return ("call", "binom", _fraction_part(reader), _fraction_part(reader))


def _number_set(reader: BracketReader) -> Tree:
    name = reader.raw_group()
    if name not in NUMBER_SETS:
        return reader.subscripted(("sym", name))
    if reader.text in ("^", "_"):
        reader.advance()
        sign = reader.raw_sign()
        if name == "R" and sign == "+":
            return ("tuple", "(", ")", ("num", 0), ("const", "oo"))
        if name == "R" and sign == "-":
            return ("tuple", "(", ")", ("neg", ("const", "oo")), ("num", 0))
        if name == "Z" and sign == "+":
            return ("numbers", "N")
        return ("sym", f"\\mathbb{{{name}}}^{sign}")
    return ("numbers", name)


def _overline(reader: BracketReader) -> Tree:
    inner = reader.raw_group()
    if not inner.replace("'", "").isalnum():  # a conjugate of more than a name
        raise Unreadable("what stands under the line is left to the grammar", reader.position)
    return reader.subscripted(("sym", f"\\bar{{{inner}}}"))


def _styled(reader: BracketReader) -> Tree:
    return reader.subscripted(("sym", reader.raw_group()))


def _environment(reader: BracketReader) -> Tree:
    r"""`\begin{pmatrix} a & b \\ c & d \end{pmatrix}` and its kin; vmatrix is a determinant."""
    name = reader.raw_group()
    if name in CASES:
        return _cases(reader, name)
    if name not in MATRICES:
        raise Unreadable(f"environment {name} is left to the grammar", reader.position)
    if name == "array":
        reader.raw_group()
    rows: list[tuple[Tree, ...]] = []
    row: list[Tree] = []
    while True:
        row.append(reader.relation())
        mark = reader.text
        if mark == "&":
            reader.advance()
            continue
        rows.append(tuple(row))
        row = []
        while reader.text in ("\\\\", r"\hline"):
            reader.advance()
        if reader.text == r"\end":
            reader.advance()
            if reader.raw_group() != name:
                raise reader.error("environment closed by another name before")
            break
        if mark != "\\\\":
            raise reader.error("end of the row expected before")
    if len({len(cells) for cells in rows}) != 1:
        raise reader.error("rows of different length before")
    return ("call", "det", ("matrix", *rows)) if name == "vmatrix" else ("matrix", *rows)


def _cases(reader: BracketReader, name: str) -> Tree:
    r"""`\begin{cases} x, & \text{if } x > 0, \\ 0, & \text{otherwise}. \end{cases}`; without conditions a system."""
    rows: list[tuple[Tree, Tree | None]] = []
    while reader.text != r"\end":
        value = reader.relation()
        _skip(reader, ",")
        condition: Tree | None = None
        if reader.text == "&" or _bare(reader) in IF_WORDS | OTHERWISE_WORDS:
            _skip(reader, "&", ",")
            condition = _condition(reader)
        rows.append((value, condition))
        _skip(reader, ",", ".", ";")
        if reader.text != r"\end":
            reader.expect("\\\\")
    reader.advance()
    if reader.raw_group() != name:
        raise reader.error("environment closed by another name before")
    if all(condition is None for _, condition in rows):
        return ("list", ",", *(value for value, _ in rows))
    if None in (condition for _, condition in rows[:-1]):
        raise reader.error("a piece without a condition before")
    return ("cases", *((value, condition or ("text", "otherwise")) for value, condition in rows))


def _condition(reader: BracketReader) -> Tree:
    while _bare(reader) in IF_WORDS or reader.text == "&":
        reader.advance()
    if _bare(reader) in OTHERWISE_WORDS:
        reader.advance()
        return ("text", "otherwise")
    parts = [reader.relation()]
    while reader.text in (",", "and", " and ", r"\land") or _bare(reader) in ("and", "or"):
        joint = "or" if _bare(reader) == "or" else "and"
        mark = reader.index
        reader.advance()
        if reader.text in ("\\\\", r"\end"):
            reader.index = mark
            break
        parts = [("list", joint, *parts, reader.relation())]
    return parts[0]


def _bare(reader: BracketReader) -> str:
    return reader.text.strip(" ,.;").lower() if reader.kind in ("text", "word") else ""


def _skip(reader: BracketReader, *signs: str) -> None:
    while reader.text in signs:
        reader.advance()


def _derivative(reader: BracketReader) -> Tree:
    r"""`\frac{df}{dx}` as f'(x) is written, `\frac{dy}{dx}` as y', `\frac{\partial f}{\partial x}` as f_x."""
    tokens = [reader.following(step) for step in range(MAX_DERIVATIVE_TOKENS)]
    text = "".join(token.text for token in tokens)
    match = DERIVATIVE.match(text)
    if match is None:
        raise reader.error("a derivative is left to the grammar:")
    sign, order, name, variable, below_order = match.group("sign", "order", "name", "variable", "below")
    if (order or "1") != (below_order or "1"):
        raise reader.error("a derivative of two orders before")
    length, count = match.end("head"), 0
    while length > 0:
        length -= len(tokens[count].text)
        count += 1
    reader.index += count
    name = name or match["body"]
    times = int(order or 1)
    if sign == r"\partial":
        return ("sym", f"{name}_{variable * times}")
    if name in FUNCTION_LETTERS:
        return ("apply", name + "'" * times, ("sym", variable))
    return ("sym", name + "'" * times) if variable == "x" else ("sym", f"\\frac{{d^{times}{name}}}{{d{variable}}}")


PRIMARY_COMMANDS: dict[str, Callable[[BracketReader], Tree]] = {
    r"\frac": _fraction,
    r"\sqrt": _root,
    r"\binom": _binomial,
    r"\emptyset": lambda reader: ("set",),
    r"\mathbb": _number_set,
    r"\overline": _overline,
    r"\mathcal": _styled,
    r"\mathbf": _styled,
    r"\begin": _environment,
}
