r"""From ANTLR's parse to the expression tree: one method per rule of LatexMath.g4.

Three things that a context-free grammar does not settle are settled here: where a differential ends its integral,
what `\frac{d}{dx}` is applied to, and which braces are sets.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from tools.errors import LatexError
from tools.latex2sympy.calculus import applied_operators, derivative_of_fraction, split_integrand
from tools.latex2sympy.gen.LatexMathVisitor import LatexMathVisitor
from tools.mathematics.numbers import int_from_digits, lowest, read_number
from tools.mathematics.tokens import FUNCTIONS, RELATIONS
from tools.mathematics.tree import Tree, number

CONSTANT_NAMES = {r"\pi": "pi", "π": "pi", r"\infty": "oo", "∞": "oo", r"\imaginaryunit": "i", r"\exponentialE": "e"}
NUMBER_SETS = {"ℝ": "R", "ℤ": "Z", "ℕ": "N", "ℚ": "Q", "ℂ": "C"}
UNICODE_RELATIONS = {
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "∈": "in",
    "∉": "notin",
    "⊆": "subseteq",
    "⊇": "supseteq",
    "⊂": "subset",
    "⊃": "supset",
    "≈": "~",
}
APPLIED_LETTERS = frozenset("fgh")
EXTRA_FUNCTIONS = {
    "trace": "trace",
    "tr": "trace",
    "adjugate": "adjugate",
    "adj": "adjugate",
    "tg": "tan",
    "ctg": "cot",
    "arctg": "atan",
    "arcosh": "acosh",
}
SET_NODES = frozenset("set tuple numbers cup cap setminus list".split())


def position(context: Any) -> int:
    return int(context.start.start)


def error(context: Any, message: str) -> LatexError:
    return LatexError(f"{message} at character {position(context)}", position(context))


class TreeBuilder(LatexMathVisitor):  # type: ignore[misc]
    """Visits a parse; every method returns a Tree.

    `applied_letters` are read as functions before parentheses; `reads_mixed_numbers` makes 2\\frac12 a sum.
    """

    def __init__(self, applied_letters: frozenset[str] = APPLIED_LETTERS, reads_mixed_numbers: bool = True) -> None:
        self.applied_letters, self.reads_mixed_numbers = applied_letters, reads_mixed_numbers

    # Answers, relations, sets.
    def visitAnswer(self, context: Any) -> Tree:
        return settled(self.visit(context.items()))

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
            return ("call", "mod", self._with_signs(context.sign(), tree[2]), tree[3])
        return self._with_signs(context.sign(), tree)

    def visitImplicitSigned(self, context: Any) -> Tree:
        return self.visitSigned(context)

    def _with_signs(self, signs: list[Any], tree: Tree) -> Tree:
        for sign in reversed(signs):
            if sign.MINUS():
                tree = negative(tree)
            elif not sign.PLUS():
                tree = ("pm" if sign.PLUSMINUS() else "mp", None, tree)
        return tree

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
            right = self._with_signs(signs, self.visit(children[index]))
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
            if self.reads_mixed_numbers and before is not None and _is_mixed(before, factor):
                factors[-1] = number(before[1] + Fraction(factor[1][1], factor[2][1]))
            elif before is not None and _is_application(before, factor, self.applied_letters):
                arguments = factor[1] if factor[0] == "group" else factor
                factors[-1] = ("apply", before[1], *_arguments(arguments))
            elif before is not None and before[0] == "differential" and factor[0] == "group" and factor[2] == "(":
                factors[-1] = ("differential", ("apply", before[1][1], *_arguments(factor[1])), True)
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

    def _with_marks(self, tree: Tree, marks: list[Any]) -> Tree:
        power: Tree | None = None
        for mark in marks:
            if mark.CARET():
                exponent = self.visit(mark.exponent())
                if exponent[0] == "mark":
                    tree = _marked(tree, exponent[1], mark)
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
        return _marked(tree, mark.getText(), mark)

    def visitExponent(self, context: Any) -> Tree:
        if context.mark():
            marks = "".join(child.getText() for child in context.mark())
            return ("mark", marks)
        return self._with_signs(context.sign(), plain(self.visit(context.primary())))

    def _subscripted(self, tree: Tree, context: Any) -> Tree:
        text = _source(context)
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

    # Primaries.
    def visitNumber(self, context: Any) -> Tree:
        text = context.getText()
        value = read_number(text)
        if value is None:
            raise error(context, f"the number {text[:20]} is out of bounds")
        return ("dec", value, text) if "." in text or "e" in text.lower() else ("num", value)

    visitPlainNumber = visitNumber

    def visitRepeating(self, context: Any) -> Tree:
        whole, decimals, period = re.findall(r"(\d*)\.(\d*)\\overline\s*\{(\d+)\}", context.getText())[0]
        before = Fraction(int_from_digits((whole or "0") + decimals), 10 ** len(decimals))
        return number(lowest(before + Fraction(int_from_digits(period), (10 ** len(period) - 1) * 10 ** len(decimals))))

    def visitSymbol(self, context: Any) -> Tree:
        text = context.getText()
        if context.TEXT() is None:
            return ("const", {"I": "i"}.get(text, text)) if text in ("e", "i", "I") else ("sym", text)
        words = text[text.index("{") + 1 : -1]
        is_name = re.match(r"\\(mathit|operatorname)", text)
        if is_name and not words[:1].isalpha():
            raise error(context, "a name starts with a letter, not as")
        if is_name or (len(words.strip()) == 1 and words.strip().isalpha()):
            return ("const", words.strip()) if words.strip() in ("e", "i") and not is_name else ("sym", words)
        return ("unit", None, words.strip())

    def visitName(self, context: Any) -> Tree:
        return self.visit(context.symbol())

    visitPlainName = visitName

    def visitConstant(self, context: Any) -> Tree:
        return ("const", CONSTANT_NAMES[context.getText()])

    visitPlainConstant = visitConstant

    def visitNumberSet(self, context: Any) -> Tree:
        text = context.getText()
        return ("numbers", NUMBER_SETS.get(text) or re.findall("[RZNQC]", text)[-1])

    def visitEmptySet(self, context: Any) -> Tree:
        return ("set",)

    def visitDifferential(self, context: Any) -> Tree:
        name = re.sub(r"^(?:\\mathrm\{d\}|\\partial|d)\s*", "", context.getText())
        return ("differential", ("sym", name), context.getText().startswith("d"))

    visitPlainDifferential = visitDifferential

    def visitCurrency(self, context: Any) -> Tree:
        return plain(self.visit(context.factor()))

    def visitArgument(self, context: Any) -> Tree:
        return self.visit(context.items() or context.primary())

    def visitFraction(self, context: Any) -> Tree:
        above, below = self.visit(context.upper), self.visit(context.lower)
        return derivative_of_fraction(above, below) or ("div", plain(above, keeps_differential=True), plain(below))

    visitPlainFraction = visitFraction

    def visitRoot(self, context: Any) -> Tree:
        degree = plain(self.visit(context.items())) if context.items() else ("num", 2)
        return ("root", plain(self.visit(context.argument())), degree)

    visitPlainRoot = visitRoot

    def visitBinomial(self, context: Any) -> Tree:
        return ("call", "binom", *(plain(self.visit(argument)) for argument in context.argument()))

    visitPlainBinomial = visitBinomial

    def visitConjugate(self, context: Any) -> Tree:
        text = _source(context.argument()).strip("{} ")
        return ("conjugate", plain(self.visit(context.argument())), text)

    visitPlainConjugate = visitConjugate

    def visitAccent(self, context: Any) -> Tree:
        return ("sym", f"{context.ACCENT().getText()}{{{_source(context.argument()).strip('{} ')}}}")

    visitPlainAccent = visitAccent

    def visitBoxed(self, context: Any) -> Tree:
        inner = self.visit(context.argument())
        return ("set", *inner[2:]) if inner[0] == "list" else inner

    def visitVariable(self, context: Any) -> Tree:
        return ("variable", ("sym", context.getText()[len(r"\variable{") : -1]))

    visitPlainVariable = visitVariable

    # Functions.
    def visitCall(self, context: Any) -> Tree:
        return self.visit(context.function())

    def visitFunction(self, context: Any) -> Tree:
        text = context.FUNCTION().getText()
        name = re.sub(r"^\\operatorname\*?\s*\{\s*|^\\|[\s}(]+$", "", text)
        name = EXTRA_FUNCTIONS.get(name) or FUNCTIONS[name]
        base: Tree | None = None
        power: Tree | None = None
        for mark in context.functionMark():
            if mark.UNDERSCORE():
                inner = mark.subscriptValue()
                base = plain(self.visit(inner.items() or inner.primary()))
            else:
                power = self.visit(mark.exponent())
        arguments = self.visit(context.functionArgument())
        if name in ONE_ARGUMENT and len(arguments) != 1:
            raise error(context, f"{name} takes one argument")
        tree: Tree = ("call", name, *arguments, *([base] if base is not None else []))
        if power == ("num", -1) and "a" + name in FUNCTIONS.values():
            return ("call", "a" + name, *arguments)
        return tree if power is None else ("pow", tree, power)

    def visitFunctionArgument(self, context: Any) -> list[Tree]:  # type: ignore[override]
        if context.argumentBracket() is not None:
            return list(_arguments(self.visit(context.argumentBracket().items())))
        factors = [self.visit(child) for child in context.functionFactor()]
        if context.function() is not None:
            factors.append(self.visit(context.function()))
        return [plain(self._with_signs(context.sign(), applied_operators(factors)))]

    # Brackets.
    def visitGroup(self, context: Any) -> Tree:
        return self.visit(context.bracket())

    def visitBracket(self, context: Any) -> Tree:
        if context.sets():
            return self._enclosed(context)
        if context.CHOOSE():
            return ("call", "binom", *(plain(self.visit(child)) for child in context.items()))
        if context.LSET():
            return self._set(context)
        inner = self.visit(context.items(0))
        if context.LBRACE():
            return (
                ("set", *inner[2:])
                if inner[0] == "list"
                else ("braces", inner)
                if inner[0] in ("matrix", "pm")
                else ("group", inner, "{")
            )
        opening = "[" if context.LBRACKET() else "("
        closing = "]" if context.RBRACKET() else ")"
        if inner[0] == "list":
            return ("tuple", opening, closing, *map(plain, inner[2:]))
        if (opening == "(") != (closing == ")"):
            raise error(context, "an interval has two ends; one is missing")
        return ("group", inner, opening)

    def _set(self, context: Any) -> Tree:
        parts = [self.visit(child) for child in context.items()]
        if not parts:
            return ("set",)
        if len(parts) == 2:
            return ("builder", parts[0], parts[1])
        inner = parts[0]
        return ("set", *inner[2:]) if inner[0] == "list" else ("group", inner, r"\{")

    def _enclosed(self, context: Any) -> Tree:
        inner = plain(self.visit(context.sets()))
        if context.LFLOOR():
            return ("call", "floor", inner)
        if context.LCEIL():
            return ("call", "ceil", inner)
        if context.NORM():
            return ("call", "norm", inner)
        return ("call", "det" if inner[0] == "matrix" else "abs", inner)

    def visitPlainAbsolute(self, context: Any) -> Tree:
        return ("call", "abs", plain(self.visit(context.sets())))

    # Calculus.
    def visitAnIntegral(self, context: Any) -> Tree:
        return self.visit(context.integral())

    def visitIntegral(self, context: Any) -> Tree:
        bounds: dict[str, Tree | None] = {"_": None, "^": None}
        children = list(context.getChildren())
        for mark, child in zip(children[1:-1:2], children[2:-1:2], strict=True):
            bounds[mark.getText()] = self._bound(child)
        return split_integrand(self.visit(context.sum_()), bounds["_"], bounds["^"])

    def _bound(self, context: Any) -> Tree | None:
        if context.items() is not None:
            return plain(self.visit(context.items()))
        if context.primary() is None:
            return None
        return self._with_signs([context.sign()] if context.sign() else [], plain(self.visit(context.primary())))

    def visitBigOperator(self, context: Any) -> Tree:
        ranges = context.operatorRange()
        relation = self.visit(ranges.relation())
        upper = self._bound(ranges.bound()) if ranges.bound() is not None else None
        if relation[0] != "rel" or relation[1] != ("=",) or relation[2][0] not in ("sym", "const") or upper is None:
            raise error(context, "the range of a sum or product is written `k=a` below and `b` above")
        kind = "sum" if context.BIG_OPERATOR().getText() == r"\sum" else "prod"
        body = plain(self.visit(context.implicitSigned()))
        variable = relation[2] if relation[2][0] == "sym" else ("sym", relation[2][1])
        return (kind, _renamed(body, relation[2], variable), variable, relation[3], upper)

    def visitLimit(self, context: Any) -> Tree:
        limit = context.relationLimit()
        variable, point = (plain(self.visit(child)) for child in limit.sets())
        if point[0] == "pow" and point[2][0] == "mark":
            point = point[1]
        side = ""
        if limit.sign() is not None:
            side = "+" if limit.sign().PLUS() else "-"
        if variable[0] != "sym":
            raise error(limit, "a limit is taken in a variable")
        return ("lim", plain(self.visit(context.implicitSigned())), variable, point, side)

    def visitAMatrix(self, context: Any) -> Tree:
        return self.visit(context.matrix())

    visitPlainMatrix = visitAMatrix

    def visitMatrix(self, context: Any) -> Tree:
        rows = [tuple(plain(self.visit(cell)) for cell in row.relation()) for row in context.row()]
        if len({len(row) for row in rows}) != 1:
            raise error(context, "the rows of a matrix differ in length")
        tree: Tree = ("matrix", *rows)
        return ("call", "det", tree) if "vmatrix" in context.MATRIX_BEGIN().getText() else tree

    def visitCases(self, context: Any) -> Tree:
        rows = [[plain(self.visit(part)) for part in row.items()] for row in context.caseRow()]
        if all(len(row) == 2 for row in rows):
            return ("cases", *((value, condition) for value, condition in rows))
        return ("list", "and", *(row[0] for row in rows))


ONE_ARGUMENT = frozenset("sin cos tan cot sec csc ln exp floor ceil det trace adjugate sinh cosh tanh abs".split())


def plain(tree: Tree, keeps_differential: bool = False) -> Tree:
    """Takes off what only the builder needs: groups, braces; a stray differential is the product of its letters."""
    if tree[0] == "group" or tree[0] == "variable":
        inner = tree[1]
        return plain(inner[1] if inner[0] == "braces" else inner, keeps_differential)
    if tree[0] == "braces":
        return ("set", plain(tree[1])) if tree[1][0] != "pm" else plain(tree[1])
    if tree[0] == "conjugate":
        return ("call", "conjugate", tree[1])
    if tree[0] == "unit" and tree[1] is None:
        return ("sym", tree[2])
    if tree[0] == "differential" and not keeps_differential:
        return ("mul", ("sym", "d"), tree[1])
    return tree


def settled(tree: Tree) -> Tree:
    """The tree with every node in its final form."""
    tree = plain(tree)
    parts: list[Any] = []
    for part in tree[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], tuple):
            parts.append(tuple(settled(piece) for piece in part))
        elif isinstance(part, tuple) and part and tree[0] != "rel":
            parts.append(settled(part))
        elif isinstance(part, tuple) and part:
            parts.append(part if part is tree[1] else settled(part))
        else:
            parts.append(part)
    return (tree[0], *parts)


def negative(tree: Tree) -> Tree:
    """-a, a literal number negated in place."""
    if tree[0] == "num":
        return ("num", -tree[1])
    return ("neg", plain(tree, keeps_differential=True)) if tree[0] != "integral" else ("neg", tree)


def as_set(tree: Tree) -> Tree:
    """`{1}` beside a set operation is a set of one."""
    if tree[0] in ("group", "braces") and tree[-1] != "(":
        return ("set", plain(tree[1]))
    return plain(tree)


def _is_mixed(before: Tree, factor: Tree) -> bool:
    is_fraction = factor[0] == "div" and factor[1][0] == factor[2][0] == "num" and factor[2][1]
    return bool(is_fraction and before[0] == "num" and isinstance(before[1], int))


def _is_application(before: Tree, factor: Tree, letters: frozenset[str]) -> bool:
    is_function = before[0] == "sym" and before[1][:1] in letters and (len(before[1]) == 1 or before[1][1] in "_'")
    return is_function and ((factor[0] == "group" and factor[2] == "(") or (factor[0] == "tuple" and factor[1] == "("))


def _arguments(tree: Tree) -> tuple[Tree, ...]:
    if tree[0] == "tuple":
        return tree[3:]
    return tuple(map(plain, tree[2:])) if tree[0] == "list" else (plain(tree),)


def _marked(tree: Tree, marks: str, context: Any) -> Tree:
    r"""Primes, `^*`, `^T`: part of a name, or an operation on a matrix; `^\circ` is a degree sign."""
    if marks == r"\circ":
        return ("degree", plain(tree))
    if tree[0] == "sym" and marks.strip("'") == "":
        return ("sym", tree[1] + marks)
    if marks.strip("'") == "" or set(re.findall(r"\\prime", marks)):
        times = len(marks) if "\\" not in marks else marks.count(r"\prime")
        name = "transpose"
    else:
        times = marks.count("*") + marks.count(r"\ast")
        name = "adjoint"
    if times == 0:
        raise error(context, f"the mark {marks} is not known")
    tree = plain(tree)
    for _ in range(times):
        tree = ("call", name, tree)
    return tree


def _renamed(tree: Tree, old: Tree, new: Tree) -> Tree:
    """A summation index i or e is a variable, not the constant."""
    if old == new:
        return tree
    from tools.mathematics.tree import mapped

    return mapped(tree, lambda node: new if node == old else node)


def _source(context: Any) -> str:
    """The text of a rule as it was written."""
    stream = context.start.getInputStream()
    if context.start.type == context.stop.type and context.start is context.stop:
        return str(context.start.text)
    return str(stream.getText(context.start.start, context.stop.stop))
