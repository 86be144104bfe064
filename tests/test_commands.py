"""`python -m tools`: the list of commands is whole and true, and each command is found."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.conftest import ROOT
from tools.__main__ import COMMANDS


def test_the_list_names_every_command(run_script) -> None:
    done = run_script("python", "-m", "tools")
    assert done.returncode == 0
    for name, (_, text) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text)}$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_module_that_calls_itself_so(name: str) -> None:
    module, _ = COMMANDS[name]
    spec = importlib.util.find_spec(module)
    assert spec is not None
    folder = ROOT / module.replace(".", "/")
    path = folder / "__main__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = path.read_text(encoding="utf-8")
    assert 'if __name__ == "__main__":' in text
    assert name == "sandbox-check" or f"python -m tools {name}" in text


def test_a_command_gets_its_arguments_and_its_exit_code(run_script) -> None:
    done = run_script("python", "-m", "tools", "planner", "--half-width", "2")
    assert done.returncode == 0
    assert "seeds" in done.stdout
    wrong = run_script("python", "-m", "tools", "planner", "--half-width", "0")
    assert "half-width between" in wrong.stderr
    assert wrong.returncode == 2


@pytest.mark.parametrize(
    ("word", "hint"), [("compar", "did you mean compare?"), ("xyz", "`python -m tools` lists them")]
)
def test_an_unknown_command_is_one_line(run_script, word: str, hint: str) -> None:
    done = run_script("python", "-m", "tools", word)
    assert (done.returncode, done.stderr) == (2, f"error: there is no command {word!r}; {hint}\n")
