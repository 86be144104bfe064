"""Results for papers, spreadsheets and model cards.

    python -m tools exports OUT [OUT2 ...]                      # a Markdown table
    python -m tools exports OUT --format csv > scores.csv       # one line a data set, full precision, fractions
    python -m tools exports OUT --format model-index            # YAML for the head of a Hugging Face model card

Only claimable results go into a model card; the others are refused with the reason. The table marks them.
model-index: tools/report/model_cards.py.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from typing import Any

from tools.errors import run_command
from tools.report.model_cards import find_origin, model_index
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
        "| Model | Set | Problems | avg@k | 95 % interval | Sampling s.e. | Total s.e. | pass@k | maj@k | Truncated | Cap |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    notes = []
    for results in list_of_results:
        score, bounds = results.score, results.score.bounds
        doubt = "" if results.is_claimable else "\\*"
        cells = [
            escape_cell(results.model),
            escape_cell(results.subset.name),
            str(results.subset.count),
            f"{_percent(score.mean)}{doubt} (k = {results.samples_per_problem})",
            f"{_percent(bounds[0])} to {_percent(bounds[1])}" if bounds else "unknown",
            *(
                "unknown" if error is None else _percent(error, 2)
                for error in (score.sampling_error, score.total_error)
            ),
            _last(results.pass_at_k),
            _last(results.maj_at_k),
            _percent(results.reasoning.truncated_share),
            str(results.cap or "unknown"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        reasons = "; ".join(results.doubts)
        notes += [f"\\* {results.subset.name} is no score to claim: {reasons}."] if reasons else []
    legend = "Percent. The interval speaks of the choice of problems and of sampling, as the total error does; the sampling error of these problems alone."
    return "\n".join([*lines, "", legend, *notes])


def csv_table(list_of_results: Sequence[Results]) -> str:
    """One line a data set with all digits; unknown values are empty cells."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for results in list_of_results:
        writer.writerow({key: csv_cell(value) for key, value in _csv_row(results).items()})
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


def csv_cell(value: Any) -> Any:
    """A spreadsheet must not take a name for a formula (OWASP: CSV injection)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _last(curve: Curve) -> str:
    return "" if curve.last is None else _percent(curve.last)


def _percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f}"


def escape_cell(text: str) -> str:
    """A name for a cell of a Markdown table."""
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
    runs = [run for path in options.runs for run in find_graded(path).values()]
    collected = [run.results for run in runs]
    if options.format == "csv":
        print(csv_table(collected))
    elif options.format == "model-index":
        origins = [find_origin(run.results, run.manifest) for run in runs]
        print(model_index(collected, options.model_name, origins))
    else:
        print(markdown_table(collected))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
