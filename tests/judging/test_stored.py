"""Published figures from stored judgments, agreement of two judges, and what damaged files say."""

from __future__ import annotations

import json
import pathlib
import random

import pytest

from tools.errors import DataError
from tools.judging.agreement import compare, kappa
from tools.judging.figures import controlled_rate, describe_file
from tools.judging.scores import battle_rate, battle_scores, calibration_error, f_score, win_rate
from tools.judging.stored import read_judgments, read_row


def write_rows(path: pathlib.Path, rows: list[dict]) -> pathlib.Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_alpaca_evals_win_rate_is_the_published_one(data_dir: pathlib.Path) -> None:
    path = data_dir / "breadth" / "alpaca_eval" / "alpaca-7b" / "alpaca_eval_gpt4" / "annotations.json"
    if not path.exists():
        pytest.skip("no files of AlpacaEval there")
    (line,) = describe_file(path)
    assert line == (
        "alpaca-7b against text_davinci_003: win rate 26.4596 % (standard error 1.5357), discrete 26.4596 %, 205 won, 584 lost, "
        "16 drawn, 0 failed"
    )


def test_weighted_preferences_draws_and_failures() -> None:
    found = win_rate([1.25, 1.9, 2, 1, 0, 1.5, None, -1])
    assert found is not None
    assert found.percent == pytest.approx(100 * (0.25 + 0.9 + 1 + 0 + 0.5 + 0.5) / 6)
    assert found.discrete == pytest.approx(100 * (0 + 1 + 1 + 0 + 0.5 + 0.5) / 6)
    assert (found.wins, found.losses, found.draws, found.failed, found.total) == (2, 2, 2, 2, 6)
    assert win_rate([None]) is None


def test_a_failed_judgment_is_no_score(tmp_path: pathlib.Path) -> None:
    rows = [
        {"question_id": n, "model": "m", "judge": ["g", "s"], "turn": 1 + n % 2, "score": score}
        for n, score in enumerate([8, -1, 5])
    ]
    (line,) = describe_file(write_rows(tmp_path / "single.jsonl", rows))
    assert line == "m: mean 6.5000, turn 1 6.5000, 2 judged, 1 failed"


def test_arena_hards_strong_verdicts_weigh_three(tmp_path: pathlib.Path) -> None:
    assert battle_scores("A>>B", "A=B") == (0.5, 0, 0, 0)
    assert battle_scores("A>B", None) is None
    assert battle_rate([battle_scores("B>A", "A>>B"), None, battle_scores("A=B", "B>A")]) == pytest.approx(
        100 * 4.5 / 6
    )
    games = [{"question_id": "q", "model": "m", "judge": "g", "games": [{"score": "B>A"}, {"score": "A>>B"}]}]
    assert describe_file(write_rows(tmp_path / "m.jsonl", games)) == ["m: win rate 100.0000 %, 1 battles, 0 failed"]


def test_simpleqa_and_hle_figures() -> None:
    assert f_score(0, 5, 5) == 0
    assert f_score(0, 0, 0) is None
    assert f_score(50, 0, 0) == 100
    sure, right = [0.9] * 100 + [0.5] * 100, [True] * 80 + [False] * 20 + [True] * 50 + [False] * 50
    assert calibration_error(sure, right) == pytest.approx(0)  # the last bin is left out, as its authors do
    assert calibration_error(sure[:150], right[:150]) is None


def preference(number: int, value: float, *, model: str = "m", annotator: str = "a") -> dict:
    row = {"instruction": f"do {number}", "output_1": "x" * 9, "output_2": "y" * (5 + number), "generator_1": "base"}
    return row | {"generator_2": model, "annotator": annotator, "preference": value}


def test_two_judges_are_compared_on_what_both_have_judged(tmp_path: pathlib.Path) -> None:
    one = write_rows(tmp_path / "one.json", [preference(n, 1 + n % 2) for n in range(40)])
    other = write_rows(tmp_path / "other.json", [preference(n, 1 + (n % 2 if n < 30 else 0)) for n in range(5, 50)])
    found = compare(read_judgments(one), read_judgments(other))
    assert (found.pairs, found.questions, found.labels) == (35, 35, ("baseline", "model"))
    assert found.share == pytest.approx(30 / 35)
    assert found.kappa == pytest.approx(0.71637, abs=1e-5)
    assert found.share_bounds is not None
    assert found.share_bounds[0] < 30 / 35 < found.share_bounds[1]
    assert found.kappa_bounds is not None
    assert found.kappa_bounds[0] < 0.71637 < found.kappa_bounds[1]


def test_kappa_of_the_textbook_and_its_edges() -> None:
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([("y", "y")] * 3) is None
    chance = random.Random(0)
    assert abs(kappa([(chance.choice("ab"), chance.choice("ab")) for _ in range(4000)]) or 1) < 0.05


def test_human_pairs_meet_those_of_a_judge_in_either_order() -> None:
    human = read_row({"question_id": 1, "model_a": "x", "model_b": "y", "winner": "model_a", "judge": "h", "turn": 2})
    model = read_row(
        {"question_id": 1, "model_1": "y", "model_2": "x", "g1_winner": "model_2", "g2_winner": "model_2", "turn": 2}
    )
    split = read_row(
        {"question_id": 1, "model_1": "y", "model_2": "x", "g1_winner": "model_2", "g2_winner": "model_1", "turn": 2}
    )
    assert human.item == model.item == split.item
    assert (human.label, model.label, split.label) == ("x", "x", "tie")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no judgments"),
        ("[1]", "a row is no object"),
        ('{"a": 1}\n', "no judgment of a known form"),
        ('{"question_id": 1, "score": "nine"}\n', "row 1"),
        ("[" * 100_000, "nested too deeply"),
        ('{"question_id": 1,', "cannot be read"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: pathlib.Path, text: str, said: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_judgments(path)


def test_files_without_a_common_item_or_kind_are_refused() -> None:
    single = read_row({"question_id": 1, "model": "m", "score": 5, "turn": 1})
    with pytest.raises(DataError, match="no judged item in common"):
        compare([single], [read_row({"question_id": 2, "model": "m", "score": 5, "turn": 1})])
    with pytest.raises(DataError, match="different kinds"):
        compare([single], [read_row(preference(1, 2))])


def test_stored_predictions_give_the_length_controlled_rate() -> None:
    rows = [read_row(preference(n, 2) | {"glm_preference": n / 10}) for n in range(10)]
    assert controlled_rate(rows, None) == pytest.approx(45)
    assert controlled_rate([read_row(preference(1, 2))], None) is None
