"""docs/add_an_engine.md, done as it says in a copy of the tree: one file, one line, and runs can use it."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest

from tests.support.doc_pages import DocPage, TreeCopy, copy_of_the_tree
from tools.engines import Needs

PAGE = DocPage("add_an_engine")
HELP, SAMPLE, GRADE = PAGE.commands()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> TreeCopy:
    """A copy with the page's steps 1 to 3."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("engine"))
    tree.write("tools/engines/program.py", PAGE.file("tools/engines/program.py"))
    tree.add_below("tools/engines/__init__.py", "ENGINES = {", PAGE.file("tools/engines/__init__.py"))
    tree.write("answer.sh", PAGE.file("answer.sh"))
    return tree


def test_its_name_and_options_are_in_the_help(tree: TreeCopy) -> None:
    text = tree.result(HELP)
    assert "options of ENGINE=program" in text
    assert "--program S" in text
    assert "vllm, transformers" in " ".join(text.split())


def test_the_commands_of_the_page_sample_and_grade(tree: TreeCopy) -> None:
    tree.result(SAMPLE)
    rows = [json.loads(line) for line in (tree.root / "out/aime_sample/seed101.jsonl").read_text().splitlines()]
    assert {row["output"] for row in rows} == {"I guess.</think>\n\\boxed{101}\n"}
    assert len(rows) == 20
    manifest = json.loads((tree.root / "out/aime_sample/manifest.json").read_text())
    assert manifest["settings"]["engine"] == "program"
    assert "aime_sample" in tree.result(GRADE)


def test_a_run_is_not_continued_with_another_program(tree: TreeCopy) -> None:
    command = SAMPLE.replace("--out out", "--out other") + " --limit 1"
    tree.result(command)
    refused = tree.run(command.replace("sh answer.sh", "cat"))
    assert refused.returncode == 1
    assert "program was 'sh answer.sh' and is now 'cat'" in refused.stderr


@pytest.mark.parametrize(
    ("program", "message"), [("false", "the program failed"), ("no-such-program", "there is no such program")]
)
def test_a_failure_is_said_and_is_no_empty_answer(tree: TreeCopy, program: str, message: str) -> None:
    done = tree.run(f"{SAMPLE.replace('--out out', f'--out {program}')} --limit 1".replace("sh answer.sh", program))
    assert done.returncode == 1
    assert message in done.stderr
    assert not [path for path in (tree.root / program).rglob("seed*.jsonl") if path.read_text()]


def test_a_class_outside_the_repository_needs_no_line(tmp_path: pathlib.Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    tree.write("elsewhere/my_package/my_engine.py", PAGE.file("tools/engines/program.py"))
    command = SAMPLE.replace("ENGINE=program", "ENGINE=my_package.my_engine:ProgramEngine").replace(
        "sh answer.sh", "cat"
    )
    tree.result(f"{command} --limit 1", {"PYTHONPATH": "elsewhere"})
    row = json.loads((tree.root / "out/aime_sample/seed100.jsonl").read_text())
    assert row["output"].startswith("<|im_start|>system")


def test_the_page_names_every_need() -> None:
    assert PAGE.tabled("What it says") == {field.name for field in dataclasses.fields(Needs)}
