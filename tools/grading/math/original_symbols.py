r"""The symbolic rule of the original toolkit, for tools/grading/math/original.py; runs inside the worker.

The original parses with SymPy's LaTeX parser, which takes every letter for a variable (e, i and pi included), reads a
`\log` to base 10 and stops without complaint where it understands no more. Ours is the grammar of tools/latex2sympy
with these habits put on.
"""

from __future__ import annotations

import math
import re
from typing import Any

import sympy

from tools.errors import LatexError
from tools.latex2sympy.builder import TreeBuilder
from tools.latex2sympy.converter import to_sympy
from tools.latex2sympy.reader import read_latex
from tools.mathematics.approx import is_writable
from tools.mathematics.tree import Tree, mapped

# What its lexer has no token for: there the whole parse fails.
UNKNOWN = re.compile(
    r"[^\x00-\x7f]|[:~;]|\\(?:underline|mathbf|mathrm|cfrac|bmod|choose|boxed|langle|emptyset|approx|\{\\\}|overline\{\d)|\{array\}|\\\\\["
)
EVERY_LETTER = frozenset("abcdefghijklmnopqrstuvwxyz")
RELATIVE_TOLERANCE = 1e-4
FAILURES = (TypeError, ValueError, AttributeError, ArithmeticError, NotImplementedError, RecursionError)


def equal_as_original(given: str, gold: str) -> bool:
    """Equal by any of the original's tests, in its order."""
    left, right = parsed(given), parsed(gold)
    return any(_holds(test, left, right) for test in TESTS)


def _holds(test: Any, left: Any, right: Any) -> bool:
    try:
        return bool(test(left, right))
    except FAILURES:
        return False


def parsed(text: str) -> Any:
    """A SymPy object, or the text itself when it cannot be read."""
    for spelling in (text.replace("\\\\", "\\"), text):
        if UNKNOWN.search(spelling):
            return text
        for _ in range(3):
            try:
                tree = read_latex(spelling, TreeBuilder(EVERY_LETTER, is_as_sympy=True))
                return to_sympy(mapped(tree, _with_its_habits), {}) if is_writable(tree) else text
            except LatexError as error:
                if error.position <= 0 or "\\begin" in spelling:
                    break
                spelling = spelling[: error.position].rstrip()  # it stops here without complaint
            except FAILURES:
                break
    return text


def _with_its_habits(node: Tree) -> Tree:
    if node[0] == "const" and node[1] != "oo":
        return ("sym", "letter " + node[1])
    if node[0] == "root":
        return ("pow", node[1], ("div", ("num", 1), node[2]))
    if node[0] == "div" and node[1] == ("num", 0):
        return ("num", 0)
    return node


TESTS = (
    lambda left, right: str(left) == str(right) or left == right,
    lambda left, right: left.equals(right) or sympy.simplify(left - right) == 0,
    lambda left, right: left.is_infinite and right.is_infinite,  # infinity minus infinity passes there
    lambda left, right: abs(left.lhs - left.rhs).equals(abs(right.lhs - right.rhs)),
    lambda left, right: math.isclose(float(sympy.N(left)), float(sympy.N(right)), rel_tol=RELATIVE_TOLERANCE),
    lambda left, right: left.shape == right.shape and _rounded(left).equals(_rounded(right)),
)


def _rounded(matrix: Any) -> Any:
    return matrix.applyfunc(lambda cell: round(cell, 3))
