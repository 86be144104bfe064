#!/usr/bin/env python3
"""Kills real runs at random moments and checks that nothing is lost and nothing is there twice.

    python perf/faults.py [--rounds 20] [--kinds worker,launcher,all,stop] [--model data/demo_model] [--seed 0]

Each round starts the real command on the demo model with two workers, does its harm at a random moment (between the
start and the length of an undisturbed run), runs the same command again if the first one ended, and compares the seed
files byte by byte with those of the undisturbed run. Kinds:

    worker     kill -9 of one worker; the run has to go on by itself
    launcher   kill -9 of the launcher alone; no process may survive it
    all        kill -9 of the launcher, its guardian and all workers
    stop       SIGSTOP of one worker (it hangs without dying); the run has to go on by itself
    interrupt  Ctrl-C (SIGINT) to the launcher, which has to end within 5 seconds
    full       the disk fills up; the run has to end with one line, and to continue when there is room (needs root)
    readonly   the folder becomes read-only; likewise (needs root)
    node       LAUNCHER=ray on two nodes (raylets here), one of them killed; the run has to go on by itself (needs ray)

Prints one line a kind; exits 1 at any difference.
"""

from __future__ import annotations

import argparse
import contextlib
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
from collections.abc import Iterator, Sequence
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
KINDS = ("worker", "launcher", "all", "stop", "interrupt", "full", "readonly", "node")
GOES_ON_BY_ITSELF = ("worker", "stop", "node")
DISK_KINDS = ("full", "readonly")
DISK_BYTES = 1 << 20
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
        with self.log_of(out).open("ab") as log:
            return subprocess.Popen(
                self.command(out), stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
            )

    def log_of(self, out: pathlib.Path) -> pathlib.Path:
        """Where the stderr of a run goes: outside of OUT, which may be full."""
        return self.folder / ("-".join(out.relative_to(self.folder).parts) + ".stderr")

    def read_log(self, out: pathlib.Path) -> str:
        return self.log_of(out).read_text(errors="replace")

    def measure(self, name: str = "reference", **environment: str) -> float:
        """The undisturbed run: keeps its files, returns its length in seconds."""
        started = time.monotonic()
        if self.start(self.folder / name, **environment).wait() != 0:
            raise SystemExit(self.read_log(self.folder / name))
        self.reference = read_seed_files(self.folder / name)
        return time.monotonic() - started


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
    wait_for_the_moment(bench.duration_s, generator)
    harm(kind, run.pid, out, generator)
    if kind not in GOES_ON_BY_ITSELF:
        ended_at = time.monotonic()
        run.wait()
        while processes_of(out) and time.monotonic() - ended_at < END_LIMIT_S:
            time.sleep(0.05)
        if processes_of(out):
            return f"processes survive: {processes_of(out)}"
        run = bench.start(out)
    return finish_and_compare(bench, run, out)


def try_disk_once(bench: Bench, kind: str, number: int, generator: random.Random) -> str:
    """One round on a small file system of its own, which takes no more bytes from a random moment on."""
    disk = bench.folder / f"{kind}{number}"
    out, ballast = disk / "out", disk / "ballast"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk))
    try:
        run = bench.start(out)
        wait_for_the_moment(bench.duration_s, generator)
        if kind == "full":
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(b"x" * 512):
                    pass
        else:  # a second mount of the folder over the first: what is opened from now on is opened there
            mount("--bind", str(disk), str(disk))
            mount("-o", "remount,bind,ro", str(disk))
        code = run.wait(timeout=60 + 10 * bench.duration_s)
        last = bench.read_log(out).strip().split("\n")[-1]
        if code not in (0, 1) or (code and not last.startswith("error: ")) or "Traceback" in bench.read_log(out):
            return f"ended with {code} and says {bench.read_log(out)[-500:]}"
        if kind == "full":
            ballast.unlink()
        else:
            subprocess.run(["umount", str(disk)], check=True)
        return finish_and_compare(bench, bench.start(out), out)
    finally:
        while disk.is_mount():
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def try_node_once(bench: Bench, cluster: Any, duration_s: float, number: int, generator: random.Random) -> str:
    """One round on two Ray nodes, one of which is killed."""
    out = bench.folder / f"node{number}"
    second = cluster.add_node(num_cpus=1)
    try:
        run = bench.start(out, LAUNCHER="ray", RAY_ADDRESS=cluster.address)
        wait_for_the_moment(duration_s, generator)
    finally:
        cluster.remove_node(second, allow_graceful=False)
    return finish_and_compare(bench, run, out)


def wait_for_the_moment(duration_s: float, generator: random.Random) -> None:
    time.sleep(generator.uniform(0.2, max(0.5, duration_s - 0.5)))


def finish_and_compare(bench: Bench, run: subprocess.Popen[bytes], out: pathlib.Path) -> str:
    if run.wait(timeout=60 + 10 * bench.duration_s) != 0:
        return "failed: " + bench.read_log(out)[-500:]
    if read_seed_files(out) != bench.reference:
        return "the seed files differ from those of the undisturbed run"
    shutil.rmtree(out)
    return ""


def mount(*words: str) -> None:
    if subprocess.run(["mount", *words], check=False).returncode:
        raise SystemExit("the kinds full and readonly mount a small file system, which needs root")


@contextlib.contextmanager
def ray_head() -> Iterator[Any]:
    """A Ray cluster of one node with one core, to which others can be added."""
    os.environ |= {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "300"}
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()


def try_kind(bench: Bench, kind: str, rounds: int, generator: random.Random) -> list[str]:
    """What was wrong, a text each."""
    if kind != "node":
        once = try_disk_once if kind in DISK_KINDS else try_once
        return [fault for number in range(rounds) if (fault := once(bench, kind, number, generator))]
    with ray_head() as cluster:
        second = cluster.add_node(num_cpus=1)
        duration_s = bench.measure("ray", LAUNCHER="ray", RAY_ADDRESS=cluster.address)
        cluster.remove_node(second)
        return [
            fault for number in range(rounds) if (fault := try_node_once(bench, cluster, duration_s, number, generator))
        ]


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
        bench.duration_s = bench.measure()
        lines = sum(data.count(b"\n") for data in bench.reference.values())
        print(f"undisturbed: {lines} samples in {bench.duration_s:.1f} s")
        failures = 0
        for kind in given.kinds.split(","):
            faults = try_kind(bench, kind, given.rounds, generator)
            failures += len(faults)
            print(f"{kind:10} {given.rounds - len(faults)} of {given.rounds} rounds byte-equal", flush=True)
            for fault in faults:
                print(f"    {fault}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
