"""report.html: one file that opens from disk without network and without script. Numbers are those of the results file.

>>> build_report(find_dataset_folders(Path("out")))[:15]
'<!doctype html>'
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.analysis.summary import analyse
from tools.errors import EvaluationError
from tools.records import Grade
from tools.report import figures
from tools.report.analyses import analysis_section
from tools.report.audit import ROWS_SHOWN, AuditList, audit_lists, excerpt
from tools.report.charts import percent
from tools.report.facts import headline_facts, number, setting
from tools.report.folders import DatasetData, axes_of, read_dataset
from tools.report.html import Child, Markup, table, tag
from tools.results.build import read_results
from tools.results.run_folder import Run
from tools.store.line_index import LineIndex

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
DASH = "–"


def report_policy() -> str:
    """The page's content security policy: its own style sheet, and nothing else from anywhere."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def build_report(folders: Sequence[Path], *, cutoff: str | None = None) -> str:
    """The page for these data sets of one run. `cutoff`: the model's training cut-off, tested on dated problems."""
    sets = [read_dataset(folder) for folder in folders]
    models = list(dict.fromkeys(data.model for data in sets))
    title = f"{', '.join(models)} on {', '.join(data.name for data in sets)}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=report_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = tag(
        "body",
        tag("header", tag("h1", ", ".join(models)), tag("p", _made(sets), class_="soft")),
        _headline_table(sets),
        [_dataset_section(data, cutoff) for data in sets],
        tag("footer", "Scores are percent correct. Intervals are 95 %: the light one speaks of problems like these, the "
            "dark one of these problems with other samples. Made by tools.report; it loads nothing from anywhere."),
    )  # fmt: skip
    return f'<!doctype html>\n<html lang="en">{head}{body}</html>\n'


def _made(sets: Sequence[DatasetData]) -> str:
    """With what and when, as far as a manifest says it."""
    manifest = next((data.manifest for data in sets if data.manifest), {})
    engine = setting(manifest, "engine")
    if isinstance(engine, dict):
        engine = f"{engine.get('name', '')} {engine.get('version', '')}".strip()
    elif engine is not None:
        engine = f"{engine} {setting(manifest, 'engine_version') or ''}".strip()
    facts = [
        engine,
        setting(manifest, "dtype"),
        _labelled("temperature", setting(manifest, "temperature")),
        _labelled("top-p", setting(manifest, "top_p")),
        str(manifest.get("start_time") or "")[:10] or None,
        _labelled("code", str(manifest.get("git_hash") or "")[:10] or None),
    ]
    return " · ".join(str(fact) for fact in facts if fact)


def _labelled(label: str, value: Any) -> str | None:
    return None if value is None else f"{label} {value}"


def _headline_table(sets: Sequence[DatasetData]) -> Markup:
    head = ["data set", "score", "95 %, problems like these", "95 %, these problems", "problems", "seeds", "token cap",
            "cut off", "with reasoning", "set"]  # fmt: skip
    rows = [_headline_row(data.name, results) for data in sets for results in data.results or [{}]]
    return tag("section", table(head, rows, class_="headline"), class_="head")


def _headline_row(name: str, results: Mapping[str, Any]) -> list[Child]:
    facts = headline_facts(results)
    if facts["score"] is None or not facts["is_complete"]:
        return [tag("th", name, scope="row"), tag("td", "no score: see below", colspan="9", class_="bad")]
    cut = facts["truncated_share"]
    claim = None if facts["is_claimable"] else tag("span", " not to be claimed", class_="bad")
    return [
        tag("th", name, scope="row"),
        tag("td", tag("b", percent(facts["score"]), class_="score"), tag("span", f" avg@{facts['samples_per_problem']}", class_="soft"), claim),
        _span(facts["interval"]),
        _span(facts["sampling_interval"]),
        facts["problems"],
        facts["samples_per_problem"],
        facts["cap"] if facts["cap"] is not None else tag("span", "not known", class_="bad"),
        tag("td", DASH if cut is None else percent(cut), class_="warn" if cut is not None and cut > 0.05 else None),
        DASH if facts["reasoning_share"] is None else percent(facts["reasoning_share"], 0),
        [str(facts["set"].get("name", DASH)), tag("code", f" {str(facts['set'].get('sha256', ''))[:8]}")],
    ]  # fmt: skip


def _span(interval: tuple[float, float] | None) -> str:
    return f"{100 * interval[0]:.1f} – {100 * interval[1]:.1f}" if interval else "none"


def _dataset_section(data: DatasetData, cutoff: str | None) -> Markup:
    results = data.results[0] if data.results else {}
    analysis, unknown = _analyse(data, cutoff)
    facts = headline_facts(results)
    notices: list[Child] = [tag("p", note, class_="notice") for note in data.notes]
    if facts:
        notices += [
            tag("p", tag("b", "Not a score to claim: "), doubt, class_="notice bad") for doubt in facts["doubts"]
        ]
        notices += [tag("p", warning, class_="notice") for warning in facts["warnings"]]
    notices.append(_timing(results))
    task_ids, seeds = axes_of(data)
    pictures: list[Markup | None] = []
    if facts["is_complete"]:  # of an incomplete run these would be pictures of a score that there is not
        pictures += [
            figures.score_figure(results),
            figures.curve_figure(results),
            figures.budget_figure(data.grades, facts["cap"]),
            *figures.breakdown_figures(results, cutoff),
        ]
    pictures += figures.length_figures(data.grades, analysis)
    return tag(
        "section",
        tag("h2", data.name, id=f"set-{data.folder.name}"),
        tag("p", facts["headline"], class_="lead") if facts["headline"] else None,
        notices,
        _published(facts),
        tag("div", [chart for chart in pictures if chart], class_="pictures"),
        figures.map_figure(data.grades, task_ids, seeds),
        _other_sets(data.results[1:], cutoff),
        analysis_section(analysis, unknown),
        _audit_section(data),
        _manifest_section(data),
        class_="set",
    )


def _analyse(data: DatasetData, cutoff: str | None) -> tuple[dict[str, Any] | None, list[str]]:
    """The analyses and what could not be known; with damaged parts, as much as can still be said."""
    problems: list[str] = []
    for with_texts in (True, False):
        try:
            run = Run(data.folder, read_results(data.folder))
            record = analyse(run, cutoff=cutoff, with_texts=with_texts)
            return record, [*problems, *record["unknown"]]
        except EvaluationError as error:
            problems.append(str(error))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            problems.append(f"a results file lacks what the analyses need ({error}); grade the run again")
    return None, list(dict.fromkeys(problems))


def _published(facts: Mapping[str, Any]) -> Markup | None:
    published = facts["published"]
    if not published or not isinstance(published.get("verdict"), str):
        return None
    kind = {True: "good", False: "bad"}.get(published.get("consistent"), "")
    suspects = [tag("li", str(item)) for item in published.get("look_at_first") or []]
    source = published.get("source")
    return tag(
        "div",
        tag("p", tag("b", "Published figure: "), published["verdict"], tag("span", f" ({source})", class_="soft") if source else None),
        [tag("p", "Look first at", class_="soft"), tag("ol", suspects)] if suspects and published.get("consistent") is False else None,
        class_=f"notice plain {kind}".strip(),
    )  # fmt: skip


def _timing(results: Mapping[str, Any]) -> Markup | None:
    """How far the clock alone could move a score on programs (PAINS 24)."""
    timing = results.get("timing")
    if (
        not isinstance(timing, dict)
        or not timing.get("hangs_on_time")
        or not isinstance(timing.get("score_range"), list)
    ):
        return None
    ends = [number(end) for end in timing["score_range"]]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    words = f"{len(timing['hangs_on_time'])} verdicts hang on time: on another machine the score could lie between"
    return tag("p", f"{words} {percent(ends[0])} and {percent(ends[1])}.", class_="notice plain")


def _other_sets(others: Sequence[Mapping[str, Any]], cutoff: str | None) -> list[Markup]:
    """Further sets scored from the same samples, such as LiveCodeBench's v5 and v6: headline, score, published figure."""
    parts = []
    for results in others:
        facts = headline_facts(results)
        pictures = [
            figures.score_figure(results),
            figures.curve_figure(results),
            *figures.breakdown_figures(results, cutoff),
        ]
        parts.append(
            tag(
                "div",
                tag("h3", str(facts["set"].get("name", DASH))),
                tag("p", facts["headline"], class_="lead"),
                [tag("p", tag("b", "Not a score to claim: "), doubt, class_="notice bad") for doubt in facts["doubts"]],
                _published(facts),
                tag("div", [chart for chart in pictures if chart], class_="pictures") if facts["is_complete"] else None,
            )
        )
    return parts


def _audit_section(data: DatasetData) -> Markup | None:
    if not data.grades:
        return None
    index = LineIndex(data.folder)
    index.refresh()
    return tag(
        "div",
        tag("h3", "To look at before believing it"),
        [_audit_list(found, index) for found in audit_lists(data.grades)],
    )


def _audit_list(found: AuditList, index: LineIndex) -> Markup:
    if not found.is_checked:
        return tag("p", f"{found.title}: not checked; no verdict of this run tells", class_="audit-none soft")
    if not found.grades:
        return tag("p", tag("span", "✓ ", class_="good"), f"{found.title}: none", class_="audit-none")
    rows: list[list[Child]] = [
        [grade.task_id, grade.seed, tag("td", _verdict(grade), class_="nowrap"), tag("td", grade.answer[:60] if grade.answer else "", class_="code"),
         [grade.reason[:300], _time(grade)], tag("td", excerpt(index, grade), class_="excerpt")]
        for grade in found.grades[:ROWS_SHOWN]
    ]  # fmt: skip
    more = len(found.grades) - len(rows)
    note = tag("p", f"and {more} more: python -m tools.view shows all", class_="soft") if more > 0 else None
    return tag(
        "details",
        tag("summary", f"{found.title}: ", tag("b", len(found.grades))),
        tag("p", found.why, class_="soft"),
        table(["problem", "seed", "verdict", "answer", "reason", "the response ends"], rows, class_="audit"),
        note,
    )


def _verdict(grade: Grade) -> list[Child]:
    return [tag("i", class_=f"swatch v-{figures.LETTERS[grade.verdict]}"), grade.verdict.value.replace("_", " ")]


def _time(grade: Grade) -> str | None:
    seconds = number(grade.details.get("max_cpu_s"))
    return None if seconds is None else f" ({seconds:.2f} s of CPU in the longest test)"


def _manifest_section(data: DatasetData) -> Markup | None:
    graded_with = {
        name: data.results[0][name] for name in ("grader", "sandbox") if data.results and name in data.results[0]
    }
    lines = [*_flat(data.manifest, ""), *_flat(graded_with, "")]
    if not lines:
        return None
    rows = [[tag("th", name, scope="row"), value] for name, value in lines]
    return tag("details", tag("summary", "Made with (manifest, grader)"), table([], rows, class_="manifest"))


def _flat(value: Any, name: str) -> list[tuple[str, str]]:
    """Nested values as named lines; a long list is cut and says so."""
    if isinstance(value, dict):
        return [line for key, inner in value.items() for line in _flat(inner, f"{name}.{key}" if name else str(key))]
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(name, f"{written[:400]} … ({len(written)} characters)" if len(written) > 400 else written)]
