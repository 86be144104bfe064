r"""LaTeX mathematics to SymPy: our own ANTLR grammar, an expression tree, a converter.

>>> latex2sympy(r"\frac{x}{2} + \sqrt{4}")
x/2 + 2
>>> latex2sympy(r"x^2 + 1", {"x": 3})
10

    LatexMath.g4   the grammar        generate.py   makes gen/ from it
    reader.py      parse to tree      converter.py  tree to SymPy

Text is parsed, never evaluated; what the grammar does not hold raises LatexError with the position and a hint.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any


def latex2sympy(text: str, variable_values: Mapping[str, Any] | None = None) -> Any:
    """The SymPy object that `text` denotes; names in `variable_values` are replaced by their values.

    Raises tools.errors.LatexError. Conventions: `\\log` is to base 10, `e` and `i` are constants, `(a,b)` is an open
    interval, `[a,b]` a closed one, longer brackets are tuples, lists and braces are sets, decimals are floats.
    """
    from tools.errors import LatexError
    from tools.latex2sympy.converter import to_sympy
    from tools.latex2sympy.reader import read_latex

    tree = read_latex(text)
    try:
        return to_sympy(tree, variable_values or {})
    except (ArithmeticError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError) as error:
        raise LatexError(f"SymPy has no object for this ({type(error).__name__}: {error})") from error


class _CallableRoom(types.ModuleType):
    """`from tools import latex2sympy` gives this room or its function, by what was imported before: both are called alike."""

    def __call__(self, text: str, variable_values: Mapping[str, Any] | None = None) -> Any:
        return latex2sympy(text, variable_values)


sys.modules[__name__].__class__ = _CallableRoom
