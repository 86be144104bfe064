"""HTML and SVG from Python without a way to forget an escape: a plain text is escaped, only Markup passes as it is.

>>> tag("p", "1 < 2", class_="note")
'<p class="note">1 &lt; 2</p>'
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

VOID = frozenset({"meta", "br", "img", "link", "line", "rect", "circle", "path"})
# C0 and C1 controls but tab and newline; a browser would show them as nothing, or as another character.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]


def escape(text: str) -> Markup:
    """Text for an element or a quoted attribute; controls are shown as U+FFFD, halves of surrogate pairs too."""
    readable = CONTROLS.sub("\ufffd", text).encode("utf-8", "replace").decode("utf-8")
    return Markup(html.escape(readable, quote=True))


def join(children: Iterable[Child]) -> Markup:
    """Children in a row; None and False leave nothing."""
    return Markup("".join(_child(child) for child in children))


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """One element. `class_` is class, other underscores are hyphens; None and False attributes are left out."""
    pairs = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = key.rstrip("_").replace("_", "-") if key not in ("viewBox", "preserveAspectRatio") else key
        pairs.append(f" {written}" if value is True else f' {written}="{escape(_number(value))}"')
    opening = f"<{name}{''.join(pairs)}"
    if name in VOID and not children:
        return Markup(opening + ("/>" if name in ("line", "rect", "circle", "path") else ">"))
    return Markup(f"{opening}>{join(children)}</{name}>")


def _child(child: Child) -> str:
    if child is None or child is False:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    if isinstance(child, (int, float)):
        return escape(_number(child))
    return join(child)


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def table(head: Iterable[Child], rows: Iterable[Iterable[Child]], **attributes: str) -> Markup:
    """A table that scrolls sideways where the page is narrower."""
    body = [tag("tr", *(cell if _is_cell(cell) else tag("td", cell) for cell in row)) for row in rows]
    heads = [tag("th", cell, scope="col") for cell in head]
    parts = tag("thead", tag("tr", *heads)) if heads else "", tag("tbody", *body)
    return tag("div", tag("table", *parts, **attributes), class_="scroll")


def _is_cell(cell: Child) -> bool:
    return isinstance(cell, Markup) and cell.startswith(("<td", "<th"))
