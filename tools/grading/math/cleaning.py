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
from itertools import pairwise

from tools.grading.math.boxes import BRACE, closing_brace
from tools.grading.math.spellings import plain_spelling, without_quotes
from tools.mathematics.limits import MAX_ANSWER_CHARS

DELIMITERS = re.compile(
    r"(?<!\\)\$|\\\(|\\\)|\\\[(?!\d{0,9}(?:\.\d{0,9})?\s{0,9}(?:pt|em|ex|mm)\])|(?<!\\)\\\]"
    r"|\\displaystyle|\\limits(?![A-Za-z])|\\nolimits|\\hfill|\\noindent|\\strut"
)
SIZES = re.compile(r"\\(?:left|right|m?left|mright|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*(\.?)")
SPACES = re.compile(
    r"(?<!\\)\\[,;:!> ]|\\q?quad(?![A-Za-z])|\\(?:neg)?(?:thin|med|thick)space(?![A-Za-z])|\\(?:en)?space(?![A-Za-z])"
    r"|~|\\[hv]space\*?\{[^{}]*\}|\\h?phantom\{[^{}]*\}"
)
LINE_BREAK_SKIP = re.compile(r"\\\\\s*\[\s*-?[\d.]{1,12}\s*(?:pt|em|ex|mm|cm)\s*\]")
DOUBLED_BACKSLASH = re.compile(r"\\\\(?=[A-Za-z]{2})")
BRACED_SIGN = re.compile(r"\{\s*([-+=<>:])\s*\}")
LAYOUT_EDGE = re.compile(r"\\(begin|end)\{(aligned|align\*?|gathered|split|equation\*?|center)\}")
FRACTIONS = re.compile(r"\\(?:[dtcs]|nice|tfrac)frac(?![A-Za-z])")
# A number times a power of ten with the letter x for the sign: `1.575 x 10^1`.
LETTER_TIMES = re.compile(r"(?<=[\d.])\s?[xX]\s?(?=10\s?\^)")
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
COMBINATIONS = re.compile(
    r"^(?:\{ ?\})? ?[_^] ?\{? ?([^\W_]{1,9}?) ?\}? ?([CP]) ?_ ?\{? ?([^\W_]{1,9}) ?\}?$|^([^\W_]{1,9}) ?([CP]) ?([^\W_]{1,9})$|^()([CP])\(([^\W_]{1,9}), ?([^\W_]{1,9})\)$"
)
QUOTE_MARKS = ('"', "'", "`")
UNIT_POWER = re.compile(r"(\\(?:text|textrm|mathrm)\s*\{[^{}$^]*)\$?\^\{?([23])\}?\$?\s*\}")
# Commands that only dress their argument; those for words only when they hold a number or a formula.
STYLE = (
    r"(?:mathbf|bold|mathit|mathsf|mathtt|mathnormal|boldsymbol|bm|pmb|underline|uline|smash|emph|ensuremath|mathord|mathop"
    r"|(?:text|textnormal|mathrm|mbox|hbox)(?=\s*\{\s*[-+\d])|textbf(?=\s*\{\s*[-+\d\\(]))"
)
STYLE_OPENING = re.compile(rf"\\{STYLE}(?![A-Za-z])\s*\{{")
COLOR = re.compile(r"\\(?:text)?color\s*(?:\[[^\][{}]{0,40}\]\s*)?\{[^{}]*\}")
BRACED_UNDER = re.compile(r"\\(?:underbrace|overbrace)\s*\{")
OLD_STYLE = re.compile(
    r"\\(?:bf|it|rm|sf|tt|bfseries|large|Large|huge|Huge|small|tiny|footnotesize|normalsize|LARGE|scriptstyle|textstyle)(?![A-Za-z])\s*"
)
EMPTY_TEXT_AT_END = re.compile(r"\\(?:text|mathrm)\{\s*[.,;]?\s*\}$")
LONGEST_TEXT_AT_END = 200
WHOLE_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
TEXT_AT_END = re.compile(r"\\(?:text|textnormal|mathrm|mbox|textbf)\s*\{[^{}]*\}(?:\^\{?\d\}?)?$")
LEFT_SIDE = re.compile(
    r"^\s*(?:[A-Za-z](?:_\{?\w+\}?)?\s*(?:\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\))?|.{1,3}?)\s*=(?!=)\s*"
)
POWER_OF_TEN = re.compile(r"(\d)\s*(?:\\times|\\cdot|\*)\s*10\s*\^\s*(?:\{\s*([+-]?\d+)\s*\}|([+-]?\d+))")


def plain_form(text: str) -> str:
    """The same answer without typography. Never raises; text over MAX_ANSWER_CHARS is only stripped."""
    text = text.strip()
    if len(text) > MAX_ANSWER_CHARS:
        return text
    if text.isascii() and text.isalnum() and not ("C" in text or "P" in text):
        return text
    if not text.isascii() or "&" in text or "<" in text:
        text = plain_spelling(text).strip()
    if text[:1] in QUOTE_MARKS:
        text = without_quotes(text)
    if "\\" in text or "$" in text or "{" in text or "~" in text:
        text = _without_commands(text)
    elif " " in text:
        text = SPACED_GROUPS.sub(lambda match: re.sub(r"\s", "", match.group()), text)
    if "10" in text:
        text = LETTER_TIMES.sub(r"\\times ", text)
    if "." in text or "'" in text:
        text = OTHER_GROUPS.sub(lambda match: re.sub(r"\D", "", match.group()), text)
    if text.startswith("**") and text.endswith("**"):
        text = text.strip("*")
    text = " ".join(text.split())
    if len(text) < 40 and ("C" in text or "P" in text):
        text = COMBINATIONS.sub(_combinations, text)
    return _strip_trailing(text)


def _combinations(match: re.Match[str]) -> str:
    """`_5C_2` chooses, `_5P_2` arranges."""
    above, letter, below = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
    if match[8]:
        above, letter, below = match.group(9, 8, 10)
    elif match[1] is None and not (above.isdigit() and below.isdigit()):
        return match.group()
    return rf"\binom{{{above}}}{{{below}}}" if letter == "C" else rf"\frac{{{above}!}}{{({above}-{below})!}}"


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
        text = _without_layout(text)
        text = COLOR.sub(" ", text)
        text = OLD_STYLE.sub("", text)
        text = _unwrap(text, BRACED_UNDER, drops_subscript=True)
        text = _unwrap(text, STYLE_OPENING)
    return text.replace("~", " ")


def _without_layout(text: str) -> str:
    r"""`\begin{aligned} x&=1 \\ y&=2 \end{aligned}` as `x=1, y=2`; the innermost where they nest, unpaired ones stay."""
    edges = list(LAYOUT_EDGE.finditer(text)) if "\\begin" in text else []
    pieces: list[str] = []
    position = 0
    for opening, closing in pairwise(edges):
        if (opening[1], closing[1]) == ("begin", "end") and opening[2] == closing[2]:
            rows = text[opening.end() : closing.start()].replace("&", " ").split("\\\\")
            pieces += [text[position : opening.start()], ", ".join(row.strip(" \n,;") for row in rows if row.strip())]
            position = closing.end()
    return "".join(pieces) + text[position:]


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
        text = _without_trailing_signs(text)
        if text.startswith("{") and text.endswith("}") and "," not in text:
            text = _without_outer_braces(text)
        if text == before:
            return text


def _without_trailing_signs(text: str) -> str:
    r"""From the end, sign by sign: spaces, full stops, separators, line breaks, an empty `\text{.}`."""
    if text.endswith("..."):
        return text
    end = len(text)
    while end:
        sign = text[end - 1]
        if sign.isspace() or sign in ".;:,\\":
            if text[max(0, end - 2) : end] == "\\:" or (sign == "," and text[end - 2 : end] == "\\,"):
                end -= 1
            end -= 1
        elif sign == "}":
            opening = text.rfind("\\", max(0, end - LONGEST_TEXT_AT_END), end)
            if opening < 0 or EMPTY_TEXT_AT_END.match(text, opening, end) is None:
                break
            end = opening
        else:
            break
    return text if end == len(text) else text[:end].strip()


def _without_outer_braces(text: str) -> str:
    """`{{5}}` as 5: every brace finds its partner in one pass."""
    partners: dict[int, int] = {}
    waiting: list[int] = []
    for match in BRACE.finditer(text):
        if match.group() == "{":
            waiting.append(match.start())
        elif match.group() == "}":
            if not waiting:
                return text
            partners[waiting.pop()] = match.start()
    start, end = 0, len(text)
    while start < end and partners.get(start) == end - 1:
        start, end = start + 1, end - 1
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
    return text[start:end]


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
    text = _without_text_at_end(text)
    text = POWER_OF_TEN.sub(lambda match: f"{match[1]}e{match[2] or match[3]}", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text) if re.fullmatch(r"[-+\d.,]+", text) else text
    text = LEFT_SIDE.sub("", text, count=1) if text.count("=") == 1 else text
    return re.sub(r"\s+|\\n(?![a-z])", "", text).lower()


def _without_text_at_end(text: str) -> str:
    r"""`5\, \text{cm}^2` as 5."""
    opening = text.rfind("\\", max(0, len(text) - LONGEST_TEXT_AT_END))
    if opening < 0 or TEXT_AT_END.match(text, opening) is None:
        return text
    text = text[:opening]
    while text and (text[-1].isspace() or text.endswith(("\\,", "\\ "))):
        text = text[:-1] if text[-1].isspace() and not text.endswith("\\ ") else text[:-2]
    return text
