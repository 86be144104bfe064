"""The vendored scripts are those of npm, small, licensed, and an altered one is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.view import vendoring


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
