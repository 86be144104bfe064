"""The page of the leaderboard: what it holds, and in a headless Chromium how it looks, sorts and keeps to itself."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import pytest

from tests.support.board_runs import add, board_of
from tests.support.browser import Browser, start_browser
from tests.support.fake_runs import SETTINGS
from tools.leaderboard.page import build_page, page_policy, write_page

HOSTILE = (
    '</script><script>window.harm=1</script><img src="https://evil.example/a.png" onerror="window.harm=2">\u202e"&'
)
JUDGED = {"name": "judge", "version": "1", "judge": {"model": "judge-1"}}


def make_board_runs(root: pathlib.Path) -> None:
    for run, shift in (("low", -0.3), ("middle", 0.0), ("high", 0.3)):
        for number in range(6):
            add(root, run, f"set_{number}", shift=shift, draw=number)
    add(root, "low", "mt_bench", grader=JUDGED)
    add(root, "high", "mt_bench", grader=JUDGED, shift=0.3)
    add(root, "capped", "set_0", settings={**SETTINGS, "max_new_tokens": 16384}, model="organisation-of-a-long-name/model-of-a-longer-name-16384")  # fmt: skip
    add(root, "hostile", "set_1", model=HOSTILE)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    root = tmp_path_factory.mktemp("runs")
    make_board_runs(root)
    path = root / "leaderboard.html"
    write_page(path, board_of(root))
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def test_the_page_is_one_file_that_names_nobody(page: pathlib.Path) -> None:
    html = page.read_text()
    assert HOSTILE not in html
    assert "&lt;script&gt;window.harm=1" in html
    assert html.count("<script>") == 1
    assert re.findall(r'(?:src|href)="', html) == []
    assert page_policy().startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in page_policy()


def test_every_figure_and_gap_is_there(page: pathlib.Path, tmp_path: pathlib.Path) -> None:
    add(tmp_path, "a", shift=-0.3)
    add(tmp_path, "b", shift=0.3)
    add(tmp_path, "c", settings={})
    html = build_page(board_of(tmp_path))
    assert html.count('class="value"') == 2
    assert html.count('class="mark-best"') == 1
    assert "– cap not known instead of 32768" in html
    assert "Judged scores" in page.read_text()


@pytest.mark.browser
@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_sorts_and_keeps_to_itself(browser: Browser, page: pathlib.Path, width: int, is_dark: bool) -> None:
    browser.open("about:blank")
    browser.log()
    browser.requests()
    browser.dark(is_dark)
    browser.open(page.as_uri(), width, 844)
    assert browser.js("return document.documentElement.scrollWidth") == width
    assert browser.js("return document.querySelectorAll('table.board').length") == 2
    paper = browser.js("return getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(21, 24, 27)" if is_dark else "rgb(255, 255, 255)")
    first = "return [...document.querySelectorAll('table.board tbody tr')].slice(0, 5).map(r => r.cells[0].textContent)"
    click = "document.querySelectorAll('table.board')[0].tHead.rows[0].cells[1].querySelector('button').click()"
    browser.js(click)
    down = browser.js(first)
    assert down[:3] == ["org/high", "org/middle", "org/low"]  # gaps last
    browser.js(click)
    assert browser.js(first)[:3] == ["org/low", "org/middle", "org/high"]
    assert browser.js("return document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending"
    assert browser.js("return window.harm") is None
    assert browser.log() == []
    assert [url for url in browser.requests() if not url.startswith(("file:///", "about:", "data:"))] == []


@pytest.mark.browser
def test_without_its_script_all_is_there(browser: Browser, page: pathlib.Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page.as_uri())
        shown = browser.driver.find_element("tag name", "body").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "org/high" in shown
    assert "cap 16384 instead of 32768" in shown
