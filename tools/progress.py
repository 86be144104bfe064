"""What a run shows of itself: a bar on stderr with rate and ETA, and `<out>/status.json` for monitors and the web view.

The bar is quiet when stderr is not a terminal. A warning comes early, after the first 32 answers, when many of them
are cut off or never close their reasoning: then the limit or the prompt is wrong, and a night would be lost.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from tools.errors import EvaluationError
from tools.generations import write_atomically
from tools.manifest import now
from tools.settings import RunSettings

if TYPE_CHECKING:
    from tools.supervisor import Slot

UPDATE_EVERY_S = 1.0
FIRST_ANSWERS = 32
ALARMING_SHARE = 0.2


class RunProgress:
    """Adds up the workers' counts. `total` and `done` are samples by data set at the start."""

    def __init__(
        self, out: pathlib.Path, settings: RunSettings, total: Mapping[str, int], done: Mapping[str, int]
    ) -> None:
        self._out, self._settings = out, settings
        self._total, self._done_before = dict(total), dict(done)
        self._started, self._started_at, self._updated = time.monotonic(), now(), 0.0
        self._is_warned = False
        self._state = "running"
        missing = sum(total.values()) - sum(done.values())
        is_quiet = not sys.stderr.isatty()
        self._bar = tqdm(
            total=sum(total.values()), initial=sum(done.values()), unit="sample", disable=is_quiet or not missing
        )

    def update(self, slots: list[Slot], force: bool = False) -> None:
        """Reads the workers' status files at most once a second."""
        if not force and time.monotonic() - self._updated < UPDATE_EVERY_S:
            return
        self._updated = time.monotonic()
        workers = self._read_workers()
        counts = {
            key: sum(worker.get(key, 0) for worker in workers)
            for key in ("done", "failed", "tokens", "truncated", "unclosed")
        }
        elapsed = time.monotonic() - self._started
        self._bar.n = sum(self._done_before.values()) + counts["done"]
        self._bar.set_postfix_str(
            f"{counts['tokens'] / max(elapsed, 1e-9):.0f} tokens/s, {counts['truncated']} cut off", refresh=True
        )
        self._write_status(slots, workers, counts, elapsed)
        self._warn_of_truncation(counts)

    def finish(self, state: str) -> None:
        """Closes the bar and says "finished" or "failed" in status.json."""
        self._state = state
        self.update([], force=True)
        self._bar.close()

    def _read_workers(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted((self._out / ".run" / "workers").glob("*.json")):
            try:
                found.append(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError):
                continue  # being replaced right now; the next look sees it
        return found

    def _write_status(
        self, slots: list[Slot], workers: list[dict[str, Any]], counts: Mapping[str, int], elapsed: float
    ) -> None:
        rate = counts["done"] / elapsed if elapsed else 0.0
        done = sum(self._done_before.values()) + counts["done"]
        total = sum(self._total.values())
        restarts = {slot.worker_name: slot.restarts for slot in slots}
        status = {
            "started_at": self._started_at,
            "updated_at": now(),
            "state": self._state,
            "total": total,
            "done": done,
            "failed": counts["failed"],
            "truncated": counts["truncated"],
            "unclosed": counts["unclosed"],
            "tokens": counts["tokens"],
            "tokens_per_s": round(counts["tokens"] / elapsed, 1) if elapsed else 0.0,
            "eta_s": round((total - done) / rate) if rate else None,
            "workers": [
                {
                    **worker,
                    "tokens_per_s": round(worker.get("tokens", 0) / elapsed, 1) if elapsed else 0.0,
                    "restarts": restarts.get(worker["name"], 0),
                    "log": f"logs/{worker['name'].rsplit('.', 1)[0]}.log",
                }
                for worker in workers
            ],
            "datasets": {
                name: {
                    "total": self._total[name],
                    "done": self._done_before[name] + sum(w.get("by_dataset", {}).get(name, 0) for w in workers),
                }
                for name in self._total
            },
        }
        write_atomically(self._out / "status.json", json.dumps(status, indent=1))

    def _warn_of_truncation(self, counts: Mapping[str, int]) -> None:
        if self._is_warned or counts["done"] < FIRST_ANSWERS:
            return
        share = counts["truncated"] / counts["done"]
        if share <= ALARMING_SHARE:
            self._is_warned = counts["done"] > 4 * FIRST_ANSWERS  # the first answers are in, and they are fine
            return
        self._is_warned = True
        message = (
            f"{counts['truncated']} of the first {counts['done']} answers are cut off at OUT_SEQ_LEN={self._settings.max_new_tokens}; "
            "scores will be too low: raise it, or check MODEL_TYPE"
        )
        if self._settings.on_truncation == "stop":
            raise EvaluationError(f"{message} (ON_TRUNCATION=stop)")
        self._bar.write(f"warning: {message}", file=sys.stderr)
