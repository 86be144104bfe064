"""Arena-Hard's win rates with style taken out: what they would be if answers were as long and as marked up as the baseline's.

A Bradley-Terry model explains each battle by who answered and by four differences of style, and the rate is of the first alone
(show_result.py of arena-hard-auto: `print_leaderboard_with_style_features`). Length counts by (a - b) / (a + b) in tokens; headers,
lists and bold marks, each for a token, by (a - b) / (a + b + 1); all are standardized over the battles. Their figure is the
median over resamples of this fit, here it is the fit itself. The fields stand in the answers' files, under `metadata`.

>>> style_of({"token_len": 10, "header_count": {"h1": 1, "h2": 2}, "list_count": {"ordered": 0}, "bold_count": {"**": 5}})
(10.0, 3.0, 0.0, 5.0)
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tools.errors import DataError
from tools.judging.stored import StoredJudgment, read_rows
from tools.records import JsonRow

Array = npt.NDArray[np.float64]
Style = tuple[float, ...]  # tokens, headers, lists, bold marks

COUNTS = ("token_len", "header_count", "list_count", "bold_count")
STEPS, TOLERANCE = 100, 1e-10


@dataclasses.dataclass(frozen=True)
class StyledAnswers:
    """A model's answers as their styles, by the question's id."""

    model: str
    styles: Mapping[str, Style]


def style_of(metadata: JsonRow) -> Style:
    """Raises KeyError, TypeError."""
    found = []
    for name in COUNTS:
        value = metadata[name]
        found.append(float(sum(value.values()) if isinstance(value, dict) else value))
    return tuple(found)


def read_styles(path: pathlib.Path) -> StyledAnswers:
    """A file of answers. Raises DataError where its rows do not tell their style."""
    model, styles = path.stem, {}
    for number, row in read_rows(path):
        try:
            metadata = row.get("metadata") or row["conv_metadata"]
            styles[str(row.get("question_id", row.get("uid")))] = style_of(metadata)
            model = str(row.get("model") or row.get("model_id") or model)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path}, row {number + 1}: no metadata of style ({error!r:.60}); add_markdown_info.py of arena-hard-auto makes it"
            ) from error
    return StyledAnswers(model, styles)


def controlled_rates(
    battles: Sequence[StoredJudgment], answers: Mapping[str, StyledAnswers], baseline: str
) -> dict[str, float]:
    """Model -> win rate in percent against a baseline, all models fitted together. Raises DataError."""
    if baseline not in answers:
        raise DataError(f"the answers of {baseline} are not there; it is one of {', '.join(sorted(answers))}?")
    models = sorted({battle.model for battle in battles})
    who, style, outcome = [], [], []
    for battle in battles:
        for score in battle.battle or ():
            who.append([float(battle.model == model) for model in models])
            style.append(_difference(_style(answers, battle.model, battle.item[0]), answers[baseline], battle.item[0]))
            outcome.append(score)
    if not outcome:
        raise DataError("every battle failed, so there is no win rate")
    differences = np.array(style)
    spread = differences.std(axis=0, ddof=1)
    standard = (differences - differences.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = fit_logistic(np.hstack([np.array(who), standard]), np.array(outcome))
    return {model: float(100 / (1 + np.exp(-found[place]))) for place, model in enumerate(models)}


def _style(answers: Mapping[str, StyledAnswers], model: str, question: str) -> Style:
    try:
        return answers[model].styles[question]
    except KeyError:
        raise DataError(f"the style of {model}'s answer to {question} is not there; give its file of answers") from None


def _difference(style: Style, baseline: StyledAnswers, question: str) -> Style:
    theirs = _style({baseline.model: baseline}, baseline.model, question)
    tokens, their_tokens = max(style[0], 1.0), max(theirs[0], 1.0)
    marks = []
    for ours, other in zip(style[1:], theirs[1:], strict=True):
        density, their_density = ours / tokens, other / their_tokens
        marks.append((density - their_density) / (density + their_density + 1))
    return ((style[0] - theirs[0]) / max(style[0] + theirs[0], 1.0), *marks)


def fit_logistic(features: Array, outcomes: Array) -> Array:
    """Coefficients of the greatest likelihood of outcomes from 0 to 1, by Newton steps; directions that nothing tells stay 0."""
    coefficients = np.zeros(features.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(features @ coefficients, -30, 30)))
        gradient = features.T @ (outcomes - chance)
        curvature = (features * (chance * (1 - chance))[:, None]).T @ features
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        size = float(np.abs(step).max())
        coefficients = coefficients + step * min(1.0, 5.0 / max(size, 1e-12))
        if size < TOLERANCE:
            break
    return coefficients
