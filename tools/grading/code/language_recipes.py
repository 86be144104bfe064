"""How programs of other languages are compiled and run: data/languages/*.json, one file a language.

>>> recipe = find_recipe("cpp")
>>> recipe.compile, recipe.run
(('g++', '-std=c++17', 'program.cpp', '-o', 'program'), ('./program',))
>>> sorted(list_languages())
['cpp', 'go', 'java', 'js', 'lua', 'php', 'pl', 'rb', 'rs', 'sh', 'ts', 'unittest']
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from tools.errors import UsageError
from tools.sandbox.tree import TreeLimits

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "data" / "languages"
# Of compiling: a compiler is no one's program, but what it reads is; templates and macros can keep it busy for ever.
COMPILE_LIMITS = TreeLimits(cpu_s=60.0, idle_s=60.0, file_bytes=64 << 20, writes=True)
RUN_LIMITS = TreeLimits(cpu_s=6.0)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One language. `labels`: what stands behind a fence. `tools`: command -> what to install where PATH lacks it.

    `compiled`: the file that the compiler must leave. `readable`: folders beyond those of every language. `check`: a command that fails where a library of the tests is missing,
    `check_needs` says which. `support`: a word of the program -> a folder here whose files are put beside it.
    `memory_words`: in stderr of a failed run they say that memory ran out. `failure_word`: a run that prints it has failed.
    `end_word`: a run that does not print it has not come to the end of its tests. `{mark}` in it is a word made for each program,
    and `end` is a statement that prints it, which stands before the place that `end_before` matches at the tests' end.
    """

    language: str
    name: str
    labels: tuple[str, ...]
    file: str
    run: tuple[str, ...]
    tools: Mapping[str, str]
    compile: tuple[str, ...] = ()
    compiled: str = ""
    readable: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    check_needs: str = ""
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    support: Mapping[str, str] = dataclasses.field(default_factory=dict)
    memory_words: tuple[str, ...] = ()
    failure_word: str = ""
    end_word: str = ""
    end: str = ""
    end_before: str = r"\Z"
    compile_limits: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    run_limits: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def limits_of_compiling(self) -> TreeLimits:
        return dataclasses.replace(COMPILE_LIMITS, **self.compile_limits)

    def limits_of_running(self, timeout_s: float) -> TreeLimits:
        """`timeout_s`: CPU seconds, those of the start of a virtual machine included."""
        times = {"cpu_s": timeout_s, "idle_s": 1.5 * timeout_s, "wall_s": max(900.0, 150 * timeout_s)}
        return dataclasses.replace(RUN_LIMITS, **{**times, **self.run_limits})

    def with_end(self, tests: str, mark: str) -> tuple[str, str]:
        """The tests with the statement that prints the mark, and the word to wait for: none where it has no place.

        >>> find_recipe("cpp").with_end("int main() { assert(f(1) == 2); }", "m7")
        ('int main() { assert(f(1) == 2); \\n__builtin_puts("m7");\\n}', 'm7')
        """
        word = self.end_word.replace("{mark}", mark)
        if not self.end:
            return tests, word
        place = re.search(self.end_before, tests)
        if place is None:
            return tests, ""
        statement = self.end.replace("{mark}", mark)
        return f"{tests[: place.start()]}\n{statement}\n{tests[place.start() :]}", word

    def support_files(self, program: str) -> dict[str, bytes]:
        """Files that a program needs beside it: path in the folder -> content."""
        found = {}
        for word, name in self.support.items():
            if word in program:
                folder = FOLDER / name
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        found[str(path.relative_to(folder))] = path.read_bytes()
        return found


def list_languages() -> dict[str, Recipe]:
    """All recipes by their language."""
    return {path.stem: read_recipe(path) for path in sorted(FOLDER.glob("*.json"))}


def find_recipe(language: str) -> Recipe:
    """The recipe of a language. Raises UsageError for one that has none."""
    path = FOLDER / f"{language}.json"
    if not language.isalnum() or not path.is_file():
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.json")))
        raise UsageError(f"there is no recipe for the language {language!r} in {FOLDER}; choose {known}")
    return read_recipe(path)


def _quote(text: str) -> str:
    return json.dumps(text)[1:-1]


def read_recipe(path: pathlib.Path) -> Recipe:
    """One file of the table; {NAMES} in capitals stand for variables of the environment."""
    text = re.sub(
        r"\{([A-Z]+_[A-Z]+)\}", lambda found: _quote(os.environ.get(found[1], "")), path.read_text(encoding="utf-8")
    )
    row = json.loads(text)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Recipe(path.stem, **values)
