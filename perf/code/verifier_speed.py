"""What grading programs costs, each figure as a ratio against a named reference, all in one run.

    python perf/code/verifier_speed.py [--workload FOLDER] [--workers 2]

FOLDER holds problems.jsonl and solutions.jsonl (LiveCodeBench rows; solutions with solution_id, question_id, code, kind,
group, expect); default: $BENCH_DIR/code/workload. Three figures: grading of the finite part against
`reference_checker.py`, a model of how LiveCodeBench's checker works (target: at most a third of its CPU time); grading of
the heavy part against the CPU time that its programs themselves use (at most 1.1); the share of the cores that is busy.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import sys
import time
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(pathlib.Path(__file__).parent)]

SLOW_KINDS = {"loop", "sleep", "slow", "slow_c", "loop_after", "bare_except_retry", "bare_except_fallback"}


def cpu_s() -> float:
    """CPU seconds of this process and of all its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def read_rows(path: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def measure(grade: Any, problems: list[dict], solutions: list[dict], workers: int) -> tuple[float, float, Any]:
    """(CPU seconds, wall seconds, what `grade` returned)."""
    used, started = cpu_s(), time.monotonic()
    found = grade(problems, solutions, workers)
    return cpu_s() - used, time.monotonic() - started, found


def grade_with_ours(problems: list[dict], solutions: list[dict], workers: int) -> dict[str, dict[str, Any]]:
    from tools.code_verifier import verify_many

    return {row["solution_id"]: row for row in verify_many(problems, solutions, workers)}


def grade_with_reference(problems: list[dict], solutions: list[dict], workers: int) -> list[bool]:
    """Its programs print into our stdout, as they do there; that goes to /dev/null."""
    import reference_checker

    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        return reference_checker.verify(problems, solutions, workers)
    finally:
        os.dup2(kept, 1)


def choose(solutions: list[dict], part: str) -> list[dict]:
    """`finite`: all that end quickly; `heavy`: right programs that compute for seconds."""
    if part == "heavy":
        return [row for row in solutions if row["group"] == "heavy"]
    return [row for row in solutions if row["group"] != "heavy" and row["kind"] not in SLOW_KINDS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    bench = os.environ.get("BENCH_DIR") or ROOT.parent / "shared" / "bench"
    parser.add_argument("--workload", type=pathlib.Path, default=pathlib.Path(bench) / "code" / "workload")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if not (given.workload / "problems.jsonl").exists():
        print(f"error: no workload at {given.workload}; give one with --workload", file=sys.stderr)
        return 2
    problems, solutions = (read_rows(given.workload / f"{name}.jsonl") for name in ("problems", "solutions"))
    report_finite(problems, choose(solutions, "finite"), given.workers)
    report_heavy(problems, choose(solutions, "heavy"), given.workers)
    return 0


def report_finite(problems: list[dict], solutions: list[dict], workers: int) -> None:
    ours_s, wall_s, ours = measure(grade_with_ours, problems, solutions, workers)
    right = sum(ours[row["solution_id"]]["passed"] == row["expect"] for row in solutions)
    reference_s, _wall, found = measure(grade_with_reference, problems, solutions, workers)
    also_right = sum(passed == row["expect"] for passed, row in zip(found, solutions, strict=True))
    count = len(solutions)
    print(f"finite part, {count} solutions, {workers} workers")
    print(f"  ours       {1000 * ours_s / count:6.1f} ms of CPU a solution, {right} as labelled")
    print(f"  reference  {1000 * reference_s / count:6.1f} ms of CPU a solution, {also_right} as labelled")
    print(f"  ratio ours / reference: {ours_s / reference_s:.2f} (target: at most 0.33)")
    print(
        f"  cores busy with us: {100 * ours_s / wall_s / workers:.0f} % of {workers} (counts only on a quiet machine)"
    )


def report_heavy(problems: list[dict], solutions: list[dict], workers: int) -> None:
    if not solutions:
        return
    ours_s, wall_s, ours = measure(grade_with_ours, problems, solutions, workers)
    own_s = sum(ours[row["solution_id"]]["cpu_s"] for row in solutions)
    right = sum(ours[row["solution_id"]]["passed"] == row["expect"] for row in solutions)
    print(f"heavy part, {len(solutions)} solutions, {right} as labelled")
    print(f"  ratio grading / the programs' own CPU time: {ours_s / own_s:.3f} (target: at most 1.1)")
    print(f"  cores busy: {100 * ours_s / wall_s / workers:.0f} % of {workers}")


if __name__ == "__main__":
    sys.exit(main())
