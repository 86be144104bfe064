"""The pictures of one data set, each from its numbers in the results file or in the analyses; without numbers, none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.analysis.budgets import budget_curve
from tools.analysis.lengths import LengthBin
from tools.analysis.summary import Analysis
from tools.errors import EvaluationError
from tools.records import Grade, Verdict
from tools.report import charts
from tools.report.facts import length_bins
from tools.report.html import Child, Markup, tag
from tools.results.parts import Group
from tools.results.results import Results

# One letter per verdict in the map's classes and in the page's answers.
LETTERS = {
    Verdict.CORRECT: "c", Verdict.WRONG: "w", Verdict.NO_ANSWER: "n", Verdict.TRUNCATED: "t", Verdict.TIMEOUT: "l",
    Verdict.MEMORY: "m", Verdict.RUNTIME_ERROR: "r", Verdict.COMPILE_ERROR: "s", Verdict.GRADER_ERROR: "g",
    Verdict.INFRA_ERROR: "i",
}  # fmt: skip
MISSING = "x"
CURVE_NAMES = {"pass_at_k": "pass@k", "maj_at_k": "maj@k", "pass_hat_k": "pass^k"}
MAX_LABELS = 60  # a breakdown with more labels is a list, not a picture


def figure(title: str, chart: Markup, caption: Child = None) -> Markup:
    words = tag("p", caption) if caption else None
    return tag("figure", tag("figcaption", tag("h3", title), words), chart)


def score_figure(results: Results) -> Markup:
    """The score with its intervals, and with the published figure where there is one."""
    score = results.score
    sampling = (score.sampling_interval.low, score.sampling_interval.high) if score.sampling_interval else None
    value = results.figures[0].value if len(results.figures) == 1 else None
    chart = charts.interval_chart(score.bounds, sampling, score.mean, value)
    return figure("Score with its 95 % intervals", chart, "The upright line is the score.")


def breakdown_figures(results: Results, cutoff: str | None) -> list[Markup]:
    """Accuracy by year, month, difficulty, ...: one picture a breakdown that splits the problems."""
    figures = []
    for name, groups in results.breakdowns.items():
        known = _in_order([_group_point(label, group) for label, group in groups.items()])
        if len(known) < 2 or len(known) > MAX_LABELS:
            continue
        cut = sum(point.label < cutoff[:7] for point in known) if cutoff and name == "month" else None
        chart = charts.points_chart(known, label=f"Accuracy by {name}", cut_after=cut)
        note = f" The rule marks the cut-off {cutoff}." if cut is not None else ""
        figures.append(figure(f"Accuracy by {name}", chart, f"Percent correct; bars are 95 % intervals.{note}"))
    return figures


def _group_point(label: str, group: Group) -> charts.Point:
    return charts.Point(label, group.accuracy, group.interval, f"({group.problems} problems)")


def _in_order(points: Sequence[charts.Point]) -> list[charts.Point]:
    """Easy before hard, windows (05/23-05/24) by their first month; months and years come right of themselves."""
    rank = {"easy": 0, "medium": 1, "hard": 2}

    def place(point: charts.Point) -> tuple[int, str, str]:
        window = re.match(r"(\d\d)/(\d\d)", point.label)
        first_month = f"{window[2]}{window[1]}" if window else ""
        return rank.get(point.label.lower(), 3), first_month, point.label

    return sorted(points, key=place)


def curve_figure(results: Results) -> Markup | None:
    """pass@k, maj@k and pass^k over k."""
    curves = {}
    for key, name in CURVE_NAMES.items():
        known = sorted((float(k), share) for k, share in getattr(results, key).means.items())
        if len(known) > 1:
            curves[name] = known
    if not curves:
        return None
    ks = [k for k, _ in next(iter(curves.values()))]
    shown = [k for place, k in enumerate(ks) if len(ks) <= 7 or place % 2 == 0 or k == ks[-1]]
    chart = charts.curves_chart(curves, label="Curves over k", x_labels=[(k, f"{k:g}") for k in shown], is_log=True)
    words = "One of k samples right, the majority of k right, all k right; estimated without bias from all samples."
    return figure("With k samples a problem", chart, words)


def budget_figure(grades: Sequence[Grade], cap: int | None) -> Markup | None:
    """What the score would have been with fewer tokens."""
    if cap is None or not grades:
        return None
    try:
        rows = budget_curve(grades, cap, 32)
    except EvaluationError:
        return None  # the analyses say why
    curve = [(row.budget, row.score) for row in rows]
    band = [(row.budget, *row.interval) for row in rows if row.interval]
    chart = charts.curves_chart(
        {"score": curve}, label="Score at smaller budgets", x_labels=[(v, f"{v / 1024:g}k" if v >= 2048 else f"{v}") for v in _quarters(cap)],
        bands={"score": band},
    )  # fmt: skip
    return figure(
        "Score at smaller budgets", chart, "Had the cap been lower, with longer responses counted as cut off."
    )


def _quarters(cap: int) -> list[int]:
    return [cap // 4, cap // 2, 3 * cap // 4, cap]


def length_figures(grades: Sequence[Grade], analysis: Analysis | None) -> list[Markup]:
    """How long responses are, and accuracy by length."""
    figures = []
    bins = length_bins(grades)
    if bins:
        rows = [
            {"correct": right, "wrong": other, "truncated": cut}
            for right, other, cut in zip(bins.correct, bins.other, bins.truncated, strict=True)
        ]
        chart = charts.stacked_bars(rows, ("correct", "wrong", "truncated"), width=bins.width, label="Lengths")
        caption = [_swatch("c", "correct"), _swatch("w", "not correct"), _swatch("t", "cut off"), "by output tokens"]
        figures.append(figure("Length of responses", chart, caption))
    by_length = analysis.accuracy_by_length if analysis else ()
    points = [
        charts.Point(
            _bin_label(row), row.accuracy, row.interval, f"({row.samples} samples of {row.problems} problems)"
        )
        for row in by_length
    ]  # fmt: skip
    if len(points) > 1:
        chart = charts.points_chart(points, label="Accuracy by length")
        words = "Output tokens. Long responses are wrong more often, mostly because hard problems take longer."
        figures.append(figure("Accuracy by length", chart, words))
    return figures


def _bin_label(row: LengthBin) -> str:
    low = f"{row.low / 1024:g}"
    return f"{low}–{row.high / 1024:g}k" if row.high is not None else f"≥{low}k"


def _swatch(letter: str, words: str) -> list[Child]:
    return [tag("i", class_=f"swatch v-{letter}"), f"{words} "]


def map_figure(grades: Sequence[Grade], task_ids: Sequence[str], seeds: Sequence[int]) -> Markup | None:
    """Every verdict: problems down, seeds across."""
    if not grades or not task_ids or not seeds:
        return None
    letters = {(grade.task_id, grade.seed): LETTERS[grade.verdict] for grade in grades}
    rows = []
    for task_id in task_ids:
        row = "".join(letters.get((task_id, seed), MISSING) for seed in seeds)
        graded = len(row) - row.count(MISSING)
        rows.append((task_id, row, f"problem {task_id}: {row.count('c')} of {graded} graded samples correct"))
    present = {letter for _, row, _ in rows for letter in row}
    key = [_swatch(letter, verdict.value.replace("_", " ")) for verdict, letter in LETTERS.items() if letter in present]
    if MISSING in present:
        key.append(_swatch(MISSING, "no verdict"))
    chart = charts.sample_map(rows, label=f"Verdicts of {len(task_ids)} problems by {len(seeds)} seeds")
    return tag("figure", tag("figcaption", tag("h3", "Every sample"), tag("p", key)), chart, class_="wide")
