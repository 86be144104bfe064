r"""The expression tree that both readers make and everything else works on: nested tuples, plain data.

Both the quick reader (tools/mathematics/reader.py, no dependencies) and the LaTeX grammar (tools/latex2sympy) make it;
normal forms, numerical evaluation, the rules by kind and the conversion to SymPy read it. A node is a tuple whose
first element names its kind; being plain data it can be hashed, compared and sent to a worker process.

values      ("num", int | Fraction)   ("dec", Fraction, digits)   ("sym", name)   ("const", "pi" | "e" | "i" | "oo")
arithmetic  ("add", a, ...)  ("mul", a, ...)  ("neg", a)  ("div", a, b)  ("pow", a, b)  ("root", a, degree)
            ("pm", a, b)  ("mp", a, b)      a ± b, a ∓ b; a is None for a sign
functions   ("call", name, a, ...)          a known function: sin, ln, log (a, base), abs, floor, fact, binom, gcd, ...
            ("apply", name, a, ...)         an unknown one: f(x); names "<|", "|>" and "<|>" are a bra, a ket, their product
marks       ("percent", a)  ("degree", a)  ("unit", a, name)  ("based", digits, base)  ("text", words)
            ("repeating", Fraction)         a repeating decimal, exactly
collections ("list", connective, a, ...)    no brackets; connective "," | "and" | "or"
            ("tuple", opening, closing, a, ...)  ("set", a, ...)  ("builder", a, condition)  ("matrix", row, ...)
            ("ratio", a, ...)
sets        ("cup", a, b)  ("cap", a, b)  ("setminus", a, b)  ("numbers", "R" | "Z" | "N" | "Q" | "C")
relations   ("rel", (op, ...), a, b, ...)   op: = != < > <= >= in notin ~ mod subset ...
calculus    ("integral", a, variable, lower, upper)  ("sum" | "prod", a, variable, lower, upper)
            ("lim", a, variable, point, side)  ("diff", a, variable, order)
            ("cases", (value, condition), ...)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tools.errors import LatexError

Tree = tuple[Any, ...]

LEAVES = frozenset(["num", "dec", "sym", "const", "text", "numbers", "based"])
ZERO: Tree = ("num", 0)
ONE: Tree = ("num", 1)
INFINITY: Tree = ("const", "oo")


def words(text: str) -> frozenset[str]:
    """A set of words from one string, for tables."""
    return frozenset(text.split())


class Unreadable(LatexError):
    """The text is not mathematics that this reader knows; says where."""


class NotMathematics(Unreadable):
    """The text holds words: no reader should take it for a product of letters."""


class BeyondLimits(LatexError):
    """The text passes one of the bounds of tools/mathematics/limits.py."""


def number(value: int | Fraction) -> Tree:
    """A leaf with an exact value."""
    return ("num", value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value)


def negated(tree: Tree) -> Tree:
    """-a, folded for numbers."""
    return ("num", -tree[1]) if tree[0] == "num" else ("neg", tree)


def children(tree: Tree) -> Iterator[Tree]:
    """The direct subtrees of a node."""
    for part in tree[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            yield part
        elif isinstance(part, tuple):
            yield from (piece for piece in part if isinstance(piece, tuple))


def nodes(tree: Tree) -> Iterator[Tree]:
    """Every node, parents first."""
    stack = [tree]
    while stack:  # the innermost loop of the grader: plain types, leaves first
        node = stack.pop()
        yield node
        if node[0] in LEAVES:
            continue
        for part in node[1:]:
            if type(part) is tuple and part:
                if type(part[0]) is str:
                    stack.append(part)
                else:
                    stack.extend(piece for piece in part if type(piece) is tuple)


def kinds(tree: Tree) -> set[str]:
    """The kinds of node that occur."""
    if tree[0] in LEAVES:
        return {tree[0]}
    return {node[0] for node in nodes(tree)}


def symbols(tree: Tree) -> set[str]:
    """Names of the free and bound variables that occur."""
    return {node[1] for node in nodes(tree) if node[0] == "sym"}


def mapped(tree: Tree, change: Any) -> Tree:
    """The tree with `change` applied to every node, children first."""
    parts: list[Any] = []
    for part in tree[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], str) and part[0] in NODE_KINDS:
            parts.append(mapped(part, change))
        elif isinstance(part, tuple) and part and isinstance(part[0], tuple):
            parts.append(tuple(mapped(piece, change) for piece in part))
        else:
            parts.append(part)
    changed: Tree = change((tree[0], *parts))
    return changed


def shown(tree: Tree, limit: int = 500) -> str:
    """The tree as text for records; Python refuses to print numbers of more than 4300 digits."""
    try:
        return repr(tree)[:limit]
    except ValueError:
        return f"({tree[0]} with a number of thousands of digits)"


NODE_KINDS = words(
    "num dec sym const add mul neg div pow root pm mp call apply percent degree unit based text repeating list "
    "tuple set builder matrix ratio cup cap setminus numbers rel integral sum prod lim diff cases"
)
