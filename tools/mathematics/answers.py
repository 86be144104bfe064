r"""Compares two answers in plain form: words as words, choice letters as letters, the rest as mathematics.

Says which rule decided and how both sides were read, for the audit. What the quick reader cannot read and what the
cheap stages leave open goes to a symbolic worker (tools/mathematics/symbolic.py).

>>> compare_answers("No solution", r"\emptyset").is_equal
True
"""

from __future__ import annotations

import re

from tools.mathematics.clock import read_time, times_equal
from tools.mathematics.compare import both_signs, trees_equal
from tools.mathematics.comparison import Comparison
from tools.mathematics.cycles import cycles_equal
from tools.mathematics.families import families_equal
from tools.mathematics.limits import SYMBOLIC_TIMEOUT_S
from tools.mathematics.phrases import UNDEFINED, has_words, meaning, number_in_words, same_statement, set_in_words
from tools.mathematics.qualifiers import ranges_differ, split_qualifier, whole_parameters
from tools.mathematics.reader import read
from tools.mathematics.tokens import CONSTANTS, FUNCTIONS, GREEK
from tools.mathematics.tree import BeyondLimits, NotMathematics, Tree, Unreadable, shown, symbols

TEXT_WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mbox|operatorname)\s*\{([^{}]*)\}"
)
CHOICE = re.compile(r"\(?([A-J])\)?[.:]?")
CHOICE_WITH_TEXT = re.compile(
    r"(?:(?:option|choice|answer)\s*:?\s*\(?([A-J])\)?|\(([A-J])\)|([A-J])[.:)])(?:\s+(.+))?", re.IGNORECASE
)
OTHER_CHOICE = re.compile(r"(?<![A-Za-z])\(?[A-J]\)?(?![A-Za-z])")
UNIT_LETTER = re.compile(r"(.*\d\}?)\s+([mgsLNJWVKhCFAT](?:/s\^2|/s|/h|\^2|\^3)?)")
BARE_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")
LEADING_WORDS = re.compile(r"^\\(?:text|textbf|mathrm|textnormal)\{[^{}]*(?:\b(?:is|are|equals)|:|=)\s*\}\s*(?=\S)")
# What an answer may be called: `Area = 5`, `\\text{Perimeter}: 5`, `answer: 5`, `USD 5`, the point `A(1,2)`.
LABEL = re.compile(
    r"^(?:(?:\\(?:text|textbf|mathrm|textnormal|operatorname)\{\s*[A-Za-z][A-Za-z ]*\}\s*[:=]"
    r"|(?![A-Za-z ]*\b(?:not|never|unless|except|without|impossible|least|most|than|if|either)\b)(?!(?:arc)?(?:sin|cos|tan|cot|sec|csc|log|exp|max|min|gcd|lcm|det|lim)[xyz]?\b)(?=[A-Za-z ]*[aeiouAEIOU])"
    r"(?:[A-Za-z]{3,}(?: [A-Za-z]+)*\s*=|(?:[Aa]nswer|[A-Z][a-z]{2,}(?: [A-Za-z]+)*)\s*:))(?!=)"
    r"|Rs\.(?=\s*\d)|[A-Z](?=\s*\([^()=]*,[^()=]*\)$))\s*(?=\S)"
)
# The letter of an option before its value: `(B) 12`.
OPTION = re.compile(r"^(?:\\(?:text|textbf|mathrm|mathbf|textnormal)\s*)?\{?\s*\([A-J]\)\s*\}?\s*(?=[-+\d\\$.])")
# Intervals as French schools write them: `]1,3]`, `[0,1[`.
FRENCH_INTERVAL = re.compile(
    r"(?P<opening>[\[\]])(?P<ends>[^\[\](){};,]{1,200}[;,][^\[\](){};,]{1,200})(?P<closing>[\[\]])"
)
MATHEMATICAL_SIGN = re.compile(r"\d|[\\^_=<>+*/{}|]")


def compare_answers(given: str, gold: str, timeout_s: float = SYMBOLIC_TIMEOUT_S) -> Comparison:
    """The verdict on two plain forms (tools/grading/math/cleaning.py)."""
    given, gold = (LABEL.sub("", LEADING_WORDS.sub("", side)) for side in (given, gold))
    choice = _compare_choices(given, gold)
    if choice is not None:
        return choice
    for rule, equal in (("time", times_equal), ("permutation", cycles_equal)):
        verdict = equal(given, gold)
        if verdict is not None:
            return Comparison(verdict, rule, "", given, gold)
    given, gold = set_in_words(given), set_in_words(gold)
    (given, given_ranges), (gold, gold_ranges) = split_qualifier(given), split_qualifier(gold)
    if ranges_differ(given_ranges, gold_ranges):
        return Comparison(
            False, "range", "the parameters run through different sets", str(given_ranges), str(gold_ranges)
        )
    whole = whole_parameters(given_ranges), whole_parameters(gold_ranges)
    if not OPTION.match(gold):
        given = OPTION.sub("", given)
    given, gold = _with_usual_brackets(given), _with_usual_brackets(gold)
    given_words, gold_words = _words(given), _words(gold)
    if given_words is not None and gold_words is not None:
        is_equal = given_words == gold_words or _same_phrase(given_words, gold_words)
        return Comparison(is_equal, "text", "", given_words, gold_words)
    if (given_words is None) != (gold_words is None):
        in_words = number_in_words((given_words or gold_words or "").removeprefix("minus "))
        if in_words is not None:
            is_negative = (given_words or gold_words or "").startswith("minus ")
            written = str(-in_words if is_negative else in_words)
            given, gold = (written, gold) if given_words is not None else (given, written)
            given_words = gold_words = None
    if gold_words is not None or given_words is not None:
        bare = [TEXT_WRAPPER.sub(r"\1", side).strip() for side in (given, gold)]
        if all(side.isalpha() for side in bare):
            is_equal = bare[0] == bare[1] or (len(bare[0]) > 1 and bare[0].lower() == bare[1].lower())
            return Comparison(is_equal, "text", "", *bare)
    given_tree, given_error = _read(given, given_words)
    gold_tree, gold_error = _read(gold, gold_words)
    if given_tree is not None and gold_tree is not None:
        if symbols(given_tree) and not symbols(gold_tree):
            given_tree = _without_unit_letter(given, given_tree)
        elif symbols(gold_tree) and not symbols(given_tree):
            gold_tree = _without_unit_letter(gold, gold_tree)
        families = families_equal(both_signs(given_tree), both_signs(gold_tree), *whole)
        if families is not None:
            return Comparison(families, "family", "", shown(given_tree), shown(gold_tree))
        return _compare_trees(given, gold, given_tree, gold_tree, timeout_s)
    if given_tree is None and gold_tree is None and has_words(given) and has_words(gold):
        is_equal = same_statement(given, gold, _formulas_equal)
        return Comparison(is_equal, "text", str(gold_error or ""), given[:200], gold[:200])
    if gold_words is not None or given_words is not None:
        reason = str(given_error or gold_error or "words against mathematics")
        return Comparison(False, "text", reason, given[:200], gold[:200])
    if gold_tree is None and _may_the_grammar_know(gold, gold_error):
        return _ask_worker(given, gold, timeout_s, str(gold_error))
    if gold_tree is None:
        return _as_strings(given, gold, f"the reference cannot be read: {gold_error}")
    if _may_the_grammar_know(given, given_error):
        return _ask_worker(given, gold, timeout_s, str(given_error))
    return Comparison(False, "unreadable", str(given_error), given[:200], gold[:200])


def why_unreadable(text: str) -> str:
    """Why a reference in plain form is neither words nor mathematics that a reader knows; "" when it is."""
    if not text:
        return "the text is empty"
    if _words(text) is not None or read_time(text) is not None:
        return ""
    text = _with_usual_brackets(split_qualifier(LABEL.sub("", LEADING_WORDS.sub("", text)))[0])
    tree, error = _read(text, None)
    if tree is not None or has_words(text):
        return ""
    if _may_the_grammar_know(text, error):
        from tools.mathematics.symbolic import can_read

        return can_read(text)
    return str(error)


def _formulas_equal(given: str, gold: str) -> bool | None:
    try:
        return trees_equal(read(given), read(gold))
    except (Unreadable, BeyondLimits, RecursionError):
        return False


def _with_usual_brackets(text: str) -> str:
    """`]1,3]` as `(1,3]`: only where a bracket opens the wrong way round."""
    brackets = [sign for sign in text if sign in "[]"]
    if len(brackets) < 2 or (brackets[0] == "[" and brackets[-1] == "]"):
        return text
    return FRENCH_INTERVAL.sub(_usual_interval, text)


def _usual_interval(match: re.Match[str]) -> str:
    opening = "(" if match["opening"] == "]" else "["
    closing = ")" if match["closing"] == "[" else "]"
    return f"{opening}{match['ends']}{closing}"


def _without_unit_letter(given: str, tree: Tree) -> Tree:
    """`2.78 m` against a value without variables: the letter is a unit, not a variable."""
    match = UNIT_LETTER.fullmatch(given)
    return ("unit", read(match[1]), match[2]) if match else tree


def _may_the_grammar_know(text: str, error: Exception | None) -> bool:
    """Whether the text has LaTeX commands that the quick reader leaves to the grammar."""
    is_mathematics = not isinstance(error, (BeyondLimits, NotMathematics)) and not BARE_WORD.search(text)
    return "\\" in text and is_mathematics


def _as_strings(given: str, gold: str, reason: str) -> Comparison:
    """A reference that is no mathematics we know: the answer must repeat it."""
    bare = [
        re.sub(r"\{(\w)\}", r"\1", "".join(TEXT_WRAPPER.sub(r"\1", side).split())).lower() for side in (given, gold)
    ]
    is_equal = bare[0] == bare[1]
    return Comparison(is_equal, "string", reason, given[:200], gold[:200])


def _compare_trees(given: str, gold: str, given_tree: Tree, gold_tree: Tree, timeout_s: float) -> Comparison:
    verdict = trees_equal(given_tree, gold_tree)
    if not verdict and "," in given + gold and "list" in (given_tree[0], gold_tree[0]):
        verdict = _with_ungrouped_digits(given, gold) or verdict
    if verdict is None:
        return _ask_worker(given, gold, timeout_s, "the quick stages do not decide")
    return Comparison(verdict, _rule_of(given_tree, gold_tree), "", shown(given_tree), shown(gold_tree))


def _with_ungrouped_digits(given: str, gold: str) -> bool | None:
    """`100,200,300` against a list of three: the commas separate after all."""
    if not re.search(r"\d,\d{3}", given + gold):
        return None
    try:
        return trees_equal(read(given, groups_digits=False), read(gold, groups_digits=False))
    except (Unreadable, BeyondLimits):
        return None


def _rule_of(given: Tree, gold: Tree) -> str:
    for kind in ("rel", "matrix", "tuple", "set", "list", "cup", "setminus", "numbers", "unit", "percent", "ratio"):
        if kind in (gold[0], given[0]):
            return {"rel": "relation", "cup": "set", "setminus": "set", "numbers": "set"}.get(kind, kind)
    return "expression"


def _read(text: str, words: str | None) -> tuple[Tree | None, Exception | None]:
    if words is not None:
        named = meaning(words)
        if named is not None:
            return named, None
        if words in UNDEFINED or not re.fullmatch(r"\\?[A-Za-z]{1,3}", text):
            return None, None
    try:
        return read(text), None
    except (Unreadable, BeyondLimits) as error:
        return None, error
    except RecursionError:
        return None, BeyondLimits("nested too deep")


def _ask_worker(given: str, gold: str, timeout_s: float, reason: str) -> Comparison:
    from tools.mathematics.symbolic import decide

    return decide(given, gold, timeout_s, reason)


# Words.
def _words(text: str) -> str | None:
    r"""The lower-case words of an answer that is prose; None for mathematics. `\text{...}` of one word is prose."""
    stripped = TEXT_WRAPPER.sub(r" \1 ", text) if "\\" in text else text
    if MATHEMATICAL_SIGN.search(stripped):
        return None
    has_wrapper = stripped != text
    if has_wrapper and any(match[1].strip() in FUNCTIONS for match in TEXT_WRAPPER.finditer(text)) and "(" in text:
        return None
    words = re.sub(r"[^\w\s'\-]", " ", stripped.replace("-", " ")).split()
    if not words or (not has_wrapper and max(map(len, words)) < 3):
        return None
    is_named = any(word in FUNCTIONS or word in CONSTANTS or word in GREEK for word in words)
    if not has_wrapper and is_named and meaning(" ".join(words).lower()) is None:
        return None
    if not has_wrapper and "," in text and all(len(word) <= 1 for word in words):
        return None
    has_separator = re.search(r"[,;]|\band\b|\bor\b", stripped)
    if has_separator and all(len(word) == 1 or word in ("and", "or") for word in words):
        return None
    joined = " ".join(words)
    return joined if len(joined) == 1 else joined.lower()


def _same_phrase(given: str, gold: str) -> bool:
    meanings = meaning(given), meaning(gold)
    return (meanings[0] is not None and meanings[0] == meanings[1]) or (given in UNDEFINED and gold in UNDEFINED)


def _compare_choices(given: str, gold: str) -> Comparison | None:
    """A gold that is one capital letter A-J, against a letter with or without its option's text."""
    bare_gold = TEXT_WRAPPER.sub(r"\1", gold).strip()
    gold_match = CHOICE.fullmatch(bare_gold)
    if gold_match is None:
        return None
    bare = re.sub(r"[{}]", "", TEXT_WRAPPER.sub(r"\1 ", given)).strip()
    match = CHOICE.fullmatch(bare)
    letter = match[1] if match else None
    if letter is None:
        with_text = CHOICE_WITH_TEXT.fullmatch(bare)
        if with_text is None or OTHER_CHOICE.search(with_text[4] or ""):
            return None
        letter = (with_text[1] or with_text[2] or with_text[3]).upper()
    return Comparison(letter == gold_match[1], "choice", "", letter, gold_match[1])
