"""Page and report in a real, headless Chromium: they render, follow a run, say nothing on the console, ask nobody else,
and a hostile response does nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import Served, serve
from tools.report.page import write_report

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("nothing_was_said_or_asked")]

MATH = RunShape(problems=6, seeds=8, chars=1500)
CODE = RunShape("code", "livecodebench", 30, 4, 1500)
WIDTHS = (1280, 390)
# What a page of a model's text must survive; each would set window.harm or load something, were it not text.
HOSTILE = """<script>window.harm=1</script><img src="https://evil.example/a.png" onerror="window.harm=2">
</textarea></script></style></title>--></pre><svg onload=window.harm=3><a href="javascript:window.harm=4">click</a>
<iframe srcdoc="<script>parent.harm=5</script>"></iframe>

\\href{javascript:window.harm=6}{x} $\\href{javascript:window.harm=7}{y}$ $\\url{javascript:window.harm=8}$
$\\htmlStyle{background:url(https://evil.example/b.png)}{z}$ $\\includegraphics{https://evil.example/c.png}$
$\\htmlData{onclick=window.harm=9}{w}$ $\\def\\a{\\a\\a}\\a$ $\\rule{99999em}{99999em}$ $\\unknowncommand{<b>}$

[link](javascript:window.harm=10) ![image](https://evil.example/d.png) <style>*{display:none}</style>

```python" onload="window.harm=11
print("<script>window.harm=12</script>")
```

```<img src=x onerror=window.harm=13>
${window.harm=14} {{constructor.constructor('window.harm=15')()}}
```
"""


def click_cell(browser: Browser, place: int = 0) -> None:
    """A click on the map at its `place`-th row, first seed."""
    box = browser.js("const b = document.querySelector('.map canvas').getBoundingClientRect(); return [b.left, b.top]")
    at = browser.js(
        "const s = getComputedStyle(document.documentElement); const c = document.querySelector('.map canvas');"
        "return [c.clientWidth, c.clientHeight]"
    )
    x, y = box[0] + (80 if at[0] > 250 else 8), box[1] + 8 + 14 * place
    for kind in ("mousePressed", "mouseReleased"):
        browser.driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("fragment", "ready"),
    [
        ("#/", "return document.querySelectorAll('.card').length === 3"),
        ("#/r/first/aime24", "return document.querySelectorAll('table.samples tbody tr').length > 20"),
        ("#/r/first/livecodebench", "return document.querySelectorAll('.uplot').length === 2"),
        ("#/r/first/aime24/61/100", "return document.querySelector('.drawer-body .verdict .badge')"),
        ("#/compare/first/livecodebench/second/livecodebench", "return document.querySelectorAll('.forest-row').length > 5"),
        ("#/compare/first/livecodebench/second/livecodebench/abc300_a/100", "return document.querySelectorAll('.sides .verdict').length === 2"),
    ],
)  # fmt: skip
def test_every_page_renders_within_its_width(
    browser: Browser, page: Served, fragment: str, ready: str, width: int
) -> None:
    browser.open(page.url + fragment, width, 844)
    browser.wait(ready)
    assert browser.js("return document.documentElement.scrollWidth") == width


def test_a_click_on_the_map_opens_the_response(browser: Browser, page: Served) -> None:
    browser.open(page.url + "#/r/first/aime24")
    browser.wait("return document.querySelector('table.samples tbody tr')")
    click_cell(browser, 1)
    browser.wait("return document.querySelector('#drawer .verdict')")
    assert browser.js("return location.hash") == "#/r/first/aime24/61/100"
    assert "Problem 61" in browser.text()
    browser.wait("return document.querySelector('#drawer .problem .katex')")
    assert browser.js("return document.querySelector('details.reasoning').open") is False
    browser.js("document.querySelector('details.reasoning summary').click()")
    browser.wait("return document.querySelectorAll('details.reasoning .katex').length > 3")
    browser.js("document.querySelector('button[aria-label^=\"next seed\"]').click()")
    browser.wait("return location.hash === '#/r/first/aime24/61/101'")
    browser.js("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))")
    browser.wait("return document.querySelector('#drawer').hidden")


def test_the_map_can_be_walked_with_the_keyboard(browser: Browser, page: Served) -> None:
    browser.open(page.url + "#/r/first/aime24")
    browser.wait("return document.querySelector('table.samples tbody tr')")
    browser.js(
        "const c = document.querySelector('.map canvas'); c.focus(); for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'Enter']) c.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    )
    browser.wait(
        "return location.hash === '#/r/first/aime24/61/101' || location.hash === '#/r/first/aime24/60/102' || location.hash === '#/r/first/aime24/61/102'"
    )


def test_code_is_coloured_and_the_failing_test_shown(browser: Browser, page: Served) -> None:
    rows = page.ask("/api/samples", run="first", dataset="livecodebench", verdicts="wrong")["samples"]
    browser.open(f"{page.url}#/r/first/livecodebench/{rows[0]['task_id']}/{rows[0]['seed']}")
    browser.wait("return document.querySelector('#drawer pre.code .hl-keyword')")
    browser.js(
        "[...document.querySelectorAll('#drawer summary')].find(s => s.textContent.startsWith('First failing test')).click()"
    )
    browser.wait(
        "return [...document.querySelectorAll('#drawer .io figcaption')].some(c => c.textContent === 'expected')"
    )
    assert "answered '4', expected '3'" in browser.text()


def test_filter_and_search_narrow_the_list(browser: Browser, page: Served) -> None:
    browser.open(page.url + "#/r/first/aime24")
    browser.wait("return document.querySelector('table.samples tbody tr')")
    total = "return document.querySelector('.pager .soft').textContent"
    assert browser.js(total).endswith("of 48")
    browser.js("document.querySelector('.key.v-wrong').click()")
    browser.wait(
        "return [...document.querySelectorAll('table.samples .badge')].every(b => b.textContent === 'wrong') && !document.querySelector('.pager .soft').textContent.endsWith('of 48')"
    )
    browser.js("document.querySelector('.key.v-wrong').click()")
    browser.js(
        "const i = document.querySelector('.filters input'); i.value = 'boxed{7}'; i.dispatchEvent(new Event('input'))"
    )
    browser.wait("return document.querySelector('table.samples td.reason')?.textContent.includes('boxed{7}')")


def test_two_runs_are_chosen_and_compared(browser: Browser, page: Served) -> None:
    browser.open(page.url + "#/")
    browser.wait("return document.querySelectorAll('.card').length === 3")
    for place in (1, 2):
        browser.js(f"document.querySelectorAll('.choose input')[{place}].click()")
        browser.wait(f"return document.querySelectorAll('.choose input:checked').length === {place}")
    browser.wait("return !document.querySelector('button.primary').disabled")
    browser.js("document.querySelector('button.primary').click()")
    browser.wait("return document.querySelector('.sentence')")
    browser.js("document.querySelector('table.changes tbody a').click()")
    browser.wait("return document.querySelectorAll('.sides .verdict').length === 2")


def test_the_page_follows_a_running_job(browser: Browser, tmp_path: Path) -> None:
    whole = make_run(tmp_path / "whole", MATH, is_graded=False)
    folder = tmp_path / "out" / "aime24"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes((whole / "manifest.json").read_bytes())

    def status(done: int, state: str = "running") -> None:
        worker = {
            "name": "gpu0.0",
            "pid": 1,
            "state": "generating",
            "done": done,
            "in_flight": 4,
            "tokens_per_s": 1234.0,
            "restarts": 1,
            "log": "logs/gpu0.log",
        }
        row = {
            "state": state,
            "total": 48,
            "done": done,
            "truncated": 0,
            "tokens_per_s": 1234.0,
            "eta_s": 90,
            "workers": [worker],
            "datasets": {"aime24": {"total": 48, "done": done}},
        }
        (tmp_path / "out" / "status.json").write_text(json.dumps(row))

    seeds = sorted(whole.glob("seed*.jsonl"))
    (folder / seeds[0].name).write_bytes(seeds[0].read_bytes())
    status(6)
    with serve(tmp_path / "out") as server:
        browser.open(server.url + "#/r/out/aime24")
        browser.wait("return document.querySelector('.flow .chip')?.textContent === '6 of 48 samples'")
        browser.wait("return document.body.innerText.includes('graded by this page')")
        assert "1\u202f234 tokens/s" in browser.text()
        for path in seeds[1:5]:
            (folder / path.name).write_bytes(path.read_bytes())
        status(30)
        browser.wait("return document.querySelector('.flow .chip')?.textContent === '30 of 48 samples'")
        browser.wait("return document.querySelector('#live').textContent === 'live'")
        for path in seeds[5:]:
            (folder / path.name).write_bytes(path.read_bytes())
        status(48, "finished")
        graded = make_run(tmp_path / "graded", MATH)
        for name in ("verdicts.jsonl", "accuracy_results.json"):
            (folder / name).write_bytes((graded / name).read_bytes())
        browser.wait("return document.querySelector('.figure span')?.textContent === 'avg@8'")
        assert browser.js("return document.querySelector('.flow').hidden")


@pytest.mark.parametrize("place", ["response", "everywhere"])
def test_a_hostile_response_is_inert(browser: Browser, tmp_path: Path, place: str) -> None:
    folder = make_run(tmp_path / "run", RunShape(problems=3, seeds=2, chars=60))
    row = {"task_id": "60", "output": f"{HOSTILE}</think>{HOSTILE}", "seed": 100}
    others = (folder / "seed100.jsonl").read_text().splitlines()[1:]
    (folder / "seed100.jsonl").write_text("\n".join([json.dumps(row), *others]) + "\n")
    if place == "everywhere":
        verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
        verdicts[0] |= {
            "answer": HOSTILE,
            "reason": HOSTILE,
            "rule": HOSTILE,
            "details": {HOSTILE: HOSTILE, "list": [HOSTILE]},
        }
        (folder / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in verdicts))
        for name in ("manifest.json", "accuracy_results.json"):
            content = json.loads((folder / name).read_text()) | {
                "model": HOSTILE,
                "headline": HOSTILE,
                "warnings": [HOSTILE],
            }
            (folder / name).write_text(json.dumps(content))
        problems = tmp_path / "run" / "problems_aime24.jsonl"
        rows = [json.loads(line) | {"problem": HOSTILE} for line in problems.read_text().splitlines()]
        problems.write_text("".join(json.dumps(line) + "\n" for line in rows))
    report = write_report(tmp_path / "run")
    with serve(tmp_path / "run") as server:
        browser.open(server.url + "#/r/run/aime24/60/100")
        browser.wait("return document.querySelector('#drawer .verdict')")
        browser.js("document.querySelectorAll('details').forEach(d => d.open = true)")
        browser.wait("return document.querySelectorAll('#drawer .katex, #drawer .formula-source').length > 4")
        browser.js("document.querySelectorAll('#drawer .text *').forEach(e => e.click?.())")
        time.sleep(0.3)
        assert browser.js("return window.harm ?? null") is None
        assert (
            browser.js(
                "return document.querySelectorAll('main script, #drawer script, #drawer img, #drawer iframe, #drawer a, #drawer style').length"
            )
            == 0
        )
        assert (
            browser.js(
                "return [...document.querySelectorAll('#drawer *')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length"
            )
            == 0
        )
        assert "<script>window.harm=1</script>" in browser.js("return document.querySelector('#drawer').textContent")
        browser.js("document.querySelector('button.raw').click()")
        assert browser.js("return document.querySelector('pre.raw-text').textContent").strip() == HOSTILE.strip()
    browser.open(report.as_uri())
    assert browser.js("return window.harm ?? null") is None


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_the_report_renders_from_disk(browser: Browser, tmp_path: Path, width: int, is_dark: bool) -> None:
    make_run(tmp_path, MATH)
    make_run(tmp_path, CODE)
    path = write_report(tmp_path, cutoff="2024-11-01")
    browser.dark(is_dark)
    browser.open(path.as_uri(), width)
    assert browser.js("return document.querySelectorAll('svg').length") >= 14
    assert browser.js("return document.documentElement.scrollWidth") == width
    paper = browser.js("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is not is_dark
    browser.dark(False)


def test_the_report_prints_in_full(browser: Browser, tmp_path: Path) -> None:
    make_run(tmp_path, MATH)
    browser.open(write_report(tmp_path).as_uri())
    pdf = browser.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    assert len(pdf) > 20_000


def test_the_theme_button_changes_the_page(browser: Browser, page: Served) -> None:
    browser.open(page.url + "#/")
    papers = set()
    for _ in range(3):
        browser.js("document.querySelector('#theme').click()")
        papers.add(browser.js("return getComputedStyle(document.body).backgroundColor"))
    assert len(papers) == 2


def test_an_unknown_address_is_said_on_the_page(browser: Browser, page: Served) -> None:
    browser.open(page.url + "#/r/no/such")
    browser.wait("return document.querySelector('.notice.bad')")
    assert "no such run" in browser.text()
    assert [line for line in browser.log() if "404" not in line] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [RunShape("math", "aime24", 60, 64, 30_000), RunShape("code", "livecodebench", 1055, 8, 12_000)],
    ids=["64 seeds x 60 problems x 30 kB", "8 x 1055"],
)
def test_the_first_view_of_a_large_run_takes_under_a_second(browser: Browser, tmp_path: Path, shape: RunShape) -> None:
    make_run(tmp_path, shape)
    milliseconds = []
    for _ in range(2):  # a fresh server each time; the better of two, as other work shares this machine
        with serve(tmp_path) as server:
            browser.open(f"{server.url}#/r/{tmp_path.name}/{shape.dataset}")
            browser.wait(
                "return document.querySelector('.map canvas')?.height > 100 && document.querySelector('.figure strong')"
            )
            # The page's own clock: from asking for the address to the map being drawn.
            milliseconds.append(browser.js("return performance.now()"))
    assert min(milliseconds) < 1000


@pytest.mark.slow
def test_any_response_of_a_large_run_opens_in_a_fifth_of_a_second(browser: Browser, tmp_path: Path) -> None:
    make_run(tmp_path, RunShape("math", "aime24", 60, 64, 30_000))
    with serve(tmp_path) as server:
        browser.open(f"{server.url}#/r/{tmp_path.name}/aime24")
        browser.wait("return document.querySelector('table.samples tbody tr')")
        seconds = []
        for seed in (100, 101, 102, 103):
            started = time.perf_counter()
            browser.js(f"location.hash = '#/r/{tmp_path.name}/aime24/77/{seed}'")
            browser.wait(f"return document.querySelector('.drawer-bar h2')?.textContent.endsWith('{seed}')")
            seconds.append(time.perf_counter() - started)
        assert min(seconds) < 0.2
