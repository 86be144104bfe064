r"""Differentials and derivative operators, which LaTeX writes as if they were factors.

>>> split_integrand(("mul", ("sym", "x"), ("differential", ("sym", "x"), True)), None, None)
('integral', ('sym', 'x'), ('sym', 'x'), None, None)
"""

from __future__ import annotations

from tools.errors import LatexError
from tools.latex2sympy.nodes import plain
from tools.mathematics.tree import Tree, symbols

ONE: Tree = ("num", 1)


def split_integrand(tree: Tree, lower: Tree | None, upper: Tree | None) -> Tree:
    r"""The integral that `\int` opens before `tree`; what follows its differential in a sum is added outside."""
    if tree[0] == "add":
        for place, term in enumerate(tree[1:], 1):
            inner, variable = without_differential(term)
            if variable is not None:
                body: Tree = ("add", *tree[1:place], inner) if place > 1 else inner
                integral: Tree = ("integral", body, variable, lower, upper)
                rest = [plain(part) for part in tree[place + 1 :]]
                return ("add", integral, *rest) if rest else integral
    inner, variable = without_differential(tree)
    if variable is None:
        names = sorted(symbols(tree))
        if not names:
            raise LatexError("the integral has no differential; write `dx` at its end")
        return ("integral", plain(tree), ("sym", "x" if "x" in names else names[0]), lower, upper)
    return ("integral", inner, variable, lower, upper)


def without_differential(tree: Tree) -> tuple[Tree, Tree | None]:
    """(the tree without its differential, the variable); (tree, None) when it holds none."""
    if tree[0] == "differential":
        return ONE, tree[1]
    if tree[0] in ("group", "neg"):
        inner, variable = without_differential(tree[1])
        if variable is None:
            return tree, None
        return (("neg", inner) if tree[0] == "neg" else inner), variable
    if tree[0] == "add":
        inner, variable = without_differential(tree[-1])
        return (("add", *map(plain, tree[1:-1]), inner), variable) if variable is not None else (tree, None)
    if tree[0] == "div":
        inner, variable = without_differential(tree[1])
        return (("div", inner, tree[2]), variable) if variable is not None else (tree, None)
    if tree[0] == "mul":
        for place in range(len(tree) - 1, 0, -1):
            inner, variable = without_differential(tree[place])
            if variable is not None:
                parts = [*map(plain, tree[1:place]), *([] if inner == ONE else [inner]), *map(plain, tree[place + 1 :])]
                return (parts[0] if len(parts) == 1 else ("mul", *parts) if parts else ONE), variable
    return tree, None


def derivative_of_fraction(above: Tree, below: Tree) -> Tree | None:
    r"""`\frac{d}{dx}` as an operator, `\frac{df(x)}{dx}` as a derivative; None for any other fraction."""
    variable, order = _denominator(below)
    if variable is None:
        return None
    operand = _numerator(above, order)
    if operand is None:
        return None
    return ("diffop", variable, order) if operand == ONE else ("diff", operand, variable, order)


def _denominator(tree: Tree) -> tuple[Tree | None, int]:
    if tree[0] == "differential":
        return tree[1], 1
    if tree[0] == "pow" and tree[1][0] == "differential" and tree[2][0] == "num":
        return tree[1][1], int(tree[2][1])
    if (
        tree[0] == "pow"
        and tree[1][:1] == ("mul",)
        and tree[1][1] == ("sym", "d")
        and tree[2][0] == "num"
        and len(tree[1]) == 3
    ):
        return tree[1][2], int(tree[2][1])
    return None, 0


def _numerator(tree: Tree, order: int) -> Tree | None:
    """1 for a bare d (or d^n), the operand otherwise; None when no d leads."""
    bare: Tree = ("sym", "d") if order == 1 else ("pow", ("sym", "d"), ("num", order))
    if tree in (bare, ("sym", r"\partial"), ("pow", ("sym", r"\partial"), ("num", order))):
        return ONE
    if tree[0] == "differential":
        operand: Tree = tree[1]
        return operand
    if tree[0] == "mul":
        first, rest = tree[1], tree[2:]
        if first == bare:
            return plain(rest[0]) if len(rest) == 1 else ("mul", *map(plain, rest))
        if first[0] == "differential" and order == 1:
            if len(rest) == 1 and rest[0][0] == "group":
                return ("apply", first[1][1], plain(rest[0]))
            return ("mul", first[1], *map(plain, rest))
    return None


def applied_operators(factors: list[Tree]) -> Tree:
    """A product; a derivative operator in it takes everything that follows as its operand."""
    for place, factor in enumerate(factors):
        if factor[0] == "diffop":
            rest = factors[place + 1 :]
            if not rest:
                raise LatexError("a derivative of nothing; write what is differentiated after it")
            derivative: Tree = ("diff", applied_operators(rest), factor[1], factor[2])
            before = [plain(part) for part in factors[:place]]
            return ("mul", *before, derivative) if before else derivative
    if len(factors) == 1:
        return factors[0]
    return ("mul", *(plain(part, keeps_differential=True) for part in factors))
