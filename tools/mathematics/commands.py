r"""Commands of the quick reader that take arguments: fractions, roots, number sets, accents, matrices.

>>> from tools.mathematics.reader import read
>>> read(r"\frac12")
('div', ('num', 1), ('num', 2))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.mathematics.tokens import Token
from tools.mathematics.tree import Tree, Unreadable

if TYPE_CHECKING:
    from tools.mathematics.brackets import BracketReader

MATRICES = ("pmatrix", "bmatrix", "matrix", "smallmatrix", "array", "Bmatrix", "vmatrix", "Vmatrix")
NUMBER_SETS = frozenset("RZNQC")


def _fraction(reader: BracketReader) -> Tree:
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
