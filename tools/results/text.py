"""Results as text for the terminal: the table of runs, and for programs the breakdowns, the clock and the sandbox.

No score is ever printed without its k, its subset and its cap; what cannot be claimed says why.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tools.results.parts import Curve, Metric, SubsetId
from tools.results.results import Results
from tools.results.timing import Timing

SHOWN_BREAKDOWNS = ("version", "window", "window_of_v5", "errata", "month", "difficulty", "platform")
TABLE_WIDTH = 80
LONGEST_NAME = 36  # of a benchmark with its number of problems


def format_table(list_of_results: Sequence[Results]) -> str:
    """Runs as a table of at most 80 columns for the terminal; notes on what cannot be claimed follow it."""
    rows = [("set", "k", "score", "95 % interval", "sampling", "pass@k", "maj@k", "cut")]
    notes: list[str] = []
    for results in list_of_results:
        subset, score = results.subset, results.score
        identity = f"{subset.name}: ids sha256 {subset.sha256[:16]}, cap {results.cap_in_words}"
        notes += [identity] if identity not in notes else []
        rows.append(
            (
                _subset_cell(subset),
                str(results.samples_per_problem),
                f"{100 * score.mean:.1f}{'' if results.is_claimable else ' *'}",
                f"{100 * score.bounds[0]:.1f} - {100 * score.bounds[1]:.1f}" if score.bounds else "-",
                _error_cell(score.sampling_error),
                _curve_end(results.pass_at_k),
                _curve_end(results.maj_at_k),
                f"{100 * results.reasoning.truncated_share:.1f}",
            )
        )
        notes += [f"{subset.name}: {_metric_in_words(name, metric)}" for name, metric in results.metrics.items()]
        notes += [f"* {subset.name}: {reason}" for reason in results.doubts]
        notes += [f"{subset.name}: {warning}" for warning in results.warnings]
    legend = "Percent. Interval: choice of problems and sampling; sampling: standard error."
    return "\n".join([*_columns(rows), legend, *_wrapped(notes)])


def format_overview(list_of_results: Sequence[Results]) -> str:
    """Several benchmarks of a run, a line each: what the score is, and both of its errors; doubts follow."""
    rows = [("benchmark", "metric", "k", "score", "95 % interval", "sampling", "problems", "cut")]
    notes = []
    for results in list_of_results:
        score, mark = results.score, "" if results.is_claimable else " *"
        rows.append(
            (
                _subset_cell(results.subset, LONGEST_NAME),
                results.metric,
                str(results.samples_per_problem),
                f"{100 * score.mean:.1f}{mark}",
                f"{100 * score.bounds[0]:.1f} - {100 * score.bounds[1]:.1f}" if score.bounds else "-",
                _error_cell(score.sampling_error),
                _error_cell(score.problem_error),
                f"{100 * results.reasoning.truncated_share:.1f}",
            )
        )
        name = results.subset.name
        notes += [f"{name}: {_metric_in_words(each, metric)}" for each, metric in results.metrics.items()]
        notes += [f"* {name}: {reason}" for reason in results.doubts]
        notes += [f"{name}: {warning}" for warning in results.warnings]
    legend = (
        "Percent. Interval: choice of problems and sampling. Sampling, problems: standard errors from other seeds, and "
        "from other problems of the kind. cut: responses that the cap ended."
    )
    return "\n".join([*_columns(rows), *textwrap.wrap(legend, TABLE_WIDTH), *_wrapped(notes)])


def _error_cell(error: float | None) -> str:
    return "-" if error is None else f"+-{100 * error:.2f}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells side by side, a rule under the first row."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _wrapped(notes: Sequence[str]) -> list[str]:
    return [
        line for note in notes for line in textwrap.wrap(note, TABLE_WIDTH, initial_indent=" ", subsequent_indent="   ")
    ]


def format_results(results: Results) -> str:
    """One benchmark for the terminal: the table; for programs also its parts, breakdowns, verdicts and protection."""
    parts = results.parts or ()
    texts = [format_table([results, *parts])]
    if "sandbox" not in results.sections and results.parts is None:
        return texts[0]
    texts += [text for name in SHOWN_BREAKDOWNS if (text := format_breakdown(results, name))]
    texts.append(format_verdicts(results))
    texts += [f"note: {part.headline}" for part in parts]
    return "\n\n".join(texts)


def format_breakdown(results: Results, name: str) -> str:
    """One breakdown as a small table; empty when the benchmark does not have it."""
    groups = results.breakdowns.get(name)
    if not groups:
        return ""
    lines = [f"{name:<20}{'problems':>9}{'score':>8}{'95 % interval':>18}"]
    for label, group in groups.items():
        low_high = f"{100 * group.interval[0]:.1f} - {100 * group.interval[1]:.1f}" if group.interval else "-"
        lines.append(f"{label:<20}{group.problems:>9}{100 * group.accuracy:>8.1f}{low_high:>18}")
    return "\n".join(lines)


def format_verdicts(results: Results) -> str:
    """Counts of verdicts, the range due to timing, and the state of the sandbox, as far as this kind of grading has them."""
    counts = ", ".join(f"{verdict} {count}" for verdict, count in results.counts.items() if count)
    lines = [f"verdicts: {counts}"]
    timing = Timing.of(results.sections)
    if timing and timing.samples:
        low, high = timing.score_range
        lines.append(
            f"{len(timing.samples)} verdicts hang on time: on another machine the score may lie between {100 * low:.1f} and "
            f"{100 * high:.1f}; listed in accuracy_results.json under timing"
        )
    if sandbox := results.sections.get("sandbox"):
        layers = f"Landlock ABI {sandbox['landlock_abi'] or 'none'}, seccomp {'yes' if sandbox['seccomp'] else 'no'}"
        lines.append(f"sandbox: {'holds' if sandbox['is_safe'] else 'DOES NOT HOLD'} ({layers})")
    return "\n".join(lines)


def _metric_in_words(name: str, metric: Metric) -> str:
    factor, unit = (100, " %") if metric.scale == 1 else (1, "" if metric.scale is None else f" of {metric.scale:g}")
    text = f"{name} {factor * metric.mean:.2f}{unit}"
    if metric.bounds:
        text += f", 95 % interval {factor * metric.bounds[0]:.1f} - {factor * metric.bounds[1]:.1f}"
    if metric.sampling_error is not None:
        text += f", sampling +-{factor * metric.sampling_error:.2f}"
    return text if metric.higher_is_better else f"{text} (less is better)"


def _subset_cell(subset: SubsetId, width: int = 22) -> str:
    count = f" ({subset.count})"
    room = width - len(count)
    return (subset.name if len(subset.name) <= room else subset.name[: room - 2] + "..") + count


def _curve_end(curve: Curve) -> str:
    return f"{100 * curve.last:.1f}" if curve.last is not None else "-"
