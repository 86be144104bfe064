"""Starts small runs for tests of faults: real processes through the real front door, with two workers.

The engine is the scripted one, so that a run takes seconds on any machine; ENGINE=... asks for a real one.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable

from tests.conftest import ROOT

SCRIPTED = "tests.support.scripted_engine:ScriptedEngine"
SEEDS = "100 200"
LIMIT = 6


def start(out: pathlib.Path, **options: str) -> subprocess.Popen[str]:
    """A run with 12 samples on two workers; `options` are environment variables of the front door."""
    settings = {
        "DATASETS": "aime_sample", "SEEDS": SEEDS, "SAMPLES_PER_SEED": "1", "LIMIT": str(LIMIT), "OUT_SEQ_LEN": "8",
        "ENGINE": SCRIPTED, "SCRIPT_DELAY_S": "0.2", "GPUS": "2",
    }  # fmt: skip
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "RAY_ADDRESS") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "inference.py"), "--model", str(ROOT / "data/demo_model"), "--out", str(out)],
        env={**clean, "HF_HUB_OFFLINE": "1", **settings, **options},
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finish(run: subprocess.Popen[str], timeout: float = 240) -> tuple[int, str]:
    """Exit code and stderr."""
    _, errors = run.communicate(timeout=timeout)
    return run.returncode, errors


def seed_files(out: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "aime_sample").glob("seed*.jsonl"))}


def count_lines(out: pathlib.Path) -> int:
    return sum(data.count(b"\n") for data in seed_files(out).values())


def wait_for(condition: Callable[[], object], timeout: float = 120) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def worker_pids(out: pathlib.Path) -> list[int]:
    """Processes that work for a run: its folder and --worker stand in their command line."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(out).encode() in words and b"--worker" in words:
            found.append(int(entry.name))
    return sorted(found)
