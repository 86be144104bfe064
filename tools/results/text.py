"""Results in words: the headline that every page shows, and the table that the terminal shows.

No score is ever printed without its k, its set and its cap (PAINS 2, 10, 11); what cannot be claimed says why.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any


def headline(results: Mapping[str, Any]) -> str:
    """The score in one line, never without k, set and cap."""
    reasoning = results["reasoning"]
    facts = [
        _plural(results["total_problems"], "problem"),
        _plural(len(results["seeds"]), "seed"),
        str(results["set"]["name"]),
        f"cap {_cap(results)}",
    ]
    shares = [f"{percent(reasoning['truncated_share'])} truncated"]
    if reasoning["reasoning_share"]:
        shares.append(f"{percent(reasoning['reasoning_share'])} with reasoning")
    score = f"avg@{results['samples_per_problem']} = {percent(results['avg_at_k'])}"
    if not results["complete"]:
        planned = results["total_problems"] * len(results["seeds"])
        so_far = percent(results["avg_at_k"])
        score = f"no score: {results['missing_count']} of {planned} samples missing; {so_far} of those graded"
    elif not results["claimable"]:
        shares.append("not claimable: " + "; ".join(results["not_claimable_because"]))
    return f"{score} ({', '.join(facts)}); {', '.join(shares)}"


def format_table(list_of_results: Sequence[Mapping[str, Any]]) -> str:
    """Runs as a table of at most 80 columns for the terminal; notes on what cannot be claimed follow it."""
    rows = [("set", "k", "score", "95 % interval", "sampling", "pass@k", "maj@k", "cut")]
    notes: list[str] = []
    for results in list_of_results:
        identity = f"{results['set']['name']}: ids sha256 {results['set']['sha256'][:16]}, cap {_cap(results)}"
        notes += [identity] if identity not in notes else []
        k, low_high = results["samples_per_problem"], results["results"]["confidence_interval"]
        marker = "" if results["claimable"] else " *"
        error = results["sampling_error"]
        rows.append(
            (
                _set_cell(results["set"]),
                str(k),
                f"{100 * results['avg_at_k']:.1f}{marker}",
                f"{100 * low_high[0]:.1f} - {100 * low_high[1]:.1f}" if low_high else "-",
                f"+-{100 * error:.2f}" if error is not None else "-",
                _curve_end(results["pass_at_k"]),
                _curve_end(results["maj_at_k"]),
                f"{100 * results['reasoning']['truncated_share']:.1f}",
            )
        )
        notes += [f"* {results['set']['name']}: {reason}" for reason in results["not_claimable_because"]]
        notes += [f"{results['set']['name']}: {warning}" for warning in results["warnings"]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    legend = "Percent. Interval: choice of problems and sampling; sampling: standard error."
    wrapped = [line for note in notes for line in textwrap.wrap(note, 80, initial_indent=" ", subsequent_indent="   ")]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], legend, *wrapped])


def _set_cell(loaded: Mapping[str, Any], width: int = 22) -> str:
    name, count = str(loaded["name"]), f" ({loaded['count']})"
    room = width - len(count)
    return (name if len(name) <= room else name[: room - 2] + "..") + count


def _cap(results: Mapping[str, Any]) -> str:
    cap = results["settings"].get("max_new_tokens")
    return f"{cap} tokens" if cap is not None else "unknown"


def _curve_end(curve: Mapping[str, float]) -> str:
    return f"{100 * curve[max(curve, key=int)]:.1f}" if curve else "-"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
