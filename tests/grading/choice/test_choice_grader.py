"""The graders of multiple choice: verdicts, votes, points of JEEBench, and a file of one's own through the door."""

from __future__ import annotations

import json
import pathlib

import pytest

from tools.benchmarks.benchmark import Benchmark, find_benchmark
from tools.grading import create_grader
from tools.grading.choice.jeebench import find_points_answer, points
from tools.grading.grader import Generation, Judgement, Problem, Response, Verdict, Workplace
from tools.results.build import read_results

PROBLEM = Problem("1", "Which?", "B", {}, None, ("red", "green", "blue"))


def judge(
    text: str,
    *,
    problem: Problem = PROBLEM,
    benchmark: str = "choice_sample",
    is_closed: bool | None = None,
    finish: str = "stop",
) -> Judgement:
    grader = create_grader(find_benchmark(benchmark), {}, "ours", Workplace())
    response = Response(Generation("1", 100, text, finish_reason=finish), "", text, is_closed)
    judged: Judgement = grader.judge(problem, response)  # type: ignore[attr-defined]
    return judged


@pytest.mark.parametrize(
    ("text", "verdict", "answer"),
    [
        ("Answer: B", Verdict.CORRECT, "B"),
        ("Answer: C", Verdict.WRONG, "C"),
        ("Answer: green", Verdict.CORRECT, "B"),
        ("Answer: G", Verdict.WRONG, "G"),
        ("No idea.", Verdict.NO_ANSWER, None),
        ("Answer: A or B", Verdict.NO_ANSWER, None),
    ],
)
def test_verdicts(text: str, verdict: Verdict, answer: str | None) -> None:
    judged = judge(text)
    assert (judged.verdict, judged.answer) == (verdict, answer)


def test_a_letter_beyond_the_options_is_told() -> None:
    assert judge("Answer: G").reason == "G is none of the 3 options"


def test_cut_off_before_an_answer_is_truncated() -> None:
    assert judge("Let us see, (B) may", finish="length").verdict is Verdict.TRUNCATED
    assert judge("", is_closed=False).verdict is Verdict.TRUNCATED
    assert judge("Answer: B", finish="length").verdict is Verdict.CORRECT


def test_mmlu_pro_reads_the_first_statement_and_other_sets_the_last() -> None:
    text = "The answer is (B). So the answer is (C)."
    assert judge(text, benchmark="mmlu_pro").answer == "B"
    assert judge(text).answer == "C"


def test_votes_are_letters() -> None:
    equal = create_grader(Benchmark("own", grader="choice"), {}, "ours", Workplace()).equal
    assert equal is not None
    assert (equal("A", "A"), equal("A", "B")) == (True, False)


JEE = [
    ("B", r"\boxed{B}", "MCQ", "B", 1.0),
    ("B", r"\boxed{A}", "MCQ", "A", 0.0),
    ("B", r"\boxed{AB}", "MCQ", "AB", 0.0),
    ("ABD", r"\boxed{ABD}", "MCQ(multiple)", "ABD", 1.0),
    ("ABD", r"\boxed{D, B, A}", "MCQ(multiple)", "ABD", 1.0),
    ("ABD", r"\boxed{\text{A and B}}", "MCQ(multiple)", "AB", 0.5),
    ("ABD", "The answer is D.", "MCQ(multiple)", "D", 0.25),
    ("ABD", r"\boxed{A,C}", "MCQ(multiple)", "AC", 0.0),
    ("ABD", r"\boxed{(A), (B), (D)}", "MCQ(multiple)", "ABD", 1.0),
    ("7", r"\boxed{7}", "Integer", "7", 1.0),
    ("7", r"\boxed{8}", "Integer", "8", 0.0),
    ("2.55", r"\boxed{2.554}", "Numeric", "2.554", 1.0),
    ("2.55", r"\boxed{2.57}", "Numeric", "2.57", 0.0),
    ("0.50", r"\boxed{\frac{1}{2}}", "Numeric", r"\frac{1}{2}", 1.0),
]


@pytest.mark.parametrize(("gold", "text", "kind", "answer", "share"), JEE)
def test_points_of_jeebench(gold: str, text: str, kind: str, answer: str, share: float) -> None:
    assert find_points_answer(text, kind) == answer
    assert points(gold, answer, kind) == share
    judged = judge(text, problem=Problem("1", "?", gold, {"type": kind}), benchmark="jeebench")
    assert (judged.share, judged.verdict is Verdict.CORRECT) == (share, share == 1.0)


def test_no_answer_in_jeebench_has_no_points() -> None:
    judged = judge("I give up.", problem=Problem("1", "?", "A", {"type": "MCQ"}), benchmark="jeebench")
    assert (judged.verdict, judged.share) == (Verdict.NO_ANSWER, 0.0)


def test_a_file_of_ones_own_is_graded_by_the_door(tmp_path: pathlib.Path, run_script) -> None:
    rows = [
        {"question": "2 + 2?", "choices": ["3", "4"], "answer": 1},
        {"question": "3 + 3?", "choices": ["6", "7"], "answer": "A"},
        {"question": "4 + 4?", "choices": ["9", "8"], "answer": "8"},
    ]
    texts = ["Hm.</think>Answer: B", "Hm.</think>I think it is \\boxed{7}.", "Hm, the answer is B"]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = tmp_path / "out"
    folder.mkdir()
    lines = [json.dumps({"task_id": str(index), "output": text}) + "\n" for index, text in enumerate(texts)]
    (folder / "seed100.jsonl").write_text("".join(lines))
    done = run_script("python", "evaluate_aime.py", "-g", folder, "-q", tmp_path / "mine.jsonl", "--allow-incomplete")
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert [(row["verdict"], row.get("answer")) for row in verdicts] == [
        ("correct", "B"),
        ("wrong", "B"),
        ("truncated", None),
    ]
    assert read_results(folder).score.mean == pytest.approx(1 / 3)
