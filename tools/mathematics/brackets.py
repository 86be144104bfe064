r"""The part of the quick reader below operators: numbers, names, function calls, roots, fractions, all brackets.

>>> from tools.mathematics.reader import read
>>> read(r"[0,\infty)")
('tuple', '[', ')', ('num', 0), ('const', 'oo'))
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from tools.mathematics.commands import PRIMARY_COMMANDS
from tools.mathematics.cursor import TokenCursor
from tools.mathematics.numbers import int_from_digits, lowest, read_number
from tools.mathematics.tokens import CONSTANTS, CURRENCIES, CURRENCY_CODES, FUNCTIONS, GREEK, NO_PRODUCTS, Token
from tools.mathematics.tree import NotMathematics, Tree

CLOSINGS = {
    "(": (")", "]"),
    "[": ("]", ")"),
    r"\{": (r"\}",),
    r"\langle": (r"\rangle",),
    "{": ("}",),
    r"\lbrace": (r"\rbrace",),
    r"\lbrack": (r"\rbrack",),
}
ROUNDINGS = {r"\lfloor": (r"\rfloor", "floor"), r"\lceil": (r"\rceil", "ceil")}
LETTERS_OF_FUNCTIONS = frozenset("fghFGH")
ACCENTS = (
    r"\bar",
    r"\vec",
    r"\hat",
    r"\tilde",
    r"\overrightarrow",
    r"\widehat",
    r"\widetilde",
    r"\dot",
    r"\ddot",
    r"\check",
    r"\mathring",
)
SAME_SIGN = {r"\varnothing": r"\emptyset", r"\lbrace": r"\{", r"\lbrack": "["}


class BracketReader(TokenCursor):
    """Primaries; Reader adds the operators."""

    answer: Callable[[], Tree]
    relation: Callable[[], Tree]
    set_expression: Callable[[], Tree]
    factor: Callable[[], Tree]
    exponent: Callable[[], Tree]
    starts_factor: Callable[[], bool]
    separator: Callable[[], str | None]
    money: Callable[[str], Tree]

    # Primaries.
    def primary(self) -> Tree:
        kind, text = self.kind, self.text
        if kind == "number":
            return self.number()
        if kind == "word":
            return self.word()
        if kind == "text":
            return self.text_name()
        if kind == "command":
            return self.command(SAME_SIGN.get(text, text))
        if text == "|":
            return self.absolute_value("|")
        if text in CLOSINGS:
            return self.bracketed(text)
        raise self.error("a value expected before")

    def number(self) -> Tree:
        text = self.text
        self.advance()
        if text[:2] in ("0x", "0X"):
            return ("num", int(text[2:], 16))
        value = read_number(text)
        if value is None:
            raise self.error(f"number {text[:20]} is out of bounds before")
        if "." in text and "e" not in text.lower():
            return self.repeating(text, value)
        return ("num", value)

    def repeating(self, text: str, value: int | Fraction) -> Tree:
        r"""`0.1\overline{6}`, `0.1(6)`, `0.1\dot{6}`, `0.666...`; a plain decimal otherwise."""
        decimals = text.split(".")[1]
        if self.text in (r"\overline", r"\bar", r"\dot") and self.following().text == "{":
            digits = self.following(2).text
            if digits.isdigit() and self.following(3).text == "}":
                self.index += 4
                return ("num", _repeating_value(text, decimals, digits))
        if (
            self.text == "("
            and self.following().text.isdigit()
            and self.following(2).text == ")"
            and not self.is_spaced
        ):
            digits = self.following().text
            self.index += 3
            return ("num", _repeating_value(text, decimals, digits))
        if self.text.startswith("...") or self.text in (r"\ldots", r"\dots", r"\cdots"):
            for period in (1, 2, 3):
                digits = decimals[-period:]
                if len(decimals) >= max(3, 2 * period) and decimals.endswith(digits * (3 if period == 1 else 2)):
                    self.advance()
                    return ("num", _repeating_value(text[:-period], decimals[:-period], digits))
            raise self.error("how the digits go on is not said before")
        return ("num", lowest(Fraction(value)))

    def word(self) -> Tree:
        text = self.text
        if text in FUNCTIONS:
            self.advance()
            return self.call(FUNCTIONS[text])
        if text in CONSTANTS:
            self.advance()
            return ("const", CONSTANTS[text])
        if text in GREEK:
            self.advance()
            return self.subscripted(("sym", "\\" + text))
        if text in CURRENCY_CODES and self.following().kind == "number":
            self.advance()
            return self.money(CURRENCY_CODES[text])
        is_function = text[0] in LETTERS_OF_FUNCTIONS or (self.index == 0 and self.names_application())
        if is_function and text.rstrip("'") == text[0] and self.following().text == "(":
            return self.application(text)
        return self.split_word()

    def names_application(self) -> bool:
        """`E(x,+0,z) = ...` at the start: a letter applied to names and numbers, before an equality sign."""
        if len(self.text.rstrip("'")) != 1 or self.following().text != "(":
            return False
        step = 2
        while self.following(step).text != ")":
            token, before = self.following(step), self.following(step - 1).text
            is_argument = (
                token.kind in ("word", "number", "command")
                and before in ("(", ",", "+", "-")
                and token.text != self.text
            )
            is_sign = token.text == "," or (token.text in ("+", "-") and before in ("(", ","))
            if not (is_argument or is_sign):
                return False
            step += 1
        return self.following(step + 1).text == "="

    def split_word(self) -> Tree:
        """One token per letter from here on: `xy^2` is x times y squared."""
        text = self.text
        letters = text.rstrip("'")
        if len(letters) > 3 or (len(letters) == 3 and _is_word(letters)) or letters in NO_PRODUCTS:
            raise NotMathematics(f"the word {text[:30]!r} is no value", self.position)
        if len(letters) == 1:
            if text == "I" and "*" in (self.following().text, self.previous.text if self.index else ""):
                self.advance()  # SymPy's name of the imaginary unit
                return ("const", "i")
            if [self.following(step).text for step in (1, 2, 3)] == ["(", "0", ")"]:  # I(0) is no product
                return self.application(text)
            self.advance()
            if self.kind == "number" and text not in ("e", "i") and self.text.isdigit() and not self.is_spaced:
                text += "_" + self.text  # x1, v0: names with an index
                self.advance()
            return self.subscripted(("const", text) if text in ("e", "i") else ("sym", text))
        marks = text[len(letters) :]
        position = self.position
        pieces = [Token("word", letter, position + shift) for shift, letter in enumerate(letters)]
        pieces[-1] = Token("word", letters[-1] + marks, pieces[-1].position)
        self.tokens[self.index : self.index + 1] = pieces
        return self.word()

    def text_name(self) -> Tree:
        r"""`\text{Area}`, `\mathrm{e}`: a name of its own; never a product of letters."""
        words = self.text.strip()
        if read_number(words) is not None:
            self.advance()
            return ("num", read_number(words))
        if not words or not words.replace(" ", "").replace("-", "").isalpha():
            raise NotMathematics(f"the words {words[:30]!r} are no value", self.position)
        self.advance()
        if words in FUNCTIONS:
            return self.call(FUNCTIONS[words])
        if words in ("e", "i"):
            return ("const", words)
        if words in CONSTANTS:
            return ("const", CONSTANTS[words])
        return self.subscripted(("sym", words))

    def command(self, text: str) -> Tree:
        name = text[1:]
        plain = name.rstrip("'")
        if text in PRIMARY_COMMANDS:
            self.advance()
            return PRIMARY_COMMANDS[text](self)
        if text in CLOSINGS:
            return self.bracketed(text)
        if text in ROUNDINGS:
            return self.rounding(*ROUNDINGS[text])
        if text in (r"\lvert", r"\vert", r"\|", r"\lVert"):
            return self.absolute_value(text.replace("l", "r", 1) if text[1] == "l" else text)
        if name in FUNCTIONS:
            self.advance()
            return self.call(FUNCTIONS[name])
        if name in CONSTANTS:
            self.advance()
            return ("const", CONSTANTS[name])
        if plain in GREEK:
            self.advance()
            return self.subscripted(("sym", "\\" + name))
        if text in ACCENTS:
            self.advance()
            return self.subscripted(("sym", f"{text}{{{self.raw_group()}}}"))
        if text in CURRENCIES:
            self.advance()
            return self.money(CURRENCIES[text])
        raise self.error("not known here:")

    def subscripted(self, tree: Tree) -> Tree:
        """`x_1`, `a_{n+1}`: part of the name. `1011_2`: digits in another base."""
        while self.text == "_" and tree[0] in ("sym", "num", "const"):
            self.advance()
            if tree[0] == "num":
                base = self.raw_group()
                if not (base.isdigit() and 2 <= int(base[:4]) <= 36 and isinstance(tree[1], int) and tree[1] >= 0):
                    raise self.error("not a number in another base:")
                return ("based", str(tree[1]) if tree[1] < 10**4000 else "0", int(base))
            tree = ("sym", f"{tree[1]}_{self.raw_group()}")
        return tree

    def application(self, name: str) -> Tree:
        self.advance()
        self.expect("(")
        arguments = [self.relation()]
        while self.text == ",":
            self.advance()
            arguments.append(self.relation())
        self.expect(")")
        return ("apply", name, *arguments)

    def call(self, name: str) -> Tree:
        r"""Arguments of a known function: `\sin^2 x`, `\log_2 (3x)`, `\max(a,b)`, `sqrt(2)`."""
        base: Tree | None = None
        power: Tree | None = None
        while self.text in ("_", "^", "**"):
            sign = self.text
            self.advance()
            if sign == "_":
                base = self.subscript_value()
            else:
                power = self.exponent()
        arguments = self.arguments()
        if name in ("sqrt", "cbrt"):
            tree: Tree = ("root", arguments[0], ("num", 2 if name == "sqrt" else 3))
        elif name == "log" and (base is not None or len(arguments) == 2):
            tree = ("call", "log", arguments[0], base if base is not None else arguments[1])
        else:
            tree = ("call", name, *arguments)
        if power is None:
            return tree
        if power == ("num", -1) and "a" + name in FUNCTIONS.values():
            return ("call", "a" + name, *arguments)
        return ("pow", tree, power)

    def subscript_value(self) -> Tree:
        if self.text == "{":
            return self.bracketed("{")
        if self.kind == "number" and len(self.text) > 1:  # \log_23 is the logarithm of 3 to base 2
            token = self.token
            self.tokens[self.index : self.index + 1] = [
                Token("number", token.text[0], token.position),
                Token("number", token.text[1:], token.position + 1),
            ]
        return self.primary()

    def arguments(self) -> list[Tree]:
        """Bracketed arguments, or the product that follows up to the next function or sign."""
        if self.text in ("(", "{", "[", r"\{"):
            inner = self.bracketed(self.text)
            return list(inner[3:]) if inner[0] == "tuple" else list(inner[1:]) if inner[0] == "set" else [inner]
        if self.text in ("+", "-"):
            sign = self.text
            self.advance()
            rest = self.arguments()
            return [("neg", rest[0])] if sign == "-" else rest
        factors = [self.factor()]
        while self.starts_factor() and not self.starts_function() and self.text not in ("(", "[", r"\{", "|"):
            factors.append(self.factor())
        return [factors[0] if len(factors) == 1 else ("mul", *factors)]

    def starts_function(self) -> bool:
        return self.text.lstrip("\\") in FUNCTIONS

    # Brackets.
    def bracketed(self, opening: str) -> Tree:
        """A group, a tuple or interval, or a set, by what stands inside and how it closes."""
        self.advance()
        closings = CLOSINGS[opening]
        bars, self.bars = self.bars, 0
        was_in_set, self.in_set = self.in_set, opening == r"\{"
        is_set = opening in (r"\{", r"\lbrace")
        if is_set and self.text in closings:
            self.advance()
            self.bars, self.in_set = bars, was_in_set
            return ("set",)
        inner = self.answer()
        if is_set and self.text in ("|", r"\mid", ":", r"\vert"):
            self.advance()
            inner = ("builder", inner, self.answer())
        closing = self.expect(*closings)
        self.bars, self.in_set = bars, was_in_set
        items = list(inner[2:]) if inner[0] == "list" else [inner]
        if inner[0] == "builder":
            return inner
        if is_set or (opening == "{" and len(items) > 1 and inner[1] != "and"):
            return ("set", *items)
        if len(items) > 1 or (opening, closing) in (("[", ")"), ("(", "]")):
            return (
                "tuple",
                "(" if opening == r"\langle" else opening,
                ")" if closing == r"\rangle" else closing,
                *items,
            )
        return inner

    def absolute_value(self, closing: str) -> Tree:
        self.advance()
        self.bars += 1
        inner = self.set_expression()
        self.expect(closing, "|", r"\vert", r"\rvert")
        self.bars -= 1
        return ("call", "abs", inner)

    def rounding(self, closing: str, name: str) -> Tree:
        self.advance()
        bars, self.bars = self.bars, 0
        inner = self.set_expression()
        self.expect(closing)
        self.bars = bars
        return ("call", name, inner)

    def skip_degree_sign(self) -> None:
        is_braced = self.text == "{"
        if is_braced:
            self.advance()
        self.expect(r"\circ")
        if is_braced:
            self.expect("}")

    def exponent_digits(self) -> str:
        return self.raw_group()


def _repeating_value(text: str, decimals: str, period: str) -> int | Fraction:
    whole = text.split(".")[0] or "0"
    before = Fraction(int_from_digits(whole + decimals), 10 ** len(decimals))
    return lowest(before + Fraction(int_from_digits(period), (10 ** len(period) - 1) * 10 ** len(decimals)))


def _is_word(letters: str) -> bool:
    """Three letters that read as a word or as a sequence of outcomes (HHT) rather than as a product."""
    is_run = all(ord(after) - ord(before) in (0, 1) for before, after in pairwise(letters))
    has_vowel = any(letter in "aeiouAEIOU" for letter in letters)
    return (has_vowel or len(set(letters)) < 3 or letters.isupper()) and not (is_run and len(set(letters)) == 3)
