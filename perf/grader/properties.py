r"""Pairs made from gold answers: such as differ and must not be called equal, and such as only look different.

    python perf/grader/properties.py [--data DATA_DIR] [--show 20]

Reads every gold answer under DATA_DIR (math500, amc23, aime24, aime25 and breadth's olympiadbench, minerva_math,
imo_answerbench, mmlu_stem). Printed: how many differing pairs are called equal, and what share of rewritings is accepted.
The tests of the grader use the same makers on golds of their own.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.grader import is_correct, math_equal  # noqa: E402
from tools.grading.math.boxes import closing_brace, joined_boxes  # noqa: E402

Pair = tuple[str, str]  # (what was done, the other answer)
DIGIT = re.compile(r"\d")
SIGN = re.compile(r"(?<=[\w)}\]])\s*([-+])\s*(?=[\w(\\])")
FUNCTIONS = {
    "sin": "cos",
    "cos": "sin",
    "tan": "cot",
    "ln": "cos",
    "log": "ln",
    "max": "min",
    "arcsin": "arccos",
    "arctan": "arccos",
    "lfloor": "lceil",
}
UNIT_CHANGES = {
    "cm": "mm", "m": "cm", "km": "m", "kg": "g", "g": "kg", "hours": "minutes", "minutes": "seconds", "seconds": "hours", "dollars": "cents",
    "feet": "inches", "inches": "feet", "miles": "kilometers", "years": "months", "N": "J", "J": "W", "units": "", "degrees": "",
}  # fmt: skip
RELATIONS = {
    r"\le": "<",
    r"\leq": "<",
    r"\ge": ">",
    r"\geq": ">",
    "<": r"\le ",
    ">": r"\ge ",
    r"\ne": "=",
    r"\neq": "=",
}
TOP_LEVEL_TERM = re.compile(r"\s*[-+]\s*")


def differing(gold: str) -> Iterator[Pair]:
    """Answers that are not the gold: each by one change."""
    digits = list(DIGIT.finditer(gold))
    for match in digits if len(digits) < 12 else digits[:: len(digits) // 6]:
        yield "digit", gold[: match.start()] + str((int(match.group()) + 1) % 10) + gold[match.end() :]
    yield from _sign_changes(gold)
    yield from _word_changes(gold)
    for match in list(re.finditer(r"\^\{?(\d)\}?", gold))[:2]:
        yield "exponent", gold[: match.start()] + "^{" + str(int(match[1]) + 1) + "}" + gold[match.end() :]
    for match in list(re.finditer(r"_\{?(\d)\}?", gold))[:1]:
        yield "index", gold[: match.start()] + "_{" + str(int(match[1]) + 1) + "}" + gold[match.end() :]
    if _is_expression(gold):
        yield "added term", gold + "+1"
        yield "added term", gold + "+x"
        yield "factor", "2(" + gold + ")"
        terms = _top_level_terms(gold)
        if len(terms) > 1:
            yield "dropped term", gold[: terms[-1][0]]
    yield from _collection_changes(gold)


def _sign_changes(gold: str) -> Iterator[Pair]:
    if _is_expression(gold):
        yield "sign", gold[1:] if gold.startswith("-") else "-" + gold
    for match in list(SIGN.finditer(gold))[:3]:
        yield "sign", gold[: match.start(1)] + ("-" if match[1] == "+" else "+") + gold[match.end(1) :]


def _word_changes(gold: str) -> Iterator[Pair]:
    for match in list(re.finditer(r"\\([a-z]+)(?![a-z])", gold))[:6]:
        if match[1] in FUNCTIONS and match[1] != "lfloor":
            yield "function", gold[: match.start(1)] + FUNCTIONS[match[1]] + gold[match.end() :]
    for match in list(re.finditer(r"\\sqrt\{", gold))[:1]:
        yield "function", gold[: match.start()] + r"\sqrt[3]{" + gold[match.end() :]
    for match in list(re.finditer(r"\\(?:text|mathrm)\s*\{~?\s*([a-zA-Z]+)\s*\}", gold))[:2]:
        if UNIT_CHANGES.get(match[1]):
            yield "unit", gold[: match.start(1)] + UNIT_CHANGES[match[1]] + gold[match.end(1) :]
    for match in list(re.finditer(r"\\(?:leq?|geq?|neq?)(?![a-z])|[<>]", gold))[:2]:
        yield "relation", gold[: match.start()] + RELATIONS[match.group()] + " " + gold[match.end() :]
    for match in list(re.finditer(r"\\(?:leq?|geq?)(?![a-z])|[<>]", gold))[:2]:
        turned = {"<": ">", ">": "<"}.get(match.group()) or match.group().replace("le", "GE").replace(
            "ge", "le"
        ).replace("GE", "ge")
        yield "relation", gold[: match.start()] + turned + gold[match.end() :]
    for match in list(re.finditer(r"(?<![\\A-Za-z{])([a-df-hj-z])(?![A-Za-z])", gold))[:1]:
        yield "variable", gold[: match.start()] + ("w" if match[1] != "w" else "v") + gold[match.end() :]


def _collection_changes(gold: str) -> Iterator[Pair]:
    match = re.fullmatch(r"(\\left)?([(\[])(.+?),(.+?)(\\right)?([)\]])", gold)
    if match and not set("()[]") & set(match[3] + match[4]) and "," not in match[4]:
        left, right = match[1] or "", match[5] or ""
        turned = {"(": "[", "[": "(", ")": "]", "]": ")"}
        yield "bracket", f"{left}{turned[match[2]]}{match[3]},{match[4]}{right}{match[6]}"
        yield "bracket", f"{left}{match[2]}{match[3]},{match[4]}{right}{turned[match[6]]}"
        if match[3].strip() != match[4].strip():
            yield "order", f"{left}{match[2]}{match[4].strip()},{match[3]}{right}{match[6]}"
    if re.fullmatch(r"[^()\[\]{}\\]+(?:,[^()\[\]{}\\]+)+", gold) and not re.fullmatch(
        r"\d{1,3}(?:,\d{3})+", gold.strip()
    ):
        items = gold.split(",")
        yield "dropped item", ",".join(items[:-1])
        yield "added item", gold + ",1234321"


def rewritings(gold: str) -> Iterator[Pair]:
    """The same answer written otherwise."""
    yield "dollars", f"${gold}$"
    if not gold.endswith("..."):
        yield "full stop", gold + "."
    if "\\begin" not in gold:
        yield "spaces", re.sub(r"\s*([-+=,])\s*", r" \1 ", gold) if _is_plain(gold) else gold + r"\ "
    yield "dfrac", gold.replace(r"\frac", r"\dfrac")
    yield (
        "left",
        re.sub(r"(?<!\\)\)", r"\\right)", re.sub(r"(?<!\\)\(", r"\\left(", gold))
        if "(" in gold and _is_balanced(gold)
        else gold,
    )
    yield "power", re.sub(r"\^(\d)(?!\d)", r"^{\1}", gold)
    yield "leq", re.sub(r"\\([lg])eq?(?![a-z])", r"\\\1eq", gold)
    yield "mathrm", gold.replace(r"\text{", r"\mathrm{") if not re.search(r"\\text\{[^}]* [^}]*\}", gold) else gold
    yield "unicode", gold.replace(r"\pi", "π ").replace(r"\infty", "∞ ").replace("-", "−")
    yield "sqrt", re.sub(r"\\sqrt\{(\d)\}", r"\\sqrt\1 ", gold)
    slash = _with_slash(gold)
    if slash:
        yield "slash", slash
    if _is_expression(gold) and "→" not in gold:
        terms = _top_level_terms(gold)
        if len(terms) == 2 and gold[terms[1][0] :].strip().startswith("+"):
            yield "order of terms", gold[terms[1][1] :] + "+" + gold[: terms[1][0]]
        if not re.search(r"[A-Za-z]|\d \d", re.sub(r"\\[a-z]+", "", gold)):
            yield "named", "x = " + gold
    if re.fullmatch(r"-?\d{4,9}", gold):
        yield "thousands", f"{int(gold):,}"
        yield "thousands", f"{int(gold):,}".replace(",", "{,}")


def _is_plain(gold: str) -> bool:
    return not re.search(r"\\text|\\mathrm|\d,\d{3}|[eE][-+]|e\^|\\!|\{,\}|[A-Za-z]{3,}", gold) or "\\frac" in gold


def _is_balanced(text: str) -> bool:
    return (
        text.count("(") == text.count(")")
        and text.count("[") == text.count("]")
        and "left" not in text
        and "big" not in text.lower()
        and "\\text" not in text
    )


def _is_expression(gold: str) -> bool:
    """One value: no relation, list, words or sign ±."""
    signs = r"[=<>,;:~&%$]|\\(?:in|le|ge|leq|geq|ne|neq|pm|mp|text|mathrm|cup|cap|begin|to|approx|equiv|ldots|dots|quad|infty|setminus|mathbb|emptyset|circ|%|overline|not)(?![a-z])|[A-Za-z]{3,}"
    bare = re.sub(
        r"\\(?:frac|sqrt|sin|cos|tan|ln|log|pi|cdot|times|left|right|binom|dfrac|alpha|beta|theta|lfloor|rfloor|arctan|arcsin)(?![a-z])",
        " ",
        gold,
    )
    return (
        bool(gold.strip())
        and not re.search(signs, bare)
        and gold[-1] not in "+-=^_"
        and not re.search(r"_\d+$|\\[a-z]+$", bare)
    )


def _top_level_terms(gold: str) -> list[tuple[int, int]]:
    """(start, end) of the sign before each term at depth 0; the first has no sign."""
    depth, found = 0, [(0, 0)]
    for place, sign in enumerate(gold):
        depth += (sign in "([{") - (sign in ")]}")
        if (
            sign in "+-"
            and depth == 0
            and place
            and gold[:place].rstrip()[-1:] not in ("", "^", "_", "*", "/", "(", "e", "E", "{")
        ):
            found.append((place, place + 1))
    return found


def _with_slash(gold: str) -> str:
    """`\\frac{a}{b}` as `(a)/(b)` for a fraction that is the whole answer."""
    if not gold.startswith(r"\frac{"):
        return ""
    middle = closing_brace(gold, 5)
    if middle < 0 or gold[middle + 1 : middle + 2] != "{":
        return ""
    end = closing_brace(gold, middle + 1)
    return f"({gold[6:middle]})/({gold[middle + 2 : end]})" if end == len(gold) - 1 else ""


def golds_of(data: Path) -> list[str]:
    """Every gold answer of the data sets that are there, each once."""
    found: list[str] = []
    for name in ("math500", "amc23", "aime24", "aime25"):
        found += [str(row["answer"]) for row in _rows(data / f"{name}.jsonl")]
    for row in _rows(data / "breadth/math/olympiadbench.jsonl"):
        found += [answer.strip("$ ") for answer in row["final_answer"]]
    for row in _rows(data / "breadth/math/minerva_math.jsonl"):
        boxed = joined_boxes(row["solution"])
        found += [boxed[0]] if boxed is not None and boxed[0] else []
    table = data / "breadth/math/imo_answerbench_v2.csv"
    if table.exists():
        with table.open(encoding="utf-8", newline="") as lines:
            found += [row["Short Answer"].strip("$ .") for row in csv.DictReader(lines)]
    for row in _rows(data / "breadth/mmlu/mmlu_stem.jsonl"):
        value = row["choices"][row["answer"]]
        found += [value] if re.search(r"\d|\\|\^", value) and len(value) < 60 else []
    return [gold for gold in dict.fromkeys(found) if gold.strip()]


def _rows(path: Path) -> list[dict]:  # type: ignore[type-arg]
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DATA_DIR", ROOT / "data")))
    parser.add_argument("--show", type=int, default=20, help="how many of the failing pairs to print")
    arguments = parser.parse_args()
    golds = golds_of(arguments.data)
    started = time.process_time()
    equal, refused = [], []
    counts: Counter[str] = Counter()
    for gold in golds:
        for kind, other in dict.fromkeys(differing(gold)):
            if other != gold:
                counts["differing"] += 1
                if math_equal(other, gold):
                    equal.append((kind, gold, other))
        for kind, other in dict.fromkeys(rewritings(gold)):
            if other != gold:
                counts["rewritings"] += 1
                if not math_equal(other, gold):
                    refused.append((kind, gold, other))
        counts["rewritings"] += 1
        if not is_correct(f"So the answer is $\\boxed{{{gold}}}$.", gold):
            refused.append(("box", gold, gold))
    for title, rows in (("called equal", equal), ("refused", refused)):
        for kind, gold, other in rows[: arguments.show]:
            print(f"{title}: {kind}: {gold!r} / {other!r}")
    print(f"{len(golds)} golds, {time.process_time() - started:.1f} s CPU in this process")
    print(
        f"{counts['differing']} differing pairs, {len(equal)} called equal: {dict(Counter(kind for kind, *_ in equal))}"
    )
    share = 100 * (1 - len(refused) / max(1, counts["rewritings"]))
    print(
        f"{counts['rewritings']} rewritings, {share:.2f} % accepted; refused: {dict(Counter(kind for kind, *_ in refused))}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
