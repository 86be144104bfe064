"""Which verdicts of an earlier grading are kept: those of the same grader, options, problem and response, and no others."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tools.errors import IncompleteRun
from tools.grading import GRADERS
from tools.grading.code.plug import CodeGrader, CodeOptions
from tools.grading.grader import GradingOptions, Judgement, NoOptions, ResponseGrader, Workplace
from tools.grading.session import fingerprint, grade, rules_of
from tools.records import Generation, Grade, Place, Problem, Response, Verdict
from tools.store.verdicts import read_verdicts

ASKED: list[str] = []  # the responses that the counting grader was asked for


@dataclasses.dataclass(frozen=True)
class CountingOptions:
    strictness: int = 1


class CountingGrader(ResponseGrader):
    """Right is what ends in `yes`; a response with `crash` is a fault of the grader, `unknown` one that it cannot grade."""

    name, version, Options = "counting", "1", CountingOptions

    def judge(self, problem: Problem, response: Response) -> Judgement:
        text = response.answer
        ASKED.append(f"{problem.task_id} {response.generation.seed}")
        if "crash" in text:
            raise RecursionError("a fault of the grader")
        if "unknown" in text:
            return Judgement(Verdict.GRADER_ERROR)
        return Judgement(Verdict.CORRECT if text.endswith("yes") else Verdict.WRONG, answer=text)


@pytest.fixture
def run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Two problems, two seeds, a file of one's own that the counting grader grades."""
    monkeypatch.setitem(GRADERS, "math", f"{__name__}:CountingGrader")
    monkeypatch.setattr("tools.grading.grader_class", lambda _name: CountingGrader)
    ASKED.clear()
    write_problems(tmp_path, {"a": "1", "b": "2"})
    folder = tmp_path / "run"
    folder.mkdir()
    for seed in (1, 2):
        write_answers(folder, seed, {"a": f"{seed} yes", "b": f"{seed} no"})
    return folder


def write_problems(folder: pathlib.Path, answers: dict[str, str]) -> None:
    rows = [{"id": name, "problem": "?", "answer": answer} for name, answer in answers.items()]
    (folder / "twos.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_answers(folder: pathlib.Path, seed: int, texts: dict[str, str]) -> None:
    rows = [{"task_id": name, "output": text, "seed": seed} for name, text in texts.items()]
    (folder / f"seed{seed}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def grade_again(run: pathlib.Path, **options: Any) -> list[str]:
    """What a further grading asks the grader for."""
    ASKED.clear()
    grade(run, str(run.parent / "twos.jsonl"), GradingOptions(**options))
    return sorted(ASKED)


EVERY = ["a 1", "a 2", "b 1", "b 2"]


def test_a_second_grading_asks_for_nothing(run: pathlib.Path) -> None:
    assert grade_again(run) == EVERY
    before = (run / "verdicts.jsonl").read_bytes()
    assert grade_again(run) == []
    assert (run / "verdicts.jsonl").read_bytes() == before


def test_another_response_is_graded_anew(run: pathlib.Path) -> None:
    grade_again(run)
    write_answers(run, 1, {"a": "1 yes", "b": "1 no, yes"})
    assert grade_again(run) == ["b 1"]


def test_a_changed_problem_is_graded_anew(run: pathlib.Path) -> None:
    grade_again(run)
    write_problems(run.parent, {"a": "7", "b": "2"})
    assert "a 1" in grade_again(run)


def test_other_options_and_another_version_are_graded_anew(run: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grade_again(run)
    assert grade_again(run, grader={"strictness": 2}) == EVERY
    monkeypatch.setattr(CountingGrader, "version", "2")
    assert grade_again(run, grader={"strictness": 2}) == EVERY


def test_our_own_errors_are_tried_again(run: pathlib.Path) -> None:
    write_answers(run, 1, {"a": "crash", "b": "unknown"})
    grade_again(run)
    assert [graded.verdict for graded in read_verdicts(run)[:2]] == ["grader_error", "grader_error"]
    assert grade_again(run) == ["a 1", "b 1"]


def test_a_fault_of_the_grader_costs_one_verdict_and_is_named(run: pathlib.Path, capsys: Any) -> None:
    write_answers(run, 1, {"a": "crash", "b": "1 no"})
    results = grade(run, str(run.parent / "twos.jsonl"))
    assert results.counts[Verdict.GRADER_ERROR] == 1
    assert not results.is_claimable
    assert "problem a seed 1: grader_error (fault of the grader: RecursionError" in capsys.readouterr().err


def test_a_torn_line_of_a_killed_grading_costs_that_verdict(run: pathlib.Path) -> None:
    grade_again(run)
    text = (run / "verdicts.jsonl").read_text()
    (run / "verdicts.jsonl").write_text(text[: text.rindex('"verdict"')])
    assert grade_again(run) == ["b 2"]


def test_what_was_known_stays_on_disk_while_a_grading_goes_on(
    run: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second grading that is killed in the middle must not cost the verdicts of the first."""
    grade_again(run)
    monkeypatch.setattr("tools.store.verdict_file.QUIET_S", 0.0)
    write_answers(run, 1, {"a": "1 yes", "b": "1 no, yes"})
    seen: list[int] = []

    def killed(self: Any, prepared: Iterable[Grade]) -> Iterator[Grade]:
        yield next(iter(prepared))
        seen.append(len((run / "verdicts.jsonl").read_text().split("\n")) - 1)
        raise KeyboardInterrupt

    with monkeypatch.context() as once:
        once.setattr(CountingGrader, "grade", killed)
        with pytest.raises(KeyboardInterrupt):
            grade_again(run)
    assert seen == [5]  # the four of the first grading, and the new one behind them
    assert grade_again(run) == []


def test_an_incomplete_run_leaves_nothing_behind(run: pathlib.Path) -> None:
    write_answers(run, 2, {"a": "2 yes"})
    with pytest.raises(IncompleteRun, match="problem b seed 2"):
        grade_again(run)
    assert not (run / "verdicts.jsonl").exists()


def code_rules(**options: Any) -> bytes:
    return rules_of(CodeGrader(CodeOptions(**options), Workplace()))


def test_the_mark_of_a_verdict_knows_limit_and_tests() -> None:
    problem = Problem("p", "?", None, {}, Place("f", 0, 9, 1))
    response = Response(Generation("p", 1, "x"), "", "x", None)
    mark = fingerprint(code_rules(), problem, response)
    assert mark == fingerprint(code_rules(), problem, response)
    assert mark != fingerprint(code_rules(timeout_s=7.0), problem, response)
    assert mark != fingerprint(code_rules(runs_all=True), problem, response)
    other_tests = dataclasses.replace(problem, place=Place("f", 0, 9, 2))
    assert mark != fingerprint(code_rules(), other_tests, response)
    elsewhere = dataclasses.replace(problem, place=Place("g", 5, 9, 1))
    assert mark == fingerprint(code_rules(), elsewhere, response)


def test_a_grader_may_answer_in_any_order(run: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(self: Any, prepared: Iterable[Grade]) -> Iterator[Grade]:
        yield from reversed(list(prepared))

    monkeypatch.setattr(CountingGrader, "grade", backwards)
    grade_again(run)
    assert [graded.key for graded in read_verdicts(run)] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_a_grader_without_options_has_a_mark_too() -> None:
    class Plain(CountingGrader):
        Options = NoOptions

    assert rules_of(Plain(NoOptions(), Workplace()))
