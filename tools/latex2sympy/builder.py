r"""From ANTLR's parse to the expression tree: one method per rule of LatexMath.g4.

Three things that a context-free grammar does not settle are settled here: where a differential ends its integral,
what `\frac{d}{dx}` is applied to, and which braces are sets.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from tools.latex2sympy.calculus import applied_operators
from tools.latex2sympy.nodes import (
    arguments_of,
    as_set,
    error,
    marked,
    named_under_lines,
    negative,
    plain,
    settled,
    source,
)
from tools.latex2sympy.primaries import UNICODE_RELATIONS, PrimaryBuilder
from tools.mathematics.tokens import RELATIONS
from tools.mathematics.tree import Tree, number

APPLIED_LETTERS = frozenset("fgh")


class TreeBuilder(PrimaryBuilder):
    """Visits a parse; every method returns a Tree.

    `applied_letters` are read as functions before parentheses. `is_as_sympy` reads two things as SymPy's own parser
    does: 2\\frac12 is a product, and \\sin x \\cos x is the sine of x cos x.
    """

    def __init__(self, applied_letters: frozenset[str] = APPLIED_LETTERS, is_as_sympy: bool = False) -> None:
        self.applied_letters, self.is_as_sympy = applied_letters, is_as_sympy

    # Answers, relations, sets.
    def visitAnswer(self, context: Any) -> Tree:
        return named_under_lines(settled(self.visit(context.items())))

    def visitItems(self, context: Any) -> Tree:
        items = [self.visit(child) for child in context.relation()]
        if len(items) == 1:
            return items[0]
        marks = [child.getText() for child in context.separator()]
        if ";" in marks and "," in marks:
            groups: list[list[Tree]] = [[items[0]]]
            for mark, item in zip(marks, items[1:], strict=True):
                groups.append([item]) if mark == ";" else groups[-1].append(item)
            return ("list", ";", *(group[0] if len(group) == 1 else ("list", ",", *group) for group in groups))
        words = "".join(marks)
        if _names_once(items):  # x = 1, 2, 3
            return ("rel", ("=",), items[0][2], ("set", plain(items[0][3]), *map(plain, items[1:])))
        return ("list", "or" if "or" in words else "and" if "and" in words else ",", *items)

    def visitRelation(self, context: Any) -> Tree:
        operands = [self.visit(child) for child in context.sets()]
        signs = [self._sign(child) for child in context.relationSign()]
        if context.modulus() is not None:
            inner = context.modulus()
            operands.append(self.visit(inner.argument() or inner.sets()))
            signs.append("of")
        if not signs:
            return operands[0]
        if any(sign in ("in", "notin", "subset", "subseteq", "supset", "supseteq") for sign in signs):
            operands = [
                operand if place == 0 and signs[0] in ("in", "notin") else as_set(operand)
                for place, operand in enumerate(operands)
            ]
        return ("rel", tuple(signs), *operands)

    def _sign(self, context: Any) -> str:
        text = context.RELATION().getText()
        sign = RELATIONS.get(text) or UNICODE_RELATIONS[text]
        if context.NOT() is None:
            return sign
        if sign not in ("=", "in"):
            raise error(context, r"\not before this sign is not known")
        return {"=": "!=", "in": "notin"}[sign]

    def visitSets(self, context: Any) -> Tree:
        parts = [self.visit(child) for child in context.sum_()]
        tree = parts[0]
        for operator, part in zip(context.setOperator(), parts[1:], strict=True):
            kind = "cup" if operator.CUP() else "cap" if operator.CAP() else "setminus"
            tree = (kind, as_set(tree), as_set(part))
        return tree

    # Arithmetic.
    def visitSum(self, context: Any) -> Tree:
        parts = [self.visit(context.signed(0))]
        for sign, child in zip(context.sign(), context.signed()[1:], strict=True):
            term = self.visit(child)
            if sign.PLUS() or sign.MINUS():
                parts.append(negative(term) if sign.MINUS() else term)
            else:
                left = parts[0] if len(parts) == 1 else ("add", *parts)
                parts = [("pm" if sign.PLUSMINUS() else "mp", left, term)]
        return parts[0] if len(parts) == 1 else ("add", *(plain(part, keeps_differential=True) for part in parts))

    def visitSigned(self, context: Any) -> Tree:
        tree = self.visit(context.product())
        if context.sign() and tree[:2] == ("call", "mod"):  # -7 mod 5 is (-7) mod 5
            return ("call", "mod", self.with_signs(context.sign(), tree[2]), tree[3])
        return self.with_signs(context.sign(), tree)

    def visitImplicitSigned(self, context: Any) -> Tree:
        return self.visitSigned(context)

    def visitProduct(self, context: Any) -> Tree:
        children = list(context.getChildren())
        factors = [self.visit(children[0])]
        index = 1
        while index < len(children):
            operator = children[index]
            signs = []
            index += 1
            while type(children[index]).__name__ == "SignContext":
                signs.append(children[index])
                index += 1
            right = self.with_signs(signs, self.visit(children[index]))
            index += 1
            if operator.TIMES():
                factors.append(right)
                continue
            left = factors[0] if len(factors) == 1 else ("mul", *factors)
            factors = [("div", left, plain(right)) if operator.OVER() else ("call", "mod", plain(left), plain(right))]
        return applied_operators(factors)

    def visitImplicit(self, context: Any) -> Tree:
        factors: list[Tree] = []
        for child in context.factor():
            factor = self.visit(child)
            before = factors[-1] if factors else None
            if before is not None and before[0] in ("num", "dec") and factor[0] in ("num", "dec"):
                raise error(child, "a sign is missing between two numbers")
            if not self.is_as_sympy and before is not None and _is_mixed(before, factor):
                factors[-1] = number(before[1] + Fraction(factor[1][1], factor[2][1]))
            elif before is not None and _is_application(before, factor, self.applied_letters):
                arguments = factor[1] if factor[0] == "group" else factor
                factors[-1] = ("apply", _function_name(before[1]), *arguments_of(arguments))
            elif before is not None and before[0] == "differential" and factor[0] == "group" and factor[2] == "(":
                factors[-1] = ("differential", ("apply", before[1][1], *arguments_of(factor[1])), True)
            elif factor[0] == "unit":
                whole = factors[0] if len(factors) == 1 else ("mul", *factors)
                factors = [("unit", plain(whole), factor[2])] if factors else [("sym", factor[2])]
            else:
                factors.append(factor)
        return applied_operators(factors) if len(factors) > 1 else factors[0]

    # Marks after a primary.
    def visitFactor(self, context: Any) -> Tree:
        tree = self.visit(context.primary())
        return self._with_marks(tree, context.postfix())

    def visitFunctionFactor(self, context: Any) -> Tree:
        return self._with_marks(self.visit(context.functionPrimary()), context.postfix())

    def visitDifferentialArgument(self, context: Any) -> Tree:
        return self._with_marks(self.visitDifferential(context), context.postfix())

    def _with_marks(self, tree: Tree, marks: list[Any]) -> Tree:
        power: Tree | None = None
        for mark in marks:
            if mark.CARET():
                exponent = self.visit(mark.exponent())
                if exponent[0] == "mark":
                    tree = marked(tree, exponent[1], mark)
                    continue
                tree, power = (tree, exponent) if power is None else (("pow", plain(tree), power), exponent)
            elif mark.UNDERSCORE():
                tree = self._subscripted(tree, mark.subscript())
            else:
                if power is not None:
                    tree, power = ("pow", plain(tree), power), None
                tree = self._suffixed(tree, mark)
        return tree if power is None else ("pow", plain(tree), power)

    def _suffixed(self, tree: Tree, mark: Any) -> Tree:
        if mark.FACTORIAL():
            return ("call", "fact", plain(tree))
        if mark.DEGREE():
            return ("degree", plain(tree))
        if mark.PERCENT():
            if tree[0] not in ("num", "dec", "const", "group", "variable", "div"):
                raise error(mark, "a percent sign goes with a number, not here")
            return ("percent", plain(tree))
        return marked(tree, mark.getText(), mark)

    def visitExponent(self, context: Any) -> Tree:
        if context.mark():
            marks = "".join(child.getText() for child in context.mark())
            return ("mark", marks)
        return self.with_signs(context.sign(), plain(self.visit(context.primary())))

    def _subscripted(self, tree: Tree, context: Any) -> Tree:
        text = source(context)
        inner = text[1:-1].strip() if text.startswith("{") else text
        if tree[0] == "num":
            if not (inner.isdigit() and 2 <= int(inner[:4]) <= 36 and isinstance(tree[1], int)):
                raise error(context, "this is no base of a number")
            return ("based", str(tree[1]), int(inner))
        if tree[0] == "conjugate":
            tree = ("sym", rf"\bar{{{tree[2]}}}")
        if tree[0] not in ("sym", "const"):
            raise error(context, "only names and numbers have subscripts, not what stands")
        return ("sym", f"{tree[1]}_{{{inner}}}")


def _function_name(name: str) -> str:
    """A derivative's primes stand last, before or behind the subscript: `f'_1(x)` is `f_1'(x)`."""
    return re.sub(r"^([^_']+)('+)(_.*)$", r"\1\3\2", name, count=1, flags=re.DOTALL)


def _names_once(items: list[Tree]) -> bool:
    """A name said before the first of several values holds for all of them."""
    is_first = items[0][0] == "rel" and items[0][1] == ("=",) and items[0][2][0] == "sym"
    return is_first and all(item[0] not in ("rel", "list", "tuple", "set") for item in items[1:])


def _is_mixed(before: Tree, factor: Tree) -> bool:
    is_fraction = factor[0] == "div" and factor[1][0] == factor[2][0] == "num" and factor[2][1]
    return bool(is_fraction and before[0] == "num" and isinstance(before[1], int))


def _is_application(before: Tree, factor: Tree, letters: frozenset[str]) -> bool:
    is_function = before[0] == "sym" and before[1][:1] in letters and (len(before[1]) == 1 or before[1][1] in "_'")
    return is_function and ((factor[0] == "group" and factor[2] == "(") or (factor[0] == "tuple" and factor[1] == "("))
