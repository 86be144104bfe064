"""What the pages say of the tree is true: rooms and arrows, files, names, commands, options."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

from tests.conftest import ROOT
from tests.test_architecture import ALLOWED
from tools.__main__ import COMMANDS

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data/README.md"])
# A page on adding something names the files that its reader will write.
WRITTEN_BY_THE_READER = {"tools/grading/words.py", "tools/engines/program.py"}
PATH = re.compile(
    r"(?<![\w/.<>])(?:tools|tests|docs|data|perf)/[\w./-]*\w|(?<![\w/.<>-])(?:\w+\.sh|(?:inference|evaluate_\w+)\.py|requirements[\w-]*\.txt)\b"
)
FETCHED = ("data/fetched", "data/aime24.jsonl", "data/livecodebench.jsonl")


def read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8")


def table(name: str, heading: str) -> list[list[str]]:
    """The rows of the table under a heading of a page in docs/."""
    part = read(ROOT / "docs" / f"{name}.md").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_table_of_rooms_is_the_one_that_is_held() -> None:
    told = {
        room: set() if allowed == "nothing" else set(allowed.split(", "))
        for room, _, allowed in table("architecture", "Rooms")
    }
    assert told == {room: allowed for room, allowed in ALLOWED.items() if not room.startswith("__")}


@pytest.mark.parametrize("row", table("architecture", "Where is"), ids=lambda row: row[0])
def test_a_thing_is_where_the_page_says(row: list[str]) -> None:
    _, path, name = row
    assert name in read(ROOT / path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_of_a_page_exists(page: pathlib.Path) -> None:
    paths = {match.rstrip(".") for match in PATH.findall(read(page))}
    known = {path for path in paths if path in WRITTEN_BY_THE_READER or path.startswith(FETCHED) or path == "answer.sh"}
    assert sorted(path for path in paths - known if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_exists(page: pathlib.Path) -> None:
    text = re.sub(r"\s+", " ", read(page))
    modules = set(re.findall(r"python3? -m ((?:tools|perf)[\w.]*)", text))
    assert [module for module in sorted(modules) if importlib.util.find_spec(module.rstrip(".")) is None] == []
    commands = set(re.findall(r"python3? -m tools ([a-z][\w-]*)", text))
    assert commands <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_make_target_of_a_page_exists(page: pathlib.Path) -> None:
    targets = set(re.findall(r"`make ([a-z][a-z-]*)", read(page))) | set(
        re.findall(r"^ +make ([a-z-]+)", read(page), re.MULTILINE)
    )
    known = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    assert targets <= known
