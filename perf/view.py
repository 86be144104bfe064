"""What the page and the report cost on large runs, in seconds of CPU (server and client in one process).

    python -m perf.view

Aims: the first view under 1 s, one response under 0.2 s, a search through all texts under 1.5 s, the report under 20 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import Served, serve
from tools.report.page import write_report

SHAPES = {
    "64 seeds x 60 problems x 30 kB": RunShape("math", "aime24", 60, 64, 30_000),
    "8 seeds x 1055 problems x 12 kB": RunShape("code", "livecodebench", 1055, 8, 12_000),
}


def cpu_seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def measure_page(server: Served, run: str, shape: RunShape) -> str:
    where = {"run": run, "dataset": shape.dataset}
    first = cpu_seconds(lambda: server.ask("/api/overview", **where))
    overview = server.ask("/api/overview", **where)
    task_ids, seed = overview["task_ids"], overview["seeds"][-1]
    samples = [
        cpu_seconds(lambda task=task: server.ask("/api/sample", task=task, seed=seed, **where))  # type: ignore[misc]
        for task in task_ids[:: len(task_ids) // 7]
    ]
    search = cpu_seconds(lambda: server.ask("/api/samples", text="no such words", **where))
    return f"first view {first:.2f} s, a response at most {max(samples):.3f} s, search {search:.2f} s"


def main() -> int:
    for name, shape in SHAPES.items():
        for is_graded in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                make_run(Path(folder), shape, is_graded=is_graded)
                with serve(Path(folder)) as server:
                    state = "graded" if is_graded else "not graded"
                    print(f"{name}, {state}: {measure_page(server, Path(folder).name, shape)}", flush=True)
                if is_graded:
                    report = cpu_seconds(lambda folder=folder: write_report(Path(folder)))  # type: ignore[misc]
                    print(f"{name}: report.html {report:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
