"""Two runs, and the page's server over them, shared by the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import CODE, MATH, Served, serve


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "first", MATH)
    make_run(folder / "first", CODE)
    make_run(folder / "second", RunShape("code", "livecodebench", 12, 3, 600, draw=2))
    return folder


@pytest.fixture(scope="module")
def served(runs: Path) -> Iterator[Served]:
    with serve(runs / "first", runs / "second") as server:
        yield server
