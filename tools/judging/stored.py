"""Judgments that others stored, read in their own forms: AlpacaEval, MT-bench (single, pairs, human), Arena-Hard, ours.

    annotations.json      instruction, output_1, output_2, generator_1, generator_2, preference
    gpt-4_single.jsonl    question_id, model, turn, score           (-1: the judgment failed)
    gpt-4_pair.jsonl      question_id, model_1, model_2, g1_winner, g2_winner, turn
    human judgments       question_id, model_a, model_b, winner, judge, turn
    Arena-Hard            question_id or uid, model, games
    verdicts.jsonl        task_id, seed, verdict

>>> row = {"question_id": 81, "model_a": "b", "model_b": "a", "winner": "model_b", "turn": 1, "judge": "expert_1"}
>>> read_row(row).item, read_row(row).label
(('81', '1', 'a', 'b'), 'a')
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping

from tools.errors import DataError
from tools.judging.scores import battle_scores
from tools.records import JsonRow
from tools.store.reading import open_file, parse_json, read_raw_lines, read_small

MOST_BYTES = 1 << 29
TIE = "tie"


@dataclasses.dataclass(frozen=True)
class StoredJudgment:
    """One judgment. `item` is what was judged, its first part the question; `label` what was said, None for a failed
    judgment; `score` the number behind it, where there is one."""

    kind: str
    item: tuple[str, ...]
    label: str | None
    score: float | None = None
    model: str = ""
    baseline: str = ""
    judge: str = ""
    turn: int = 1
    battle: tuple[float, ...] | None = None
    lengths: tuple[int, int] | None = None  # of the baseline's and the model's answer, in characters
    index: int | None = None
    length_controlled: float | None = None  # the preference that its authors' regression predicts, where it is stored


def read_judgments(path: pathlib.Path) -> list[StoredJudgment]:
    """All judgments of a file. Raises DataError with the place of what cannot be read."""
    found = []
    for number, row in read_rows(path):
        try:
            found.append(dataclasses.replace(read_row(row), index=_index_of(row, number)))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path}, row {number + 1}: no judgment of a known form ({error!r:.120}); docs/judges.md lists the forms"
            ) from error
    if not found:
        raise DataError(f"{path}: no judgments stand in it; give a file of judgments")
    return found


def read_rows(path: pathlib.Path) -> Iterator[tuple[int, JsonRow]]:
    """The objects of a JSON list or of JSONL, numbered from 0. Raises DataError."""
    number = 0
    try:
        with open_file(path) as file:
            is_list = file.read(64).lstrip().startswith(b"[")
        if is_list:
            yield from enumerate(_objects(parse_json(read_small(path, MOST_BYTES))))
            return
        with open_file(path) as file:
            for line in read_raw_lines(file):
                if line.is_too_long:
                    raise ValueError(f"line {line.number} is too long")
                if line.text.strip():
                    yield number, _objects([parse_json(line.text)])[0]
                    number += 1
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read after {number} rows ({error}); give JSON or JSONL") from error


def _objects(rows: object) -> list[JsonRow]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a row is no object")
    return rows


def _index_of(row: JsonRow, number: int) -> int:
    value = row.get("index")
    return value if isinstance(value, int) else number


def read_row(row: JsonRow) -> StoredJudgment:
    """One row of any of the forms. Raises KeyError, ValueError, TypeError."""
    if "preference" in row and "instruction" in row:
        return _read_preference(row)
    if "games" in row:
        return _read_battle(row)
    if "winner" in row or "g1_winner" in row:
        return _read_pair(row)
    if "question_id" in row and "score" in row:
        return _read_single(row)
    if "task_id" in row and "verdict" in row:
        verdict = str(row["verdict"])
        label = None if verdict in ("grader_error", "infra_error") else verdict
        return StoredJudgment("verdict", (str(row["task_id"]), str(row.get("seed", 0))), label, row.get("score"))
    raise ValueError("its fields are of none of the known forms")


def _read_preference(row: JsonRow) -> StoredJudgment:
    """AlpacaEval's; older files hold numbers as texts, and 0 for a draw."""
    value = None if row["preference"] in (None, "", "nan") else float(row["preference"])
    if value is not None and not (value == 0 or 1 <= value <= 2):
        value = None
    label = None if value is None else TIE if value in (0, 1.5) else "model" if value > 1.5 else "baseline"
    names = str(row.get("generator_1", "")), str(row.get("generator_2", ""))
    predicted = row.get("glm_preference")
    return StoredJudgment(
        "preference",
        (str(row["instruction"]), *names),
        label,
        value,
        model=names[1],
        baseline=names[0],
        judge=str(row.get("annotator", "")),
        lengths=(len(row["output_1"]), len(row["output_2"])) if "output_1" in row and "output_2" in row else None,
        length_controlled=None if predicted is None else float(predicted),
    )


def _read_single(row: JsonRow) -> StoredJudgment:
    score = None if row["score"] in (None, -1) else float(row["score"])
    turn, model = int(row.get("turn", 1)), str(row.get("model", ""))
    item = (str(row["question_id"]), str(turn), model)
    label = None if score is None else f"{score:g}"
    return StoredJudgment("score", item, label, score, model=model, judge=_judge_of(row), turn=turn)


def _read_pair(row: JsonRow) -> StoredJudgment:
    """Games in both orders that disagree are a tie, as FastChat counts them."""
    if "winner" in row:
        sides: Mapping[str, str] = {"model_a": str(row["model_a"]), "model_b": str(row["model_b"])}
        said = str(row["winner"])
    else:
        sides = {"model_1": str(row["model_1"]), "model_2": str(row["model_2"])}
        first, second = str(row["g1_winner"]), str(row["g2_winner"])
        said = "error" if "error" in (first, second) else first if first == second else TIE
    label = None if said == "error" else sides.get(said, TIE)
    turn = int(row.get("turn", 1))
    item = (str(row["question_id"]), str(turn), *sorted(sides.values()))
    return StoredJudgment("pair", item, label, judge=_judge_of(row), turn=turn)


def _read_battle(row: JsonRow) -> StoredJudgment:
    games = row["games"]
    said = [game.get("score") if isinstance(game, dict) else None for game in games]
    scores = battle_scores(*said) if len(said) == 2 else None
    model = str(row["model"])
    mean = None if scores is None else sum(scores) / len(scores)
    label = None if mean is None else TIE if mean == 0.5 else "model" if mean > 0.5 else "baseline"
    question = str(row.get("question_id", row.get("uid")))
    return StoredJudgment("battle", (question, model), label, mean, model=model, judge=_judge_of(row), battle=scores)


def _judge_of(row: JsonRow) -> str:
    judge = row.get("judge", "")
    return str(judge[0]) if isinstance(judge, list) and judge else str(judge)
