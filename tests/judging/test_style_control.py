"""Arena-Hard's style control: a true win rate is found behind a style that the judge likes, as an independent fit finds it."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from tools.errors import DataError
from tools.judging.figures import describe_styled
from tools.judging.stored import read_row
from tools.judging.style_control import StyledAnswers, controlled_rates, fit_logistic

LABELS = ("A>B", "A=B", "B>A")


def make_battles(draw: np.random.Generator, model: str, strength: float, length: float, questions: int):
    """Battles of a model whose answers are `length` times the baseline's, before a judge that likes long ones."""
    battles, styles = [], {}
    for number in range(questions):
        tokens = 400 * length * draw.uniform(0.5, 1.5)
        styles[f"q{number}"] = (tokens, 2.0, 3.0, 4.0)
        liking = strength + 3 * (tokens - 400) / (tokens + 400)
        wins = [draw.random() < 1 / (1 + np.exp(-liking)) for _ in range(2)]
        games = [{"score": "B>A" if wins[0] else "A>B"}, {"score": "A>B" if wins[1] else "B>A"}]
        battles.append(read_row({"question_id": f"q{number}", "model": model, "judge": "j", "games": games}))
    return battles, StyledAnswers(model, styles)


def test_length_is_taken_out_of_the_win_rate() -> None:
    draw = np.random.default_rng(0)
    baseline = StyledAnswers("base", {f"q{number}": (400.0, 2.0, 3.0, 4.0) for number in range(1500)})
    long, long_styles = make_battles(draw, "long", 0.0, 1.6, 1500)
    short, short_styles = make_battles(draw, "short", 0.0, 0.6, 1500)
    rates = controlled_rates([*long, *short], {"long": long_styles, "short": short_styles, "base": baseline}, "base")
    raw = [sum(score for row in rows for score in row.battle or ()) / 3000 for rows in (long, short)]
    assert raw[0] > 0.6
    assert raw[1] < 0.4
    # Standardizing centres style over all battles, so both are compared at the mean style.
    assert abs(rates["long"] - rates["short"]) < 6


def test_the_fit_is_the_greatest_likelihood() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    draw = np.random.default_rng(1)
    features = draw.normal(size=(300, 4))
    outcomes = draw.choice([0.0, 0.5, 1.0], 300)

    def loss(found: np.ndarray) -> float:
        scores = features @ found
        return float((outcomes * np.logaddexp(0, -scores) + (1 - outcomes) * np.logaddexp(0, scores)).sum())

    theirs = optimize.minimize(loss, np.zeros(4), tol=1e-12).x
    assert fit_logistic(features, outcomes) == pytest.approx(theirs, abs=1e-4)
    assert np.isfinite(fit_logistic(features[:, :1], (features[:, 0] > 0).astype(float))).all()


def test_files_are_read_and_what_lacks_is_named(tmp_path: pathlib.Path) -> None:
    metadata = {"token_len": 100, "header_count": {"h1": 1}, "list_count": {"ordered": 2}, "bold_count": {"**": 0}}
    for name in ("m", "base"):
        rows = [{"uid": f"q{n}", "model": name, "metadata": metadata | {"token_len": 100 + n}} for n in range(6)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    games = [{"score": LABELS[n % 3]} for n in range(6)]
    rows = [{"uid": f"q{n}", "model": "m", "judge": "j", "games": [games[n], games[5 - n]]} for n in range(6)]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files, answers = [tmp_path / "judged.jsonl"], [tmp_path / "m.jsonl", tmp_path / "base.jsonl"]
    (line,) = describe_styled(files, answers, "base")
    assert line == "m against base, style controlled: win rate 50.0000 %"
    with pytest.raises(DataError, match="the answers of other are not there"):
        describe_styled(files, answers, "other")
    with pytest.raises(DataError, match="the style of m's answer to q0"):
        describe_styled(files, answers[1:], "base")
    (tmp_path / "m.jsonl").write_text('{"uid": "q0", "model": "m"}\n')
    with pytest.raises(DataError, match="row 1: no metadata of style"):
        describe_styled(files, answers, "base")
