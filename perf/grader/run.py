r"""Accuracy and speed of our math grader beside math-verify, on the same cases, in one run on one machine.

    python -m venv OUT/mv && OUT/mv/bin/pip install "math-verify[antlr4_13_2]==0.9.0"
    python perf/grader/run.py --peer-python OUT/mv/bin/python [--cases CASES.jsonl ...]

Each grader runs in a process of its own with its own interpreter; a case that takes more than 10 s counts as wrong.
Printed: share of right verdicts, false positives and negatives outside conventions and hostile cases, median CPU
milliseconds of a verdict, CPU seconds for 500 MATH-style answers from a cold start, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BENCH = ROOT.parent / "shared/bench/math"
HOSTILE = ("pathological", "injection", "code")
COLD_ANSWERS = 500
TIMEOUT_S = 10.0


def read_cases(paths: list[Path]) -> list[dict[str, Any]]:
    """Labelled cases outside conventions; `repeat` fields are written out."""
    cases = []
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            case = json.loads(line)
            for mark, (text, times) in case.pop("repeat", {}).items():
                case["gold"], case["pred"] = (case[field].replace(mark, text * times) for field in ("gold", "pred"))
            if not case["category"].startswith("conv"):
                cases.append(case)
    return cases


def math_style_cases(data: Path) -> list[dict[str, Any]]:
    """500 answers of MATH: two thirds right in another dress, one third another problem's answer."""
    golds = [json.loads(line)["answer"] for line in data.read_text("utf-8").splitlines()][:COLD_ANSWERS]
    others = random.Random(0).sample(golds, len(golds))
    cases = []
    for index, (gold, other) in enumerate(zip(golds, others, strict=True)):
        dressed = gold.replace(r"\frac", r"\dfrac").replace("(", r"\left(").replace(")", r"\right)")
        cases.append({"gold": gold, "pred": f"So \\boxed{{{dressed if index % 3 else other}}}.", "mode": "response"})
    return cases


def run(python: str, adapter: str, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Verdicts and CPU seconds per case, and the CPU seconds of the whole process, import included."""
    command = [python, str(HERE / "judge.py"), adapter, str(TIMEOUT_S)]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def summarize(name: str, cases: list[dict[str, Any]], result: dict[str, Any]) -> float:
    """Prints one grader's line; returns its median CPU milliseconds."""
    verdicts = list(zip(cases, result["verdicts"], result["cpu_s"], strict=True))
    for title, part in (
        ("main", [row for row in verdicts if row[0]["category"] not in HOSTILE]),
        ("hostile", [row for row in verdicts if row[0]["category"] in HOSTILE]),
    ):
        if not part:
            continue
        right = sum(verdict is case["expected"] for case, verdict, _ in part)
        false_positives = sum(verdict is True and not case["expected"] for case, verdict, _ in part)
        median = 1000 * statistics.median(cpu for _, _, cpu in part)
        print(
            f"{name:12} {title:8} {len(part):4} cases  {100 * right / len(part):5.1f} % right  "
            f"{false_positives:3} false positives  {len(part) - right - false_positives:3} other  median {median:.3f} ms CPU"
        )
    return 1000 * statistics.median(result["cpu_s"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, help="interpreter of a venv with math-verify")
    parser.add_argument("--cases", nargs="+", type=Path, default=sorted(BENCH.glob("cases_[am]*.jsonl")))
    parser.add_argument("--math", type=Path, default=ROOT.parent / "shared/data/math500.jsonl")
    arguments = parser.parse_args()
    cases = read_cases(arguments.cases)
    medians = []
    for name, python in (("ours", sys.executable), ("math-verify", arguments.peer_python)):
        medians.append(summarize(name, cases, run(python, name, cases)))
    print(f"median CPU of a verdict, math-verify : ours = {medians[1] / medians[0]:.1f} : 1")
    cold = math_style_cases(arguments.math)
    seconds = [
        run(python, name, cold)["total_cpu_s"]
        for name, python in (("ours", sys.executable), ("math-verify", arguments.peer_python))
    ]
    print(
        f"{len(cold)} MATH-style answers from a cold start: ours {seconds[0]:.2f} s CPU, math-verify {seconds[1]:.2f} s CPU"
    )
    print(f"cold start, math-verify : ours = {seconds[1] / seconds[0]:.1f} : 1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
