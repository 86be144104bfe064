#!/usr/bin/env python3
"""What planning, resuming and merging cost, for 10 000 and 100 000 samples: seconds of CPU and peak memory.

    python perf/resume.py [--sizes 10000,100000] [--characters 2000]

Half of the samples lie on disk, as after a crash. Measured, each size in a process of its own: reading what is there
and planning the rest; writing the queue and entering it; handing out and reporting every missing sample; sorting the
files. Prints the ratio of the two largest sizes (linear growth: the ratio of the sizes). Exits 1 above 500 MB.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tools.records import Generation
from tools.sampling.plan import make_plan
from tools.sampling.run import find_missing, seen_lengths
from tools.sampling.workqueue import WorkQueue
from tools.store import generations

SEEDS, LIMIT_MB = 100, 500


def measure(size: int, characters: int, folder: pathlib.Path) -> dict[str, float]:
    task_ids = [str(number) for number in range(size // SEEDS)]
    planned = make_plan({"set": (task_ids, range(SEEDS))})
    (folder / "set").mkdir()
    (folder / ".run").mkdir()
    for seed in range(SEEDS):
        rows = [
            Generation(task_id, seed, "x" * characters, "stop", 100, int(task_id) + 1).to_json()
            for task_id in task_ids[::2]
        ]
        (folder / "set" / f"seed{seed}.jsonl").write_text("\n".join(rows) + "\n")
    times = [time.process_time()]
    on_disk, missing = find_missing(folder, planned)
    times.append(time.process_time())
    WorkQueue.create(folder / ".run", missing, seen_lengths(on_disk))
    queue = WorkQueue.join(folder / ".run", "worker.1")
    times.append(time.process_time())
    while samples := queue.take(256):
        for sample in samples:
            queue.done(sample, 100)
    queue.refresh()
    assert queue.is_finished
    times.append(time.process_time())
    generations.sort_files(folder / "set", task_ids)
    times.append(time.process_time())
    steps = ("read_and_plan_s", "queue_s", "hand_out_s", "merge_s")
    row = {step: round(after - before, 2) for step, before, after in zip(steps, times, times[1:], strict=False)}
    return {**row, "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--characters", type=int, default=2000)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(given.one, given.characters, pathlib.Path(folder))))
        return 0
    totals: list[tuple[int, float]] = []
    is_fine = True
    for size in map(int, given.sizes.split(",")):
        words = [sys.executable, __file__, "--one", str(size), "--characters", str(given.characters)]
        row = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        print(f"{size} samples: {json.dumps(row)}")
        totals.append((size, sum(value for name, value in row.items() if name.endswith("_s"))))
        is_fine = is_fine and row["peak_mb"] < LIMIT_MB
    (small, fast), (large, slow) = totals[-2:]
    print(f"{large / small:.0f} times the samples cost {slow / fast:.1f} times the time")
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
