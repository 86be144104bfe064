"""The card of an uploaded run: scores with both errors, how they came about, what is left out, how to grade again."""

from __future__ import annotations

from collections.abc import Sequence

from tools.report.exports import escape_cell, markdown_table
from tools.report.model_cards import find_origin, model_index, scalar
from tools.upload.redaction import redact
from tools.upload.selection import UploadedBenchmark

TAGS = ("evaluation", "reasoning", "responses")
SETTINGS = (
    "model_revision", "engine", "engine_version", "temperature", "top_p", "top_k", "min_p", "max_new_tokens", "model_type",
    "seed_rule", "reasoning_format", "dtype", "git_hash", "toolkit_version",
)  # fmt: skip


def make_card(benchmarks: Sequence[UploadedBenchmark], repo: str, address: str, secrets: Sequence[str] = ()) -> str:
    """README.md of the repository. The same files give the same card."""
    models = list(dict.fromkeys(each.results.model for each in benchmarks))
    title = f"{', '.join(models)} on {', '.join(each.results.benchmark for each in benchmarks)}"
    parts = [
        _front_matter(benchmarks, title, address),
        f"# {_line(title)}",
        "Responses, verdicts and results of an evaluation run, as they came from the machine that made it.",
        "## Scores",
        markdown_table([each.results for each in benchmarks]),
        *_left_out(benchmarks),
        "## Settings",
        _settings(benchmarks),
        "## Grade again",
        _regrade(benchmarks, repo),
        "## Files",
        _files(),
    ]
    text = "\n\n".join(parts) + "\n"
    return str(redact(text, secrets))


def _front_matter(benchmarks: Sequence[UploadedBenchmark], title: str, address: str) -> str:
    """Read by the hub: title, tags, what its viewer shows, and the scores that can be claimed as `model-index`."""
    lines = ["---", f"pretty_name: {scalar(title)}", "tags:", *(f"- {tag}" for tag in TAGS)]
    shown = [each for each in benchmarks if not each.is_gated]
    lines += ["configs:"] if shown else []
    for each in shown:
        name = each.run.folder.name
        lines += [f"- config_name: {scalar(name)}", f"  data_files: {scalar(f'{name}/*seed*.jsonl')}"]
    claimed = [each for each in benchmarks if each.results.is_claimable]
    if claimed:
        origins = [find_origin(each.results, each.manifest, address) for each in claimed]
        lines.append(model_index([each.results for each in claimed], origins=origins))
    return "\n".join([*lines, "---"])


def _left_out(benchmarks: Sequence[UploadedBenchmark]) -> list[str]:
    said = [f"- {_line(each.results.benchmark)}: {each.left_out}." for each in benchmarks if each.left_out]
    said += [
        f"- {_line(each.results.benchmark)} is incomplete: {each.results.missing_count} samples are missing, so it has no score."
        for each in benchmarks
        if not each.results.is_complete
    ]
    return ["## What is not here", "\n".join(said)] if said else []


def _settings(benchmarks: Sequence[UploadedBenchmark]) -> str:
    """One column a benchmark, where they differ; else one."""
    columns = [_settings_of(each) for each in benchmarks]
    names = [name for name in SETTINGS if any(name in column for column in columns)]
    if all(column == columns[0] for column in columns):
        heads, columns = ["all"], columns[:1]
    else:
        heads = [_line(each.results.benchmark) for each in benchmarks]
    rows = [["setting", *heads], ["---"] * (len(heads) + 1)]
    rows += [[name, *(column.get(name, "") for column in columns)] for name in names]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _settings_of(each: UploadedBenchmark) -> dict[str, str]:
    manifest, results = each.manifest, each.results
    found = {name: manifest.setting(name) if manifest else results.settings.get(name) for name in SETTINGS}
    return {name: _line(_words(value)) for name, value in found.items() if value is not None}


def _words(value: object) -> str:
    """Version 0.1 wrote name and version of an engine in one."""
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def _regrade(benchmarks: Sequence[UploadedBenchmark], repo: str) -> str:
    commits = dict.fromkeys(
        str(manifest.raw["git_hash"]).removesuffix("-dirty")
        for each in benchmarks
        if (manifest := each.manifest) and manifest.raw.get("git_hash")
    )
    lines = [f"    hf download {repo} --repo-type dataset --local-dir run"]
    lines += [f"    git checkout {_line(commit)}    # of the toolkit" for commit in list(commits)[:1]]
    lines.append("    python evaluate.py run")
    names = [_line(each.results.benchmark) for each in benchmarks if each.is_gated]
    if names:
        lines += [
            "",
            f"Without their texts {', '.join(names)} cannot be graded again from here; their verdicts can be counted.",
        ]
    return "\n".join(lines)


def _files() -> str:
    return "\n".join(
        (
            "| file | what |",
            "|---|---|",
            "| `<benchmark>/seed<N>.jsonl` | one response a line |",
            "| `<benchmark>/verdicts.jsonl` | one grade a line |",
            "| `<benchmark>/accuracy_results.json` | the score, with intervals, per seed and per breakdown |",
            "| `<benchmark>/manifest.json` | with what it was made; keys and tokens are left out |",
            "| `report.html` | all of it as one page |",
        )
    )


def _line(text: str) -> str:
    return escape_cell("".join(sign if sign.isprintable() else " " for sign in text))
