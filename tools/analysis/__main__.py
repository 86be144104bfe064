"""Prints what a graded run says beyond its score.

python -m tools analysis OUT [--cutoff 2024-08-01] [--no-texts] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from tools.analysis.budgets import ASSUMPTION
from tools.analysis.contamination import CutoffSplit
from tools.analysis.lengths import LengthBin, Lengths
from tools.analysis.summary import Analysis, analyse
from tools.errors import run_command
from tools.results.run_folder import find_graded


def describe(record: Analysis) -> str:
    """One data set's analyses as text for the terminal."""
    lines = [record.benchmark, *_lengths(record.lengths)]
    lines += [
        f"  {_tokens(row):>15} tokens  {100 * row.accuracy:5.1f} %{_interval(row.interval):17} {row.samples} samples"
        for row in record.accuracy_by_length
    ]
    if record.budgets:
        lines.append(f"Score at smaller budgets. {ASSUMPTION}")
        lines += [
            f"  {row.budget:6} tokens  {100 * row.score:5.1f} %{_interval(row.interval):17} "
            f"{100 * row.truncated_share:.1f} % truncated"
            for row in record.budgets
        ]
    if record.months:
        lines.append("Score by month")
        lines += [
            f"  {row.month}  {100 * row.score:5.1f} %{_interval(row.interval):17} {row.problems} problems"
            for row in record.months
        ]
    if record.cutoff:
        lines += _cutoff(record.cutoff)
    if texts := record.texts:
        lines.append(
            f"Loops: {texts.loops} of {texts.responses} responses; "
            f"{texts.cut_off_in_loop} of {texts.cut_off} cut-off ones end in a loop"
        )
        lines += [f"Warning: {texts.warning}"] if texts.warning else []
    if record.published:
        lines.append(f"Published figure: {record.published.verdict}")
        lines += [f"  look at: {item}" for item in record.published.look_at_first]
    return "\n".join([*lines, *(f"Unknown: {reason}" for reason in record.unknown)])


def _lengths(lengths: Lengths) -> list[str]:
    lines = [f"Truncated: {100 * lengths.truncated_share:.1f} % of {lengths.samples} responses"]
    if lengths.correct_in_reasoning_only:
        lines.append(f"Answer found only inside the reasoning: {lengths.correct_in_reasoning_only}")
    if tokens := lengths.tokens:
        lines.append(f"Tokens: mean {tokens.mean:.0f}, median {tokens.median:.0f}, 90 % below {tokens.p90:.0f}")
    if lengths.wrong_minus_correct_interval:
        low, high = lengths.wrong_minus_correct_interval
        lines.append(
            f"Wrong minus correct, within {lengths.wrong_minus_correct_problems} problems: "
            f"{lengths.wrong_minus_correct:+.0f} tokens [{low:+.0f}, {high:+.0f}]"
        )
    return lines


def _cutoff(split: CutoffSplit) -> list[str]:
    low, high = split.confidence_interval
    lines = [
        f"Cut-off {split.cutoff}: before {100 * split.before:.1f} % ({split.problems_before} problems), after "
        f"{100 * split.after:.1f} % ({split.problems_after}), difference {100 * split.difference:+.1f} points "
        f"[{100 * low:+.1f}, {100 * high:+.1f}], p = {split.p:.2g}"
    ]
    if split.difference_within_strata is not None:
        within = 100 * split.difference_within_strata
        lines.append(f"  within equal difficulty: {within:+.1f} points, p = {split.p_within_strata:.2g}")
    return [*lines, f"  {split.verdict}"]


def _tokens(row: LengthBin) -> str:
    return f"{row.low}-{row.high}" if row.high is not None else f"from {row.low}"


def _interval(bounds: tuple[float, float] | None) -> str:
    return f" [{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]" if bounds else ""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools analysis",
        description="Lengths, budgets, loops, months and contamination of a graded run.",
    )
    parser.add_argument("run", help="output folder of a run, or one data set's folder in it")
    parser.add_argument("--cutoff", metavar="DATE", help="the model's training cut-off, to compare before and after")
    parser.add_argument("--no-texts", action="store_true", help="do not read the responses")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    records = [
        analyse(run, cutoff=options.cutoff, with_texts=not options.no_texts)
        for run in find_graded(options.run).values()
    ]
    if options.json:
        print(json.dumps([record.to_json() for record in records], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(map(describe, records)))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
