"""How a response is set on the page: formulas and programs are found, and hostile text costs no time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import Browser
from tests.support.view_server import Served

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("nothing_was_said_or_asked")]

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


def set_text(browser: Browser, page: Served, text: str) -> dict[str, Any]:
    browser.open(page.url + "#/")
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
def test_mathematics_is_found(browser: Browser, page: Served, text: str, formulas: int) -> None:
    assert set_text(browser, page, text)["formulas"] == formulas


def test_what_katex_does_not_read_stays_as_written(browser: Browser, page: Served) -> None:
    found = set_text(browser, page, "see $\\frac{1}$ and $\\nosuch{x}$")
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
def test_code_is_found(browser: Browser, page: Served, text: str, code: int, words: int) -> None:
    found = set_text(browser, page, text)
    assert (found["code"], found["words"]) == (code, words)


@pytest.mark.parametrize("text", ["\\[" * 60_000, "$$" * 60_001, "$" * 90_001, "\\boxed{" * 20_000, "**" * 60_000, "`" * 100_001, "\n\n" * 50_000, "\\begin{align}" * 9000, "```\n" * 30_001, "(" * 100_000 + "$x$"], ids=lambda text: text[:8])  # fmt: skip
def test_hostile_lengths_cost_no_time(browser: Browser, page: Served, text: str) -> None:
    assert set_text(browser, page, text)["milliseconds"] < 3000
