"""A release as large as LiveCodeBench's, made up: peak memory of grading it, and how time grows with the solutions.

    python perf/code/release_size.py [--problems 1055] [--gigabytes 4] [--seeds 10]

Writes a problem file whose tests decode to so many gigabytes (packed as LiveCodeBench packs them, a few MB on disk) and
a correct program for each problem, then runs evaluate_livecodebench.py with 2 workers. Memory: the proportional share
(PSS) of the whole process tree, sampled ten times a second (target: below 1 GiB). Time: another, small release with
small tests, with one seed and with `--seeds` of them (target: time in proportion). Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import base64
import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import time
import zlib
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_BYTES = 1 << 30
SMALL = 500  # problems of the release whose time is taken
TESTS = 10
# Reads everything and answers with its length, so that a test of any size is quick.
PROGRAM = "import sys\nprint(len(sys.stdin.read()))"


def make_row(number: int, test_bytes: int) -> dict[str, Any]:
    """A problem with TESTS tests of `test_bytes` each."""
    tests = [{"input": f"{n:08}" * (test_bytes // 8), "output": str(test_bytes // 8 * 8)} for n in range(TESTS)]
    private = json.dumps([{**test, "testtype": "stdin"} for test in tests])
    return {
        "question_id": f"p{number}", "question_content": "length", "difficulty": "easy", "platform": "atcoder",
        "contest_date": "2024-09-01T00:00:00", "starter_code": "", "metadata": "{}", "public_test_cases": "[]",
        "private_test_cases": base64.b64encode(zlib.compress(pickle.dumps(private))).decode(),
    }  # fmt: skip


def write_release(folder: pathlib.Path, problems: int, test_bytes: int, seeds: int) -> None:
    (folder / "out").mkdir(parents=True)
    with (folder / "release.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(make_row(number, test_bytes)) + "\n" for number in range(problems))
    answer = f"</think>\n```python\n{PROGRAM}\n```\n"
    lines = [json.dumps({"task_id": f"p{number}", "output": answer}) + "\n" for number in range(problems)]
    for seed in range(seeds):
        (folder / f"out/seed{seed}.jsonl").write_text("".join(lines), encoding="utf-8")


def grade(folder: pathlib.Path) -> tuple[float, int]:
    """Seconds, and the peak of the process tree's memory in bytes."""
    words = [sys.executable, str(ROOT / "evaluate_livecodebench.py"), "-g", str(folder / "out"), "-w", "2"]
    started, peak = time.monotonic(), 0
    with subprocess.Popen([*words, "-q", str(folder / "release.jsonl")], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(pss_bytes, tree(process.pid))))
            time.sleep(0.1)
    seconds = time.monotonic() - started
    results = json.loads((folder / "out/accuracy_results.json").read_text(encoding="utf-8"))
    if process.returncode or results["avg_at_k"] != 1.0:
        raise SystemExit(f"error: grading ended with {process.returncode} and a score of {results['accuracy']}")
    return seconds, peak


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for process in found:
        try:
            children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
        except OSError:
            continue
        found += map(int, children.split())
    return found


def pss_bytes(pid: int) -> int:
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").split("\n")
    except OSError:  # it has just ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=1055)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        large, one, many = (pathlib.Path(name) / part for part in ("large", "one", "many"))
        write_release(large, given.problems, int(given.gigabytes * 1e9 / given.problems / TESTS), 1)
        seconds, peak = grade(large)
        print(f"{given.problems} problems, {given.gigabytes:g} GB of tests: peak {peak / 1e6:.0f} MB in {seconds:.0f} s "
              f"(target below {MOST_BYTES / 1e6:.0f} MB)", flush=True)  # fmt: skip
        write_release(one, SMALL, 1000, 1)
        write_release(many, SMALL, 1000, given.seeds)
        (one_s, _), (many_s, _) = grade(one), grade(many)
        print(
            f"{SMALL} problems: {one_s:.1f} s with 1 seed, {many_s:.1f} s with {given.seeds}: {many_s / one_s:.1f} times"
        )
    return 0 if peak < MOST_BYTES and many_s / one_s < 1.1 * given.seeds else 1


if __name__ == "__main__":
    sys.exit(main())
