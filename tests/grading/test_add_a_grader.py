"""docs/add_a_grader.md, done as it says in a copy of the tree: one file, one line, and the grader is everywhere."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest

from tests.support.doc_pages import DocPage, TreeCopy, clean_environment, copy_of_the_tree
from tests.support.real_runs import SCRIPTED
from tools.grading.grader import Judgement, ResponseGrader

PAGE = DocPage("add_a_grader")
ENTRY, PROBLEMS = "my_benchmarks/colours.json", "my_benchmarks/colours.jsonl"
HELP, SAMPLE, GRADE, REPORT, VIEW = PAGE.commands()[1:]
ENVIRONMENT = {
    "BENCHMARKS_DIR": "my_benchmarks", "ENGINE": SCRIPTED, "MODEL_TYPE": "qwen", "SCRIPT_ANSWER": "Hm.</think>Red and green.",
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """A copy with the page's steps 1 to 3, sampled."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("grader"))
    tree.write("tools/grading/words.py", PAGE.file("tools/grading/words.py"))
    tree.add_below("tools/grading/__init__.py", "GRADERS = {", PAGE.file("tools/grading/__init__.py"))
    for path in (ENTRY, PROBLEMS):
        tree.write(path, PAGE.file(path))
    tree.result(SAMPLE, ENVIRONMENT)
    return tree


def read_json(tree: TreeCopy, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((tree.root / "out" / "colours" / name).read_text())
    return found


def test_its_options_are_in_the_help_of_both_doors(tree: TreeCopy) -> None:
    for command in (HELP, HELP.replace("evaluate_aime.py", "evaluate_livecodebench.py")):
        text = tree.result(command, ENVIRONMENT)
        assert "graded by words:" in text
        assert "--needed-share X" in text


def test_results_report_and_page_have_the_shares(tree: TreeCopy) -> None:
    printed = tree.result(GRADE, ENVIRONMENT)
    assert " 66.7 " in printed
    results = read_json(tree, "accuracy_results.json")
    assert results["avg_at_k"] == pytest.approx(2 / 3)
    assert results["grader"] == {"differs_from_original": None, "name": "words", "version": "1"}
    assert (results["counts"]["correct"], results["counts"]["wrong"]) == (2, 0)
    assert (results["pass_at_k"], results["metrics"]["words_found"]["mean"]) == ({}, 2.0)
    tree.result(REPORT, ENVIRONMENT)
    report = (tree.root / "out" / "colours" / "report.html").read_text()
    assert '<b class="score">66.7 %</b>' in report
    assert "words" in report
    overview = asked_of_the_page(tree, "/api/overview", run="colours", dataset="colours")
    assert overview["facts"]["score"] == pytest.approx(2 / 3)
    sample = asked_of_the_page(tree, "/api/sample", run="colours", dataset="colours", task="flag", seed=100)
    assert (sample["verdict"]["verdict"], sample["verdict"]["rule"]) == ("correct", "words")
    assert sample["verdict"]["share"] == pytest.approx(2 / 3)


def asked_of_the_page(tree: TreeCopy, path: str, **parameters: object) -> dict[str, dict[str, object]]:
    """An answer of the page's own command, which is started and ended for it."""
    words = [sys.executable if word == "python" else word for word in VIEW.split()]
    page = subprocess.Popen(
        [*words, "--port", "0"], cwd=tree.root, env=clean_environment() | ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert page.stdout is not None
        address = next(word for line in page.stdout for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(f"{address.rstrip('/')}{path}?{urllib.parse.urlencode(parameters)}") as answer:
            found: dict[str, dict[str, object]] = json.load(answer)
            return found
    finally:
        page.terminate()
        page.communicate(timeout=20)


def test_another_option_is_another_verdict_and_a_foreign_one_is_refused(tree: TreeCopy) -> None:
    tree.result(GRADE.replace("0.6", "1"), ENVIRONMENT)
    counts = read_json(tree, "accuracy_results.json")["counts"]
    assert (counts["correct"], counts["wrong"]) == (0, 2)
    refused = tree.run(f"{GRADE} --timeout 3", ENVIRONMENT)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "words" in refused.stderr


def test_a_class_outside_the_repository_needs_no_line(tmp_path: pathlib.Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    tree.write("my_package/words.py", PAGE.file("tools/grading/words.py"))
    own = json.loads(PAGE.file(ENTRY)) | {
        "grader": "my_package.words:WordsGrader", "grader_options": {"needed_share": 0.6}
    }  # fmt: skip
    tree.write(ENTRY, json.dumps(own))
    tree.write(PROBLEMS, PAGE.file(PROBLEMS))
    rows = [{"task_id": task_id, "output": "green, red", "seed": 100} for task_id in ("flag", "light")]
    tree.write("out/colours/seed100.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert " 66.7 " in tree.result("python evaluate_aime.py -g out/colours -q colours", ENVIRONMENT)
    assert read_json(tree, "accuracy_results.json")["counts"]["correct"] == 2


def test_the_page_names_every_field_there_is() -> None:
    said = {field.name for field in dataclasses.fields(Judgement)}
    assert PAGE.tabled("What a grader says") == said
    assert PAGE.tabled("What else a grader may say") <= {"name", "version", *vars(ResponseGrader)}
