"""Results for papers, spreadsheets and model cards.

    python -m tools exports OUT [OUT2 ...]                      # a Markdown table
    python -m tools exports OUT --format csv > scores.csv       # one line a data set, full precision, fractions
    python -m tools exports OUT --format model-index            # YAML for the head of a Hugging Face model card

Only claimable results go into a model card; the others are refused with the reason. The table marks them.
model-index: https://huggingface.co/docs/hub/model-cards (the metadata of `EvalResult` in huggingface_hub).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from typing import Any

from tools.errors import IncompleteRun, run_command
from tools.results.parts import Curve
from tools.results.results import Results
from tools.results.run_folder import find_graded

CSV_COLUMNS = (
    "model", "dataset", "set", "problems", "set_sha256", "k", "score", "interval_low", "interval_high", "sampling_error",
    "problem_error", "std_over_seeds", "pass_at_k", "maj_at_k", "truncated_share", "max_new_tokens", "temperature", "top_p",
    "grader", "grader_version", "engine_version", "complete", "claimable", "missing",
)  # fmt: skip


def markdown_table(list_of_results: Sequence[Results]) -> str:
    """A table a paper can take over: score with both errors, k, set, count and cap in every row."""
    lines = [
        "| Model | Set | Problems | avg@k | 95 % interval | Sampling s.e. | pass@k | maj@k | Truncated | Cap |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    notes = []
    for results in list_of_results:
        score, bounds, error = results.score, results.score.bounds, results.score.sampling_error
        doubt = "" if results.is_claimable else "\\*"
        cells = [
            _escape(results.model),
            _escape(results.subset.name),
            str(results.subset.count),
            f"{_percent(score.mean)}{doubt} (k = {results.samples_per_problem})",
            f"{_percent(bounds[0])} to {_percent(bounds[1])}" if bounds else "unknown",
            _percent(error, 2) if error is not None else "unknown",
            _last(results.pass_at_k),
            _last(results.maj_at_k),
            _percent(results.reasoning.truncated_share),
            str(results.cap or "unknown"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        reasons = "; ".join(results.doubts)
        notes += [f"\\* {results.subset.name} is no score to claim: {reasons}."] if reasons else []
    legend = "Percent. The interval speaks of the choice of problems and of sampling; the sampling error of these problems alone."
    return "\n".join([*lines, "", legend, *notes])


def csv_table(list_of_results: Sequence[Results]) -> str:
    """One line a data set with all digits; unknown values are empty cells."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for results in list_of_results:
        writer.writerow({key: _csv_cell(value) for key, value in _csv_row(results).items()})
    return buffer.getvalue().rstrip("\n")


def _csv_row(results: Results) -> dict[str, object]:
    score, settings, grader, subset = results.score, results.settings, results.grader, results.subset
    values = (
        results.model, results.benchmark, subset.name, subset.count, subset.sha256,
        results.samples_per_problem, score.mean, *(score.bounds or (None, None)), score.sampling_error, score.problem_error,
        results.std_over_seeds, results.pass_at_k.last, results.maj_at_k.last,
        results.reasoning.truncated_share, settings.get("max_new_tokens"), settings.get("temperature"),
        settings.get("top_p"), grader.get("name"), grader.get("version"), settings.get("engine_version"),
        results.is_complete, results.is_claimable, results.missing_count,
    )  # fmt: skip
    return dict(zip(CSV_COLUMNS, values, strict=True))


def _csv_cell(value: Any) -> Any:
    """A spreadsheet must not take a name for a formula (OWASP: CSV injection)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def model_index(list_of_results: Sequence[Results], model_name: str | None = None) -> str:
    """The `model-index` block of a model card. Raises IncompleteRun for a result that is not to be claimed.

    Values are JSON scalars, which YAML reads as they are, so no name can break out of its place.
    """
    for results in list_of_results:
        if not results.is_claimable:
            reasons = "; ".join(results.doubts)
            raise IncompleteRun(f"{results.benchmark} does not belong into a model card: {reasons}")
    models = sorted({results.model for results in list_of_results})
    lines = ["model-index:"]
    for model in models:
        lines += [f"- name: {_scalar(model_name or model.rstrip('/').split('/')[-1])}", "  results:"]
        for results in list_of_results:
            if results.model == model:
                lines += _model_index_entry(results)
    return "\n".join(lines)


def _model_index_entry(results: Results) -> list[str]:
    name, k = results.subset.name, results.samples_per_problem
    lines = [
        "  - task:",
        "      type: text-generation",
        "    dataset:",
        f"      name: {_scalar(name)}",
        f"      type: {_scalar(name)}",
        "      args:",
        f"        problems: {results.subset.count}",
        f"        ids_sha256: {results.subset.sha256}",
        "    metrics:",
    ]
    metrics: list[tuple[str, int, float | None]] = [("avg", k, results.score.mean)]
    metrics += [("pass", k, results.pass_at_k.last), ("maj", k, results.maj_at_k.last)]
    for kind, number, value in metrics:
        if value is not None:
            lines += [
                f"    - type: {_scalar(f'{kind}@{number}')}",
                f"      value: {100 * value:.2f}",
                f"      name: {_scalar(_metric_name(kind, number, results))}",
            ]
    return lines


def _metric_name(kind: str, k: int, results: Results) -> str:
    cap = results.cap if results.cap is not None else "unknown"
    return f"{kind}@{k} ({results.subset.count} problems, cap {cap} tokens)"


def _scalar(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _last(curve: Curve) -> str:
    return "" if curve.last is None else _percent(curve.last)


def _percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools exports", description="Results as Markdown, CSV or model-index."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="output folder of a run, or one data set's folder in it")
    parser.add_argument("--format", choices=("markdown", "csv", "model-index"), default="markdown")
    parser.add_argument("--model-name", help="name for the model card (default: last part of the model's name)")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    collected = [run.results for path in options.runs for run in find_graded(path).values()]
    if options.format == "csv":
        print(csv_table(collected))
    elif options.format == "model-index":
        print(model_index(collected, options.model_name))
    else:
        print(markdown_table(collected))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
