"""MT-bench against its authors' files: every prompt, every reading of a reply, and the means."""

from __future__ import annotations

import json
import pathlib

import pytest

from tools.errors import DataError
from tools.judging.figures import describe_file
from tools.judging.messages import questions_for
from tools.judging.parsing import parse_reply
from tools.judging.prompt_source import complete
from tools.judging.templates import find_template
from tools.records import JsonObject, Problem


def rows_of(path: pathlib.Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


@pytest.fixture
def folder(data_dir: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    found = data_dir / "breadth" / "mt_bench"
    if not found.is_dir():
        pytest.skip("no files of MT-bench there")
    (tmp_path / "mt_bench.jsonl").write_bytes((found / "judge_prompts.jsonl").read_bytes())
    monkeypatch.setenv("JUDGE_PROMPTS_DIR", str(tmp_path))
    return found


@pytest.fixture
def judgments(folder: pathlib.Path) -> list[JsonObject]:
    return rows_of(folder / "model_judgment" / "gpt-4_single.jsonl")


def test_every_prompt_is_the_one_that_was_sent(folder: pathlib.Path, judgments: list[JsonObject]) -> None:
    references = {
        row["question_id"]: row["choices"][0]["turns"] for row in rows_of(folder / "reference_answer" / "gpt-4.jsonl")
    }
    (file,) = (folder / "model_answer").glob("*.jsonl")
    answers = {row["question_id"]: row["choices"][0]["turns"] for row in rows_of(file)}
    template = complete(find_template("mt_bench"))
    ours = {}
    for row in rows_of(folder / "question.jsonl"):
        fields = {**row, "reference": references.get(row["question_id"], [])}
        problem = Problem(str(row["question_id"]), row["turns"][0], None, fields)
        for question in questions_for(template, problem, answers[row["question_id"]]):
            ours[row["question_id"], question.turn] = question.user
    sent = {(row["question_id"], row["turn"]): row["user_prompt"] for row in judgments}
    assert len(sent) == 160
    assert [key for key in sent if ours[key] != sent[key]] == []


def test_every_reply_is_read_as_its_authors_read_it(judgments: list[JsonObject]) -> None:
    read = [parse_reply(row["judgment"], "rating") for row in judgments]
    assert [found.score if found else -1 for found in read] == [row["score"] for row in judgments]


def test_the_means_are_the_published_ones(folder: pathlib.Path) -> None:
    (line,) = describe_file(folder / "model_judgment" / "gpt-4_single.jsonl")
    assert line.endswith("mean 2.7000, turn 1 3.1375, turn 2 2.2625, 160 judged, 0 failed")


def test_prompts_that_somebody_has_changed_are_refused(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with (tmp_path / "mt_bench.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(
        DataError, match=r"sha256 is .*put fastchat/llm_judge/data/judge_prompts.jsonl of lm-sys/FastChat"
    ):
        complete(find_template("mt_bench"))


def test_a_problem_of_a_category_with_references_is_never_judged_without(folder: pathlib.Path) -> None:
    template = complete(find_template("mt_bench"))
    problem = Problem("101", "?", None, {"turns": ["?", "??"], "category": "math"})
    with pytest.raises(DataError, match="--judge-references"):
        questions_for(template, problem, ["a", "b"])
    questions = questions_for(template, problem, ["a", "b"], (), ["right", "so too"])
    assert "right" in questions[0].user
    assert "so too" in questions[1].user
