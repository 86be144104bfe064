r"""The grading rules of the original AceReason Evaluation Toolkit, for comparing with figures published with it.

`--grader original` uses them, and every results file counts on how many samples they decide otherwise than ours. They
are lenient by design: the whole text is read, 2 equals 200 (percent rule), 12345 equals 12346 (tolerance), `listen`
equals `silent` (letters multiply). One thing is not reproduced: the original runs an answer's text as Python; here both
sides are computed only when they are plain arithmetic, else they count as unequal (docs/grading.md lists the cases).

>>> is_correct_original(r"so \boxed{2}", "200")
True
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from tools.errors import UsageError
from tools.mathematics.limits import MAX_EXPRESSION_CHARS
from tools.mathematics.numbers import Number

# `{...}` up to three levels deep inside the box.
BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}", re.DOTALL)
# The other patterns, `\*\*(.*?)\*\*` and its like, as (opening, closing): found in time linear in the text.
DELIMITERS = (("**", "**"), ("\\[\n", "\n\\]"), (r"is \(", r"\)"), (r"\[\n", r"\n\]"))
TEXT_ONLY = re.compile(r"^\\text{(.*)}$")
FUNCTION_NAME = re.compile(r"^[a-zA-Z_]\w*\([a-zA-Z_]\w*\)$")
SHORT_FRACTION = re.compile(r"\\frac{(.*?)}{(.*?)}")
BRACKETED = re.compile(r"(\(|\[).+(\)|\])")
MATRIX = re.compile(r"\\begin{[pb]matrix}.*\\end{[pb]matrix}", re.DOTALL)
ENVIRONMENT_CHARS = len(r"\begin{pmatrix}"), len(r"\end{pmatrix}")
CHOICES = ("A", "B", "C", "D", "E")
RELATIVE_TOLERANCE = 1e-4
MAX_COMPARED_CHARS = 5_000  # longer answers are equal as strings or not at all
MAX_TEXT_CHARS = 2_000_000  # the first pattern of the original may take minutes beyond it


def is_correct_original(response: str, reference: str, *, rules: str = "aime") -> bool:
    """Whether the original's rules accept a response; `rules`: "aime" (AIME, AMC), "math500" or "voting" (all four)."""
    answer = extract_answer_original(response)
    return answer is not None and answers_equal_original(answer, reference, rules=rules)


def answers_equal_original(answer: str, reference: str, *, rules: str = "aime") -> bool:
    """The same for an answer that is extracted already."""
    if rules not in RULES:
        raise UsageError(f"rules {rules!r} of the original are unknown; use one of {', '.join(RULES)}")
    given, gold = clean_original(answer), clean_original(reference)
    if max(len(given), len(gold)) > MAX_COMPARED_CHARS:
        return given == gold
    return any(rule(given, gold) for rule in RULES[rules])


def extract_answer_original(text: str) -> str | None:
    """The last match of the first pattern that matches, anywhere in the text."""
    if len(text) > MAX_TEXT_CHARS:
        text = text[-MAX_TEXT_CHARS:]
    boxed = BOXED.findall(text)
    if boxed:
        return str(boxed[-1])
    for opening, closing in DELIMITERS:
        found = _last_between(text, opening, closing)
        if found is not None:
            return found
    return None


def _last_between(text: str, opening: str, closing: str) -> str | None:
    """What the last of the pairs encloses that a search from the left finds."""
    found, position = None, 0
    while (start := text.find(opening, position)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        found, position = text[start + len(opening) : end], end + len(closing)
    return found


def _without_groups(text: str, opening: str) -> str:
    r"""The text without `\text{...}` up to the next brace on the same line."""
    pieces: list[str] = []
    position = kept = 0
    close = newline = -1
    while (start := text.find(opening, position)) >= 0:
        inside = start + len(opening)
        close = text.find("}", inside) if close < inside else close
        newline = text.find("\n", inside) if -1 < newline < inside or position == 0 else newline
        if close < 0:
            break
        if -1 < newline < close:
            position = inside
            continue
        pieces.append(text[kept:start])
        kept = position = close + 1
    return "".join([*pieces, text[kept:]])


def clean_original(answer: str) -> str:
    """The original's cleaning, step by step in its order."""
    wrapped = TEXT_ONLY.match(answer)
    if wrapped and wrapped[1]:
        answer = wrapped[1].replace("(", "").replace(")", "").replace(",", "")
    for old, new in ((r",\!", ""), ("{,}", ""), (r"\$", ""), ("dfrac{", "frac{"), ("tfrac{", "frac{")):
        answer = answer.replace(old, new)
    for old in (r"^\circ", r"^{\circ}", r"\quad"):
        answer = answer.replace(old, "")
    for opening in (r"\,\text{", r"\text{"):
        answer = _without_groups(answer, opening)
    answer = re.sub(r"(\s\^\{-\d+\})", "", answer)
    answer = answer.replace(" ", "").replace("\n", "").replace("\\n", "")
    # The original matches the whole number before these signs; its last digit says the same in linear time.
    answer = re.sub(r"(?<=\d)\\times10\^{([+-]?\d+)}", r"e\1", answer)
    answer = re.sub(r"(?<=\d)\\times10\^([+-]?\d+)", r"e\1", answer)
    answer = re.sub(r"(?<=\d)\^{(\d+)}", r"^\1", answer)
    answer = re.sub(r"10\^\{(-?\d+)\}", r"1e\1", answer)
    answer = answer.replace(",", "").lower().removesuffix("\\")
    left, sign, right = answer.partition("=")
    return right if sign and (FUNCTION_NAME.match(left) or len(left) <= 3) else answer


def math_equal_original(given: str, gold: str) -> bool:
    """Rule 1: strings, choice letters, numbers with the percent rule, brackets, matrices, equations, symbols."""
    if given.strip().lower() == gold.strip().lower():
        return True
    if gold in CHOICES and _choice(given) == gold:
        return True
    given_number, gold_number = _number(given), _number(gold)
    if given_number is not None and gold_number is not None:
        candidates = (gold_number / 100, gold_number, gold_number * 100)
        return any(math.isclose(given_number, candidate, rel_tol=RELATIVE_TOLERANCE) for candidate in candidates)
    given, gold = given.strip(), gold.strip()
    return bool(given) and (
        _equal_without_brackets(given, gold)
        or _equal_part_by_part(given, gold)
        or _equal_matrices(given, gold)
        or _equal_as_equations(given, gold)
        or symbolic_equal_original(given, gold)
    )


def _number(text: str) -> float | None:
    """float() of the text without commas; a percent sign divides by 100."""
    text = text.replace(",", "")
    for candidate, divisor in ((text, 1), (text[:-1].removesuffix("\\") if text.endswith("%") else "", 100)):
        try:
            return float(candidate) / divisor
        except ValueError:
            continue
    return None


def _choice(text: str) -> str:
    text = text.strip("\n").rstrip(".").rstrip("/").strip(" ").lstrip(":")
    letters = re.findall(r"\b(A|B|C|D|E)\b", text.upper())
    return letters[-1] if letters else text.strip().strip(".")


def _equal_without_brackets(given: str, gold: str) -> bool:
    is_square = given.startswith("[") and given.endswith("]") and not gold.startswith("(")
    is_round = given.startswith("(") and given.endswith(")") and not gold.startswith("[")
    if is_square or is_round:
        given, gold = given.strip("[]()"), gold.strip("[]()")
    return given.translate(NO_BRACKETS).lower() == gold.translate(NO_BRACKETS).lower()


NO_BRACKETS = str.maketrans("", "", "{}()")


def _equal_part_by_part(given: str, gold: str) -> bool:
    if not (BRACKETED.match(given) and BRACKETED.match(gold)):
        return False
    parts, gold_parts = given[1:-1].split(","), gold[1:-1].split(",")
    is_smaller = parts[0] != given  # a part is shorter than the whole, so this ends
    return is_smaller and len(parts) == len(gold_parts) and all(map(math_equal_original, parts, gold_parts))


def _equal_matrices(given: str, gold: str) -> bool:
    if not (MATRIX.fullmatch(given) and MATRIX.fullmatch(gold)):
        return False
    rows, gold_rows = _rows(given), _rows(gold)
    if [len(row) for row in rows] != [len(row) for row in gold_rows]:
        return False
    cells = [cell for row in rows for cell in row]
    return all(map(math_equal_original, cells, [cell for row in gold_rows for cell in row]))


def _rows(matrix: str) -> list[list[str]]:
    inner = matrix[ENVIRONMENT_CHARS[0] : -ENVIRONMENT_CHARS[1]]
    return [line.strip().split("&") for line in inner.split("\\\\") if line.strip()]


def _equal_as_equations(given: str, gold: str) -> bool:
    if given.count("=") == 1 and gold.count("=") == 1:
        differences = []
        for side in (given, gold):
            left, right = side.split("=")
            differences.append(f"{left.strip()} - ({right.strip()})")
        return symbolic_equal_original(*differences) or symbolic_equal_original(f"-({differences[0]})", differences[1])
    for side, other in ((given, gold), (gold, given)):
        if side.count("=") == 1 and "=" not in other and len(side.split("=")[0].strip()) <= 2:
            value = side.split("=")[1]
            pair = (value, gold) if side is given else (given, value)
            return math_equal_original(*pair)
    return False


def symbolic_equal_original(given: str, gold: str) -> bool:
    """Same string, `equals`, simplified difference, equation, value within 1e-4, rounded matrix: in a worker."""
    from tools.mathematics.symbolic import ask_worker

    if max(len(given), len(gold)) > MAX_EXPRESSION_CHARS:
        return False
    answer = ask_worker({"operation": "original", "given": given, "gold": gold}, ORIGINAL_TIMEOUT_S)
    return bool(answer and answer["is_equal"])


ORIGINAL_TIMEOUT_S = 5.0


# Rules 2 and 3.
def _rounded(text: str) -> str:
    """A number below 1 in two significant digits, anything else as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:.2g}" if value < 1 else text


def _equal_after_calculation(given: str, gold: str) -> bool:
    """Both sides computed as Python would, when they are plain arithmetic."""
    values = [_arithmetic(SHORT_FRACTION.sub(r"(\1/\2)", side)) for side in (given, gold)]
    return bool(values[1]) and values[0] == values[1]


def _arithmetic(text: str) -> float | int | None:
    """The value of digits with + - * / ** and parentheses; None for anything else, or a result beyond a float."""
    if len(text) > 200 or not re.fullmatch(r"[\d+\-*/(). e]+", text) or re.search(r"\d\s*\(|\)\s*[\d(]", text):
        return None
    from tools.mathematics.exact import rational_value
    from tools.mathematics.reader import read
    from tools.mathematics.tree import BeyondLimits, Unreadable, kinds

    try:
        tree = read(text)
    except (Unreadable, BeyondLimits):
        return None
    value = rational_value(tree) if kinds(tree) <= {"num", "add", "mul", "neg", "div", "pow"} else None
    return None if value is None else _as_python(value)


def _as_python(value: Number) -> float | int | None:
    try:
        return float(value) if Fraction(value).denominator != 1 else int(value)
    except OverflowError:
        return None


def _equal_as_short_fractions(given: str, gold: str) -> bool:
    return SHORT_FRACTION.sub(r"\1/\2", given) == SHORT_FRACTION.sub(r"\1/\2", gold)


def _equal_when_rounded(given: str, gold: str) -> bool:
    return _rounded(given) == _rounded(gold)


# Which of the four rules hold for which set.
RULES = {
    "aime": (math_equal_original, _equal_when_rounded, _equal_after_calculation),
    "math500": (math_equal_original, _equal_after_calculation, _equal_as_short_fractions),
    "voting": (math_equal_original, _equal_when_rounded, _equal_after_calculation, _equal_as_short_fractions),
}
