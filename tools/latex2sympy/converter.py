r"""From the expression tree to SymPy objects, built node by node; no text is handed to SymPy.

>>> to_sympy(("div", ("sym", "x"), ("num", 2)), {})
x/2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from tools.errors import LatexError
from tools.mathematics.limits import MAX_RESULT_BITS
from tools.mathematics.tree import Tree, words

CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}
NUMBER_SETS = {
    "R": sympy.S.Reals,
    "Z": sympy.S.Integers,
    "N": sympy.S.Naturals,
    "Q": sympy.S.Rationals,
    "C": sympy.S.Complexes,
}
RELATIONS = {
    "=": sympy.Eq,
    "!=": sympy.Ne,
    "<": sympy.Lt,
    "<=": sympy.Le,
    ">": sympy.Gt,
    ">=": sympy.Ge,
    "in": sympy.Eq,
    "~": sympy.Eq,
}
FUNCTIONS: dict[str, Any] = {
    **{
        name: getattr(sympy, name)
        for name in words(
            "sin cos tan cot sec csc sinh cosh tanh coth sech csch "
            "asin acos atan acot asec acsc asinh acosh atanh acoth asech acsch exp"
        )
    },
    "ln": sympy.log, "fact": sympy.factorial, "binom": sympy.binomial, "abs": sympy.Abs,
    "floor": sympy.floor, "ceil": sympy.ceiling,
    "max": sympy.Max, "min": sympy.Min, "mod": sympy.Mod, "conjugate": None, "sign": sympy.sign, "re": sympy.re,
    "im": sympy.im,
    "arg": sympy.arg, "gamma": sympy.gamma, "erf": sympy.erf, "lg": lambda value: sympy.log(value, 10),
}  # fmt: skip


def to_sympy(tree: Tree, variable_values: Mapping[str, Any], is_exact: bool = False) -> Any:
    """The SymPy object; `is_exact` makes decimals rational. Raises LatexError for what SymPy has no object for."""
    return _Converter(variable_values, is_exact).convert(tree)


class _Converter:
    def __init__(self, values: Mapping[str, Any], is_exact: bool) -> None:
        self.values, self.is_exact = dict(values), is_exact

    def convert(self, tree: Tree) -> Any:
        rule: Callable[[Tree], Any] | None = getattr(self, "convert_" + tree[0], None)
        if rule is None:
            raise LatexError(f"{tree[0]} has no SymPy object; leave it out or write it as an expression")
        return rule(tree)

    def each(self, trees: tuple[Tree, ...]) -> list[Any]:
        return [self.convert(tree) for tree in trees]

    # Values.
    def convert_num(self, tree: Tree) -> Any:
        value = Fraction(tree[1])
        return sympy.Rational(value.numerator, value.denominator)

    def convert_dec(self, tree: Tree) -> Any:
        value = Fraction(tree[1])
        if self.is_exact or value.denominator == 1:
            return sympy.Rational(value.numerator, value.denominator)
        return sympy.Float(tree[2])

    def convert_sym(self, tree: Tree) -> Any:
        name = tree[1].lstrip("\\")
        for spelling in (tree[1], name, name.replace("{", "").replace("}", "")):
            if spelling in self.values:
                return sympy.sympify(self.values[spelling], strict=True)
        return sympy.Symbol(name, real=True) if self.is_exact else sympy.Symbol(name)

    def convert_const(self, tree: Tree) -> Any:
        return CONSTANTS[tree[1]]

    def convert_based(self, tree: Tree) -> Any:
        return sympy.Integer(int(tree[1], tree[2]))

    def convert_unit(self, tree: Tree) -> Any:
        return self.convert(tree[1]) * sympy.Symbol(tree[2])

    def convert_text(self, tree: Tree) -> Any:
        return sympy.Symbol(tree[1])

    # Arithmetic.
    def convert_add(self, tree: Tree) -> Any:
        total, *rest = self.each(tree[1:])
        for part in rest:
            total = total + part
        return total

    def convert_mul(self, tree: Tree) -> Any:
        total, *rest = self.each(tree[1:])
        for part in rest:
            total = total * part
        return total

    def convert_neg(self, tree: Tree) -> Any:
        return -self.convert(tree[1])

    def convert_div(self, tree: Tree) -> Any:
        above, below = self.each(tree[1:])
        return above / below

    def convert_pow(self, tree: Tree) -> Any:
        base, exponent = self.convert(tree[1]), tree[2]
        if isinstance(base, sympy.MatrixBase):
            return self._matrix_power(base, exponent)
        power = self.convert(exponent)
        if base.is_Rational and power.is_Integer:
            bits = max(int(base.p).bit_length(), int(base.q).bit_length()) * abs(int(power))
            if bits > MAX_RESULT_BITS and base not in (0, 1, -1):
                return sympy.Pow(base, power, evaluate=False)
        return base**power

    def _matrix_power(self, base: Any, exponent: Tree) -> Any:
        if exponent[0] == "sym":
            marked = {"T": base.T, "\\top": base.T, "H": base.H, "\\dagger": base.H}
            if exponent[1] in marked:
                return marked[exponent[1]]
        return base ** self.convert(exponent)

    def convert_root(self, tree: Tree) -> Any:
        value, degree = self.each(tree[1:])
        if value.is_number and degree.is_Integer and int(degree) % 2 and value.is_negative:
            return -sympy.root(-value, degree)
        return sympy.root(value, degree)

    def convert_percent(self, tree: Tree) -> Any:
        value = self.convert(tree[1])
        return value if value.is_infinite else value / 100

    def convert_degree(self, tree: Tree) -> Any:
        return self.convert(tree[1]) * sympy.pi / 180

    def convert_pm(self, tree: Tree) -> Any:
        left = self.convert(tree[1]) if tree[1] is not None else sympy.Integer(0)
        right = self.convert(tree[2])
        return sympy.FiniteSet(left + right, left - right)

    convert_mp = convert_pm

    # Functions.
    def convert_call(self, tree: Tree) -> Any:
        name, arguments = tree[1], self.each(tree[2:])
        special = getattr(self, "call_" + name, None)
        if special is not None:
            return special(*arguments)
        function = FUNCTIONS.get(name)
        if function is None:
            raise LatexError(f"the function {name} has no SymPy object")
        try:
            return function(*arguments)
        except (TypeError, ValueError) as error:
            raise LatexError(f"{name} of this has no value: {error}") from error

    def call_log(self, value: Any, base: Any = sympy.Integer(10)) -> Any:  # noqa: B008
        return sympy.log(value, base)

    def call_gcd(self, *values: Any) -> Any:
        return _folded(sympy.gcd, values)

    def call_lcm(self, *values: Any) -> Any:
        return _folded(sympy.lcm, values)

    def call_cis(self, value: Any) -> Any:
        return sympy.exp(sympy.I * value)

    def call_norm(self, value: Any) -> Any:
        return value.norm() if isinstance(value, sympy.MatrixBase) else sympy.Abs(value)

    def call_det(self, value: Any) -> Any:
        return _matrix(value).det()

    def call_trace(self, value: Any) -> Any:
        return sympy.Trace(_matrix(value))

    def call_adjugate(self, value: Any) -> Any:
        return _matrix(value).adjugate()

    def call_transpose(self, value: Any) -> Any:
        return value.T

    def call_adjoint(self, value: Any) -> Any:
        return _matrix(value).H

    def call_conjugate(self, value: Any) -> Any:
        return value.conjugate()

    def convert_apply(self, tree: Tree) -> Any:
        if "|" in tree[1]:
            from sympy.physics.quantum import Bra, InnerProduct, Ket

            states = self.each(tree[2:])
            kinds = {"<|": [Bra], "|>": [Ket], "<|>": [Bra, Ket]}[tree[1]]
            parts = [kind(state) for kind, state in zip(kinds, states, strict=True)]
            return InnerProduct(*parts) if len(parts) == 2 else parts[0]
        return sympy.Function(tree[1].lstrip("\\"))(*self.each(tree[2:]))

    # Collections and sets.
    def convert_list(self, tree: Tree) -> Any:
        items = [("tuple", "", "", *item[2:]) if item[0] == "list" else item for item in tree[2:]]
        return sympy.FiniteSet(*self.each(tuple(items)))

    def convert_set(self, tree: Tree) -> Any:
        return sympy.FiniteSet(*self.each(tree[1:]))

    def convert_tuple(self, tree: Tree) -> Any:
        _, opening, closing, *items = tree
        values = self.each(tuple(items))
        if (
            len(values) == 2
            and opening
            and not any(isinstance(value, (sympy.Set, sympy.MatrixBase)) for value in values)
        ):
            lower, upper = values
            if (
                not (lower.is_number and upper.is_number and lower.is_extended_real and upper.is_extended_real)
                or lower < upper
            ):
                return sympy.Interval(lower, upper, opening == "(", closing == ")")
        return sympy.Tuple(*values)

    def convert_numbers(self, tree: Tree) -> Any:
        return NUMBER_SETS[tree[1]]

    def convert_cup(self, tree: Tree) -> Any:
        return sympy.Union(*self.each(tree[1:]))

    def convert_cap(self, tree: Tree) -> Any:
        return sympy.Intersection(*self.each(tree[1:]))

    def convert_setminus(self, tree: Tree) -> Any:
        return sympy.Complement(*self.each(tree[1:]))

    def convert_builder(self, tree: Tree) -> Any:
        variable = self.convert(tree[1])
        return sympy.ConditionSet(variable, self.convert(tree[2]), sympy.S.Reals)

    def convert_matrix(self, tree: Tree) -> Any:
        return sympy.Matrix([self.each(row) for row in tree[1:]])

    # Relations.
    def convert_rel(self, tree: Tree) -> Any:
        signs, operands = tree[1], self.each(tree[2:])
        parts = [
            self._relation(sign, left, right) for sign, left, right in zip(signs, operands, operands[1:], strict=False)
        ]
        return parts[0] if len(parts) == 1 else sympy.And(*parts)

    def _relation(self, sign: str, left: Any, right: Any) -> Any:
        if sign in ("subset", "subseteq"):
            return left.is_subset(right)
        if sign in ("supset", "supseteq"):
            return left.is_superset(right)
        if sign == "notin":
            return sympy.Not(sympy.Contains(left, right))
        if sign not in RELATIONS:
            raise LatexError("this relation has no SymPy object")
        if sign == "=" and isinstance(right, sympy.FiniteSet) and isinstance(left, sympy.Symbol):
            return sympy.Eq(left, right, evaluate=False)  # x = 1, 2: evaluated, a symbol is never a set
        return RELATIONS[sign](left, right)

    # Calculus.
    def convert_integral(self, tree: Tree) -> Any:
        _, body, variable, lower, upper = tree
        limits = self._limits(variable, lower, upper)
        return sympy.Integral(self.convert(body), limits)

    def _limits(self, variable: Tree, lower: Tree | None, upper: Tree | None) -> Any:
        name = self.convert(variable)
        if lower is None and upper is None:
            return name
        if lower is None or upper is None:
            raise LatexError("the integral has one bound only; give both or none")
        return (name, self.convert(lower), self.convert(upper))

    def convert_sum(self, tree: Tree) -> Any:
        _, body, variable, lower, upper = tree
        return sympy.Sum(self.convert(body), self._limits(variable, lower, upper))

    def convert_prod(self, tree: Tree) -> Any:
        _, body, variable, lower, upper = tree
        return sympy.Product(self.convert(body), self._limits(variable, lower, upper))

    def convert_lim(self, tree: Tree) -> Any:
        _, body, variable, point, side = tree
        return sympy.Limit(self.convert(body), self.convert(variable), self.convert(point), side or "+-")

    def convert_diff(self, tree: Tree) -> Any:
        _, body, variable, order = tree
        return sympy.Derivative(self.convert(body), self.convert(variable), order)

    def convert_cases(self, tree: Tree) -> Any:
        return sympy.Piecewise(*((self.convert(value), self.convert(condition)) for value, condition in tree[1:]))


def _matrix(value: Any) -> Any:
    if not isinstance(value, (sympy.MatrixBase, sympy.MatrixExpr)):
        raise LatexError("a matrix is expected as the argument")
    return value


def _folded(function: Any, values: tuple[Any, ...]) -> Any:
    """gcd and lcm of several values; decimals count as the rational numbers that they are."""
    exact = [sympy.nsimplify(value, rational=True) if value.has(sympy.Float) else value for value in values]
    total = sympy.Abs(exact[0]) if exact[0].is_number and len(exact) == 1 else exact[0]
    for value in exact[1:]:
        total = function(total, value)
    return sympy.Abs(total) if total.is_number else total
