"""judgments.jsonl: every reply that was ever paid for, by the hash of judge, messages and sampling.

A reply is on disk before anything is made of it; the clerk (tools/judging/clerk.py) writes, everybody else reads.

>>> ledger = Ledger(None)
>>> ledger.add(PaidReply(key="ab", judge="m", template="single", task_id="1", seed=0, reply="[[7]]", cost=0.5))
>>> ledger.find("ab").reply, ledger.spent
('[[7]]', 0.5)
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import pathlib
from collections.abc import Mapping, Sequence

from tools.errors import StorageError
from tools.records import JsonRow
from tools.store.reading import check_regular, open_file, parse_json, read_raw_lines

FILE_NAME = "judgments.jsonl"


@dataclasses.dataclass(frozen=True)
class PaidReply:
    """One line. `order`: AB when the baseline is shown first; `attempt`: 1 for a reply asked again; `cost` in US dollars, None
    where the price is unknown; `date` is the day (UTC); counts that a server did not say are estimated."""

    key: str
    judge: str
    template: str
    task_id: str
    seed: int
    reply: str
    turn: int = 1
    order: str = ""
    attempt: int = 0
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    output_tokens: int = 0
    is_estimated: bool = False
    cost: float | None = None
    date: str = ""
    first_tokens: Mapping[str, float] | None = None

    def to_json(self) -> str:
        return json.dumps(self.__dict__, ensure_ascii=False)


FIELDS = {field.name for field in dataclasses.fields(PaidReply)}
TEXTS = ("key", "judge", "template", "task_id", "reply", "order", "finish_reason", "date")
COUNTS = ("seed", "turn", "attempt", "prompt_tokens", "output_tokens")


def key_of(judge: str, messages: Sequence[Mapping[str, str]], sampling: JsonRow, seed: int) -> str:
    """The same question to the same judge with the same sampling has the same key."""
    text = json.dumps([judge, list(map(dict, messages)), dict(sampling), seed], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Ledger:
    """The replies of a folder; without one they are kept in memory only."""

    def __init__(self, folder: pathlib.Path | None) -> None:
        self.path = None if folder is None else folder / FILE_NAME
        self._by_key: dict[str, PaidReply] = {}
        self.spent = 0.0  # US dollars, of all judgings of this folder
        if self.path is not None and self.path.exists():
            self._read(self.path)

    def _read(self, path: pathlib.Path) -> None:
        try:
            with open_file(path) as file:
                for line in read_raw_lines(file):
                    with contextlib.suppress(ValueError, TypeError):  # a line changed by hand is asked again
                        self._keep(read_reply_line(line.text))
        except OSError as error:
            raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error

    def _keep(self, reply: PaidReply) -> None:
        self._by_key[reply.key] = reply
        self.spent += reply.cost or 0.0

    def find(self, key: str) -> PaidReply | None:
        return self._by_key.get(key)

    def add(self, reply: PaidReply) -> None:
        """What the clerk has written."""
        self._keep(reply)

    @property
    def is_empty(self) -> bool:
        return not self._by_key

    def all(self) -> list[PaidReply]:
        return list(self._by_key.values())


def read_reply_line(text: bytes) -> PaidReply:
    """One line. Raises ValueError, TypeError for one that holds anything else than what is written."""
    row = parse_json(text)
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    reply = PaidReply(**{name: row[name] for name in row if name in FIELDS})
    if not all(isinstance(reply.__dict__[name], str) for name in TEXTS):
        raise ValueError("a text is none")
    if not all(type(reply.__dict__[name]) is int and reply.__dict__[name] >= 0 for name in COUNTS):
        raise ValueError("a count is none")
    if not isinstance(reply.first_tokens, (dict, type(None))):
        raise ValueError("first_tokens is no object")
    numbers = [*(reply.first_tokens or {}).values(), 0.0 if reply.cost is None else reply.cost]
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers) or (reply.cost or 0) < 0:
        raise ValueError("a number is none")
    return reply


def open_to_append(path: pathlib.Path) -> int:
    """A regular file, open until the judging ends. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
    try:
        check_regular(descriptor)
        return descriptor
    except BaseException:
        os.close(descriptor)
        raise
