"""Code results in words for the terminal: the sets, the months, the verdicts, what hangs on time, the protection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.results.text import format_table

SHOWN_BREAKDOWNS = ("version", "window", "window_of_v5", "errata", "month", "difficulty", "platform")


def format_code_results(results: Sequence[Mapping[str, Any]]) -> str:
    """`results`: of all problems first, then of the versions."""
    whole = results[0]
    parts = [format_table(results)]
    parts += [text for name in SHOWN_BREAKDOWNS if (text := format_breakdown(whole, name))]
    parts.append(format_verdicts(whole))
    parts += [f"note: {results_of['headline']}" for results_of in results[1:]]
    return "\n\n".join(parts)


def format_breakdown(results: Mapping[str, Any], name: str) -> str:
    """One breakdown as a small table; empty when the set does not have it."""
    groups = results["breakdowns"].get(name)
    if not groups:
        return ""
    lines = [f"{name:<20}{'problems':>9}{'score':>8}{'95 % interval':>18}"]
    for label, group in groups.items():
        interval = group["confidence_interval"]
        low_high = f"{100 * interval[0]:.1f} - {100 * interval[1]:.1f}" if interval else "-"
        lines.append(f"{label:<20}{group['problems']:>9}{100 * group['accuracy']:>8.1f}{low_high:>18}")
    return "\n".join(lines)


def format_verdicts(results: Mapping[str, Any]) -> str:
    """Counts of verdicts, the range due to timing, and the state of the sandbox."""
    counts = ", ".join(f"{name} {count}" for name, count in results["counts"].items() if count)
    hanging, (low, high) = results["timing"]["hangs_on_time"], results["timing"]["score_range"]
    lines = [f"verdicts: {counts}"]
    if hanging:
        lines.append(
            f"{len(hanging)} verdicts hang on time: on another machine the score may lie between {100 * low:.1f} and "
            f"{100 * high:.1f}; listed in accuracy_results.json under timing"
        )
    sandbox = results["sandbox"]
    layers = f"Landlock ABI {sandbox['landlock_abi'] or 'none'}, seccomp {'yes' if sandbox['seccomp'] else 'no'}"
    lines.append(f"sandbox: {'holds' if sandbox['is_safe'] else 'DOES NOT HOLD'} ({layers})")
    return "\n".join(lines)
