"""The length-controlled win rate against figures that AlpacaEval's own code gave for the same made-up preferences."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from tools.errors import DataError
from tools.judging.length_control import GamedRow, PreferenceRow, fit, length_controlled, read_gamed

SIZE = 805


def logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def make_gamed(draw: np.random.Generator, difficulty: np.ndarray) -> list[GamedRow]:
    rows = []
    for base, shift in ((-1.0, 2.5), (1.5, -2.0)):
        for index in range(SIZE):
            delta = draw.normal(shift, 0.5)
            chance = logistic(base + 0.6 * difficulty[index] - 0.8 * np.tanh(delta) + draw.normal())
            if index % 97:
                rows.append(GamedRow(chance, delta, difficulty[index]))
    return rows


def make_rows(draw: np.random.Generator, difficulty: np.ndarray, *, is_weighted: bool) -> list[PreferenceRow]:
    base, slope, weight = draw.normal(0, 2), draw.normal(0, 1), draw.normal(-1, 0.5)
    rows = []
    for index in range(SIZE):
        first, second = int(draw.lognormal(7, 0.5)), int(draw.lognormal(7 + base / 4, 0.6))
        chance = logistic(base + slope * difficulty[index] + weight * np.tanh((first - second) / 900) + draw.normal())
        preference = 1 + chance if is_weighted else float(draw.random() < chance) + 1
        rows.append(PreferenceRow(preference, first, second, index, difficulty[index]))
    return rows


# alpaca_eval 0.6.6 with scikit-learn 1.7 on the same rows, seeds 0 to 7
@pytest.mark.parametrize(
    ("seed", "theirs"),
    [*enumerate((93.6843, 67.0196, 42.5690, 71.2978, 24.9503, 40.6610, 37.7047, 72.9519))],
)
def test_the_rate_is_the_authors(seed: int, theirs: float) -> None:
    draw = np.random.default_rng(seed)
    difficulty = draw.normal(0, 1.2, SIZE)
    gamed = make_gamed(draw, difficulty)
    rows = make_rows(draw, difficulty, is_weighted=bool(seed % 2))
    assert length_controlled(rows, gamed) == pytest.approx(theirs, abs=0.01)


def test_the_penalty_takes_a_weak_feature_out_exactly() -> None:
    draw = np.random.default_rng(0)
    features, targets = draw.normal(size=(200, 3)), draw.random(200)
    found = fit(features, targets, np.ones(200), 0.01)
    assert list(found) == [0, 0, 0]
    strong = fit(features, (features[:, 0] > 0).astype(float), np.ones(200), 1.0)
    assert strong[0] > 1


def test_the_authors_file_is_read_by_the_place_of_its_rows(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "df_gamed.csv"
    path.write_text(
        "index,preference,std_delta_len,instruction_difficulty,not_gamed_baseline,model\n"
        "0,0.25,1.5,0.5,False,a\n1,,1.5,-0.5,False,a\n0,0.75,-1,0.5,False,b\n"
    )
    gamed, difficulties = read_gamed(path)
    assert [row.preference for row in gamed] == [0.25, 0.75]
    assert difficulties == {0: 0.5, 1: -0.5}
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"df_gamed\.csv"):
        read_gamed(path)


def test_answers_of_one_length_have_no_such_rate() -> None:
    with pytest.raises(DataError, match="different lengths"):
        length_controlled([PreferenceRow(1, 5, 5, 0, 0.0)] * 3, [])
