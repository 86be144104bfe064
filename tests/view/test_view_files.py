"""Files behind the page: statements of any size of problem file, and vendored parts as they were published."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

import pytest

from tools.view import vendoring
from tools.view.problem_index import ProblemIndex, leading_fields
from tools.view.server import ASSET_FOLDERS, find_assets


def test_leading_fields_stop_where_the_line_is_cut() -> None:
    line = b' {"id": 7, "problem": "a \\"b\\"", "n": [1, {"x": 2}], "tests": "eJxL'
    assert leading_fields(line) == {"id": 7, "problem": 'a "b"', "n": [1, {"x": 2}]}
    assert leading_fields(b"") == leading_fields(b"[1]") == leading_fields(b'{"a') == {}
    assert leading_fields(b'{"whole": 1}\n') == {"whole": 1}


def test_statements_are_found_behind_gigabytes_of_tests(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    with path.open("w") as file:
        for number in range(5):
            row = {
                "question_content": f"What is {number}?",
                "question_id": f"q{number}",
                "private_test_cases": "x" * 6_000_000,
            }
            file.write(json.dumps(row) + "\n")
    index = ProblemIndex(path)
    found = index.read("q3")
    assert found is not None
    assert found["statement"] == "What is 3?"
    assert "private_test_cases" not in found
    assert len((index.read_whole("q4") or {})["private_test_cases"]) == 6_000_000
    assert index.read("q9") is None
    assert ProblemIndex(tmp_path / "absent.jsonl").read("q1") is None


def test_vendored_files_are_those_of_npm() -> None:
    assert vendoring.changed_files() == []
    assert all(part["integrity"].startswith("sha512-") for part in vendoring.read_parts())


def test_an_altered_vendored_file_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "vendor"
    shutil.copytree(vendoring.VENDOR_FOLDER, copy)
    monkeypatch.setattr(vendoring, "VENDOR_FOLDER", copy)
    monkeypatch.setattr(vendoring, "PARTS_FILE", copy / "parts.json")
    (copy / "katex" / "katex.min.js").write_text("alert(1)")
    (copy / "stranger.js").write_text("")
    (copy / "uplot" / "LICENSE").unlink()
    assert vendoring.changed_files() == [
        "katex.min.js: not the file of katex 0.19.1", "LICENSE: missing", "stranger.js: not recorded in parts.json",
    ]  # fmt: skip


def test_vendored_parts_are_small_and_licensed() -> None:
    assert vendoring.total_bytes() < 1_000_000
    for part in vendoring.read_parts():
        assert (vendoring.VENDOR_FOLDER / part["folder"] / "LICENSE").stat().st_size > 500


def test_every_address_in_the_page_is_an_asset() -> None:
    assets = find_assets()
    static = ASSET_FOLDERS[0]
    page = re.findall(r'(?:href|src)="([^"#][^"]+)"', (static / "index.html").read_text())
    modules = "".join(path.read_text() for path in static.glob("*.js"))
    named = [*page, *(f"static/{name}" for name in re.findall(r'^import .*from "([^"]+)"', modules, re.M))]
    assert len(named) > 30
    for name in named:
        assert posixpath.normpath(name) in assets, name
