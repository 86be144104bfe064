r"""The lower half of the tree builder: numbers, names, functions, brackets, calculus, matrices."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from tools.latex2sympy.calculus import applied_operators, derivative_of_fraction, split_integrand
from tools.latex2sympy.gen.LatexMathVisitor import LatexMathVisitor
from tools.latex2sympy.nodes import arguments_of, error, negative, plain, renamed, source
from tools.mathematics.numbers import int_from_digits, lowest, read_number
from tools.mathematics.tokens import FUNCTIONS
from tools.mathematics.tree import Tree, number, words

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
ENCODED = "Zq"  # before the hexadecimal spelling of a variable's name (tools/latex2sympy/reader.py)
ONE_ARGUMENT = words("sin cos tan cot sec csc ln exp floor ceil det trace adjugate sinh cosh tanh abs")


class PrimaryBuilder(LatexMathVisitor):  # type: ignore[misc]
    """Visits what stands between operators; TreeBuilder adds the operators."""

    is_as_sympy: bool

    def visit(self, tree: Any) -> Tree:
        """The tree of a rule."""
        result: Tree = super().visit(tree)
        return result

    def with_signs(self, signs: list[Any], tree: Tree) -> Tree:
        """Signs before a value, the last one first."""
        for sign in reversed(signs):
            if sign.MINUS():
                tree = negative(tree)
            elif not sign.PLUS():
                tree = ("pm" if sign.PLUSMINUS() else "mp", None, tree)
        return tree

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
        text = context.DIFFERENTIAL().getText()
        name = re.sub(r"^(?:\\mathrm\{d\}|\\partial|d)\s*", "", text)
        return ("differential", ("sym", name), text.startswith("d"))

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
        text = source(context.argument()).strip("{} ")
        return ("conjugate", plain(self.visit(context.argument())), text)

    visitPlainConjugate = visitConjugate

    def visitAccent(self, context: Any) -> Tree:
        return ("sym", f"{context.ACCENT().getText()}{{{source(context.argument()).strip('{} ')}}}")

    visitPlainAccent = visitAccent

    def visitBoxed(self, context: Any) -> Tree:
        inner = self.visit(context.argument())
        return ("set", *inner[2:]) if inner[0] == "list" else inner

    def visitVariable(self, context: Any) -> Tree:
        name = context.getText()[len(r"\variable{") : -1]
        if name.startswith(ENCODED):  # a name with a subscript, or a Greek letter
            name = bytes.fromhex(name[len(ENCODED) :]).decode()
        return ("variable", ("sym", name))

    visitPlainVariable = visitVariable

    # Functions.
    def visitCall(self, context: Any) -> Tree:
        return self.visit(context.function())

    def visitFunction(self, context: Any) -> Tree:
        text = context.FUNCTION().getText()
        name = re.sub(r"^\\operatorname\*?\s*\{\s*|^\\|[\s}(]+$", "", text)
        name = EXTRA_FUNCTIONS.get(name) or FUNCTIONS.get(name, "")
        if not name:
            raise error(context, f"the function {text[:30]} has no value here, at")
        base: Tree | None = None
        power: Tree | None = None
        for mark in context.functionMark():
            if mark.UNDERSCORE():
                inner = mark.subscriptValue()
                base = plain(self.visit(inner.items() or inner.primary()))
            else:
                power = self.visit(mark.exponent())
        argument = context.functionArgument()
        arguments = self.visit(argument)
        if name in ONE_ARGUMENT and len(arguments) != 1:
            raise error(context, f"{name} takes one argument")
        tree: Tree = ("call", name, *arguments, *([base] if base is not None else []))
        if power == ("num", -1) and "a" + name in FUNCTIONS.values():
            tree = ("call", "a" + name, *arguments)
        elif power is not None:
            tree = ("pow", tree, power)
        return ("mul", tree, self.visit(argument.function())) if self._ends_before_function(argument) else tree

    def _ends_before_function(self, argument: Any) -> bool:
        r"""Whether the next function is a factor: `\sin x \cos x`, not `\sin \cos x`."""
        has_factors = argument.functionFactor() or argument.differentialArgument()
        return argument.function() is not None and bool(has_factors) and not self.is_as_sympy

    def visitFunctionArgument(self, context: Any) -> list[Tree]:  # type: ignore[override]
        if context.argumentBracket() is not None:
            return list(arguments_of(self.visit(context.argumentBracket().items())))
        first = [context.differentialArgument()] if context.differentialArgument() else []
        factors = [self.visit(child) for child in [*first, *context.functionFactor()]]
        if context.function() is not None and not self._ends_before_function(context):
            factors.append(self.visit(context.function()))
        return [plain(self.with_signs(context.sign(), applied_operators(factors)))]

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
        if context.BAR() or context.SUCH_THAT():
            return self._state(context)
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

    def _state(self, context: Any) -> Tree:
        r"""Dirac's `\langle a|`, `|b\rangle` and `\langle a|b\rangle`."""
        states = [plain(self.visit(child)) for child in context.items()]
        return ("apply", f"{'<' if context.LANGLE() else ''}|{'>' if context.RANGLE() else ''}", *states)

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
        return self.with_signs([context.sign()] if context.sign() else [], plain(self.visit(context.primary())))

    def visitBigOperator(self, context: Any) -> Tree:
        ranges = context.operatorRange()
        relation = self.visit(ranges.relation())
        upper = self._bound(ranges.bound()) if ranges.bound() is not None else None
        if relation[0] != "rel" or relation[1] != ("=",) or relation[2][0] not in ("sym", "const") or upper is None:
            raise error(context, "the range of a sum or product is written `k=a` below and `b` above")
        kind = "sum" if context.BIG_OPERATOR().getText() == r"\sum" else "prod"
        body = plain(self.visit(context.implicitSigned()))
        variable = relation[2] if relation[2][0] == "sym" else ("sym", relation[2][1])
        return (kind, renamed(body, relation[2], variable), variable, relation[3], upper)

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
