r"""Takes from an answer what is only typography: delimiters, styling, spacing, separators, unicode spellings.

Two depths. `plain_form` loses nothing that means something: case, names, units and left sides stay; it is what the
rules of comparison read. `math_answer_cleaning` goes on to the bare value, as the original toolkit's function of
that name: text unwrapped, units and left sides gone, lower case; it is what voting shows and what files hold.

>>> plain_form(r"$\left(\dfrac{1}{2},\, −3\right)$.")
'(\\frac{1}{2}, -3 )'
>>> math_answer_cleaning(r"f(x) = 3.54\times10^{10}\,\text{cm}")
'3.54e10'
"""

from __future__ import annotations

import re
import unicodedata

from tools.grading.math.extraction import closing_brace
from tools.mathematics.limits import MAX_ANSWER_CHARS

UNICODE_SPELLINGS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "×": r"\times ", "÷": r"\div ",
        "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "∗": "*", "±": r"\pm ", "∓": r"\mp ", "∞": r"\infty ",
        "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ",
        "ε": r"\epsilon ", "λ": r"\lambda ", "μ": r"\mu ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ",
        "φ": r"\phi ", "ω": r"\omega ", "Δ": r"\Delta ", "Ω": r"\Omega ", "Σ": r"\Sigma ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ", "⩽": r"\le ", "⩾": r"\ge ",
        "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "⊂": r"\subset ",
        "→": r"\to ", "√": r"\sqrt ", "∛": r"\sqrt[3]", "°": r"^\circ ", "º": r"^\circ ", "′": "'", "’": "'",
        "⟨": r"\langle ", "⟩": r"\rangle ",
        "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "€": r"\$", "¢": r"\text{ cents}", "£": r"\$", "¥": r"\$",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": None, "\ufeff": None, "\u2061": None, "\u2062": None,
        "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}",
        "⅕": r"\frac{1}{5}", "⅖": r"\frac{2}{5}", "⅗": r"\frac{3}{5}", "⅘": r"\frac{4}{5}", "⅙": r"\frac{1}{6}",
        "⅚": r"\frac{5}{6}", "⅛": r"\frac{1}{8}", "⅜": r"\frac{3}{8}", "⅝": r"\frac{5}{8}", "⅞": r"\frac{7}{8}",
        "⁄": "/", "℃": r"^\circ\text{C}", "℉": r"^\circ\text{F}", "∠": r"\angle ",
    }
)  # fmt: skip
SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
SUPERSCRIPT_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
SUBSCRIPTS = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
SUBSCRIPT_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

DELIMITERS = re.compile(
    r"(?<!\\)\$|\\\(|\\\)|\\\[(?!\d*\.?\d*\s*(?:pt|em|ex|mm)\])|(?<!\\)\\\]"
    r"|\\displaystyle|\\limits|\\nolimits|\\hfill|\\noindent|\\strut"
)
SIZES = re.compile(r"\\(?:left|right|m?left|mright|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*(\.?)")
SPACES = re.compile(
    r"(?<!\\)\\[,;:!> ]|\\q?quad(?![A-Za-z])|\\(?:neg)?(?:thin|med|thick)space(?![A-Za-z])|\\(?:en)?space(?![A-Za-z])"
    r"|~|\\[hv]space\*?\{[^{}]*\}|\\h?phantom\{[^{}]*\}"
)
LINE_BREAK_SKIP = re.compile(r"\\\\\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm)\s*\]")
DOUBLED_BACKSLASH = re.compile(r"\\\\(?=[A-Za-z]{2})")
BRACED_SIGN = re.compile(r"\{\s*([-+=<>])\s*\}")
LAYOUT_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>aligned|align\*?|gathered|split|equation\*?|center)\}(?P<rows>.*?)\\end\{(?P=name)\}", re.DOTALL
)
FRACTIONS = re.compile(r"\\[dtc]frac(?![A-Za-z])")
BINOMIALS = re.compile(r"\\[dt]binom(?![A-Za-z])")
# A number whose groups are joined by `{,}` or `,\\!` somewhere: then every comma in it groups.
GROUPED_NUMBER = re.compile(
    r"(?<![\d,.])\d{1,3}(?:(?:\s*\{\s*,\s*\}\s*|,(?:\s|\\[ ,;])*\\!(?:\s|\\[ ,;!])*|,(?=\d))\d{3}(?!\d))+"
)
BRACED_COMMA = re.compile(r"\{\s*,\s*\}")
SPACED_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:(?:\\[,;: ]|[\s~])\s*\d{3})+(?![\d])")
# Swiss and continental ways, where they cannot mean anything else: 1'234'567, 1.234.567.
OTHER_GROUPS = re.compile(r"(?<![\d.,'])\d{1,3}(?:(?:'\d{3})+|(?:\.\d{3}){2,})(?![\d.'])")
# `4^{th}`, `2^{\text{nd}}`; a bare `2^{nd}` may be a power.
ORDINAL = re.compile(r"(?<=\d)\s*\^\s*(?:\{\s*th\s*\}|\{?\s*\\(?:text|mathrm)\s*\{\s*(?:st|nd|rd|th)\s*\}\s*\}?)")
PRIME = re.compile(r"\^\s*(?:\\prime(?![A-Za-z])|\{\s*\\prime\s*\})")
# `_5C_2`, `{}^{5}C_{2}`: the number of combinations.
COMBINATIONS = re.compile(r"^(?:\{\s*\})?\s*[_^]\s*\{?\s*(\w+)\s*\}?\s*C\s*_\s*\{?\s*(\w+)\s*\}?$")
UNIT_POWER = re.compile(r"(\\(?:text|textrm|mathrm)\s*\{[^{}$^]*)\$?\^\{?([23])\}?\$?\s*\}")
# Commands that only dress their argument; those for words only when they hold a number or a formula.
STYLE = (
    r"(?:mathbf|bold|mathit|mathsf|mathtt|mathnormal|boldsymbol|bm|pmb|underline|uline|smash|emph|ensuremath|mathord|mathop"
    r"|(?:text|textnormal|mathrm|mbox|hbox)(?=\s*\{\s*[-+\d])|textbf(?=\s*\{\s*[-+\d\\(]))"
)
STYLE_OPENING = re.compile(rf"\\{STYLE}(?![A-Za-z])\s*\{{")
COLOR = re.compile(r"\\(?:text)?color\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}\s*")
BRACED_UNDER = re.compile(r"\\(?:underbrace|overbrace)\s*\{")
OLD_STYLE = re.compile(
    r"\\(?:bf|it|rm|sf|tt|bfseries|large|Large|huge|Huge|small|tiny|footnotesize|normalsize|LARGE|scriptstyle|textstyle)(?![A-Za-z])\s*"
)
TRAILING = re.compile(r"(?:\s|\\\\|\\(?=$)|[.;:,]|\\(?:text|mathrm)\{\s*[.,;]?\s*\})+$")
WHOLE_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
TEXT_AT_END = re.compile(r"(?:\\[, ]|\s)*\\(?:text|textnormal|mathrm|mbox|textbf)\s*\{[^{}]*\}(?:\^\{?\d\}?)?$")
LEFT_SIDE = re.compile(
    r"^\s*(?:[A-Za-z](?:_\{?\w+\}?)?\s*(?:\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\))?|.{1,3}?)\s*=(?!=)\s*"
)
POWER_OF_TEN = re.compile(r"(\d)\s*(?:\\times|\\cdot|\*)\s*10\s*\^\s*(?:\{\s*([+-]?\d+)\s*\}|([+-]?\d+))")


def plain_form(text: str) -> str:
    """The same answer without typography. Never raises; text over MAX_ANSWER_CHARS is only stripped."""
    text = text.strip()
    if len(text) > MAX_ANSWER_CHARS:
        return text
    if text.isascii():
        if text.isalnum():
            return text
    else:
        text = _ascii_spellings(text)
    if "\\" in text or "$" in text or "{" in text or "~" in text:
        text = _without_commands(text)
    elif " " in text:
        text = SPACED_GROUPS.sub(lambda match: re.sub(r"\s", "", match.group()), text)
    if "C" in text and "_" in text:
        text = COMBINATIONS.sub(r"\\binom{\1}{\2}", text)
    if "." in text or "'" in text:
        text = OTHER_GROUPS.sub(lambda match: re.sub(r"\D", "", match.group()), text)
    if text.startswith("**") and text.endswith("**"):
        text = text.strip("*")
    text = " ".join(text.split())
    return _strip_trailing(text)


def _ascii_spellings(text: str) -> str:
    text = text.translate(UNICODE_SPELLINGS)
    text = SUPERSCRIPTS.sub(lambda match: "^" + _group(match.group().translate(SUPERSCRIPT_DIGITS)), text)
    text = SUBSCRIPTS.sub(lambda match: "_" + _group(match.group().translate(SUBSCRIPT_DIGITS)), text)
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(UNICODE_SPELLINGS)


def _group(digits: str) -> str:
    return digits if len(digits) == 1 else "{" + digits + "}"


def _without_commands(text: str) -> str:
    if "\\begin" not in text:
        text = DOUBLED_BACKSLASH.sub(r"\\", text)
    text = BRACED_SIGN.sub(r"\1", text)
    text = LINE_BREAK_SKIP.sub(r"\\\\", text)
    if "{" in text or "\\!" in text:
        text = GROUPED_NUMBER.sub(_grouped, text)
    text = BRACED_COMMA.sub(",", text)
    text = SPACED_GROUPS.sub(lambda match: re.sub(r"\\?[,;: ~\s]", "", match.group()), text)
    text = PRIME.sub("'", text)
    text = UNIT_POWER.sub(r"\1}^\2", text)
    text = ORDINAL.sub("", text)
    text = DELIMITERS.sub(" ", text)
    if "\\" in text:
        text = text.replace(r"\textdegree", r"^\circ ")
        text = SIZES.sub(" ", text)
        text = SPACES.sub(" ", text)
        text = FRACTIONS.sub(r"\\frac", text)
        text = BINOMIALS.sub(r"\\binom", text)
        text = LAYOUT_ENVIRONMENT.sub(_rows_as_list, text)
        text = COLOR.sub(" ", text)
        text = OLD_STYLE.sub("", text)
        text = _unwrap(text, BRACED_UNDER, drops_subscript=True)
        text = _unwrap(text, STYLE_OPENING)
    return text.replace("~", " ")


def _rows_as_list(match: re.Match[str]) -> str:
    r"""`\\begin{aligned} x&=1 \\\\ y&=2 \\end{aligned}` as `x=1, y=2`."""
    rows = match["rows"].replace("&", " ").split("\\\\")
    return ", ".join(row.strip() for row in rows if row.strip())


def _grouped(match: re.Match[str]) -> str:
    number = match.group()
    return re.sub(r"\D", "", number) if "{" in number or "!" in number else number


def _unwrap(text: str, opening: re.Pattern[str], drops_subscript: bool = False) -> str:
    r"""`\mathbf{204}` -> `{204}`, and `\underbrace{5}_{...}` -> `{5}`; what never closes is left alone."""
    for _ in range(20):
        match = opening.search(text)
        if match is None:
            break
        end = closing_brace(text, match.end() - 1)
        if end < 0:
            break
        rest = text[end + 1 :]
        if drops_subscript and rest.lstrip()[:2] in ("_{", "^{"):
            start = rest.index("{")
            close = closing_brace(rest, start)
            rest = rest[close + 1 :] if close >= 0 else rest
        text = text[: match.start()] + "{" + text[match.end() : end] + "}" + rest
    return text


def _strip_trailing(text: str) -> str:
    """Final full stops and separators go; braces around everything go."""
    while True:
        before = text
        text = TRAILING.sub("", text).strip() if text[-1:] in ".;:,\\} " and not text.endswith("...") else text
        if text.startswith("{") and "," not in text and closing_brace(text, 0) == len(text) - 1:
            text = text[1:-1].strip()
        if text == before:
            return text


def unwrapped_text(text: str) -> str | None:
    r"""The words of an answer that is one `\text{...}`, else None."""
    match = WHOLE_TEXT.fullmatch(text)
    return match.group(1).strip() if match else None


def math_answer_cleaning(text: str) -> str:
    """The bare value of an answer as one lower-case string without spaces (see the module's text)."""
    text = plain_form(text)
    if len(text) > MAX_ANSWER_CHARS:
        return text
    words = unwrapped_text(text)
    text = words if words is not None else text
    text = re.sub(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})", "", text).replace(r"\$", "")
    text = TEXT_AT_END.sub("", text)
    text = POWER_OF_TEN.sub(lambda match: f"{match[1]}e{match[2] or match[3]}", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text) if re.fullmatch(r"[-+\d.,]+", text) else text
    text = LEFT_SIDE.sub("", text, count=1) if text.count("=") == 1 else text
    return re.sub(r"\s+|\\n(?![a-z])", "", text).lower()
