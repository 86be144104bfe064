"""How many requests are at a server at the same time: halved when it is busy, raised again when it answers.

A server with a small plan refuses whoever is one too many (429). Those that were refused together halve the limit once;
each round of answers without a refusal raises it by one, up to what was asked for. A pause that the server names holds
for all. The first request goes ahead of the others, so that what a server refuses at all is found out by one request.

>>> gate = RequestGate(64)
>>> began = gate.enter(); gate.leave(GateOutcome.BUSY, pause_s=0.0); gate.limit
32
"""

from __future__ import annotations

import enum
import threading
import time

FIRST_ALONE_S = 5.0  # at most: one that thinks long before its first word does not keep the others
LONGEST_PAUSE_S = 120.0


class GateOutcome(enum.Enum):
    """What came of a request, as far as the gate cares."""

    ANSWERED = "answered"
    BUSY = "busy"
    OTHER = "other"


class RequestGate:
    """Threads enter before a request and leave after it."""

    def __init__(self, most: int) -> None:
        self.limit = most
        self._most, self._inside, self._answered_since = most, 0, 0
        self._halved_at = 0.0
        self._open_at = 0.0
        self._first_until: float | None = None
        self._is_closed = False
        self._changed = threading.Condition()

    def enter(self) -> float:
        """Waits for a place; returns when the request began. Raises RuntimeError after `close`."""
        with self._changed:
            while not self._is_closed:
                now = time.monotonic()
                if self._first_until is None:
                    self._first_until = now + FIRST_ALONE_S
                    break
                wait_s = max(self._open_at, self._first_until if self._inside else 0.0) - now
                if wait_s <= 0 and self._inside < self.limit:
                    break
                self._changed.wait(wait_s if wait_s > 0 else None)
            if self._is_closed:
                raise RuntimeError("the engine was closed")
            self._inside += 1
            return time.monotonic()

    def is_understood(self) -> None:
        """The server takes what is asked: the others need not wait for the first answer."""
        with self._changed:
            if self._first_until:
                self._first_until = 0.0
                self._changed.notify_all()

    def leave(self, outcome: GateOutcome, began: float = float("inf"), pause_s: float = 0.0) -> None:
        """A request is over. `pause_s`: for how long the server wants to hear nothing."""
        with self._changed:
            self._inside -= 1
            now = time.monotonic()
            if outcome is GateOutcome.BUSY:
                self._open_at = max(self._open_at, now + min(pause_s, LONGEST_PAUSE_S))
                self._answered_since = 0
                if began >= self._halved_at:  # it was sent after the last halving, so that was not enough
                    self.limit = max(1, self.limit // 2)
                    self._halved_at = now
            elif outcome is GateOutcome.ANSWERED:
                self._answered_since += 1
                if self._answered_since >= self.limit and self.limit < self._most:
                    self.limit, self._answered_since = self.limit + 1, 0
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
