#!/usr/bin/env python3
"""Kills real runs at random moments and checks that nothing is lost and nothing is there twice.

    python benchmarks/faults.py [--rounds 20] [--kinds worker,launcher,all,stop] [--model data/demo_model] [--seed 0]

Each round starts the real command on the demo model with two workers, does its harm at a random moment (between the
start and the length of an undisturbed run), runs the same command again if the first one ended, and compares the seed
files byte by byte with those of the undisturbed run. Kinds:

    worker     kill -9 of one worker; the run has to go on by itself
    launcher   kill -9 of the launcher alone; no process may survive it
    all        kill -9 of the launcher, its guardian and all workers
    stop       SIGSTOP of one worker (it hangs without dying); the run has to go on by itself
    interrupt  Ctrl-C (SIGINT) to the launcher, which has to end within 5 seconds

Prints one line a kind; exits 1 at any difference.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parents[1]
KINDS = ("worker", "launcher", "all", "stop", "interrupt")
GOES_ON_BY_ITSELF = ("worker", "stop")
SEEDS = (100, 200, 300)
STALL_TIMEOUT_S = 6
END_LIMIT_S = 5.0


@dataclasses.dataclass
class Bench:
    """A small real run: model, options, and the files that it gives undisturbed."""

    model: pathlib.Path
    folder: pathlib.Path
    limit: int = 6
    new_tokens: int = 12
    engine: str = "transformers"
    extra: tuple[str, ...] = ()
    reference: dict[str, bytes] = dataclasses.field(default_factory=dict)
    duration_s: float = 0.0

    def command(self, out: pathlib.Path) -> list[str]:
        words = [sys.executable, str(ROOT / "inference.py"), "--model", str(self.model), "--out", str(out)]
        words += ["--datasets", "aime_sample", "--seeds", ",".join(map(str, SEEDS)), "--samples-per-seed", "1"]
        words += ["--limit", str(self.limit), "--out-seq-len", str(self.new_tokens), "--engine", self.engine]
        return [*words, "--gpus", "2", "--stall-timeout-s", str(STALL_TIMEOUT_S), *self.extra]

    def start(self, out: pathlib.Path, **environment: str) -> subprocess.Popen[bytes]:
        log = (out.parent / f"{out.name}.stderr").open("ab")
        with log:
            return subprocess.Popen(
                self.command(out), stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
            )

    def measure(self) -> None:
        """The undisturbed run, for its files and its length."""
        started = time.monotonic()
        if self.start(self.folder / "reference").wait() != 0:
            raise SystemExit((self.folder / "reference.stderr").read_text())
        self.duration_s = time.monotonic() - started
        self.reference = read_seed_files(self.folder / "reference")


def read_seed_files(out: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "aime_sample").glob("seed*.jsonl"))}


def processes_of(out: pathlib.Path) -> list[int]:
    """Workers of a run: processes with its folder in their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(out).encode() in words:
                found.append(int(entry.name))
    return sorted(found)


def workers_of(out: pathlib.Path, launcher: int) -> list[int]:
    return [pid for pid in processes_of(out) if pid != launcher]


def children_of(pid: int) -> list[int]:
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def harm(kind: str, launcher: int, out: pathlib.Path, generator: random.Random) -> None:
    workers = workers_of(out, launcher)
    victims = [generator.choice(workers)] if workers else []
    if kind == "worker":
        send(victims, signal.SIGKILL)
    elif kind == "stop":
        send(victims, signal.SIGSTOP)
    elif kind == "interrupt":
        send([launcher], signal.SIGINT)
    elif kind == "launcher":
        send([launcher], signal.SIGKILL)
    else:
        send([*children_of(launcher), launcher, *workers], signal.SIGKILL)


def try_once(bench: Bench, kind: str, number: int, generator: random.Random) -> str:
    """One round. Returns an empty text when all is well, else what was wrong."""
    out = bench.folder / f"{kind}{number}"
    run = bench.start(out)
    time.sleep(generator.uniform(0.2, max(0.5, bench.duration_s - 0.5)))
    harm(kind, run.pid, out, generator)
    if kind not in GOES_ON_BY_ITSELF:
        ended_at = time.monotonic()
        run.wait()
        while processes_of(out) and time.monotonic() - ended_at < END_LIMIT_S:
            time.sleep(0.05)
        if processes_of(out):
            return f"processes survive: {processes_of(out)}"
        run = bench.start(out)
    if run.wait(timeout=60 + 10 * bench.duration_s) != 0:
        return "failed: " + (bench.folder / f"{out.name}.stderr").read_text()[-500:]
    if read_seed_files(out) != bench.reference:
        return "the seed files differ from those of the undisturbed run"
    shutil.rmtree(out)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "data/demo_model")
    parser.add_argument("--engine", default="transformers")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    generator = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        bench = Bench(given.model, pathlib.Path(folder), engine=given.engine)
        bench.measure()
        lines = sum(data.count(b"\n") for data in bench.reference.values())
        print(f"undisturbed: {lines} samples in {bench.duration_s:.1f} s")
        failures = 0
        for kind in given.kinds.split(","):
            faults = [fault for number in range(given.rounds) if (fault := try_once(bench, kind, number, generator))]
            failures += len(faults)
            print(f"{kind:10} {given.rounds - len(faults)} of {given.rounds} rounds byte-equal", flush=True)
            for fault in faults:
                print(f"    {fault}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
