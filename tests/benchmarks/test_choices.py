"""Options and right letters as publishers write them; shuffled orders; how they are asked; files of one's own."""

from __future__ import annotations

import json
import pathlib
import random
from collections import Counter
from typing import Any

import pytest

from tools.benchmarks.benchmark import Benchmark, BenchmarkSource, describe_file, find_benchmark, list_benchmarks
from tools.benchmarks.choices import LETTERS, ChoiceFields, Choices, listed_options, read_choices
from tools.benchmarks.fetching import read_rows
from tools.benchmarks.problems import load_benchmark
from tools.benchmarks.questions import render_question
from tools.errors import DataError
from tools.records import Problem

OPTIONS = ["red", "green", "blue"]
GPQA = {
    "Question": "Which?", "Correct Answer": "right", "Incorrect Answer 1": "no", "Incorrect Answer 2": "never", "Incorrect Answer 3": "wrong",
}  # fmt: skip
GPQA_FIELDS = find_benchmark("gpqa_diamond").choices


@pytest.mark.parametrize(
    ("row", "options", "gold"),
    [
        ({"options": OPTIONS, "answer": "B"}, OPTIONS, "B"),
        ({"options": OPTIONS, "answer": "(b)"}, OPTIONS, "B"),
        ({"options": OPTIONS, "answer": "B."}, OPTIONS, "B"),
        ({"choices": OPTIONS, "answer": 1}, OPTIONS, "B"),
        ({"choices": OPTIONS, "answer": "1"}, OPTIONS, "B"),
        ({"choices": OPTIONS, "answer": "green"}, OPTIONS, "B"),
        ({"Options": OPTIONS, "Answer": "C"}, OPTIONS, "C"),
        ({"options": OPTIONS, "answer": "green", "answer_letter": "B"}, OPTIONS, "B"),
        ({"options": OPTIONS, "answer": "green", "answer_idx": "B"}, OPTIONS, "B"),
        ({"options": OPTIONS, "answer_index": 2}, OPTIONS, "C"),
        ({"options": OPTIONS, "label": "C", "answer": None}, OPTIONS, "C"),
        ({"choices": OPTIONS, "gold": [2]}, OPTIONS, "C"),
        ({"choices": {"label": ["A", "B", "C"], "text": OPTIONS}, "answerKey": "C"}, OPTIONS, "C"),
        ({"choices": {"label": ["1", "2", "3"], "text": OPTIONS}, "answerKey": "2"}, OPTIONS, "B"),
        ({"options": {"A": "red", "B": "green"}, "answer": "B"}, OPTIONS[:2], "B"),
        ({"options": [{"label": "A", "text": "red"}, {"label": "B", "text": "green"}], "answer": "A"}, OPTIONS[:2], "A"),
        ({"options": ["(A)red", "(B) green"], "label": "B"}, OPTIONS[:2], "B"),
        ({"options": ["A. red", "B. green"], "answer": "A"}, OPTIONS[:2], "A"),
        ({"options": ["(A)2", "(B)1"], "answer": "B"}, ["2", "1"], "B"),
        ({"A": "red", "B": "green", "C": "blue", "answer": "C"}, OPTIONS, "C"),
        ({"A": "red", "B": "green", "C": None, "answer": "B"}, OPTIONS[:2], "B"),
        ({"choices": ["2", "1", "0"], "answer": 1}, ["2", "1", "0"], "B"),
        ({"options": ["I", "II", "III"], "answer": "C", "answer_index": 2}, ["I", "II", "III"], "C"),
        ({"options": ["B", "A"], "answer": "A", "answer_index": 0}, ["B", "A"], "A"),
        ({"options": [5, 6, 7], "answer": 7}, ["5", "6", "7"], "C"),
        ({"options": ["only"], "answer": "A"}, ["only"], "A"),
        ({"options": [f"o{index}" for index in range(26)], "answer": "Z"}, [f"o{index}" for index in range(26)], "Z"),
        ({**GPQA}, ["right", "no", "never", "wrong"], "A"),
        ({"question": "Which?\nA. red\nB. green", "answer": "B"}, ["red", "green"], "B"),
        ({"question": "Which?", "answer": "D"}, [], "D"),
        ({"question": "Which?\nA. red\nB. green\nother: C or D", "answer": "D"}, [], "D"),
    ],
)  # fmt: skip
def test_options_and_right_letter(row: dict[str, Any], options: list[str], gold: str) -> None:
    read = read_choices(row, statement=row.get("question"))
    assert (list(read.options), read.gold) == (options, gold)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"options": OPTIONS},
            "no right answer; a row needs one of the fields answer_letter, answerKey, answer, label",
        ),
        ({"options": OPTIONS, "answer": "D"}, "'D', which is none of the 3 options"),
        ({"options": OPTIONS, "answer": 3}, "3, which is none of the 3 options"),
        ({"options": OPTIONS, "answer": -1}, "-1, which is none"),
        ({"options": OPTIONS, "answer": True}, "none of the 3 options"),
        ({"options": OPTIONS, "answer": ["A", "B"]}, "none of the 3 options"),
        ({"options": ["1", "2"], "answer": "1"}, "may mean option A or B; give the letter"),
        ({"options": ["b", "a"], "answer": "a"}, "may mean option A or B"),
        ({"options": ["x", "x"], "answer": "x"}, "may mean option A or B"),
        ({"options": [2, 3, 1], "answer": 1}, "may mean option B or C"),
        ({"options": OPTIONS, "answer": "A", "answer_index": 1}, "`answer` and `answer_index` name different options"),
        ({"options": [f"o{index}" for index in range(27)], "answer": "A"}, "27 options where 1 to 26"),
        ({"options": "red, green", "answer": "A"}, "`options` is no list of options"),
        ({"options": ["red", None], "answer": "A"}, "holds something that is no text"),
        ({"choices": {"label": ["A", "A"], "text": ["red", "green"]}, "answerKey": "A"}, "a label twice"),
        ({"choices": {"label": ["A"], "text": ["red", "green"]}, "answerKey": "A"}, "1 labels for 2 options"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"option|answer|label") as caught:
        read_choices(row)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_named_fields_are_read() -> None:
    fields = ChoiceFields(options=("good", "bad"), gold="good")
    assert read_choices({"good": "yes", "bad": "no"}, fields).gold == "A"
    fields = ChoiceFields(options=("possible",), gold="best")
    assert read_choices({"possible": OPTIONS, "best": "blue", "answer": "A"}, fields).gold == "C"


def test_an_index_is_an_index_though_options_are_digits() -> None:
    fields = ChoiceFields(gold="target", is_index=True)
    row = {"options": ["1", "2", "0"], "target": ["1"], "answer": "A"}
    assert read_choices(row, fields) == Choices(("1", "2", "0"), "B")
    for wrong in (["3"], ["B"], ["1", "2"], "-1", True):
        with pytest.raises(ValueError, match="none of the 3 options"):
            read_choices(row | {"target": wrong}, fields)


def test_listed_options_follow_their_letters() -> None:
    assert listed_options("Point A. is here.\nA) one\nB) two\nC) three") == ("one", "two", "three")
    assert listed_options("A. one\n\nNow:\n(A) 1\n(B) 2") == ("1", "2")
    assert listed_options("A. alone") == ()


def made_up(count: int) -> list[dict[str, str]]:
    source = random.Random(5)
    word = lambda: "".join(source.choice("abcdefghij") for _ in range(8))  # noqa: E731
    return [{**GPQA, "Question": word(), **{name: word() for name in GPQA_FIELDS.options}} for _ in range(count)]


def test_shuffled_right_letters_are_spread_evenly_and_follow_their_option() -> None:
    letters: Counter[str] = Counter()
    for row in made_up(2000):
        read = read_choices(row, GPQA_FIELDS, row["Question"], row["Question"])
        assert read.options[LETTERS.index(read.gold)] == row["Correct Answer"]
        assert sorted(read.options) == sorted(row[name] for name in GPQA_FIELDS.options)
        letters[read.gold] += 1
    assert set(letters) == set("ABCD")
    chi_square = sum((count - 500) ** 2 / 500 for count in letters.values())
    assert chi_square < 16.27  # 3 degrees of freedom, p = 0.001


def test_the_order_is_the_same_on_every_machine_and_differs_between_items() -> None:
    assert read_choices(GPQA, GPQA_FIELDS, "Which?", "rec1").options == ("no", "wrong", "never", "right")
    orders = {read_choices(GPQA, GPQA_FIELDS, "Which?", f"rec{index}").options for index in range(200)}
    assert len(orders) == 24


def test_gpqa_is_read_shuffled_whatever_the_order_of_the_file(tmp_path: pathlib.Path) -> None:
    rows = made_up(40)
    seen = []
    for part in (rows, rows[::-1]):
        path = tmp_path / "gpqa.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in part))
        entry = Benchmark("gpqa", grader="choice", question="choice", choices=GPQA_FIELDS)
        loaded = load_benchmark(path, benchmark=entry)
        seen.append({problem.statement: (problem.choices, problem.answer) for problem in loaded.problems})
    assert seen[0] == seen[1]
    assert len({answer for _, answer in seen[0].values()}) == 4


def test_a_file_of_ones_own_for_gpqa_keeps_the_order_that_its_statement_has(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "gpqa_diamond.jsonl"
    path.write_text(json.dumps({"problem": "Which?\nA. red\nB. green\nC. blue", "answer": "B"}) + "\n")
    problem = load_benchmark(path, benchmark=find_benchmark("gpqa_diamond"), is_whole=False).problems[0]
    assert (problem.choices, problem.answer) == (tuple(OPTIONS), "B")


def test_a_file_of_ones_own_with_options_is_choice(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "Which?", "options": ["red", "blue"], "answer": "blue"}\n')
    loaded = load_benchmark(path)
    assert (loaded.benchmark.grader, loaded.problems[0].answer, loaded.problems[0].choices) == (
        "choice",
        "B",
        ("red", "blue"),
    )
    asked = render_question(loaded.problems[0], loaded.benchmark, "chat")
    assert asked.startswith("Which?\n\nA. red\nB. blue\n\n")
    assert "Answer: X" in asked
    assert "\\boxed{}" in render_question(loaded.problems[0], loaded.benchmark, "r1")


@pytest.mark.parametrize(
    ("row", "grader"),
    [
        ({"problem": "1+1", "answer": "2"}, "math"),
        ({"problem": "1+1", "answer": "2", "options": None}, "math"),
        ({"problem": "1+1", "answer": "2", "options": []}, "math"),
        ({"problem": "1+1", "answer": "2", "choices": "2 or 3"}, "math"),
        ({"problem": "1+1", "options": ["2", "3"], "test": "assert"}, "code"),
        ({"problem": "1+1", "options": ["2", "3"]}, "math"),
        ({"problem": "1+1", "options": ["2", "3"], "label": "A"}, "choice"),
    ],
)
def test_other_files_are_what_they_were(tmp_path: pathlib.Path, row: dict[str, Any], grader: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert describe_file("mine", path).grader == grader


def test_a_row_that_is_wrong_is_one_line_with_its_number(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.jsonl"
    rows = [{"question": "?", "options": OPTIONS, "answer": answer} for answer in ("A", "D")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(
        DataError, match=r"mine\.jsonl, line 2: `answer` is 'D', which is none of the 3 options"
    ) as caught:
        load_benchmark(path)
    assert "\n" not in str(caught.value)


def test_a_statement_that_lists_its_options_is_not_given_them_twice() -> None:
    entry = find_benchmark("mmlu")
    for statement in ("Which?\nA. red\nB. blue", "Q: Which? Answer Choices: (A)red (B)blue"):
        asked = render_question(Problem("1", statement, "A", {}, None, ("red", "blue")), entry, "qwen")
        assert asked.startswith(statement + "\n\nPlease")
    asked = render_question(
        Problem("1", "Which?", "A", {"passage": "It rained."}, None, ("red", "blue")), entry, "qwen"
    )
    assert asked.startswith("It rained.\n\nWhich?\n\nA. red\nB. blue\n\nPlease")


def test_questions_of_jeebench_say_what_is_asked() -> None:
    entry = find_benchmark("JEEBench")
    asked = [
        render_question(Problem("1", "?", "A", {"type": kind}), entry, "chat")
        for kind in ("MCQ", "MCQ(multiple)", "Numeric")
    ]
    assert len(set(asked)) == 3


AGIEVAL = {"sat-math": 220, "aqua-rat": 254, "lsat-ar": 230}


@pytest.mark.parametrize(("name", "count"), AGIEVAL.items())
def test_agievals_own_files_are_read(data_dir: pathlib.Path, name: str, count: int) -> None:
    path = data_dir / f"breadth/agieval/{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"{name}.jsonl of AGIEval is not in the data folder")
    loaded = load_benchmark(path, benchmark=find_benchmark(f"agieval-{name}"))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(loaded.problems) == count
    assert [problem.answer for problem in loaded.problems] == [row["label"] for row in rows]
    assert not any(
        option.startswith("(") and option[1:3] == "A)" for problem in loaded.problems for option in problem.choices
    )


def test_mmlus_own_file_is_read(data_dir: pathlib.Path) -> None:
    path = data_dir / "breadth/mmlu/mmlu_stem.jsonl"
    if not path.is_file():
        pytest.skip("mmlu_stem.jsonl is not in the data folder")
    loaded = load_benchmark(path)
    assert loaded.benchmark.grader == "choice"
    assert Counter(problem.answer for problem in loaded.problems) == {"A": 645, "B": 719, "C": 783, "D": 871}


CHOICE = {
    "GPQADiamond": 198, "gpqa_main": 448, "MMLUPro": 12032, "MMLU": 14042, "MMLU-Redux": None, "SuperGPQA": 26529, "ARC-Challenge": 1172,
    "HLEChoice": None, "BBH": 6511, "BBEHMini": 460, "JEEBench": 515,
}  # fmt: skip


@pytest.mark.parametrize(("name", "problems"), CHOICE.items())
def test_the_catalogue_has_the_choice_sets(name: str, problems: int | None) -> None:
    entry = find_benchmark(name)
    assert (entry.problems, entry.max_new_tokens) == (problems, None)
    assert entry.source is not None
    assert entry.source.is_gated == name.startswith(("GPQA", "gpqa", "HLE"))


def test_sets_of_our_own_are_whole() -> None:
    assert {name for name in list_benchmarks() if name.endswith("_sample")} >= {"choice_sample", "text_sample"}
    assert len(load_benchmark("choice_sample").problems) == 8
    assert len(load_benchmark("text_sample").problems) == 7


class _Hub:
    """Stands for the `datasets` module: three rows in each config."""

    @staticmethod
    def load_dataset(_name: str, config: str, **_options: Any) -> list[dict[str, Any]]:
        return [{"input": f"{config} {index}", "mini": index % 2} for index in range(3)]


def test_configs_are_joined_with_their_names() -> None:
    source = BenchmarkSource("us/mine", configs=("a", "b"), only={"mini": (1,)})
    rows, _ = read_rows(_Hub, source, None)
    assert [row for row in rows if source.keeps(row)] == [
        {"input": "a 1", "mini": 1, "config": "a"},
        {"input": "b 1", "mini": 1, "config": "b"},
    ]


def test_a_file_of_the_part_alone_needs_no_mark(data_dir: pathlib.Path) -> None:
    path = data_dir / "breadth/bbeh/mini.json"
    if not path.is_file():
        pytest.skip("BBEH's mini.json is not in the data folder")
    assert len(load_benchmark(path, benchmark=find_benchmark("bbeh_mini")).problems) == 460
