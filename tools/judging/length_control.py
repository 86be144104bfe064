"""AlpacaEval's length-controlled win rate: what the win rate would be if both answers were equally long.

A logistic regression explains each preference by tanh of the standardized difference of lengths, by how difficult the
instruction is, and by a constant; its prediction at difference 0, averaged over the instructions, is the rate
(Dubois et al. 2024, arXiv:2404.04475). As the authors do it: L1 penalty, its strength chosen by five-fold cross
validation among ten, and beside the model's own preferences those of two gamed baselines at weight 0.1 each. Those and
the difficulties are the authors' file df_gamed.csv, on the hub in the data set tatsu-lab/alpaca_eval.

>>> rows = [PreferenceRow(1 + index % 2, 100, 100 + index, index, difficulty=0.1) for index in range(60)]
>>> round(length_controlled(rows, [])) in range(40, 61)
True
"""

from __future__ import annotations

import csv
import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tools.errors import DataError

Array = npt.NDArray[np.float64]

STRENGTHS = np.logspace(-4, 4, 10)  # scikit-learn's Cs=10
FOLDS = 5
GAMED_WEIGHT = 0.2 / 2  # regularize_to_baseline_lambda over two gamed baselines
MOST_STEPS, TOLERANCE = 200, 1e-10
FEATURES = ("std_delta_len", "instruction_difficulty")
MOST_ROWS = 1_000_000


@dataclasses.dataclass(frozen=True)
class PreferenceRow:
    """One judged instruction: the preference from 1 (baseline) to 2 (model), both lengths in characters, its number."""

    preference: float | None
    baseline_chars: int
    model_chars: int
    index: int
    difficulty: float


@dataclasses.dataclass(frozen=True)
class GamedRow:
    """One preference of a gamed baseline, 0 to 1; `delta` is its standardized difference of lengths."""

    preference: float
    delta: float
    difficulty: float
    is_gamed: bool = True


def length_controlled(rows: Sequence[PreferenceRow], gamed: Sequence[GamedRow]) -> float:
    """The rate in percent. Raises DataError where nothing can be fitted."""
    difference = np.array([row.baseline_chars - row.model_chars for row in rows], float)
    spread = difference.std(ddof=1) if len(rows) > 1 else 0.0
    if not spread:
        raise DataError("the length-controlled win rate needs answers of different lengths; these have none")
    known = [position for position, row in enumerate(rows) if row.preference is not None]
    own = np.array([rows[position].preference for position in known], float)
    own = np.where(own == 0, 1.5, own) - 1
    difficulty = np.array([row.difficulty for row in rows])
    features = np.vstack(
        [
            *([one.delta, one.difficulty, float(not one.is_gamed)] for one in gamed),
            np.column_stack([difference / spread, difficulty, np.ones(len(rows))])[known],
        ]
    )
    features[:, 0] = np.tanh(features[:, 0])
    targets = np.concatenate([[one.preference for one in gamed], own])
    weights = np.concatenate([[GAMED_WEIGHT if one.is_gamed else 1.0 for one in gamed], np.ones(len(known))])
    coefficients = fit(features, targets, weights, choose_strength(features, targets, weights))
    return float(100 * _logistic(coefficients[1] * difficulty + coefficients[2]).mean())


def choose_strength(features: Array, targets: Array, weights: Array) -> float:
    """The strength with the best mean log-likelihood on the folds left out. Folds as scikit-learn's GroupKFold deals them."""
    folds = np.arange(len(targets))[::-1] % FOLDS
    scores = np.zeros(len(STRENGTHS))
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        start = np.zeros(features.shape[1])
        for place, strength in enumerate(STRENGTHS):
            start = fit(features[train], targets[train], weights[train], strength, start)
            scores[place] += _log_likelihood(features[test] @ start, targets[test], weights[test]).mean() / FOLDS
    return float(STRENGTHS[int(np.argmax(scores))])


def fit(features: Array, targets: Array, weights: Array, strength: float, start: Array | None = None) -> Array:
    """Minimizes |w| + strength * weighted log loss of soft targets, by Newton steps with the penalty kept exact."""
    coefficients = np.zeros(features.shape[1]) if start is None else start.copy()
    value = _objective(features, targets, weights, strength, coefficients)
    for _ in range(MOST_STEPS):
        chance = _logistic(features @ coefficients)
        gradient = strength * features.T @ (weights * (chance - targets))
        curvature = strength * (features * (weights * chance * (1 - chance))[:, None]).T @ features
        curvature += 1e-12 * np.eye(len(coefficients))
        step = _penalized_step(gradient, curvature, coefficients) - coefficients
        size, new = 1.0, value
        while size > 1e-10:
            new = _objective(features, targets, weights, strength, coefficients + size * step)
            if new <= value:
                break
            size /= 2
        if size <= 1e-10:
            break
        coefficients = coefficients + size * step
        if value - new <= TOLERANCE * max(1.0, abs(new)):
            break
        value = new
    return coefficients


def _penalized_step(gradient: Array, curvature: Array, start: Array) -> Array:
    """The minimum of the quadratic model plus |w|, by coordinates: exact for the few that there are."""
    found = start.copy()
    for _ in range(1000):
        largest = 0.0
        for place in range(len(found)):
            slope = gradient[place] + curvature[place] @ (found - start)
            wanted = curvature[place, place] * found[place] - slope
            new = np.sign(wanted) * max(abs(wanted) - 1.0, 0.0) / curvature[place, place]
            largest = max(largest, abs(new - found[place]))
            found[place] = new
        if largest < 1e-13:
            break
    return found


def _objective(features: Array, targets: Array, weights: Array, strength: float, coefficients: Array) -> float:
    loss = -_log_likelihood(features @ coefficients, targets, weights).sum()
    return float(np.abs(coefficients).sum() + strength * loss)


def _log_likelihood(scores: Array, targets: Array, weights: Array) -> Array:
    likelihood: Array = -weights * (targets * np.logaddexp(0, -scores) + (1 - targets) * np.logaddexp(0, scores))
    return likelihood


def _logistic(scores: Array) -> Array:
    chance: Array = np.exp(-np.logaddexp(0, -scores))
    return chance


def read_gamed(path: pathlib.Path) -> tuple[list[GamedRow], dict[int, float]]:
    """The authors' df_gamed.csv: the gamed preferences, and instruction's number -> difficulty. Raises DataError."""
    gamed: list[GamedRow] = []
    difficulties: dict[int, float] = {}
    seen: set[str] = set()
    try:
        with open(path, newline="", encoding="utf-8") as file:
            for place, row in enumerate(csv.DictReader(file)):
                if place >= MOST_ROWS:
                    raise ValueError("it has too many rows")
                if row["index"] not in seen:  # the authors look a difficulty up by the row's place
                    seen.add(row["index"])
                    difficulties[place] = float(row["instruction_difficulty"])
                if row["preference"]:
                    gamed.append(_gamed_row(row))
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise DataError(
            f"{path}: not AlpacaEval's df_gamed.csv ({error}); fetch it from the data set tatsu-lab/alpaca_eval"
        ) from error
    return gamed, difficulties


def _gamed_row(row: Mapping[str, str]) -> GamedRow:
    is_gamed = row["not_gamed_baseline"].strip().lower() in ("false", "0", "0.0")
    return GamedRow(float(row["preference"]), float(row[FEATURES[0]]), float(row[FEATURES[1]]), is_gamed)
