"""report.html: one file that opens from disk without network and without script. Numbers are those of the results file.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "seed100.jsonl").write_text('{"task_id": "60", "output": "So 204.", "seed": 100}\\n')
>>> build_report(find_folders(folder))[:15]
'<!doctype html>'
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.analysis.contamination import parse_date
from tools.analysis.summary import Analysis, analyse
from tools.errors import EvaluationError
from tools.records import Grade
from tools.report import figures
from tools.report.analyses import analysis_section
from tools.report.audit import ROWS_SHOWN, AuditList, audit_lists, excerpt
from tools.report.charts import percent
from tools.report.facts import number
from tools.report.html import Child, Markup, table, tag
from tools.results.published import PublishedVerdict
from tools.results.results import Results
from tools.results.run_folder import RunFolder, Survey, find_folders
from tools.results.timing import Timing
from tools.store.files import write_atomically
from tools.store.line_index import LineIndex

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
DASH = "–"
CUT_OFF_SHARE = 0.05  # above it the share is marked: the cap has a part in the score


def report_policy() -> str:
    """The page's content security policy: its own style sheet, and nothing else from anywhere."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def write_report(out: Path, path: Path | None = None, *, cutoff: str | None = None) -> Path:
    """Builds the report of a run and writes it whole or not at all. Raises DataError, StorageError, UsageError."""
    if cutoff is not None:
        cutoff = parse_date(cutoff).isoformat()
    html = build_report(find_folders(out), cutoff=cutoff)
    path = path or out / "report.html"
    write_atomically(path, html)
    return path


def build_report(runs: Sequence[RunFolder], *, cutoff: str | None = None) -> str:
    """The page for these benchmarks of one run. `cutoff`: the model's training cut-off, tested on dated problems."""
    surveys = [run.survey() for run in runs]
    models = list(dict.fromkeys(survey.model for survey in surveys))
    title = f"{', '.join(models)} on {', '.join(survey.benchmark for survey in surveys)}"
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
        tag("header", tag("h1", ", ".join(models)), tag("p", _made(surveys), class_="soft")),
        _headline_table(surveys),
        [_benchmark_section(run, survey, cutoff) for run, survey in zip(runs, surveys, strict=True)],
        tag("footer", "Scores are percent correct. Intervals are 95 %: the light one speaks of problems like these, the "
            "dark one of these problems with other samples. Made by tools.report; it loads nothing from anywhere."),
    )  # fmt: skip
    return f'<!doctype html>\n<html lang="en">{head}{body}</html>\n'


def _made(surveys: Sequence[Survey]) -> str:
    """With what and when, as far as a manifest says it."""
    manifest = next((survey.manifest for survey in surveys if survey.manifest), None)
    if manifest is None:
        return ""
    engine = manifest.setting("engine")
    if isinstance(engine, dict):
        engine = f"{engine.get('name', '')} {engine.get('version', '')}".strip()
    elif engine is not None:
        engine = f"{engine} {manifest.setting('engine_version') or ''}".strip()
    facts = [
        engine,
        manifest.setting("dtype"),
        _labelled("temperature", manifest.setting("temperature")),
        _labelled("top-p", manifest.setting("top_p")),
        (manifest.start_time or "")[:10] or None,
        _labelled("code", str(manifest.raw.get("git_hash") or "")[:10] or None),
    ]
    return " · ".join(str(fact) for fact in facts if fact)


def _labelled(label: str, value: Any) -> str | None:
    return None if value is None else f"{label} {value}"


def _headline_table(surveys: Sequence[Survey]) -> Markup:
    head = ["data set", "score", "95 %, problems like these", "95 %, these problems", "problems", "seeds", "token cap",
            "cut off", "with reasoning", "set"]  # fmt: skip
    rows = [_headline_row(survey.benchmark, results) for survey in surveys for results in survey.results or [None]]
    return tag("section", table(head, rows, class_="headline"), class_="head")


def _headline_row(name: str, results: Results | None) -> list[Child]:
    if results is None or not results.is_complete:
        return [tag("th", name, scope="row"), tag("td", "no score: see below", colspan="9", class_="bad")]
    score, shares = results.score, results.reasoning
    sampling = score.sampling_interval
    claim = None if results.is_claimable else tag("span", " not to be claimed", class_="bad")
    cut_class = "warn" if shares.truncated_share > CUT_OFF_SHARE else None
    return [
        tag("th", name, scope="row"),
        tag("td", tag("b", percent(score.mean), class_="score"), tag("span", f" avg@{results.samples_per_problem}", class_="soft"), claim),
        _span(score.bounds),
        _span((sampling.low, sampling.high) if sampling else None),
        results.subset.count,
        results.samples_per_problem,
        results.cap if results.cap is not None else tag("span", "not known", class_="bad"),
        tag("td", percent(shares.truncated_share), class_=cut_class),
        percent(shares.reasoning_share, 0),
        [results.subset.name, tag("code", f" {results.subset.sha256[:8]}")],
    ]  # fmt: skip


def _span(interval: tuple[float, float] | None) -> str:
    return f"{100 * interval[0]:.1f} – {100 * interval[1]:.1f}" if interval else "none"


def _benchmark_section(run: RunFolder, survey: Survey, cutoff: str | None) -> Markup:
    results = survey.results[0] if survey.results else None
    analysis, unknown = _analyse(run, cutoff)
    task_ids, seeds = survey.axes()
    pictures: list[Markup | None] = []
    if results and results.is_complete:  # of an incomplete run these would be pictures of a score that there is not
        pictures += _score_pictures(results, cutoff)
        pictures.insert(2, figures.budget_figure(survey.grades, results.cap))
    pictures += figures.length_figures(survey.grades, analysis)
    return tag(
        "section",
        tag("h2", survey.benchmark, id=f"set-{survey.folder.name}"),
        tag("p", results.headline, class_="lead") if results else None,
        [tag("p", note, class_="notice") for note in survey.notes],
        _notices(results) if results else None,
        _metrics(results) if results else None,
        _published(results.published) if results else None,
        tag("div", [chart for chart in pictures if chart], class_="pictures"),
        figures.map_figure(survey.grades, task_ids, seeds),
        _other_results(survey.results[1:], cutoff),
        analysis_section(analysis, unknown),
        _audit_section(survey),
        _manifest_section(survey),
        class_="set",
    )


def _metrics(results: Results) -> Markup | None:
    """Further metrics in their own units, shares in percent."""
    if not results.metrics:
        return None
    rows: list[list[Child]] = []
    for name, metric in results.metrics.items():
        factor, unit = (100, " %") if metric.scale == 1 else (1, "")
        rows.append(
            [
                tag("th", name, scope="row"),
                tag("b", f"{factor * metric.mean:.2f}{unit}"),
                " – ".join(f"{factor * bound:.1f}" for bound in metric.bounds) if metric.bounds else "none",
                f"± {factor * metric.sampling_error:.2f}" if metric.sampling_error is not None else "not known",
                "more is better" if metric.higher_is_better else "less is better",
            ]
        )
    return table(["metric", "mean", "95 %, problems like these", "sampling error", ""], rows)


def _notices(results: Results) -> list[Child]:
    return [*_doubts(results), *(tag("p", warning, class_="notice") for warning in results.warnings), _timing(results)]


def _doubts(results: Results) -> list[Markup]:
    return [tag("p", tag("b", "Not a score to claim: "), doubt, class_="notice bad") for doubt in results.doubts]


def _score_pictures(results: Results, cutoff: str | None) -> list[Markup | None]:
    return [
        figures.score_figure(results),
        figures.curve_figure(results),
        *figures.breakdown_figures(results, cutoff),
    ]


def _analyse(run: RunFolder, cutoff: str | None) -> tuple[Analysis | None, list[str]]:
    """The analyses and what could not be known; with damaged parts, as much as can still be said."""
    problems: list[str] = []
    for with_texts in (True, False):
        try:
            analysis = analyse(RunFolder(run.folder), cutoff=cutoff, with_texts=with_texts)
            return analysis, [*problems, *analysis.unknown]
        except EvaluationError as error:
            problems.append(str(error))
    return None, list(dict.fromkeys(problems))


def _published(published: PublishedVerdict | None) -> Markup | None:
    if published is None:
        return None
    kind = {True: "good", False: "bad"}.get(published.is_consistent, "") if published.is_consistent is not None else ""
    suspects = [tag("li", item) for item in published.look_at_first] if published.is_consistent is False else []
    source = published.source
    return tag(
        "div",
        tag("p", tag("b", "Published figure: "), published.verdict, tag("span", f" ({source})", class_="soft") if source else None),
        [tag("p", "Look first at", class_="soft"), tag("ol", suspects)] if suspects else None,
        class_=f"notice plain {kind}".strip(),
    )  # fmt: skip


def _timing(results: Results) -> Markup | None:
    """How far time alone could move a score on programs."""
    timing = Timing.of(results.sections)
    if timing is None or not timing.samples:
        return None
    low, high = timing.score_range
    words = f"{len(timing.samples)} verdicts hang on time: on another machine the score could lie between"
    return tag("p", f"{words} {percent(low)} and {percent(high)}.", class_="notice plain")


def _other_results(others: Sequence[Results], cutoff: str | None) -> list[Markup]:
    """Subsets scored from the same samples, such as LiveCodeBench's v5 and v6: headline, score, published figure."""
    parts = []
    for results in others:
        pictures = [chart for chart in _score_pictures(results, cutoff) if chart] if results.is_complete else []
        parts.append(
            tag(
                "div",
                tag("h3", results.subset.name),
                tag("p", results.headline, class_="lead"),
                _doubts(results),
                _published(results.published),
                tag("div", pictures, class_="pictures") if pictures else None,
            )
        )
    return parts


def _audit_section(survey: Survey) -> Markup | None:
    if not survey.grades:
        return None
    index = LineIndex(survey.folder)
    index.refresh()
    return tag(
        "div",
        tag("h3", "To look at before believing it"),
        [_audit_list(found, index) for found in audit_lists(survey.grades)],
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
    note = tag("p", f"and {more} more: python -m tools view shows all", class_="soft") if more > 0 else None
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


def _manifest_section(survey: Survey) -> Markup | None:
    results = survey.results[0] if survey.results else None
    graded_with: dict[str, Any] = {"grader": dict(results.grader)} if results else {}
    if results and "sandbox" in results.sections:
        graded_with["sandbox"] = results.sections["sandbox"]
    lines = [*_flat(dict(survey.manifest.raw) if survey.manifest else {}, ""), *_flat(graded_with, "")]
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
