r"""The part of the quick reader that reads units: words after a value, money before it, degrees and minutes of arc.

>>> from tools.mathematics.reader import read
>>> read(r"1 \text{ hour } 30 \text{ minutes}")
('add', ('unit', ('num', 1), 'hour'), ('unit', ('num', 30), 'minutes'))
>>> read(r"\$5")
('unit', ('num', 5), 'dollar')
"""

from __future__ import annotations

from fractions import Fraction

from tools.mathematics.brackets import BracketReader
from tools.mathematics.tokens import (
    CONSTANTS,
    FUNCTIONS,
    GREEK,
    MULTIPLIERS,
    NOT_UNITS,
    PERCENT_WORDS,
    SEPARATOR_WORDS,
    SHORT_UNITS,
)
from tools.mathematics.tree import NotMathematics, Tree, kinds, number
from tools.mathematics.unit_table import is_unit_word as is_known_unit
from tools.mathematics.units import temperature


class UnitReader(BracketReader):
    """Units; Reader adds the operators."""

    def is_unit_word(self) -> bool:
        """A bare word after a number that names a unit: `5 cm`, `28 percent`, not `5xy`."""
        word = self.text
        if word in FUNCTIONS or word in CONSTANTS or word in GREEK or word.lower() in NOT_UNITS:
            return word in ("min", "sec") and self.following().text not in ("(", "{", "^", "_")
        if len(word) == 3 and self.is_spaced and is_known_unit(word):
            return True
        return word in SHORT_UNITS or word.lower() in PERCENT_WORDS or (len(word) >= 4 and self.is_spaced)

    def takes_unit(self, factors: list[Tree]) -> bool:
        """Attaches a unit, a percent word or a multiplier that stands after the factors."""
        if self.kind == "text":
            words = self.text.strip().removesuffix(" and")  # `1 hour and 30 minutes`
        elif (self.kind == "word" and self.is_unit_word() and any("num" in kinds(factor) for factor in factors)) or (
            self.kind == "word" and self.text in ("C", "F") and factors[-1][0] == "degree"
        ):
            words = self.text
        elif self.text == r"\$":
            words = "dollars"
        else:
            return False
        if words.lower().strip(",; ") in SEPARATOR_WORDS:
            return False
        # `1 hour 30 minutes`: what stands behind a unit is a value of its own.
        start = max((place + 1 for place, factor in enumerate(factors[:-1]) if factor[0] == "unit"), default=0)
        whole = factors[start] if len(factors) == start + 1 else ("mul", *factors[start:])
        value = self.with_words(whole, words)
        if start and value[0] == "unit":
            earlier = [part for factor in factors[:start] for part in (factor[1:] if factor[0] == "add" else (factor,))]
            factors[:] = (
                [("add", *earlier, value)] if all(part[0] == "unit" for part in earlier) else [*factors[:start], value]
            )
        else:
            factors[start:] = [value]
        return True

    def with_words(self, whole: Tree, words: str) -> Tree:
        plain = words.lower().rstrip(".")
        self.advance()
        if plain in MULTIPLIERS:
            if whole[0] == "unit":
                return ("unit", ("mul", whole[1], ("num", MULTIPLIERS[plain])), whole[2])
            return ("mul", whole, ("num", MULTIPLIERS[plain]))
        if plain in PERCENT_WORDS:
            return ("percent", whole)
        if any(word in NOT_UNITS for word in plain.split()) or any(sign.isdigit() for sign in plain.strip("^23")):
            raise NotMathematics(f"the words {words[:30]!r} after the value are no unit", self.position)
        if self.text == "^":
            self.advance()
            words += "^" + self.exponent_digits()
        while self.text == "/" and self.next_is_text():
            self.advance()
            words += "/" + self.text.strip()
            self.advance()
            if self.text == "^":
                self.advance()
                words += "^" + self.exponent_digits()
        if not words.strip(".,! "):
            return whole
        name = words.strip().strip(".")
        if whole[0] == "degree" and temperature(name):
            return ("unit", whole[1], temperature(name))
        return ("unit", whole[1], whole[2] + " " + name) if whole[0] == "unit" else ("unit", whole, name)

    def money(self, currency: str) -> Tree:
        r"""`\$5`, `\pounds 2\sqrt3`: the product that follows, with the currency for its unit."""
        sign = self.text if self.text in ("+", "-") else ""
        if sign:
            self.advance()
        factors = [self.factor()]
        while self.starts_factor():
            factors.append(self.factor())
        amount = factors[0] if len(factors) == 1 else ("mul", *factors)
        return ("unit", ("neg", amount) if sign == "-" else amount, currency)

    def minutes_of_arc(self, degrees: Tree) -> Tree:
        """`32° 30' 15''` behind the degree sign: the minutes and seconds as parts of a degree."""
        total = degrees[1]
        for marks, parts in (("'", 60), ("''", 3600)):
            quotes = 0
            while quotes < 2 and self.following(1 + quotes).text == "'":
                quotes += 1
            if self.kind != "number" or quotes != len(marks) or not self.text.replace(".", "", 1).isdigit():
                continue
            value = Fraction(self.text)
            self.index += 1 + quotes
            total = ("add", total, number(value / parts))
        return ("degree", total)
