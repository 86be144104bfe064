"""Page and report in a real, headless Chromium: they render, follow a run, say nothing on the console, ask nobody else,
and a hostile response does nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Browser, start_browser
from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import Served, serve
from tools.report.page import write_report

pytestmark = pytest.mark.browser

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


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "first", MATH)
    make_run(folder / "first", CODE)
    make_run(folder / "second", RunShape("code", "livecodebench", 30, 4, 1500, draw=2))
    with serve(folder / "first", folder / "second") as server:
        yield server


@pytest.fixture(autouse=True)
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
    browser: Browser, served: Served, fragment: str, ready: str, width: int
) -> None:
    browser.open(served.url + fragment, width, 844)
    browser.wait(ready)
    assert browser.js("return document.documentElement.scrollWidth") == width


def test_a_click_on_the_map_opens_the_response(browser: Browser, served: Served) -> None:
    browser.open(served.url + "#/r/first/aime24")
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


def test_the_map_can_be_walked_with_the_keyboard(browser: Browser, served: Served) -> None:
    browser.open(served.url + "#/r/first/aime24")
    browser.wait("return document.querySelector('table.samples tbody tr')")
    browser.js(
        "const c = document.querySelector('.map canvas'); c.focus(); for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'Enter']) c.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    )
    browser.wait(
        "return location.hash === '#/r/first/aime24/61/101' || location.hash === '#/r/first/aime24/60/102' || location.hash === '#/r/first/aime24/61/102'"
    )


def test_code_is_coloured_and_the_failing_test_shown(browser: Browser, served: Served) -> None:
    rows = served.ask("/api/samples", run="first", dataset="livecodebench", verdicts="wrong")["samples"]
    browser.open(f"{served.url}#/r/first/livecodebench/{rows[0]['task_id']}/{rows[0]['seed']}")
    browser.wait("return document.querySelector('#drawer pre.code .hl-keyword')")
    browser.js(
        "[...document.querySelectorAll('#drawer summary')].find(s => s.textContent.startsWith('First failing test')).click()"
    )
    browser.wait(
        "return [...document.querySelectorAll('#drawer .io figcaption')].some(c => c.textContent === 'expected')"
    )
    assert "answered '4', expected '3'" in browser.text()


def test_filter_and_search_narrow_the_list(browser: Browser, served: Served) -> None:
    browser.open(served.url + "#/r/first/aime24")
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


def test_two_runs_are_chosen_and_compared(browser: Browser, served: Served) -> None:
    browser.open(served.url + "#/")
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


def test_the_theme_button_changes_the_page(browser: Browser, served: Served) -> None:
    browser.open(served.url + "#/")
    papers = set()
    for _ in range(3):
        browser.js("document.querySelector('#theme').click()")
        papers.add(browser.js("return getComputedStyle(document.body).backgroundColor"))
    assert len(papers) == 2


def test_an_unknown_address_is_said_on_the_page(browser: Browser, served: Served) -> None:
    browser.open(served.url + "#/r/no/such")
    browser.wait("return document.querySelector('.notice.bad')")
    assert "no such run" in browser.text()
    assert [line for line in browser.log() if "404" not in line] == []


# --- how a response is set ----------------------------------------------------------------------------------------

COUNT = """
const done = arguments[arguments.length - 1];
import('./static/text.js').then(({ renderText }) => {
  const box = document.createElement('div');
  document.querySelector('main').replaceChildren(box);
  const started = performance.now();
  renderText(box, arguments[0]);
  setTimeout(() => {
    const count = (selector) => box.querySelectorAll(selector).length;
    done({
      formulas: count('.katex'), displays: count('.display'), code: count('pre.code'), unset: count('.formula-source'),
      words: count('pre.code .hl-keyword'), bold: count('strong'), text: box.textContent, milliseconds: performance.now() - started,
    });
  }, 150);
}, (error) => done({ error: String(error) }));
"""


def set_text(browser: Browser, served: Served, text: str) -> dict[str, Any]:
    browser.open(served.url + "#/")
    browser.wait("return document.querySelector('.card')")
    found: dict[str, Any] = browser.driver.execute_async_script(COUNT, text)
    assert "error" not in found
    return found


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("so $x^2$ and \\(y\\) and\n\\[z\\]\nand $$w$$", 4),
        ("it costs $5 and then $6", 0),
        ("a lone $ and \\[ without end", 0),
        ("The answer is \\boxed{204}.", 1),
        ("nested \\boxed{\\frac{1}{2}} and $\\boxed{3}$", 2),
        ("\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}", 1),
        ("one display\n\\[\na\n\n+ b\n\\]\nover a blank line", 1),
        ("`$not math$` but $math$", 1),
        ("```\n$not math$\n```\n$math$", 1),
        ("unclosed \\boxed{204", 0),
        ("\\boxed{a\\}b}", 1),
    ],
)
def test_mathematics_is_found(browser: Browser, served: Served, text: str, formulas: int) -> None:
    assert set_text(browser, served, text)["formulas"] == formulas


def test_what_katex_does_not_read_stays_as_written(browser: Browser, served: Served) -> None:
    found = set_text(browser, served, "see $\\frac{1}$ and $\\nosuch{x}$")
    assert found["unset"] == 2
    assert found["text"] == "see $\\frac{1}$ and $\\nosuch{x}$"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("```python\nimport os\n```", 1, 1),
        ("```\nimport os\n```", 1, 1),
        ("```nosuchlanguage\nimport os\n```", 1, 0),
        ("before\n~~~py\ndef f(): pass\n~~~\nafter", 1, 2),
        ("```python\nimport os", 1, 1),
        ("no fence: ``` import os", 0, 0),
    ],
)
def test_code_is_found(browser: Browser, served: Served, text: str, code: int, words: int) -> None:
    found = set_text(browser, served, text)
    assert (found["code"], found["words"]) == (code, words)


@pytest.mark.parametrize("text", ["\\[" * 60_000, "$$" * 60_001, "$" * 90_001, "\\boxed{" * 20_000, "**" * 60_000, "`" * 100_001, "\n\n" * 50_000, "\\begin{align}" * 9000, "```\n" * 30_001, "(" * 100_000 + "$x$"], ids=lambda text: text[:8])  # fmt: skip
def test_hostile_lengths_cost_no_time(browser: Browser, served: Served, text: str) -> None:
    assert set_text(browser, served, text)["milliseconds"] < 3000
