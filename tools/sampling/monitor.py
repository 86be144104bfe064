"""A running or finished run in the terminal, from another shell or another machine that sees the folder.

    python -m tools monitor out             # looks again every 2 seconds until the run ends; Ctrl-C leaves the run alone
    python -m tools monitor out --once      # prints once: exit 0 finished or running, 1 failed, incomplete or silent

Reads `<out>/status.json`, which the launcher rewrites about once a second; never writes, never locks. Where there is
none (files of the original toolkit, a folder that was copied) it counts the generation files against the manifest.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import pathlib
import sys
import time

from tools.errors import StorageError, run_command
from tools.models.reasoning import closes_reasoning
from tools.sampling.progress import FIRST_ANSWERS, find_alarm
from tools.sampling.status import RunStatus, Share
from tools.store.generations import list_files, read_folder
from tools.store.manifest import read_manifest

LOOK_EVERY_S = 2.0
SILENT_AFTER_S = 60.0  # a launcher that lives writes every second
BAR_WIDTH = 30


def read_status(out: pathlib.Path) -> RunStatus:
    """The run's status, or what its files tell. Raises StorageError when the folder holds no run."""
    path = out / "status.json"
    try:
        status = RunStatus.from_json(json.loads(path.read_text(encoding="utf-8")))
        age = age_s(status)
    except FileNotFoundError:
        return count_files(out)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(f"{path}: cannot be read ({error}); look again, or delete it") from error
    if status.state == "running" and age > SILENT_AFTER_S:
        state = f"silent for {age / 60:.0f} min: its launcher is gone or hangs; the same command continues it"
        return dataclasses.replace(status, state=state)
    return status


def age_s(status: RunStatus) -> float:
    written = datetime.datetime.strptime(status.updated_at, "%Y-%m-%dT%H:%M:%SZ")
    return (
        datetime.datetime.now(datetime.timezone.utc) - written.replace(tzinfo=datetime.timezone.utc)
    ).total_seconds()


def count_files(out: pathlib.Path) -> RunStatus:
    """A status from the generation files alone."""
    folders = [folder for folder in sorted(out.iterdir()) if folder.is_dir()] if out.is_dir() else []
    parts = [count_folder(folder) for folder in [out, *folders] if folder.is_dir() and list_files(folder)]
    if not parts:
        raise StorageError(f"{out}: no run here (no status.json, no seed files); give the OUT of a run")
    datasets = {name: share for part in parts for name, share in part.datasets.items()}
    done, total = (sum(getattr(part, name) for part in parts) for name in ("done", "total"))
    return RunStatus(
        state="finished" if done >= total else "incomplete; the same command continues it",
        total=total,
        done=done,
        answered=done,
        truncated=sum(part.truncated for part in parts),
        unclosed=sum(part.unclosed for part in parts),
        datasets=datasets,
    )


def count_folder(folder: pathlib.Path) -> RunStatus:
    """What the files of one benchmark tell."""
    manifest = read_manifest(folder)
    told = (manifest.is_reasoning_opened, manifest.reasoning_format) if manifest else (None, None)
    done = truncated = unclosed = 0
    for generation in read_folder(folder):
        done += 1
        truncated += generation.is_cut_off
        unclosed += closes_reasoning(generation.output, *told) is False
    total = (len(manifest.seeds) * len(manifest.task_ids) if manifest else 0) or done
    share = Share(total, done)
    return RunStatus(total=total, done=done, truncated=truncated, unclosed=unclosed, datasets={folder.name: share})


def render(status: RunStatus, width: int = 80) -> str:
    """The status as a page of lines."""
    lines = [f"{bar(status.done, status.total)} {status.done}/{status.total} samples  {status.state}"]
    facts = []
    if status.elapsed_s is not None:
        facts.append(f"{duration(status.elapsed_s)} so far")
    if status.state == "running" and status.eta_s is not None:
        facts.append(f"about {duration(status.eta_s)} left")
    if status.tokens_per_s is not None:
        facts.append(f"{status.tokens_per_s:,.0f} tokens/s")
    if status.answered:
        facts.append(f"{status.truncated / status.answered:.1%} of {status.answered} cut off")
    if status.failed:
        facts.append(f"{status.failed} failed")
    lines.append(", ".join(facts))
    for name, share in status.datasets.items():
        lines.append(f"  {name:24} {bar(share.done, share.total, 20)} {share.done}/{share.total}")
    if status.workers:
        lines.append(f"  {'worker':18} {'state':9} {'done':>6} {'flight':>6} {'tokens/s':>9} {'restarts':>8}  log")
    for worker in status.workers:
        lines.append(
            f"  {worker.name[-18:]:18} {worker.state:9} {worker.done:6} {worker.in_flight:6} "
            f"{worker.tokens_per_s:9,.0f} {worker.restarts:8}  {worker.log}"
        )
    if status.answered >= FIRST_ANSWERS and (alarm := find_alarm(status, None)):
        lines.append(f"warning: {alarm}")
    return "\n".join(line[: max(width, 80)] if not line.startswith("warning") else line for line in lines)


def bar(done: int, total: int, width: int = BAR_WIDTH) -> str:
    filled = width * done // total if total else 0
    return "[" + "#" * filled + "." * (width - filled) + "]"


def duration(seconds: float) -> str:
    """90 -> '1:30 min', 7200 -> '2:00 h'."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02} h" if whole >= 3600 else f"{whole // 60}:{whole % 60:02} min"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools monitor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=pathlib.Path, help="the OUT of a run")
    parser.add_argument("--once", action="store_true", help="print once and end")
    given = parser.parse_args()
    while True:
        status = read_status(given.out)
        page = render(status)
        if given.once or not sys.stdout.isatty() or status.state != "running":
            print(page)
            return 0 if status.state in ("running", "finished") else 1
        print(f"\033[2J\033[H{given.out}  (Ctrl-C ends this view, not the run)\n{page}", flush=True)
        try:
            time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
