"""What a run shows of itself: bars on stderr with rate and ETA, and `<out>/status.json` for monitors and the web view.

On a terminal there is one line for the run and one per worker; elsewhere (a SLURM log) a line a minute. A warning comes
early, after the first 32 answers, when many of them are cut off or never close their reasoning: then the limit or the
prompt is wrong, and a night would be lost.
"""

from __future__ import annotations

import pathlib
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.errors import EvaluationError
from tools.sampling.settings import RunSettings
from tools.sampling.status import RunStatus, SampleCounts, Share, WorkerStatus, merge_lives, read_worker, workers_folder
from tools.store.files import write_atomically
from tools.store.manifest import read_manifest
from tools.store.provenance import now

if TYPE_CHECKING:
    from tools.sampling.launcher import Slot

UPDATE_EVERY_S = 1.0
LINE_EVERY_S = 60.0
RATE_WINDOW_S = 60.0
FIRST_ANSWERS = 32
ALARMING_SHARE = 0.2
MOST_WORKER_LINES = 16


class RunProgress:
    """Adds up the workers' counts. `total` and `done` are samples by benchmark at the start."""

    def __init__(
        self, out: pathlib.Path, settings: RunSettings, total: Mapping[str, int], done: Mapping[str, int]
    ) -> None:
        self._out, self._settings = out, settings
        self._total, self._done_before = dict(total), dict(done)
        self._started, self._started_at = time.monotonic(), now()
        self._updated, self._line_at = 0.0, time.monotonic() + LINE_EVERY_S
        self._is_warned = self._is_cap_told = False
        self._dropped: set[str] = set()
        self._state = "running"
        self._restarts: dict[str, int] = {}
        self._history: deque[tuple[float, dict[str, int]]] = deque()  # (time, tokens by worker)
        self._is_quiet = not sys.stderr.isatty()
        from tqdm import tqdm  # here, so that the monitor needs no package

        self._tqdm = tqdm
        self._bar = tqdm(
            total=sum(total.values()),
            initial=sum(done.values()),
            unit="sample",
            disable=self._is_quiet,
            dynamic_ncols=True,
        )
        self._lines: dict[str, Any] = {}

    def update(self, slots: list[Slot], force: bool = False) -> None:
        """Reads the workers' status files at most once a second."""
        if not force and time.monotonic() - self._updated < UPDATE_EVERY_S:
            return
        self._updated = time.monotonic()
        self._restarts |= {slot.name: slot.restarts for slot in slots}
        status = self._make_status()
        write_atomically(self._out / "status.json", status.to_json())
        self._show(status)
        self._warn(status)
        self._tell_cap(status)

    def finish(self, state: str) -> None:
        """Closes the bars and says "finished" or "failed" in status.json."""
        self._state = state
        self.update([], force=True)
        for line in self._lines.values():
            line.close()
        self._bar.close()

    def _make_status(self) -> RunStatus:
        workers = self._merge_workers()
        sums = SampleCounts()
        for worker in workers:
            sums.add(worker)
        done = {name: before + sums.by_dataset.get(name, 0) for name, before in self._done_before.items()}
        if self._state == "finished" and not sums.failed:  # a killed worker may not have said its last second
            done = dict(self._total)
        elapsed, left = time.monotonic() - self._started, sum(self._total.values()) - sum(done.values())
        self._set_rates(workers)
        return RunStatus(
            state=self._state,
            started_at=self._started_at,
            updated_at=now(),
            elapsed_s=round(elapsed, 1),
            total=sum(self._total.values()),
            done=sum(done.values()),
            done_before=sum(self._done_before.values()),
            answered=sums.done,
            failed=sums.failed,
            tokens=sums.tokens,
            truncated=sums.truncated,
            unclosed=sums.unclosed,
            tokens_per_s=round(sum(worker.tokens_per_s for worker in workers), 1),
            eta_s=round(left * elapsed / sums.done) if sums.done else None,
            workers=tuple(workers),
            datasets={name: Share(total, done[name]) for name, total in self._total.items()},
        )

    def _merge_workers(self) -> list[WorkerStatus]:
        """One row per slot: counts of all its worker's lives, the rest from the last."""
        lives: dict[str, list[WorkerStatus]] = {}
        for path in workers_folder(self._out).glob("*.json"):
            life = read_worker(self._out, path.stem)
            if life is not None:  # being replaced right now; the next look sees it
                lives.setdefault(life.slot, []).append(life)
        rows = [merge_lives(several) for _, several in sorted(lives.items())]
        for row in rows:
            row.restarts = self._restarts.get(row.name, row.restarts)
        return rows

    def _set_rates(self, workers: list[WorkerStatus]) -> None:
        """Tokens per second by worker over the last minute; over the whole run once it has ended."""
        moment, tokens = time.monotonic(), {worker.name: worker.tokens for worker in workers}
        self._history.append((moment, tokens))
        while len(self._history) > 2 and moment - self._history[1][0] > RATE_WINDOW_S:
            self._history.popleft()
        since, before = self._history[0]
        if self._state != "running":
            since, before = self._started, {}
        for worker in workers:
            new = worker.tokens - before.get(worker.name, 0)
            worker.tokens_per_s = round(new / max(moment - since, 1.0), 1)

    def _show(self, status: RunStatus) -> None:
        share = f"{status.truncated / status.answered:.0%}" if status.answered else "none"
        cost = sum(worker.cost for worker in status.workers)
        text = f"{status.tokens_per_s:.0f} tokens/s, {share} cut off" + (f", {cost:.2f} US dollars" if cost else "")
        if self._is_quiet:
            if time.monotonic() >= self._line_at:
                self._line_at += LINE_EVERY_S
                left = "?" if status.eta_s is None else f"{status.eta_s / 60:.0f} min"
                print(f"{status.done} of {status.total} samples, {text}, about {left} left", file=sys.stderr)
            return
        self._bar.n = status.done
        self._bar.set_postfix_str(text, refresh=True)
        for worker in status.workers[:MOST_WORKER_LINES]:
            line = self._lines.get(worker.name)
            if line is None:
                line = self._lines[worker.name] = self._tqdm(
                    bar_format="{desc}", position=len(self._lines) + 1, leave=False, dynamic_ncols=True
                )
            line.set_description_str(
                f"  {worker.name:10} {worker.state:9} {worker.done:6} done, {worker.in_flight:4} in flight, "
                f"{worker.tokens_per_s:7.0f} tokens/s, {worker.restarts} restarts"
            )

    def _tell_cap(self, status: RunStatus) -> None:
        """Says once, when a worker has counted the prompts, that the model ends before OUT_SEQ_LEN."""
        if self._is_cap_told or not any(worker.state != "starting" for worker in status.workers):
            return
        self._is_cap_told = True
        for name in self._total:
            made = read_manifest(self._out / name)
            if made is not None and (cap := made.raw.get("answer_cap")) is not None:
                asked = made.settings.get("max_new_tokens")
                self._bar.write(
                    f"note: {name}: the model ends at {made.raw.get('max_model_len')} tokens, so an answer has room for {cap} after "
                    f"the longest prompt, not for OUT_SEQ_LEN={asked}",
                    file=sys.stderr,
                )

    def _warn(self, status: RunStatus) -> None:
        if new := {name for worker in status.workers for name in worker.dropped} - self._dropped:
            self._dropped |= new
            names = ", ".join(sorted(new))
            self._bar.write(
                f"note: the server refuses {names}, so it samples without (dropped, in manifest.json)", file=sys.stderr
            )
        if self._is_warned or status.answered < FIRST_ANSWERS:
            return
        alarm = find_alarm(status, self._settings.sampling.max_new_tokens)
        if alarm is None:
            self._is_warned = status.answered > 4 * FIRST_ANSWERS  # the first answers are in, and they are fine
            return
        self._is_warned = True
        if self._settings.on_truncation == "stop" and self._state == "running":
            raise EvaluationError(f"{alarm} (ON_TRUNCATION=stop)")
        self._bar.write(f"warning: {alarm}", file=sys.stderr)


def find_alarm(status: RunStatus, max_new_tokens: int | None) -> str | None:
    """What is wrong with the answers so far, in a sentence: more than a fifth cut off, or reasoning that never ends."""
    limit = f" at OUT_SEQ_LEN={max_new_tokens}" if max_new_tokens else ""
    if status.truncated > ALARMING_SHARE * status.answered:
        return (
            f"{status.truncated} of the first {status.answered} answers are cut off{limit}; "
            "scores will be too low: raise it, or check MODEL_TYPE"
        )
    if status.unclosed > ALARMING_SHARE * status.answered:
        return (
            f"{status.unclosed} of the first {status.answered} answers never close their reasoning; "
            "their answers cannot be found: check MODEL_TYPE, REASONING_FORMAT and the model"
        )
    return None
