"""The grader of instructions: what it says of responses, of wrong data, and through the door, to the results."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tools.benchmarks.benchmark import find_benchmark
from tools.errors import DataError, UsageError
from tools.grading import create_grader
from tools.grading.grader import Workplace
from tools.grading.instructions import IFBENCH_RULES
from tools.grading.instructions.following import read_instructions
from tools.grading.instructions.plug import read_answer
from tools.grading.instructions.registry import ask
from tools.grading.session import grade_text
from tools.models.reasoning import split_response
from tools.records import Generation, Grade, Problem, Verdict

QUOTED = {
    "instruction_id_list": ["startend:quotation", "punctuation:no_comma", "startend:end_checker"],
    "kwargs": [{}, {"N": None}, {"end_phrase": "Done."}],
}
IFEVAL = find_benchmark("IFEval")


def grade(text: str, row: dict[str, Any] = QUOTED) -> Grade:
    return grade_text(text, Problem("1", "?", None, row), IFEVAL)


def test_a_response_that_follows_all_is_correct() -> None:
    found = grade('"Yes. Done."')
    assert (found.verdict, found.score, found.share) == (Verdict.CORRECT, 1.0, None)
    assert found.metrics == {
        "prompt_strict": 1.0, "prompt_loose": 1.0, "instruction_strict": 1.0, "instruction_loose": 1.0,
    }  # fmt: skip


def test_one_that_misses_some_is_wrong_and_says_which() -> None:
    found = grade('Sure, this:\n"Yes, done. Done."')
    assert (found.verdict, found.score) == (Verdict.WRONG, 0.0)
    assert found.reason == "not followed: startend:quotation, punctuation:no_comma"
    assert found.metrics == {
        "prompt_strict": 0.0, "prompt_loose": 0.0, "instruction_strict": 1 / 3, "instruction_loose": 2 / 3,
    }  # fmt: skip
    assert found.details == {
        "instructions": 3, "ids": QUOTED["instruction_id_list"],
        "strict": [False, False, True], "loose": [True, False, True],
    }  # fmt: skip


def test_one_missed_of_three_is_wrong() -> None:
    assert grade('"Yes, yes. Done."').verdict is Verdict.WRONG


def test_the_reasoning_is_not_looked_at() -> None:
    assert grade('Well, a, b, c.</think>"Yes. Done."').verdict is Verdict.CORRECT
    assert grade('"Yes. Done."</think>Well, yes.').verdict is Verdict.WRONG


@pytest.mark.parametrize(
    "text", [' "a"\n', "<<title>>\n\nText ", "<answer>x</answer>", "```json\n{}\n```", "\\boxed{1}"]
)
def test_a_response_without_reasoning_is_looked_at_to_the_letter(text: str) -> None:
    assert read_answer(split_response(Generation("1", 0, text))) == text


def test_empty_lines_after_the_reasoning_are_no_lines_of_the_answer() -> None:
    assert read_answer(split_response(Generation("1", 0, "Hm.</think>\n\nSure:\nYes. "))) == "Sure:\nYes. "
    assert grade('Hm.</think>\n\nSure:\n"Yes. Done."').metrics["prompt_loose"] == 1.0


@pytest.mark.parametrize(
    ("text", "finish_reason", "verdict"),
    [
        ("<think>Hm, so", "length", Verdict.TRUNCATED),
        ("<think>Hm, so", "stop", Verdict.TRUNCATED),
        ("", "stop", Verdict.NO_ANSWER),
        (" \n", "length", Verdict.TRUNCATED),
        ('<think>Hm.</think>"Yes.', "length", Verdict.WRONG),
    ],
)
def test_what_is_cut_off_or_empty_follows_nothing_it_does_not_show(
    text: str, finish_reason: str, verdict: Verdict
) -> None:
    grader = create_grader(IFEVAL, {}, "ours", Workplace())
    response = split_response(Generation("1", 0, text, finish_reason))
    found: Grade = next(iter(grader.grade([grader.prepare(Problem("1", "?", None, QUOTED), response)])))
    assert found.verdict is verdict
    assert found.metrics["prompt_loose"] == 0.0
    assert len(found.details["strict"]) == 3


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({}, "instruction_id_list is no list of names"),
        ({"instruction_id_list": ["a:b"], "kwargs": []}, "kwargs is no list with one object"),
        ({"instruction_id_list": ["a:b"], "kwargs": [None]}, "no object"),
        ({"instruction_id_list": ["a:b"], "kwargs": [{}]}, "there is no instruction 'a:b'"),
        ({"instruction_id_list": ["count:numbers"], "kwargs": [{"N": None}]}, "count:numbers lacks N"),
        ({"instruction_id_list": ["count:numbers"], "kwargs": [{"N": "2"}]}, "cannot have N = '2'"),
        ({"instruction_id_list": ["count:numbers"], "kwargs": [{"N": 2, "M": 3}]}, "count:numbers takes no M"),
        ({"instruction_id_list": ["keywords:existence"], "kwargs": [{"keywords": ["a("]}]}, "cannot have keywords"),
        (
            {
                "instruction_id_list": ["length_constraints:number_words"],
                "kwargs": [{"num_words": 3, "relation": "at most"}],
            },
            "cannot have relation = 'at most'",
        ),
    ],
)
def test_wrong_data_are_named(row: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match="problem 1: ") as caught:
        grade("Yes.", row)
    assert named in str(caught.value)


def test_a_check_that_fails_is_our_fault_and_a_wrong_row_ends_the_grading(
    tmp_path: pathlib.Path, run_script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grader = create_grader(IFEVAL, {}, "ours", Workplace())
    monkeypatch.setattr("tools.grading.instructions.following.follow", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # the session makes a grader_error of it
        grader.prepare(Problem("1", "?", None, QUOTED), split_response(Generation("1", 0, "Yes.")))
    (tmp_path / "set.jsonl").write_text(
        json.dumps({"id": "1", "prompt": "?", "instruction_id_list": ["a:b"], "kwargs": [{}]})
    )
    (tmp_path / "set.json").write_text('{"grader": "instructions", "question": "{problem}"}')
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "seed0.jsonl").write_text('{"task_id": "1", "output": "Yes."}\n')
    ended = run_script(
        "python", "evaluate_aime.py", "-g", tmp_path / "out", "-q", tmp_path / "set.jsonl",
        env={"BENCHMARKS_DIR": str(tmp_path)},
    )  # fmt: skip
    assert ended.returncode == 1
    assert (
        ended.stderr.strip()
        .splitlines()[-1]
        .endswith("problem 1: there is no instruction 'a:b'; restore its row, or grade this set otherwise")
    )


SAMPLE_ANSWERS = {
    "weather": "It is warm and dry.",
    "tea": "Boil water and pour it on the leaves.",
    "birds": "<<Birds>>\n* Wren\n* Robin\n* Rook",
    "sum": '"It is 5. That is all."',
    "sea": "Maybe, at times.",
    "numbers": "Sure, 1 of many:\nTrain 7 left with 3 coaches.",
}


def test_the_sample_set_through_the_door(tmp_path: pathlib.Path, run_script: Any) -> None:
    lines = [json.dumps({"task_id": name, "output": text}) for name, text in SAMPLE_ANSWERS.items()]
    (tmp_path / "seed0.jsonl").write_text("\n".join(lines) + "\n")
    ended = run_script("python", "evaluate_aime.py", "-g", tmp_path, "-q", "instructions_sample")
    assert ended.returncode == 0, ended.stderr
    results = json.loads((tmp_path / "accuracy_results.json").read_text())
    means = {name: round(metric["mean"], 4) for name, metric in results["metrics"].items()}
    assert results["avg_at_k"] == pytest.approx(4 / 6)
    assert means == {
        "prompt_strict": 0.6667, "prompt_loose": 0.8333, "instruction_strict": 0.8, "instruction_loose": 0.9,
    }  # fmt: skip
    assert results["metrics"]["instruction_loose"]["weight"] == "instructions"
    assert results["pass_at_k"] != {}


@pytest.mark.parametrize(
    ("file", "count", "rows"),
    [("breadth/ifeval/input_data.jsonl", 834, 541), ("breadth/ifbench/IFBench_test.jsonl", 344, 300)],
)
@pytest.mark.parametrize("rules", IFBENCH_RULES)
def test_every_row_of_the_real_sets_is_accepted(
    data_dir: pathlib.Path, file: str, count: int, rows: int, rules: str
) -> None:
    path = data_dir / file
    if not path.is_file():
        pytest.skip(f"{file} is not there")
    asked = [read_instructions(json.loads(line), rules) for line in path.read_text().split("\n") if line]
    assert (len(asked), sum(map(len, asked))) == (rows, count)


def test_a_missing_package_is_told_before_anything_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.grading.instructions.plug.PACKAGES", ("emoji", "no_such_package"))
    with pytest.raises(UsageError, match=r"needs no_such_package; run `pip install -r requirements-grade\.txt`"):
        create_grader(IFEVAL, {}, "ours", Workplace())


def test_arguments_that_are_null_are_not_given() -> None:
    assert ask("count:numbers", {"N": 2.0, "keyword": None}).arguments == {"N": 2.0}
