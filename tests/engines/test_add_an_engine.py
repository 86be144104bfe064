"""docs/add_an_engine.md, done as it says: the file and the commands of the page itself are what is tested."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys

from tests.conftest import ROOT
from tools.engines import Needs
from tools.store.generations import read_folder
from tools.store.manifest import read_manifest

PAGE = (ROOT / "docs/add_an_engine.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]


def test_the_file_of_the_page_is_an_engine_and_its_commands_work(tmp_path, run_script):
    (tmp_path / "echo.py").write_text(block("python"))
    _, *lines = block("bash").strip().split("\n")
    env = {"PYTHONPATH": str(tmp_path), "ENGINE": "echo:EchoEngine"}
    printed = []
    for line in lines:
        words = shlex.split(line.replace(" out ", f" {tmp_path / 'out'} "))
        done = run_script(*[sys.executable if word == "python" else word for word in words], env=env)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    assert "--echo-prefix S" in printed[0]
    folder = tmp_path / "out/aime_sample"
    assert all(generation.output.startswith("Hello: ") for generation in read_folder(folder))
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.settings["echo_prefix"] == "Hello:"
    assert "aime_sample" in printed[1]


def test_the_page_names_every_need():
    rows = PAGE.split("`needs` tells")[1].split("\n\n")[1].split("\n")[2:]
    assert [row.split("|")[1].strip() for row in rows] == [field.name for field in dataclasses.fields(Needs)]
