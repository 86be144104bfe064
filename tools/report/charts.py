"""The report's pictures as SVG: drawn 360 wide, so that they fit a telephone and stand three abreast on a desk.

Colours and fonts come from the style sheet by class, so light, dark and print need no second drawing. Every picture
carries its numbers as <title> texts too. Shares are fractions 0..1 and shown in percent.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.report.html import Child, Markup, join, tag

WIDTH = 360.0
LEFT, RIGHT, TOP, BOTTOM = 38.0, 12.0, 10.0, 26.0
NAME_CHARS = 12  # of a problem's id beside its row in the map

Span = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """One mark: its label, its share, its interval (None: none is known), and what a reader sees on pointing at it."""

    label: str
    share: float
    interval: Span | None = None
    note: str = ""


@dataclass(frozen=True)
class Scale:
    """Maps values to places along an axis."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def picture(height: float, *children: Child, label: str, width: float = WIDTH) -> Markup:
    return tag("svg", *children, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=label, class_="chart")


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def in_thousands(tokens: float) -> str:
    """As axes have room for: 12k, but 750."""
    return f"{tokens:g}" if tokens < 2000 else f"{tokens / 1000:g}k"


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round values within a range: steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= wanted + 0.5)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def text(x: float, y: float, *children: Child, class_: str = "label", anchor: str = "middle") -> Markup:
    return tag("text", *children, x=x, y=y, class_=class_, text_anchor=anchor)


def share_axis(scale: Scale, right: float = WIDTH - RIGHT) -> Markup:
    """Horizontal rules with percent beside them."""
    return join(
        [
            tag("line", x1=LEFT, x2=right, y1=scale(value), y2=scale(value), class_="rule"),
            text(LEFT - 6, scale(value) + 4, f"{100 * value:.0f}", anchor="end"),
        ]
        for value in ticks(scale.low, scale.high)
    )


def interval_chart(both: Span | None, sampling: Span | None, score: float, published: float | None) -> Markup:
    """The score on its axis: the wide interval for problems like these, the narrow one for these, a published figure."""
    known = [score, *(both or ()), *(sampling or ()), *([published] if published is not None else [])]
    margin = max(0.02, 0.12 * (max(known) - min(known)))
    scale = Scale(max(0.0, min(known) - margin), min(1.0, max(known) + margin), 12, WIDTH - 12)
    axis = [
        [tag("line", x1=scale(v), x2=scale(v), y1=TOP, y2=170, class_="rule"), text(scale(v), 188, f"{100 * v:.0f} %")]
        for v in ticks(scale.low, scale.high, 5)
    ]
    rows: list[Child] = []
    for y, interval, kind, words in (
        (44, both, "both", "for problems like these"),
        (104, sampling, "sampling", "on these problems"),
    ):
        middle = WIDTH / 2 if interval is None else _inside((scale(interval[0]) + scale(interval[1])) / 2, 112)
        known_ends = "no interval" if interval is None else _range(interval)
        rows.append(text(middle, y - 14, f"{words}: {known_ends}", class_="label ink"))
        if interval is not None:
            low, high = scale(interval[0]), scale(interval[1])
            rows.append(tag("rect", x=low, y=y - 6, width=max(1.5, high - low), height=12, rx=6, class_=f"span {kind}"))
        rows.append(tag("line", x1=scale(score), x2=scale(score), y1=y - 9, y2=y + 9, class_="mark"))
    if published is not None:
        x = scale(published)
        diamond = f"M{x:.1f} 133 l7 8 l-7 8 l-7 -8 z"
        rows.append(tag("path", tag("title", f"published {percent(published)}"), d=diamond, class_="published"))
        rows.append(text(_inside(x, 50), 164, f"published {percent(published)}", class_="label ink"))
    return picture(200, axis, rows, label=f"Score {percent(score)} with its intervals")


def _inside(x: float, half: float) -> float:
    return min(WIDTH - half - 4, max(half + 4, x))


def _range(interval: Span) -> str:
    return f"{100 * interval[0]:.1f} – {100 * interval[1]:.1f} %"


def points_chart(points: Sequence[Point], *, label: str, cut_after: int | None = None) -> Markup:
    """Shares with their intervals side by side, in the order given. `cut_after`: a rule after that many points."""
    height = 200.0
    x = Scale(-0.5, len(points) - 0.5, LEFT, WIDTH - RIGHT)
    y = _share_scale([end for point in points for end in (point.share, *(point.interval or ()))], height)
    every = max(1, math.ceil(len(points) * max(len(point.label) for point in points) * 6.3 / (WIDTH - LEFT - RIGHT)))
    marks: list[Child] = []
    for number, point in enumerate(points):
        place = x(number)
        bar = None
        if point.interval:
            bar = tag("line", x1=place, x2=place, y1=y(point.interval[0]), y2=y(point.interval[1]), class_="whisker")
        title = tag("title", f"{point.label}: {percent(point.share)}{' ' + point.note if point.note else ''}")
        marks.append(tag("g", title, bar, tag("circle", cx=place, cy=y(point.share), r=4, class_="dot")))
        if number % every == 0:
            marks.append(text(place, height - 8, point.label))
    if cut_after is not None:
        marks.append(
            tag("line", x1=x(cut_after - 0.5), x2=x(cut_after - 0.5), y1=TOP, y2=height - BOTTOM, class_="cut")
        )
    return picture(height, share_axis(y), marks, label=label)


def _share_scale(shares: Sequence[float], height: float) -> Scale:
    low, high = min(shares, default=0.0), max(shares, default=1.0)
    margin = max(0.03, 0.08 * (high - low))
    return Scale(max(0.0, low - margin), min(1.0, high + margin), height - BOTTOM, TOP)


def curves_chart(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    *,
    label: str,
    x_labels: Sequence[tuple[float, str]],
    is_log: bool = False,
    bands: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
) -> Markup:
    """Lines by name, the name written at each line's end; `bands`: (x, low, high) behind a line."""
    height = 220.0
    place = math.log2 if is_log else float
    known = [x for curve in curves.values() for x, _ in curve]
    longest = max((len(name) for name in curves), default=0)
    right = WIDTH - RIGHT - 7.6 * longest
    x = Scale(place(min(known)), place(max(known)), LEFT + 6, right)
    ends = [v for band in (bands or {}).values() for _, low, high in band for v in (low, high)]
    y = _share_scale([share for curve in curves.values() for _, share in curve] + ends, height)
    drawn: list[Child] = [text(x(place(value)), height - 8, words) for value, words in x_labels]
    for number, (name, band) in enumerate((bands or {}).items()):
        upper = [f"{x(place(v)):.1f} {y(high):.1f}" for v, _, high in band]
        lower = [f"{x(place(v)):.1f} {y(low):.1f}" for v, low, _ in reversed(band)]
        drawn.append(
            tag("path", d=f"M{' L'.join(upper + lower)}z", class_=f"band c{list(curves).index(name) or number}")
        )
    label_places = _spread([y(curve[-1][1]) for curve in curves.values()], 14)
    for number, ((name, curve), label_y) in enumerate(zip(curves.items(), label_places, strict=True)):
        line = " L".join(f"{x(place(value)):.1f} {y(share):.1f}" for value, share in curve)
        drawn.append(tag("path", d=f"M{line}", class_=f"line c{number}"))
        drawn += [
            tag("circle", tag("title", f"{name} at {value:g}: {percent(share)}"), cx=x(place(value)), cy=y(share), r=3,
                class_=f"knot c{number}")
            for value, share in curve
        ]  # fmt: skip
        drawn.append(text(right + 8, label_y + 4, name, class_=f"label name c{number}", anchor="start"))
    return picture(height, share_axis(y, right), drawn, label=label)


def _spread(places: Sequence[float], least: float) -> list[float]:
    """Moves labels apart so that none covers another, keeping their order."""
    moved = list(places)
    order = sorted(range(len(places)), key=lambda number: places[number])
    for above, below in itertools.pairwise(order):
        moved[below] = max(moved[below], moved[above] + least)
    return moved


def stacked_bars(bins: Sequence[Mapping[str, int]], kinds: Sequence[str], *, width: float, label: str) -> Markup:
    """Histogram: one bar a bin, its kinds on one another; `width` of a bin in tokens."""
    height = 200.0
    totals = [sum(counts[kind] for kind in kinds) for counts in bins]
    y = Scale(0, max([*totals, 1]), height - BOTTOM, TOP)
    x = Scale(0, len(bins) * width, LEFT, WIDTH - RIGHT)
    axis = [
        [tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(v), y2=y(v), class_="rule"), text(LEFT - 6, y(v) + 4, f"{v:g}", anchor="end")]
        for v in ticks(0, y.high)
    ]  # fmt: skip
    bars: list[Child] = []
    for number, counts in enumerate(bins):
        base = 0
        left, right = x(number * width), x((number + 1) * width)
        for kind in kinds:
            if counts[kind]:
                top, bottom = y(base + counts[kind]), y(base)
                title = tag("title", f"{number * width:g} to {(number + 1) * width:g} tokens: {counts[kind]} {kind}")
                bars.append(
                    tag(
                        "rect",
                        title,
                        x=left + 0.5,
                        y=top,
                        width=max(0.5, right - left - 1),
                        height=bottom - top,
                        class_=f"fill-{kind}",
                    )
                )
            base += counts[kind]
    marks = [text(x(v), height - 8, in_thousands(v)) for v in ticks(0, x.high, 5)]
    return picture(height, axis, bars, marks, label=label)


def sample_map(rows: Sequence[tuple[str, str, str]], *, label: str) -> Markup:
    """Problems x seeds. A row is (problem, one verdict name's letter a seed, what a reader sees on pointing at it).

    Few problems stand one a line with their names; many stand as strips in several columns.
    """
    k = max((len(letters) for _, letters, _ in rows), default=1)
    named = len(rows) <= 80
    left = 12 + 5 * max((len(name[:NAME_CHARS]) for name, _, _ in rows), default=0) if named else 0
    cell = min(9.0, (WIDTH - left - 10) / k) if named else 3.0
    strip = k * cell + (0 if named else 3.0)
    columns = 1 if named else max(1, int(720 // strip))
    per_column = math.ceil(len(rows) / columns)
    width = left + strip if named else columns * strip
    gap = 0.12 * cell if cell > 4 else 0.3
    paths: dict[str, list[str]] = {}
    overlays: list[Child] = []
    for number, (name, letters, note) in enumerate(rows):
        x0, y0 = left + number // per_column * strip, number % per_column * cell
        for column, letter in enumerate(letters):
            side = cell - gap
            paths.setdefault(letter, []).append(
                f"M{x0 + column * cell:.4g} {y0:.4g}h{side:.3g}v{side:.3g}h-{side:.3g}z"
            )
        overlays.append(tag("rect", tag("title", note), x=x0, y=y0, width=k * cell, height=cell, class_="over"))
        if named:
            size = f"{min(8.5, cell):.3g}"
            overlays.append(
                tag(
                    "text",
                    name[:NAME_CHARS],
                    x=left - 4,
                    y=y0 + cell * 0.82,
                    text_anchor="end",
                    font_size=size,
                    class_="tiny",
                )
            )
    cells = [tag("path", d="".join(parts), class_=f"cell v-{letter}") for letter, parts in sorted(paths.items())]
    height = per_column * cell
    # Cells are shown at most 14 pixels wide, so that few seeds make a small map and not a huge one.
    return tag("svg", cells, overlays, width=width * 14 / cell if named else None, viewBox=f"0 0 {width:.4g} {height:.4g}", role="img", aria_label=label,
               class_="map named" if named else "map")  # fmt: skip
