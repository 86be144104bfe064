r"""Reads an answer in plain form into the expression tree, quickly: arithmetic, functions, brackets, lists, relations.

A recursive-descent reader of LaTeX as answers write it and of plain text (`sqrt(2)/2`, `x**2`, `3 1/2`), about fifty
times as fast as a parser that ANTLR generates for Python. What it does not know (calculus, matrix operations, anything
rare) it refuses with `Unreadable`, and the grammar of tools/latex2sympy is asked in a worker process.

>>> read(r"\frac{1}{2}+x")
('add', ('div', ('num', 1), ('num', 2)), ('sym', 'x'))
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction

from tools.mathematics.numbers import int_from_digits
from tools.mathematics.tokens import CONSTANTS, FUNCTIONS, GREEK, RELATIONS, SEPARATOR_WORDS, tokenize
from tools.mathematics.tree import ONE, BeyondLimits, Tree, negated, number, words
from tools.mathematics.unit_reader import UnitReader

# Digits beyond 9 in a base that is said: `2A_{16}`.
BASED = re.compile(r"([0-9A-Fa-f]{1,60})_\{?(1[1-6])\}?")
ENDS_OF_INEQUALITIES = words("num neg div root mul add pow")
NAMELESS: Tree = ("sym", "")
DOTS: Tree = ("sym", "\\ldots")
DOTS_SIGNS = frozenset(["...", "....", r"\ldots", r"\dots", r"\cdots", r"\dotsc", r"\dotsb"])
DOTS_NEIGHBOURS = frozenset([",", ";", "", ")", "]", r"\}", "}", r"\rangle", " and ", "and"])
UNIONS = {r"\cap": "cap", r"\cup": "cup", r"\bigcup": "cup", "U": "cup", "u": "cup"}
TIMES = ("*", r"\cdot", r"\times", r"\ast", r"\cdotp", r"\bullet", r"\star")
OVER = ("/", r"\div", r"\slash", r"\big/")
SUPERSCRIPTED = re.compile(r"[A-Za-z]+(?:\s*\^?\s*\{?\d\}?)?")
MAX_DOUBLE_FACTORIAL = 1000
STARTS = words("( [ { |")
FACTOR_COMMANDS = words(
    r"\frac \sqrt \binom \infty \pi \{ \lfloor \lceil \langle \lvert \vert \| \lVert \overline \bar \vec \hat "
    r"\begin \mathbb \emptyset \varnothing \tilde \overrightarrow \mathcal \mathbf \cfrac \lbrace \lbrack \dot "
    r"\prime \hbar \imath \jmath \widehat \widetilde \overset"
)


def read(text: str, groups_digits: bool = True) -> Tree:
    """The tree of a whole answer; raises Unreadable or BeyondLimits."""
    based = BASED.fullmatch(text)
    if based is not None and not based[1].isdigit() and all(int(digit, 36) < int(based[2]) for digit in based[1]):
        return ("based", based[1].upper(), int(based[2]))
    reader = Reader(text, groups_digits)
    try:
        tree = reader.answer()
    except RecursionError:
        raise BeyondLimits("nested too deep", reader.position) from None
    if reader.kind != "end":
        raise reader.error("unexpected")
    return tree


class Reader(UnitReader):
    """The rules from loose to tight: answer, relation, set expression, sum, term, signed factor, factor."""

    def __init__(self, text: str, groups_digits: bool = True) -> None:
        super().__init__(text, tokenize(text, groups_digits))

    def answer(self) -> Tree:
        """Items separated by commas, `and`, `or`; semicolons separate what commas join."""
        groups: list[list[Tree]] = [[]]
        connectives: list[str] = []
        while True:
            if self.text in DOTS_SIGNS and (groups[-1] or len(groups) > 1) and self.following().text in DOTS_NEIGHBOURS:
                self.advance()
                groups[-1].append(DOTS)
            else:
                groups[-1].append(self.relation())
            connective = self.separator()
            if connective is None:
                break
            connectives.append(connective)
            if connective == ";":
                groups.append([])
        if ";" in connectives and "," in connectives:
            return ("list", ";", *(group[0] if len(group) == 1 else ("list", ",", *group) for group in groups))
        items = [item for group in groups for item in group]
        if len(items) > 1 and items[0][0] == "rel" and items[0][1] == ("mod",) and self.kind != "end":
            modulus = self.modulus()  # n = 1, 5 (mod 6)
            if modulus is not None:
                residues = [items[0][3], *items[1:]]
                return ("list", "or", *(("rel", ("mod", "of"), items[0][2], residue, modulus) for residue in residues))
        if len(items) == 1:
            return items[0]
        return ("list", "or" if "or" in connectives else "and" if "and" in connectives else ",", *items)

    def separator(self) -> str | None:
        """Takes one separator (`, and` is one) and names it."""
        found: str | None = None
        while True:
            name = SEPARATOR_WORDS.get(self.text.strip().lower().strip(",; ") or self.text.strip())
            if self.kind in ("op", "word", "text") and name and self.text != "&":
                found = name if found in (None, ",") else found
            elif self.kind == "command" and self.text in (r"\land", r"\wedge"):
                found = "and"
            elif self.kind == "command" and self.text in (r"\lor", r"\vee", r"\cup"):
                found = "or"
            else:
                return found if self.kind != "end" else None
            self.advance()

    def relation(self) -> Tree:
        """Expressions joined by relation signs: `1 < x \\le 3`, `x = y = 2`."""
        with self.nested():
            if self.text in ("=", r"\approx"):  # "= 5": the left side is left out
                self.advance()
            leading = self.relation_sign()  # "\\ge 5" says something of a thing without a name
            operands, signs = [self.set_expression()], []
            if leading is not None:
                operands, signs = [NAMELESS, *operands], [leading]
            while True:
                sign = self.relation_sign()
                if sign is None:
                    break
                signs.append(sign)
                operands.append(self.set_expression())
            modulus = self.modulus() if "mod" in signs else None
            if signs == ["mod"] and operands[1][:2] == ("call", "mod"):  # x \\equiv 3 \\bmod 7
                operands[1], modulus = operands[1][2:]
            if modulus is not None:
                operands.append(modulus)
                signs.append("of")
            return ("rel", tuple(signs), *operands) if signs else operands[0]

    def relation_sign(self) -> str | None:
        if self.text == r"\not":
            self.advance()
            sign = {"=": "!=", "in": "notin"}.get(RELATIONS.get(self.text, ""))
            if sign is None:
                raise self.error("nothing to negate before")
        else:
            sign = RELATIONS.get(self.text) if self.kind in ("op", "command") else None
        if sign is not None:
            self.advance()
            if sign in ("<", ">") and self.text == "=":
                self.advance()
                sign += "="
        return sign

    def set_expression(self) -> Tree:
        """Unions, intersections and differences of sets, above sums."""
        left = self.sum()
        if self.text == r"\choose":
            self.advance()
            left = ("call", "binom", left, self.sum())
        elif self.text == r"\over":
            self.advance()
            left = ("div", left, self.sum())
        while self.text in (r"\cup", r"\cap", r"\setminus", r"\backslash", r"\bigcup") or (
            left[0] in ("numbers", "tuple", "set", "cup") and self.text in ("\\\\", "U", "u")
        ):
            if self.text == r"\cup" and left[0] in ENDS_OF_INEQUALITIES:
                break  # `x < 1 \\cup x > 2`: the separator takes it for "or"
            kind = UNIONS.get(self.text, "setminus")
            self.advance()
            left = (kind, left, self.sum())
        return left

    def modulus(self) -> Tree | None:
        r"""`\\pmod{7}`, `(mod 7)` after a congruence."""
        if self.text in (r"\pmod", r"\mod", r"\bmod"):
            self.advance()
            return self.factor()
        if self.text == "(" and self.following().text.strip("\\ ") in ("mod", "bmod"):
            self.index += 2
            modulus = self.set_expression()
            self.expect(")")
            return modulus
        return None

    def sum(self) -> Tree:
        """Signed terms."""
        parts: list[Tree] = []
        if self.text in (r"\pm", r"\mp"):
            kind = self.text[1:]
            self.advance()
            parts.append((kind, None, self.term()))
        else:
            parts.append(self.signed(self.term))
        while self.text in ("+", "-", r"\pm", r"\mp"):
            sign = self.text
            self.advance()
            if sign in ("+", "-"):
                term = self.signed(self.term)
                if sign == "-" and term[0] == "set" and parts[-1][0] in ("numbers", "tuple"):
                    parts[-1] = ("setminus", parts[-1], term)
                else:
                    parts.append(negated(term) if sign == "-" else term)
            else:
                left: Tree = parts[0] if len(parts) == 1 else ("add", *parts)
                parts = [(sign[1:], left, self.term())]
        return parts[0] if len(parts) == 1 else ("add", *parts)

    def signed(self, rule: Callable[[], Tree]) -> Tree:
        """Any number of signs, then what `rule` reads."""
        is_negative = False
        while self.text in ("+", "-"):
            is_negative ^= self.text == "-"
            self.advance()
        tree = rule()
        return negated(tree) if is_negative else tree

    def term(self) -> Tree:
        """Factors multiplied (with or without a sign) and divided."""
        left = self.factor()
        factors = [left]
        while True:
            if self.text in TIMES:
                self.advance()
                factors.append(self.signed(self.factor))
            elif self.text in OVER:
                self.advance()
                divisor = self.signed(self.factor)
                above = factors[0] if len(factors) == 1 else ("mul", *factors)
                factors = [("div", above, divisor)]
            elif self.text in (r"\bmod", r"\mod") or (self.kind == "word" and self.text == "mod"):
                self.advance()
                above = factors[0] if len(factors) == 1 else ("mul", *factors)
                factors = [("call", "mod", above, self.factor())]
            elif self.text == ":" and not self.in_set:
                return self.ratio(factors[0] if len(factors) == 1 else ("mul", *factors))
            elif self.starts_factor() and not (factors[-1][0] in ("tuple", "set") and self.text in ("U", "u")):
                if self.kind == "number" and self.previous.kind == "number":
                    raise self.error("a sign is missing before")
                factors.append(self.factor())
            elif not self.takes_unit(factors):
                return factors[0] if len(factors) == 1 else ("mul", *factors)

    def ratio(self, first: Tree) -> Tree:
        parts = [first]
        while self.text == ":":
            self.advance()
            parts.append(self.signed(self.factor))
        half_of_day = self.text.lower().replace(".", "").strip()
        if half_of_day in ("am", "pm"):
            self.advance()
            while self.text == ".":
                self.advance()
            parts.append(("text", half_of_day))
        return ("ratio", *parts)

    def starts_factor(self) -> bool:
        """Whether what follows multiplies without a sign."""
        if self.kind == "number":
            return True
        if self.kind == "word":
            is_scale = (
                self.text in ("C", "F")
                and self.previous.text in (r"\circ", "}", r"\degree")
                and self.is_after_degrees()
            )
            return not self.is_unit_word() and not is_scale and self.text.lower() not in ("and", "or", "mod")
        if self.text == "|":
            return self.bars == 0 and not self.in_set
        if self.text == "(" and self.following().text.strip("\\ ") in ("mod", "bmod"):
            return False
        if self.text in (r"\lvert", r"\vert", r"\|", r"\lVert") and self.bars:
            return self.text in (r"\lvert", r"\lVert")
        if self.kind == "text":
            return self.text.strip() in ("e", "i", "pi") or self.is_function_in_text()
        name = self.text[1:]
        is_name = name.rstrip("'") in GREEK or name in FUNCTIONS or name in CONSTANTS
        return self.text in STARTS or (self.kind == "command" and (is_name or self.text in FACTOR_COMMANDS))

    def factor(self) -> Tree:
        """A primary with its exponents, factorials, percent and degree signs."""
        with self.nested():
            start = self.index
            tree = self.primary()
            if tree[0] == "num" and self.index == start + 1:
                tree = self.mixed_number(tree)
            return self.postfix(tree)

    def postfix(self, tree: Tree) -> Tree:
        while True:
            if self.text in ("^", "**"):
                self.advance()
                tree = self.raised(tree)
            elif self.text == "!" and self.following().text != "=":
                self.advance()
                tree = self.double_factorial(tree) if self.text == "!" else ("call", "fact", tree)
            elif self.text in ("%", r"\%"):
                self.advance()
                tree = ("percent", tree)
            elif self.text == r"\degree":
                self.advance()
                tree = self.minutes_of_arc(("degree", tree))
            elif self.text == "_" and tree[0] in ("num", "sym", "matrix"):
                tree = self.subscripted(tree)
            else:
                return tree

    def is_after_degrees(self) -> bool:
        """`98.6^\\circ F`, `{20}^{\\circ} C`: a thermometer's scale, no factor."""
        before = self.tokens[max(0, self.index - 2) : self.index]
        return any(token.text in (r"\circ", r"\degree") for token in before)

    def is_function_in_text(self) -> bool:
        r"""`\\operatorname{arctan}(3)` behind a factor; `\\text{ min}` and `\\text{ sec}` may be units."""
        name, after = self.text.strip(), self.following()
        if name not in FUNCTIONS or after.kind == "end":
            return False
        return after.text in ("(", "{", "^", "_") or (
            name not in ("min", "sec") and after.kind in ("number", "word", "command")
        )

    def double_factorial(self, tree: Tree) -> Tree:
        """`7!!` = 7 x 5 x 3 x 1, as it is written; `(3!)!` needs its brackets."""
        if tree[0] != "num" or not isinstance(tree[1], int) or not 0 <= tree[1] <= MAX_DOUBLE_FACTORIAL:
            raise self.error("a number that is not too large expected before the double factorial")
        self.advance()
        return ("num", math.prod(range(tree[1], 1, -2)))

    def raised(self, tree: Tree) -> Tree:
        """What `^` does: a degree sign, a mark on a symbol, or a power."""
        if self.text == r"\circ" or (self.text == "{" and self.following().text == r"\circ"):
            self.skip_degree_sign()
            return self.minutes_of_arc(("degree", tree))
        exponent = self.exponent()
        if self.text in ("^", "**") and exponent[0] in ("num", "sym"):
            self.advance()
            exponent = self.raised(exponent)
        return ("pow", tree, exponent)

    def exponent(self) -> Tree:
        r"""`^{...}`, `^2`, `^-1`, `^\frac12`: one brace group or one sign of LaTeX (a whole number in plain text)."""
        return self.signed(self.exponent_primary)

    def exponent_primary(self) -> Tree:
        if self.kind == "word" and len(self.text) > 1 and self.text not in CONSTANTS:
            return self.split_word()
        return self.primary()

    def mixed_number(self, whole: Tree) -> Tree:
        r"""`3\frac{1}{4}` and `3 1/4` are sums, when all three are digits; the fraction must be proper to be one."""
        token, following = self.token, self.following()
        if whole[1] != int(whole[1]) or self.previous.text.count("."):
            return whole
        if token.text == r"\frac":
            mark = self.index
            fraction = self.primary()
            if fraction[0] == "div" and fraction[1][0] == fraction[2][0] == "num" and self.text != "^":
                return number(whole[1] + Fraction(fraction[1][1], fraction[2][1])) if fraction[2][1] else whole
            self.index = mark
        elif token.kind == "number" and following.text == "/" and token.text.isdigit():
            below = self.following(2)
            if below.kind == "number" and below.text.isdigit() and int_from_digits(below.text):
                value = Fraction(int_from_digits(token.text), int_from_digits(below.text))
                for _ in range(3):
                    self.advance()
                return number(whole[1] + value)
        return whole


def split_letters(word: str) -> Tree:
    """`xy'` is x times y'."""
    letters: list[Tree] = []
    for sign in word:
        if sign == "'":
            letters[-1] = ("sym", letters[-1][1] + "'")
        else:
            letters.append(("const", sign) if sign in "ei" else ("sym", sign))
    return letters[0] if len(letters) == 1 else ("mul", *letters) if letters else ONE
