"""A comparison in words, for the terminal: what was found, how sure, what could have been seen, what changed.

aime24: 30 problems (sha256 3f1c2a9b04de), cap 32768 tokens
  A  72.6 % avg@64  out/old/aime24
  B  74.1 % avg@64  out/new/aime24
  B - A = +1.5 points
                            95 % interval     p        smallest visible
  on these problems         [+0.1, +2.9]      0.041    2.1 points
  for problems like these   [-0.6, +3.6]      0.16     3.0 points
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tools.analysis.compare import RunComparison
    from tools.statistics.estimators import Interval
    from tools.statistics.pairing import PairedComparison, SeedPlan

SIGNIFICANT = 0.05
NO_DIFFERENCE = 0.0005  # prints as 0.0 points; nobody plans seeds to see that
_Item = TypeVar("_Item")


def describe(comparison: RunComparison, shown: int | None = 10) -> str:
    """The whole comparison as text; lists are cut to `shown` items, None for all."""
    by_chance = [_plans(comparison), _groups(comparison, shown), _problems(comparison, shown)]
    parts = [
        _summary(comparison),
        *([] if comparison.is_regrading else by_chance),
        _metrics(comparison),
        _side_by_side("Settings that differ", comparison.settings, shown),
        _side_by_side("Manifests, where they differ", comparison.manifests, shown),
        _rows(comparison, shown),
        _verdicts(comparison, shown),
        [f"Note: {note}." for note in comparison.notes],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def verdict_sentence(overall: PairedComparison) -> str:
    """What the two tests together allow to say."""
    better = "B" if overall.difference > 0 else "A"
    if overall.p_sampling >= SIGNIFICANT and overall.p_problems >= SIGNIFICANT:
        return "No difference that sampling alone could not make."
    if overall.p_problems >= SIGNIFICANT:
        return f"{better} is better on these problems; for other problems of the kind this run cannot tell."
    if overall.p_sampling >= SIGNIFICANT:
        return f"{better} is ahead on most problems, but other seeds may undo it: more seeds are needed."
    return f"{better} is better, on these problems and for problems like these."


def _summary(comparison: RunComparison) -> list[str]:
    overall, first = comparison.overall, comparison.runs[0]
    subset = first.results.subset
    lines = [
        f"{comparison.benchmark}: {overall.problems} problems (set {subset.name}, sha256 "
        f"{subset.sha256[:12]}), cap {first.results.cap_in_words}"
    ]
    for name, run, score, k in zip("AB", comparison.runs, overall.scores, overall.samples, strict=True):
        lines.append(f"  {name}  {100 * score:5.1f} % avg@{k}  {run.results.model}  ({run.folder})")
    lines.append(f"  B - A = {_points(overall.difference)} points")
    if comparison.is_regrading:
        graded, changed = len(comparison.rows), len(comparison.verdicts)
        return [*lines, f"  The same {graded} responses, graded twice; {changed} verdicts changed."]
    lines += [
        f"  {'':25} {'95 % interval':17} {'p':9} smallest visible (80 % power)",
        _line("on these problems", overall.sampling_interval, overall.p_sampling, overall.smallest_visible_sampling),
        _line("for problems like these", overall.interval, overall.p_problems, overall.smallest_visible_problems),
        f"  {verdict_sentence(overall)}",
    ]
    if comparison.p_overall_adjusted is not None:
        lines.append(
            f"  p for problems like these, after Holm over all comparisons: {_p(comparison.p_overall_adjusted)}"
        )
    return lines


def _metrics(comparison: RunComparison) -> list[str]:
    """Further metrics, in their own units; shares in percent."""
    lines = []
    for metric in comparison.metrics:
        factor = 100 if metric.scale == 1 else 1
        first, second = (factor * mean for mean in metric.means)
        text = f"  {metric.name:25} A {first:.2f}  B {second:.2f}  B - A = {second - first:+.2f}"
        if metric.interval:
            text += f"  [{factor * metric.interval.low:+.2f}, {factor * metric.interval.high:+.2f}]"
        lines.append(text if metric.higher_is_better else f"{text}  (less is better)")
    return ["Further metrics, for problems like these (95 % interval):", *lines] if lines else []


def _line(title: str, interval: Interval | None, p: float, visible: float | None) -> str:
    shown = f"[{_points(interval.low)}, {_points(interval.high)}]" if interval else "unknown"
    return f"  {title:25} {shown:17} {_p(p):9} {f'{100 * visible:.1f} points' if visible else 'unknown'}"


def _plans(comparison: RunComparison) -> list[str]:
    k = max(comparison.overall.samples)
    lines = []
    for plan in comparison.plans:
        if plan.on_these_problems is not None and abs(plan.difference) >= NO_DIFFERENCE:
            lines.append(
                f"To see {abs(100 * plan.difference):.1f} points with 80 % power: {_seeds(plan, k, comparison)}."
            )
    return lines


def _seeds(plan: SeedPlan, k: int, comparison: RunComparison) -> str:
    def more(number: int) -> str:
        return f"{number} seeds each ({number - k} more)" if number > k else f"{number} seeds each, had already"

    text = f"on these problems {more(plan.on_these_problems or 0)}"
    if plan.for_such_problems is not None:
        return f"{text}; for problems like these {more(plan.for_such_problems)}"
    return (
        f"{text}; for problems like these no number of seeds is enough, about {plan.problems_needed} problems are "
        f"needed at {k} seeds (there are {comparison.overall.problems})"
    )


def _groups(comparison: RunComparison, shown: int | None) -> list[str]:
    if not comparison.groups:
        return []
    ordered = sorted(comparison.groups.items(), key=lambda item: item[1][1])
    lines = [f"Breakdowns, p after Holm over {len(ordered)} looks:"]
    for (breakdown, label), (part, p) in _first(ordered, shown):
        interval = f"[{_points(part.interval.low)}, {_points(part.interval.high)}]" if part.interval else ""
        mark = "  <-" if p < SIGNIFICANT else ""
        name = f"{breakdown} {label}"
        lines.append(
            f"  {name:28} {part.problems:4} problems {_points(part.difference):>6} {interval:16} {_p(p)}{mark}"
        )
    return [*lines, *_rest(ordered, shown)]


def _problems(comparison: RunComparison, shown: int | None) -> list[str]:
    if not comparison.problems:
        return ["No problem's score changed."]
    beyond = sum(item.p_adjusted < SIGNIFICANT for item in comparison.problems)
    lines = [f"{len(comparison.problems)} problems changed, {beyond} beyond chance (Fisher, Holm over all problems):"]
    for item in _first(comparison.problems, shown):
        (right_a, right_b), (k_a, k_b) = item.correct, item.samples
        mark = "  <-" if item.p_adjusted < SIGNIFICANT else ""
        counts = f"{right_a}/{k_a} -> {right_b}/{k_b}"
        lines.append(f"  {item.task_id[:28]:28} {counts:17} p {_p(item.p)}, after Holm {_p(item.p_adjusted)}{mark}")
    return [*lines, *_rest(comparison.problems, shown)]


def _side_by_side(title: str, differences: Sequence[tuple[str, object, object]], shown: int | None) -> list[str]:
    if not differences:
        return []
    lines = [f"{title}:", f"  {'':34} {'A':34} B"]
    for key, first, second in _first(differences, shown and 3 * shown):
        lines.append(f"  {key[:34]:34} {_cell(first):34} {_cell(second)}")
    return [*lines, *_rest(differences, shown and 3 * shown)]


def _rows(comparison: RunComparison, shown: int | None) -> list[str]:
    rows = comparison.rows
    if not rows:
        return []
    parted = [row for row in rows if row.position is not None]
    lines = [f"Responses with equal problem and seed: {len(rows)}, identical {len(rows) - len(parted)}."]
    if parted:
        positions = sorted(row.position for row in parted if row.position is not None)
        middle = positions[len(positions) // 2]
        lines.append(
            f"The others part at character {positions[0]} to {positions[-1]}, half of them by character {middle}:"
        )
        for row in _first(sorted(parted, key=lambda row: row.position or 0), shown):
            lines.append(
                f"  {row.task_id[:28]:28} seed {row.seed:<6} at {row.position} "
                f"(of {row.characters[0]} and {row.characters[1]} characters)"
            )
        lines += _rest(parted, shown)
    return lines


def _verdicts(comparison: RunComparison, shown: int | None) -> list[str]:
    if not comparison.verdicts:
        return []
    lines = [f"{len(comparison.verdicts)} verdicts changed on identical responses, so by the grader:"]
    for change in _first(comparison.verdicts, shown):
        lines.append(
            f"  {change.task_id[:28]:28} seed {change.seed:<6} {change.verdicts[0]} -> {change.verdicts[1]}: {change.why}"
        )
    return [*lines, *_rest(comparison.verdicts, shown)]


def _first(items: Iterable[_Item], shown: int | None) -> list[_Item]:
    return list(items)[:shown]


def _rest(items: Sequence[Any], shown: int | None) -> list[str]:
    return [f"  ... and {len(items) - shown} more (--all lists them)"] if shown and len(items) > shown else []


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.1f}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def _cell(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 34 else text[:31] + "..."
