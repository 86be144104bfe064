"""The authors' figures from judgments: win rates, means of a scale, battles, right and wrong. Pure functions.

Each is computed as its authors compute it, so that stored judgments give the published figure to its last digit. A
judgment that failed (None, or -1 in files of MT-bench) is counted apart and never a score.

>>> win_rate([1, 2, 2, 0, 1.5]).percent
60.0
>>> scale_means([(1, 9.0), (2, 4.0), (1, None)]).mean
6.5
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

BASELINE, DRAW, MODEL = 1.0, 1.5, 2.0  # AlpacaEval's preferences; old files write 0 for a draw
HEAVY = 3  # what "much better" counts in Arena-Hard, in judgments
# Arena-Hard's labels as scores of assistant A.
BATTLE_SCORES: Mapping[str, tuple[float, ...]] = {
    "A>>B": (1.0,) * HEAVY, "A>B": (1.0,), "A=B": (0.5,), "A<B": (0.0,), "A<<B": (0.0,) * HEAVY,
    "B>>A": (0.0,) * HEAVY, "B>A": (0.0,), "B=A": (0.5,), "B<A": (1.0,), "B<<A": (1.0,) * HEAVY,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class WinRate:
    """A model against a baseline. Rates and errors are percent; `discrete` rounds each preference first."""

    percent: float
    standard_error: float | None
    discrete: float
    wins: int
    losses: int
    draws: int
    failed: int

    @property
    def total(self) -> int:
        return self.wins + self.losses + self.draws


def win_rate(preferences: Iterable[float | None]) -> WinRate | None:
    """AlpacaEval's win rate of preferences from 1 (the baseline) to 2 (the model); None where there is no judgment.

    Source: alpaca_eval/metrics/helpers.py, AbsoluteScoringRule and ZeroOneScoringRule. What is no preference is dropped.
    """
    given = list(preferences)
    known = [DRAW if value == 0 else value for value in given if value is not None and (value == 0 or 1 <= value <= 2)]
    if not known:
        return None
    shares = [value - 1 for value in known]
    rounded = [DRAW if value == DRAW else float(round(value)) for value in known]
    return WinRate(
        percent=100 * sum(shares) / len(shares),
        standard_error=100 * statistics.stdev(shares) / math.sqrt(len(shares)) if len(shares) > 1 else None,
        discrete=100 * sum(value - 1 for value in rounded) / len(rounded),
        wins=sum(share > 0.5 for share in shares),
        losses=sum(share < 0.5 for share in shares),
        draws=sum(share == 0.5 for share in shares),
        failed=len(given) - len(known),
    )


@dataclasses.dataclass(frozen=True)
class ScaleMeans:
    """Means of scores, of each turn and of all judgments together (not the mean of the turns' means)."""

    mean: float | None
    turns: Mapping[int, float]
    judged: int
    failed: int


def scale_means(scores: Iterable[tuple[int, float | None]]) -> ScaleMeans:
    """MT-bench's means of (turn, score). Source: fastchat/llm_judge/show_result.py, which drops -1."""
    by_turn: dict[int, list[float]] = {}
    failed = 0
    for turn, score in scores:
        if score is None or score == -1:
            failed += 1
        else:
            by_turn.setdefault(turn, []).append(score)
    known = [score for turn in sorted(by_turn) for score in by_turn[turn]]
    return ScaleMeans(
        mean=sum(known) / len(known) if known else None,
        turns={turn: sum(by_turn[turn]) / len(by_turn[turn]) for turn in sorted(by_turn)},
        judged=len(known),
        failed=failed,
    )


def battle_scores(first: str | None, second: str | None) -> tuple[float, ...] | None:
    """Arena-Hard's scores of the model in both games of a question; None where one of them failed.

    In the first game the baseline is assistant A, in the second one the model. Source: show_result.py of arena-hard-auto.

    >>> battle_scores("B>>A", "A=B")
    (0.5, 1.0, 1.0, 1.0)
    """
    if first is None or second is None or first not in BATTLE_SCORES or second not in BATTLE_SCORES:
        return None
    return (*BATTLE_SCORES[second], *(1 - score for score in BATTLE_SCORES[first]))


def battle_rate(games: Iterable[tuple[float, ...] | None]) -> float | None:
    """The percentage that a model wins: with one baseline the Bradley-Terry model's own estimate is this mean."""
    scores = [score for game in games if game is not None for score in game]
    return 100 * sum(scores) / len(scores) if scores else None


def f_score(correct: int, wrong: int, not_attempted: int) -> float | None:
    """SimpleQA's F-score: the harmonic mean of the shares correct of all and correct of those attempted, in percent.

    >>> f_score(40, 10, 50)
    53.33333333333333
    """
    total, attempted = correct + wrong + not_attempted, correct + wrong
    if not total or not attempted or not correct:
        return 0.0 if total else None
    overall, given = correct / total, correct / attempted
    return 100 * 2 * overall * given / (overall + given)


def calibration_error(confidences: Sequence[float], are_correct: Sequence[bool], size: int = 100) -> float | None:
    """HLE's calibration error in percent: root mean square over bins of `size` answers by rising confidence (0 to 1).

    The authors' loop leaves the last bin out (run_judge_results.py); so does this. None with fewer answers than two bins.
    """
    pairs = sorted(zip(confidences, are_correct, strict=True), key=lambda pair: pair[0])
    bins = len(pairs) // size
    if bins < 2:
        return None
    squares = 0.0
    for index in range(bins - 1):
        part = pairs[index * size : (index + 1) * size]
        difference = sum(confidence for confidence, _ in part) / size - sum(right for _, right in part) / size
        squares += size / len(pairs) * difference**2
    return 100 * math.sqrt(squares)
