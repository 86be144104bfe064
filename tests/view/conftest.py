"""A headless browser and a served page: what the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, start_browser
from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import Served, serve

MATH = RunShape(problems=6, seeds=8, chars=1500)
CODE = RunShape("code", "livecodebench", 30, 4, 1500)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "first", MATH)
    make_run(folder / "first", CODE)
    make_run(folder / "second", RunShape("code", "livecodebench", 30, 4, 1500, draw=2))
    with serve(folder / "first", folder / "second") as server:
        yield server


@pytest.fixture
def nothing_was_said_or_asked(browser: Browser) -> Iterator[None]:
    """After every test: the console is silent, and every request went to this machine."""
    browser.open("about:blank")
    browser.log()
    browser.requests()
    yield
    assert browser.log() == []
    foreign = [
        url for url in browser.requests() if not url.startswith(("http://127.0.0.1:", "file:///", "about:", "data:"))
    ]
    assert foreign == []
