"""`python -m tools judge-scores FILES`: the published figures of stored judgments, as their authors compute them.

    python -m tools judge-scores annotations.json gpt-4_single.jsonl
    python -m tools judge-scores annotations.json --gamed df_gamed.csv      the length-controlled win rate too
    python -m tools judge-scores JUDGMENTS.jsonl ... --answers ANSWERS.jsonl ... --baseline gpt-4-0314      Arena-Hard's style control

Nothing is asked of a judge.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterable, Sequence

from tools.commandline import CommandLine
from tools.errors import DataError, UsageError, run_command
from tools.judging.length_control import PreferenceRow, length_controlled, read_gamed
from tools.judging.scores import battle_rate, scale_means, win_rate
from tools.judging.stored import StoredJudgment, read_judgments
from tools.judging.style_control import controlled_rates, read_styles

NO_FIGURE = {"pair": "judge-agreement compares pairs with those of another judge", "verdict": "evaluate.py gives them"}


def describe_file(path: pathlib.Path, gamed: pathlib.Path | None = None) -> list[str]:
    """One line for each model of a file and kind of judgment. Raises DataError."""
    groups: dict[tuple[str, str, str], list[StoredJudgment]] = {}
    for judgment in read_judgments(path):
        groups.setdefault((judgment.kind, judgment.model, judgment.baseline), []).append(judgment)
    lines = []
    for (kind, model, baseline), rows in sorted(groups.items()):
        if kind in NO_FIGURE:
            raise DataError(f"{path}: {kind}s have no published mean here; {NO_FIGURE[kind]}")
        text = {"preference": _preferences, "score": _scores, "battle": _battles}[kind](rows)
        if kind == "preference" and (controlled := controlled_rate(rows, gamed)) is not None:
            text += f"; length-controlled {controlled:.4f} %"
        lines.append(f"{model}{f' against {baseline}' if baseline else ''}: {text}")
    return lines


def controlled_rate(rows: Sequence[StoredJudgment], gamed: pathlib.Path | None) -> float | None:
    """The length-controlled win rate: fitted where the authors' file is given, else the mean of stored predictions."""
    if gamed is None:
        stored = [row.length_controlled for row in rows if row.length_controlled is not None]
        return 100 * sum(stored) / len(stored) if len(stored) == len(rows) else None
    baselines, difficulties = read_gamed(gamed)
    fitted = []
    for row in rows:
        if row.lengths is None or row.index not in difficulties:
            raise DataError(
                f"instruction {row.index}: no outputs, or no difficulty in {gamed}; give whole annotations in the order of AlpacaEval"
            )
        fitted.append(PreferenceRow(row.score, *row.lengths, row.index, difficulties[row.index]))
    return length_controlled(fitted, baselines)


def _preferences(rows: Iterable[StoredJudgment]) -> str:
    found = win_rate(row.score for row in rows)
    if found is None:
        return "every judgment failed"
    error = "" if found.standard_error is None else f" (standard error {found.standard_error:.4f})"
    return (
        f"win rate {found.percent:.4f} %{error}, discrete {found.discrete:.4f} %, {found.wins} won, {found.losses} lost, "
        f"{found.draws} drawn, {found.failed} failed"
    )


def _scores(rows: Iterable[StoredJudgment]) -> str:
    found = scale_means((row.turn, row.score) for row in rows)
    if found.mean is None:
        return "every judgment failed"
    turns = ", ".join(f"turn {turn} {mean:.4f}" for turn, mean in found.turns.items())
    return f"mean {found.mean:.4f}, {turns}, {found.judged} judged, {found.failed} failed"


def _battles(rows: Sequence[StoredJudgment]) -> str:
    rate = battle_rate(row.battle for row in rows)
    failed = sum(row.battle is None for row in rows)
    return "every judgment failed" if rate is None else f"win rate {rate:.4f} %, {len(rows)} battles, {failed} failed"


def main() -> int:
    parser = CommandLine(__doc__, usage="python -m tools judge-scores FILE [FILE ...] [--gamed df_gamed.csv]")
    parser.add_argument("files", nargs="+", metavar="FILE", type=pathlib.Path, help="stored judgments")
    parser.add_argument("--gamed", metavar="FILE", type=pathlib.Path, help="AlpacaEval's df_gamed.csv")
    parser.add_argument(
        "--answers", nargs="+", metavar="FILE", type=pathlib.Path, default=[],
        help="Arena-Hard's answers of all models and the baseline, with their style",
    )  # fmt: skip
    parser.add_argument("--baseline", metavar="NAME", help="Arena-Hard's baseline, one of those answers")
    given = parser.parse_args(sys.argv[1:])
    if bool(given.answers) != bool(given.baseline):
        raise UsageError("style control needs both --answers and --baseline; see --help")
    for path in given.files:
        print("\n".join(describe_file(path, given.gamed)))
    if given.answers:
        print("\n".join(describe_styled(given.files, given.answers, given.baseline)))
    return 0


def describe_styled(files: Sequence[pathlib.Path], answers: Sequence[pathlib.Path], baseline: str) -> list[str]:
    """One line for each model: its win rate with style taken out. Raises DataError."""
    battles = [row for path in files for row in read_judgments(path) if row.kind == "battle"]
    styled = {found.model: found for found in map(read_styles, answers)}
    rates = controlled_rates(battles, styled, baseline)
    return [f"{model} against {baseline}, style controlled: win rate {rate:.4f} %" for model, rate in rates.items()]


if __name__ == "__main__":
    sys.exit(run_command(main))
