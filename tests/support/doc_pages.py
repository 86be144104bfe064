"""Pages of docs/ as tests do what they say: their code blocks, their tables, and a copy of the tree to carry them out in.

    page = DocPage("add_a_grader")
    tree = copy_of_the_tree(tmp_path)
    tree.write(page.file("tools/grading/words.py"))

A block belongs to the last path in `backticks` of the paragraph before it.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping

from tests.conftest import ROOT

BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`([\w./-]+\.\w+)`")
COPIED = (
    "tools", "data/benchmarks", "data/subsets", "data/aime_sample.jsonl", "data/livecodebench_sample.jsonl",
    "inference.py", "evaluate_aime.py", "evaluate_livecodebench.py", "run_aime.sh", "run_livecodebench.sh", "pyproject.toml",
    "tests/conftest.py", "tests/support", "tests/models", "tests/golden/reasoning_formats.jsonl",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class PageBlock:
    """One code block; `path` is the file that the words before it name."""

    language: str
    text: str
    path: str | None


class DocPage:
    """docs/<name>.md."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        self.found = [
            PageBlock(match["language"], match["text"], self._path_before(match.start()))
            for match in BLOCK.finditer(self.text)
        ]

    def _path_before(self, place: int) -> str | None:
        paragraph = self.text[:place].rstrip().rpartition("\n\n")[2]
        paths = PATH.findall(paragraph)
        return paths[-1] if paths else None

    def blocks(self, language: str) -> list[str]:
        """The texts of all blocks in a language."""
        return [block.text for block in self.found if block.language == language]

    def file(self, path: str) -> str:
        """The one block that the page gives for a path."""
        (text,) = [block.text for block in self.found if block.path == path]
        return text

    def commands(self) -> list[str]:
        """The lines of all its bash blocks, without comments."""
        lines = [line.partition("  #")[0].strip() for text in self.blocks("bash") for line in text.split("\n")]
        return [line for line in lines if line]

    def tabled(self, heading: str) -> set[str]:
        """The names in the first column of the table under a heading."""
        rows = self.text.split(f"## {heading}\n")[1].split("\n## ")[0].split("\n")
        cells = [row.split("|")[1] for row in rows if row.startswith("| ")][1:]
        return {name.strip(" `") for cell in cells for name in cell.split(",")}


@dataclasses.dataclass(frozen=True)
class TreeCopy:
    """A copy of the parts of the repository that a run needs, for a test to change."""

    root: pathlib.Path

    def write(self, path: str, text: str) -> None:
        """A new file; one that is there already is a fault of the page."""
        target = self.root / path
        assert not target.exists(), f"{path} is there already"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def add_below(self, path: str, line: str, text: str) -> None:
        """Puts text below the one line of a file that reads so."""
        self.replace(path, f"\n{line}\n", f"\n{line}\n{text}")

    def replace(self, path: str, old: str, new: str) -> None:
        target = self.root / path
        content = target.read_text(encoding="utf-8")
        assert content.count(old) == 1, f"{path} has {old!r} {content.count(old)} times"
        target.write_text(content.replace(old, new), encoding="utf-8")

    def run(self, command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Carries out a command line in the copy, with nothing of the caller's settings; `NAME=value` may stand first."""
        words = shlex.split(command)
        own = dict(env or {})
        while words and re.match(r"[A-Z_]+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            own[name] = value
        words = [sys.executable if word == "python" else word for word in words]
        return subprocess.run(
            words, cwd=self.root, env=clean_environment() | own, capture_output=True, text=True, timeout=300
        )

    def result(self, command: str, env: Mapping[str, str] | None = None) -> str:
        """What a command prints; it must succeed."""
        done = self.run(command, env)
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr}"
        return done.stdout


def clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHON": sys.executable, "HF_HUB_OFFLINE": "1", "GPUS": "1"}


def copy_of_the_tree(folder: pathlib.Path) -> TreeCopy:
    root = folder / "tree"
    for name in COPIED:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return TreeCopy(root)
