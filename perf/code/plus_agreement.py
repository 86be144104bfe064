"""How the grading of HumanEval+ and MBPP+ agrees with EvalPlus: canonical solutions that pass, and labels of programs.

    python perf/code/plus_agreement.py FOLDER [--labels labels.jsonl] [--workers 2] [--only MbppPlus]

FOLDER holds the authors' files (HumanEvalPlus.jsonl.gz, HumanEvalPlus-OriginFmt.jsonl.gz, MbppPlus.jsonl.gz,
MbppPlus-OriginFmt.jsonl.gz); those that are missing are passed over. The labels are rows {task_id, solution, base, plus} with
EvalPlus's words ("pass", "fail", "timeout"); programs count on which both agree. All of it takes about 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
import gzip
import json
import pathlib
import sys
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

FILES = ("HumanEvalPlus", "HumanEvalPlus-OriginFmt", "MbppPlus", "MbppPlus-OriginFmt")


def read_rows(path: pathlib.Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.split("\n") if line]


def canonical(row: dict[str, Any]) -> str:
    return row.get("code") or row["prompt"] + row["canonical_solution"]


def grade(rows: list[dict[str, Any]], programs: dict[str, tuple[Any, str]], workers: int) -> dict[str, dict[str, Any]]:
    """Name -> row of the verifier; `programs` has the task and the code of each name."""
    from tools.code_verifier import verify_many

    solutions = [{"solution_id": name, "question_id": task, "code": code} for name, (task, code) in programs.items()]
    return {found["solution_id"]: found for found in verify_many(rows, solutions, workers)}


def report_canonical(name: str, rows: list[dict[str, Any]], workers: int) -> None:
    found = grade(rows, {str(row["task_id"]): (row["task_id"], canonical(row)) for row in rows}, workers)
    failed = {task_id: each["reason"] for task_id, each in found.items() if not each["passed"]}
    print(f"{name}: {len(found) - len(failed)} of {len(found)} canonical solutions pass", flush=True)
    for task_id, reason in failed.items():
        print(f"  {task_id}: {reason}")


def report_labels(name: str, rows: list[dict[str, Any]], labels: list[dict[str, Any]], workers: int) -> None:
    ids = {row["task_id"] for row in rows}
    clear = {
        str(number): each
        for number, each in enumerate(labels)
        if each["task_id"] in ids and (each["base"] == "pass") == (each["plus"] == "pass")
    }
    if not clear:
        return
    found = grade(rows, {number: (each["task_id"], each["solution"]) for number, each in clear.items()}, workers)
    differing = [number for number, each in clear.items() if found[number]["passed"] != (each["plus"] == "pass")]
    share = 100 * (1 - len(differing) / len(clear))
    print(
        f"{name}: {len(clear) - len(differing)} of {len(clear)} programs as EvalPlus labels them ({share:.2f} %)",
        flush=True,
    )
    for number in differing:
        print(f"  {clear[number]['task_id']}: EvalPlus {clear[number]['plus']}, here {found[number]['status']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--labels", type=pathlib.Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=FILES)
    given = parser.parse_args()
    labels = read_rows(given.labels) if given.labels else []
    paths = {name: given.folder / f"{name}.jsonl.gz" for name in FILES if given.only in (None, name)}
    present = {name: path for name, path in paths.items() if path.is_file()}
    if not present:
        print(f"error: none of EvalPlus's files is in {given.folder}; give the folder that has them", file=sys.stderr)
        return 2
    for name, path in present.items():
        rows = read_rows(path)
        report_canonical(name, rows, given.workers)
        report_labels(name, rows, labels, given.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
