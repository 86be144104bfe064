"""What would the score have been with fewer tokens? From one run, without sampling anything again.

A sample's first tokens do not depend on the cap, so under a smaller cap the same text would have been cut there. A response
that ended by then keeps its verdict, a longer one becomes `truncated`, which is not correct. Nothing above the run's own
cap can be known. PAINS 1, 2 and 10 are such scores, mistaken for differences between models.

>>> [round(row["score"], 2) for row in score_at_budgets(grades, [8192, 32768])]  # doctest: +SKIP
[0.41, 0.73]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tools.errors import DataError
from tools.records import Grade
from tools.statistics import estimators

BUDGETS = (8192, 16384, 24576)
ASSUMPTION = (
    "A response longer than the budget counts as truncated and not correct, also where it had already stated its answer; "
    "the model is taken not to know its budget."
)


def score_at_budgets(
    grades: Sequence[Grade], budgets: Sequence[int] = BUDGETS, cap: int | None = None
) -> list[dict[str, Any]]:
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
    right = np.array([sample.is_correct for sample in grades], bool)
    cut = np.array([sample.is_cut_off for sample in grades], bool)
    names = {task_id: index for index, task_id in enumerate(dict.fromkeys(sample.task_id for sample in grades))}
    problem = np.array([names[sample.task_id] for sample in grades])
    samples = np.bincount(problem).astype(float)
    wanted = sorted({budget for budget in budgets if cap is None or budget <= cap} | ({cap} if cap else set()))
    rows = []
    for budget in wanted:
        fits = tokens <= budget
        rates = np.bincount(problem, weights=right & fits, minlength=len(names)) / samples
        interval = estimators.score_interval(rates)
        rows.append(
            {
                "budget": budget,
                "score": float(rates.mean()),
                "confidence_interval": [interval.low, interval.high] if interval else None,
                "truncated_share": float(np.mean(~fits | cut)),
            }
        )
    return rows


def budget_curve(grades: Sequence[Grade], cap: int, points: int = 64) -> list[dict[str, Any]]:
    """The same at evenly spaced budgets up to the cap, for a picture."""
    return score_at_budgets(grades, [round(cap * step / points) for step in range(1, points + 1)], cap)
