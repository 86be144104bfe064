"""docs/add_a_reasoning_format.md, done as it says in a copy of the tree: one entry, its golden rows, and runs can use it."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from tests.support.doc_pages import DocPage, TreeCopy, copy_of_the_tree
from tests.support.real_runs import SCRIPTED
from tools.models.formats import ReasoningFormat

PAGE = DocPage("add_a_reasoning_format")
TEST, HELP, SAMPLE, GRADE = PAGE.commands()
ENVIRONMENT = {
    "ENGINE": SCRIPTED, "MODEL_TYPE": "qwen", "REASONING_FORMAT": "ponder",
    "SCRIPT_ANSWER": "<|ponder|>\\boxed{1}<|/ponder|>It is \\boxed{204}.",
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """A copy with the page's steps 1 and 2."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("format"))
    tree.add_below("tools/models/formats.py", "_ENTRIES = (", PAGE.file("tools/models/formats.py"))
    with (tree.root / "tests/golden/reasoning_formats.jsonl").open("a", encoding="utf-8") as file:
        file.write(PAGE.file("tests/golden/reasoning_formats.jsonl"))
    return tree


def test_the_golden_rows_of_the_page_hold(tree: TreeCopy) -> None:
    assert re.search(r"^[4-9] passed", tree.result(TEST), re.MULTILINE)


def test_it_is_in_the_help(tree: TreeCopy) -> None:
    text = " ".join(tree.result(HELP).split())
    assert "how the model marks its reasoning: ponder, think, " in text


def test_a_run_is_sampled_and_graded_with_it(tree: TreeCopy) -> None:
    tree.result(SAMPLE, ENVIRONMENT)
    tree.result(GRADE)
    results = json.loads((tree.root / "out/aime_sample/accuracy_results.json").read_text())
    assert (results["reasoning"]["reasoning_share"], results["reasoning"]["closed_share"]) == (1.0, 1.0)
    rows = [json.loads(line) for line in (tree.root / "out/aime_sample/verdicts.jsonl").read_text().splitlines()]
    assert {row["answer"] for row in rows} == {"204"}
    assert {row["reasoning_chars"] for row in rows} == {len("\\boxed{1}")}


def test_the_page_names_every_field_there_is() -> None:
    assert PAGE.tabled("Fields of an entry") == {field.name for field in dataclasses.fields(ReasoningFormat)}
