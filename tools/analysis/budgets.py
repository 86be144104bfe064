"""What would the score have been with fewer tokens? From one run, without sampling anything again.

A sample's first tokens do not depend on the cap, so under a smaller cap the same text would have been cut there. A response
that ended by then keeps its verdict, a longer one becomes `truncated`, which is not correct. Nothing above the run's own
cap can be known. Scores under different caps have been mistaken for differences between models.

>>> from tools.records import Verdict
>>> grades = [Grade("1", seed, Verdict.CORRECT, output_tokens=tokens) for seed, tokens in enumerate([900, 5000, 9000])]
>>> [(row.budget, round(row.score, 2)) for row in score_at_budgets(grades, [1024, 8192], cap=16384)]
[(1024, 0.33), (8192, 0.67), (16384, 1.0)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.errors import DataError
from tools.records import Grade
from tools.statistics import estimators

BUDGETS = (8192, 16384, 24576)
ASSUMPTION = (
    "A response longer than the budget counts as truncated and not correct, also where it had already stated its answer; "
    "the model is taken not to know its budget."
)


@dataclass(frozen=True)
class BudgetScore:
    """The score had the cap been `budget` tokens; `interval` speaks of problems like these."""

    budget: int
    score: float
    interval: tuple[float, float] | None
    truncated_share: float

    def to_json(self) -> dict[str, object]:
        return {
            "budget": self.budget,
            "score": self.score,
            "confidence_interval": list(self.interval) if self.interval else None,
            "truncated_share": self.truncated_share,
        }


def score_at_budgets(
    grades: Sequence[Grade], budgets: Sequence[int] = BUDGETS, cap: int | None = None
) -> list[BudgetScore]:
    """Score, interval and truncated share at each budget up to the cap, and at the cap itself when it is known.

    Raises DataError when a sample has no token count, as in files of the original toolkit: then nothing can be said.
    """
    unknown = sum(sample.output_tokens is None for sample in grades)
    if unknown or not grades:
        raise DataError(
            f"{unknown} of {len(grades)} samples have no token count, so scores at smaller budgets cannot be told; "
            "generate with this toolkit to have them"
        )
    tokens = np.array([sample.output_tokens for sample in grades], float)
    scores = np.array([sample.score for sample in grades], float)
    cut = np.array([sample.is_cut_off for sample in grades], bool)
    names = {task_id: index for index, task_id in enumerate(dict.fromkeys(sample.task_id for sample in grades))}
    problem = np.array([names[sample.task_id] for sample in grades])
    samples = np.bincount(problem).astype(float)
    wanted = sorted({budget for budget in budgets if cap is None or budget <= cap} | ({cap} if cap else set()))
    rows = []
    for budget in wanted:
        fits = tokens <= budget
        rates = np.bincount(problem, weights=scores * fits, minlength=len(names)) / samples
        interval = estimators.score_interval(rates)
        rows.append(
            BudgetScore(
                budget,
                float(rates.mean()),
                (interval.low, interval.high) if interval else None,
                float(np.mean(~fits | cut)),
            )
        )
    return rows


def budget_curve(grades: Sequence[Grade], cap: int, points: int = 64) -> list[BudgetScore]:
    """The same at evenly spaced budgets up to the cap, for a picture."""
    return score_at_budgets(grades, [round(cap * step / points) for step in range(1, points + 1)], cap)
