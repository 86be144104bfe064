"""Makes run folders for tests of statistics, compare and exports: simulated verdicts, written by the real writers."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tools.records import Grade, Verdict
from tools.results.build import build_results, write_results
from tools.results.results import Results

SETTINGS = {"max_new_tokens": 32768, "temperature": 0.6, "top_p": 0.95}
GRADER = {"name": "aime", "version": "1"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def simulate_grades(
    rates: Sequence[float], seeds: Sequence[int], generator: np.random.Generator, task_ids: Sequence[str] | None = None
) -> list[Grade]:
    """Independent samples with each problem's rate; wrong answers are integers, lengths grow with difficulty."""
    ids = task_ids or [str(position) for position in range(len(rates))]
    grades = []
    for task_id, rate in zip(ids, rates, strict=True):
        right = generator.random(len(seeds)) < rate
        tokens = np.minimum(32768, generator.lognormal(9.0 + (1 - rate), 0.5, len(seeds))).astype(int)
        for seed, is_right, length in zip(seeds, right, tokens, strict=True):
            verdict = Verdict.CORRECT if is_right else Verdict.TRUNCATED if length == 32768 else Verdict.WRONG
            cut = verdict is Verdict.TRUNCATED
            answer = None if cut else "204" if is_right else str(generator.integers(0, 5))
            grades.append(
                Grade(
                    task_id, int(seed), verdict, answer, "integer", output_tokens=int(length), is_cut_off=cut,
                    closes_reasoning=not cut,
                )
            )  # fmt: skip
    return grades


def grades_from_rows(rows: Mapping[str, Sequence[int]], seeds: Sequence[int]) -> list[Grade]:
    """Verdicts from one row of 0/1 a problem."""
    return [
        Grade(task_id, seed, Verdict.CORRECT if value else Verdict.WRONG, str(value))
        for task_id, row in rows.items()
        for seed, value in zip(seeds, row, strict=False)
    ]


def results_of(grades: Sequence[Grade], **changes: Any) -> Results:
    """build_results with usual arguments; the plan is what the grades hold unless given."""
    arguments: dict[str, Any] = {
        "model": "some/model",
        "dataset": "aime24",
        "set_name": "aime24",
        "grades": grades,
        "task_ids": list(dict.fromkeys(sample.task_id for sample in grades)),
        "seeds": sorted({sample.seed for sample in grades}),
        "settings": SETTINGS,
        "grader": GRADER,
    }
    return build_results(**(arguments | changes))


def write_run(
    folder: pathlib.Path,
    grades: Sequence[Grade],
    *,
    texts: Mapping[tuple[str, int], str] | None = None,
    manifest: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Results:
    """A data set's folder as the pipeline leaves it; returns the results."""
    folder.mkdir(parents=True, exist_ok=True)
    results = results_of(grades, **changes)
    write_results(folder, results)
    (folder / "verdicts.jsonl").write_text("".join(sample.to_json() + "\n" for sample in grades), encoding="utf-8")
    if manifest is not None:
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    by_seed: dict[int, list[str]] = {}
    for (task_id, seed), text in (texts or {}).items():
        by_seed.setdefault(seed, []).append(json.dumps({"task_id": task_id, "output": text, "seed": seed}) + "\n")
    for seed, lines in by_seed.items():
        (folder / f"seed{seed}.jsonl").write_text("".join(lines), encoding="utf-8")
    return results


def command(module: str, *words: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    """`python -m module words`, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def grade_of(task_id: str, seed: int, is_right: bool, tokens: int | None, **fields: Any) -> Grade:
    """One verdict with its length."""
    verdict = Verdict.CORRECT if is_right else Verdict.WRONG
    return Grade(task_id, seed, verdict, output_tokens=tokens, **fields)
