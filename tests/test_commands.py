"""`python -m tools`: every command is there, says what it does, and starts without loading what it does not need."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.fake_runs import grades_from_rows, write_run
from tools.__main__ import COMMANDS, find_command
from tools.errors import UsageError


def tools(*words: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_without_a_name_all_commands_are_listed() -> None:
    listed = tools()
    assert listed.returncode == 0
    for name, command in COMMANDS.items():
        assert f"  {name} " in listed.stdout
        assert command.help in listed.stdout
    assert tools("--help").stdout == listed.stdout
    assert all(len(line) <= 100 for line in listed.stdout.splitlines())


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_tells_of_itself_under_its_own_name(name: str) -> None:
    answer = tools(name, "--help")
    assert answer.returncode == 0, answer.stderr
    assert f"usage: python -m tools {name}" in answer.stdout


def test_listing_loads_no_command() -> None:
    code = (
        "import sys; sys.argv = ['tools']; import tools.__main__ as m; m.main();"
        "print([n for n in ('numpy', 'sympy', 'torch', 'argparse', 'tools.results', 'tools.view') if n in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_a_near_miss_is_suggested_and_a_stranger_gets_the_list() -> None:
    for wrong, right in (("compair", "compare"), ("plan_k", "plan-k"), ("views", "view"), ("export", "exports")):
        with pytest.raises(UsageError, match=f"did you mean.* {right}|did you mean {right}"):
            find_command(wrong)
    answer = tools("qqq")
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: there is no command 'qqq'; choose one of view, report, compare")
    assert "\n" not in answer.stderr.rstrip("\n")


def test_a_command_gets_its_arguments_and_its_exit_code_comes_back(tmp_path: pathlib.Path) -> None:
    for name, rows in (("old", {"1": [1, 0], "2": [1, 1]}), ("new", {"1": [1, 1], "2": [1, 1]})):
        write_run(tmp_path / name, grades_from_rows(rows, [1, 2]))
    compared = tools("compare", tmp_path / "old", tmp_path / "new", "--no-texts")
    assert compared.returncode == 0, compared.stderr
    assert "B - A = +25.0 points" in compared.stdout
    assert tools("compare", tmp_path / "old").returncode == 2
    assert tools("report", tmp_path / "absent").returncode == 1
