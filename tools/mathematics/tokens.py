r"""Splits a plain form into tokens, and knows the words: functions, constants, Greek letters, units, multipliers.

>>> [token.text for token in tokenize(r"2\sin x^{10}")]
['2', '\\sin', 'x', '^', '{', '10', '}', '']
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.mathematics.limits import MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_TOKENS
from tools.mathematics.tree import BeyondLimits, Unreadable, words


class Token(NamedTuple):
    """`kind`: number, command, word, text, op, end; `text` is the token as written, text's content for text."""

    kind: str
    text: str
    position: int


TEXT_COMMANDS = (
    r"text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox|operatorname\*?|mathit|rm|mathop|textsc|textup"
)
TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<text>\\(?:{TEXT_COMMANDS})\s*\{{(?P<content>[^{{}}]*)\}})
    |(?P<number>0[xX][0-9A-Fa-f]+(?![A-Za-z_])|\d+\.(?=/)|\d+\.(?=\\(?:overline|bar|dot)\b|\()|\d+(?:\.\d+)?[eE][+-]?\d+(?![\d.])|(?:\d{{1,3}}(?:,\d{{3}})+(?![\d])|\d+)(?:\.\d+)?|\.\d+)
    |(?P<word>[A-Za-z]+'*)
    |(?P<command>\\[A-Za-z]+\*?'*|\\.)
    |(?P<op>\*\*|<=|>=|!=|==|<>|=>|\.\.\.+|->|[-+*/^_=<>()\[\]{{}}|!,;:%'&.])""",
    re.VERBOSE,
)
UNGROUPED_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")

TRIGONOMETRIC = "sin cos tan cot sec csc sinh cosh tanh"
FUNCTIONS = {
    **{name: name for name in sorted(words(TRIGONOMETRIC + " coth sech csch exp ln lg gcd lcm max min det"))},
    **{"arc" + name: "a" + name for name in sorted(words("sin cos tan cot sec csc"))},
    **{"arc" + name: "a" + name for name in sorted(words("sinh cosh tanh"))},
    **{"ar" + name: "a" + name for name in sorted(words("sinh cosh tanh coth sech csch"))},
    **{"a" + name: "a" + name for name in sorted(words("sin cos tan sinh cosh tanh"))},
    "log": "log", "tg": "tan", "ctg": "cot", "cosec": "csc", "floor": "floor", "ceil": "ceil", "ceiling": "ceil",
    "abs": "abs", "sgn": "sign", "sign": "sign", "Re": "re", "Im": "im", "re": "re", "im": "im", "cis": "cis",
    "sqrt": "sqrt", "cbrt": "cbrt",
    "binom": "binom", "arg": "arg", "Arg": "arg", "erf": "erf", "Gamma": "gamma", "Arctan": "atan", "Arcsin": "asin",
    "Arccos": "acos", "Abs": "abs", "Max": "max", "Min": "min", "factorial": "fact", "binomial": "binom", "Mod": "mod",
}  # fmt: skip
GREEK = words(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho "
    "varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon "
    "Phi Psi Omega hbar ell nabla imath jmath aleph"
)
CONSTANTS = {
    "pi": "pi",
    "infty": "oo",
    "infinity": "oo",
    "oo": "oo",
    "imaginaryunit": "i",
    "exponentialE": "e",
    "inf": "oo",
}
RELATIONS = {
    "=": "=", "==": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "<>": "!=",
    r"\lt": "<", r"\gt": ">", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=", r"\leqq": "<=", r"\ge": ">=",
    r"\geq": ">=",
    r"\geqslant": ">=", r"\geqq": ">=", r"\ne": "!=", r"\neq": "!=", r"\in": "in", r"\notin": "notin",
    r"\approx": "~", r"\simeq": "~",
    r"\sim": "~", r"\equiv": "mod", r"\subset": "subset", r"\subseteq": "subseteq", r"\supset": "supset",
    r"\supseteq": "supseteq", r"\cong": "mod",
}  # fmt: skip
MULTIPLIERS = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
PERCENT_WORDS = words("percent percents percentage pct")
# Unit words of at most three letters that may follow a number without \text; longer words are units anyhow.
SHORT_UNITS = words(
    "cm mm km nm kg mg ml mL kL ft mi yd hr hrs min sec lb lbs oz mph rpm kph kmh Hz kHz MHz kW kWh eV keV MeV "
    "usd USD deg rad pts cu sq in am pm AM PM day hp bpm kPa Pa mol MB GB"
)
SEPARATOR_WORDS = {"and": "and", "or": "or", ",": ",", ";": ";", "&": "and"}
CURRENCIES = {
    r"\$": "dollar", r"\euro": "euro", r"\EUR": "euro", r"\texteuro": "euro", r"\pounds": "sterling", r"\textsterling": "sterling",
    r"\yen": "yen", r"\textyen": "yen", r"\rupee": "rupee", r"\won": "krw", r"\ruble": "ruble",
}  # fmt: skip
CURRENCY_CODES = {
    "USD": "dollar",
    "EUR": "euro",
    "GBP": "sterling",
    "INR": "rupee",
    "JPY": "yen",
    "CNY": "yuan",
    "RMB": "yuan",
    "Rs": "rupee",
}
NOT_UNITS = words(
    "not or and if when for where is are than less more least most all only no none with mod but to otherwise else unless "
    "excluding except without until"
)
NO_PRODUCTS = words("if of is")  # short words that are never letters multiplied


def tokenize(text: str, groups_digits: bool = True) -> list[Token]:
    """Tokens with a final `end`; `groups_digits`: read `1,234` outside brackets as one number.

    Raises BeyondLimits for text that is too long or nests too deep, Unreadable for a sign that no answer holds.
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        raise BeyondLimits(f"{len(text)} characters; expressions are read up to {MAX_EXPRESSION_CHARS}")
    tokens: list[Token] = []
    position, depth, nesting = 0, 0, 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise Unreadable(f"unknown sign {text[position]!r} at character {position}; write it in LaTeX", position)
        kind, piece = match.lastgroup or "", match.group()
        if kind == "number" and "," in piece and (depth > 0 or not groups_digits):
            match = UNGROUPED_NUMBER.match(text, position)
            assert match is not None
            piece = match.group()
        if kind == "content" or kind == "text":
            tokens.append(Token("text", match.group("content"), position))
        elif kind != "space":
            tokens.append(Token(kind, piece, position))
            if piece in ("(", "[", "\\{", "\\langle"):
                depth += 1
            elif piece in (")", "]", "\\}", "\\rangle"):
                depth = max(0, depth - 1)
            nesting += (piece in ("(", "[", "{")) - (piece in (")", "]", "}"))
        if nesting > MAX_DEPTH or len(tokens) > MAX_TOKENS:
            raise BeyondLimits(f"nested deeper than {MAX_DEPTH} or more than {MAX_TOKENS} signs", position)
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens
