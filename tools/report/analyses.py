"""The section on reasoning, length, budgets and contamination: `tools.analysis`'s numbers as sentences and small tables."""

from __future__ import annotations

from collections.abc import Iterable

from tools.analysis.budgets import ASSUMPTION
from tools.analysis.contamination import CutoffSplit
from tools.analysis.summary import Analysis, Texts
from tools.report.charts import percent
from tools.report.html import Child, Markup, table, tag

LOOPS_SHOWN = 60


def analysis_section(analysis: Analysis | None, unknown: Iterable[str]) -> Markup:
    """`analysis`: None where it could not be made."""
    parts: list[Child] = []
    if analysis:
        parts.append(tag("dl", [_fact(*fact) for fact in _facts(analysis)], class_="facts"))
        parts += [_budget_table(analysis), _cutoff(analysis.cutoff), _loops(analysis.texts)]
    parts += [tag("p", "Not known: ", reason, class_="soft") for reason in unknown]
    return tag("div", tag("h3", "Reasoning, length and budgets"), parts)


def _fact(name: str, value: str, note: str) -> Markup:
    return tag(
        "div", tag("dt", name), tag("dd", tag("b", value), tag("span", f" {note}", class_="soft") if note else None)
    )


def _facts(analysis: Analysis) -> list[tuple[str, str, str]]:
    """(name, value, note); a number that is not known is left out here and named below."""
    lengths = analysis.lengths
    facts = [("cut off at the cap", percent(lengths.truncated_share), f"of {lengths.samples} responses")]
    if lengths.unclosed_share is not None:
        facts.append(("reasoning never closed", percent(lengths.unclosed_share), "of those that reason"))
    facts.append(("right answer only in the reasoning", str(lengths.correct_in_reasoning_only), "responses"))
    if tokens := lengths.tokens:
        spread = f"median {tokens.median:,.0f}, 90 % below {tokens.p90:,.0f}, longest {tokens.max:,.0f}"
        facts.append(("mean length", f"{tokens.mean:,.0f} tokens", spread))
    if ends := lengths.wrong_minus_correct_interval:
        note = f"[{ends[0]:+,.0f}, {ends[1]:+,.0f}], within {lengths.wrong_minus_correct_problems} problems"
        facts.append(("wrong responses are longer by", f"{lengths.wrong_minus_correct:,.0f} tokens", note))
    return facts + (_text_facts(analysis.texts) if analysis.texts and analysis.texts.responses else [])


def _text_facts(texts: Texts) -> list[tuple[str, str, str]]:
    cut = f"; {texts.cut_off_in_loop} of the {texts.cut_off} cut off" if texts.cut_off else ""
    advice = "check that seeds reach the engine" if texts.warning else ""
    return [
        ("end in a repetition loop", str(texts.loops), f"of {texts.responses}{cut}"),
        ("equal another seed's response", str(texts.repeated_responses), advice),
    ]


def _budget_table(analysis: Analysis) -> Markup | None:
    if not analysis.budgets:
        return None
    cells: list[list[Child]] = [
        [f"{row.budget:,} tokens", percent(row.score), _ends(row.interval), percent(row.truncated_share)]
        for row in analysis.budgets
    ]
    head = ["had the cap been", "score", "95 %, problems like these", "cut off"]
    return tag("div", table(head, cells, class_="small"), tag("p", ASSUMPTION, class_="soft caption"))


def _ends(interval: tuple[float, float] | None) -> str:
    return f"{100 * interval[0]:.1f} – {100 * interval[1]:.1f}" if interval else "none"


def _cutoff(split: CutoffSplit | None) -> Markup | None:
    """Before and after the model's training cut-off."""
    if not split:
        return None
    rows: list[list[Child]] = [
        [f"before {split.cutoff}", split.problems_before, percent(split.before)],
        ["on that day or later", split.problems_after, percent(split.after)],
    ]
    low, high = split.confidence_interval
    numbers = (
        f"Difference {100 * split.difference:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}], p = {split.p:.2g}"
    )
    if split.difference_within_strata is not None:
        within = f"{100 * split.difference_within_strata:+.1f} points, p = {split.p_within_strata:.2g}"
        numbers += f"; within equal difficulty {within}"
    words = tag("p", tag("b", f"{split.verdict[:1].upper()}{split.verdict[1:]}. "), f"{numbers}.")
    return tag(
        "div", tag("h3", "Contamination"), words, table(["problems dated", "problems", "score"], rows, class_="small")
    )


def _loops(texts: Texts | None) -> Markup | None:
    if not texts or not texts.listed:
        return None
    rows: list[list[Child]] = [
        [found.task_id, found.seed, found.loop.kind, f"{found.loop.characters:,}", tag("code", " ".join(found.loop.unit[:90].split()))]
        for found in texts.listed[:LOOPS_SHOWN]
    ]  # fmt: skip
    more = f" (the first {len(rows)})" if texts.loops > len(rows) else ""
    title = f"Responses that end in a loop: {texts.loops}{more}"
    head = ["problem", "seed", "kind", "characters", "what repeats"]
    return tag("details", tag("summary", title), table(head, rows, class_="audit"))
