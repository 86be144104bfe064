"""The board as one HTML page: opens from disk without network; sorted by a script of its own, whole without it.

>>> from tools.leaderboard.board import build_board
>>> build_page(build_board([]))[:15]
'<!doctype html>'
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from tools.leaderboard.board import Board
from tools.leaderboard.cells import NOT_RUN, BoardColumn, BoardFigure, Gap, Standing
from tools.leaderboard.collect import RankedRun, RunEntry
from tools.report.charts import Scale
from tools.report.html import Child, Markup, table, tag
from tools.report.page import STYLE as REPORT_STYLE
from tools.results.results import plural
from tools.store.files import write_atomically

FOLDER = Path(__file__).parent
STYLE = REPORT_STYLE + (FOLDER / "page.css").read_text(encoding="utf-8")
SCRIPT = (FOLDER / "page.js").read_text(encoding="utf-8")
BAR_WIDTH, BAR_HEIGHT = 120.0, 10.0
CAPTION = (
    "Score, ± its sampling error (these problems, other samples), ± its total error (problems like these). The light bar is "
    "the 95 % interval for problems like these, the dark one for these problems; bars of one column share an axis. A ? stands for what cannot be known: one sample a problem, or one problem."
)
BEST_CAPTION = (
    "Best is marked only where the difference to every other run is beyond the error of that difference, paired by problem "
    "(5 %, Holm). Tied: these runs cannot tell it from the best figure."
)
JUDGED_CAPTION = "These scores were given by a judge, which is a model itself: they stand apart from exact ones."
SETTINGS = ("engine", "engine_version", "temperature", "top_p", "git_hash", "model_revision")


def write_page(path: Path, board: Board) -> None:
    """Whole or not at all. Raises StorageError."""
    write_atomically(path, build_page(board))


def page_policy() -> str:
    """Its own style and script, by their hashes, and nothing else from anywhere."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (STYLE, SCRIPT))
    return f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"


def build_page(board: Board) -> str:
    models = len({run.model for run in board.runs})
    benchmarks = len({column.benchmark for column in board.columns})
    counted = f"{plural(len(board.runs), 'run')} of {plural(models, 'model')} on {plural(benchmarks, 'benchmark')}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=page_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Leaderboard: {counted}"),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = tag(
        "body",
        tag("header", tag("h1", "Leaderboard"), tag("p", counted, class_="soft")),
        [_part(board, title, columns) for title, columns in board.parts()],
        tag("p", CAPTION, " ", BEST_CAPTION, class_="caption soft below"),
        _notes(board),
        _runs(board.runs),
        tag("footer", "Scores are percent unless a column says otherwise. Made by tools.leaderboard from the runs' files; "
            "it loads nothing from anywhere."),
        Markup(f"<script>{SCRIPT}</script>"),
    )  # fmt: skip
    return f'<!doctype html>\n<html lang="en">{head}{body}</html>\n'


def _part(board: Board, title: str, columns: Sequence[BoardColumn]) -> Markup:
    head = [_head("model", [], "ascending"), *(_column_head(column) for column in columns)]
    scales = [_scale([board.cell(run, column) for run in board.runs]) for column in columns]
    rows = [
        tag(
            "tr",
            _run_cell(run),
            [_cell(board.cell(run, column), column, scale) for column, scale in zip(columns, scales, strict=True)],
        )
        for run in board.runs_in(columns)
    ]
    grid = tag("table", tag("thead", tag("tr", head)), tag("tbody", rows), class_="board")
    return tag(
        "section",
        tag("h2", title),
        tag("p", JUDGED_CAPTION, class_="caption soft") if columns[0].is_judged else None,
        tag("div", grid, class_="scroll", tabindex="0", role="region", aria_label=title),
        class_="set",
    )


def _head(name: str, facts: Sequence[str], first: str) -> Markup:
    """`first`: the order of the first click, the better values first."""
    lines = [tag("span", fact, class_="facts-line") for fact in facts]
    return tag("th", tag("button", name, type="button"), lines, scope="col", data_first=first)


def _column_head(column: BoardColumn) -> Markup:
    return _head(column.name, column.facts(), "descending" if column.higher_is_better else "ascending")


def _run_cell(run: RankedRun) -> Markup:
    label = tag("span", run.label, class_="soft") if run.label else None
    owner, slash, name = run.model.rpartition("/")
    model = [owner + slash, Markup("<wbr>") if slash else None, name]
    return tag("th", model, label, scope="row", data_value=run.name.lower())


def _cell(cell: BoardFigure | Gap, column: BoardColumn, scale: Scale | None) -> Markup:
    if isinstance(cell, Gap):
        said = "–" if cell.reason == NOT_RUN else f"– {cell.reason}"
        title = NOT_RUN if cell.reason == NOT_RUN else None
        kind = "absent" if cell.reason == NOT_RUN else None
        return tag("td", tag("div", said, title=title, class_="gap"), data_name=column.name, class_=kind)
    errors = "".join(f" ±{error}" for error in column.errors(cell))
    ends = cell.interval
    interval = f"{column.shown(ends[0])} – {column.shown(ends[1])} · " if ends else "no interval · "
    badge = tag("span", cell.standing.value, class_=f"mark-{cell.standing.value}") if cell.standing.value else None
    parts = tag(
        "div",
        tag("span", column.shown(cell.value), class_="value"),
        tag("span", errors, class_="errors"),
        badge,
        _bar(cell, scale),
        tag("span", f"{interval}k = {cell.k}", class_="range"),
    )
    is_best = "best" if cell.standing is Standing.BEST else None
    return tag("td", parts, data_name=column.name, data_value=repr(float(cell.value)), class_=is_best)


def _scale(cells: Sequence[BoardFigure | Gap]) -> Scale | None:
    """One axis for a column, from the lowest to the highest end of an interval."""
    figures = [cell for cell in cells if isinstance(cell, BoardFigure)]
    ends = [end for cell in figures for end in (cell.value, *(cell.interval or ()), *(cell.sampling_interval or ()))]
    return Scale(min(ends), max(ends), 2, BAR_WIDTH - 2) if ends else None


def _bar(cell: BoardFigure, scale: Scale | None) -> Markup | None:
    if scale is None or cell.interval is None:
        return None
    shapes: list[Child] = [tag("line", x1=0, x2=BAR_WIDTH, y1=5, y2=5, class_="rule")]
    for ends, kind, height in ((cell.interval, "both", 6), (cell.sampling_interval, "sampling", 4)):
        if ends is not None:
            low, high = scale(ends[0]), scale(ends[1])
            shapes.append(
                tag("rect", x=low, y=5 - height / 2, width=max(1.5, high - low), height=height, class_=f"span {kind}")
            )
    shapes.append(tag("line", x1=scale(cell.value), x2=scale(cell.value), y1=0, y2=BAR_HEIGHT, class_="mark"))
    return tag(
        "svg", *shapes, viewBox=f"0 0 {BAR_WIDTH:g} {BAR_HEIGHT:g}", preserveAspectRatio="none", class_="bar",
        role="img", aria_label="the score within its intervals",
    )  # fmt: skip


def _notes(board: Board) -> list[Child]:
    return [tag("p", note, class_="notice plain") for note in board.notes]


def _runs(runs: Sequence[RankedRun]) -> Markup:
    """With what each run was made, as far as its manifests say it."""
    rows: list[list[Child]] = [
        [tag("th", run.name, scope="row"), str(run.folder), *(_told(run.entries, name) for name in SETTINGS)]
        for run in runs
    ]
    head = ["run", "folder", "engine", "version", "temperature", "top-p", "code", "revision of the model"]
    return tag("details", tag("summary", "Made with"), table(head, rows, class_="audit"))


def _told(entries: Sequence[RunEntry], name: str) -> str:
    """A setting, or all of its values where the benchmarks of a run differ."""
    values = []
    for entry in entries:
        value = entry.manifest.setting(name) if entry.manifest else None
        if isinstance(value, dict):  # version 0.1 wrote name and version of the engine in one
            value = " ".join(str(part) for part in value.values())
        values += [str(value)[:60]] if value is not None else []
    return ", ".join(dict.fromkeys(values))
