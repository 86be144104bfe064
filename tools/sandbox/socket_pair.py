"""`socket.socketpair` out of pipes: asyncio needs a pair to wake its loop, and programs in the sandbox get no sockets.

The warm process puts `make_pair` in the place of `socket.socketpair`; so no system call of the network or of Unix sockets
has to be allowed for it.

>>> one, other = make_pair()
>>> other.send(b"wake up"), one.recv(64)
(7, b'wake up')
>>> one.close(), other.close()
(None, None)
"""

from __future__ import annotations

import os
import socket
from typing import Any


class PipeEnd:
    """One end: what it sends the other one receives. `fileno` is the descriptor to wait on for something to receive."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd

    def __enter__(self) -> PipeEnd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self._read_fd

    def setblocking(self, is_blocking: bool) -> None:
        os.set_blocking(self._read_fd, is_blocking)
        os.set_blocking(self._write_fd, is_blocking)

    def recv(self, size: int, _flags: int = 0) -> bytes:
        return os.read(self._read_fd, size)

    def send(self, data: bytes, _flags: int = 0) -> int:
        return os.write(self._write_fd, data)

    def sendall(self, data: bytes, _flags: int = 0) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._write_fd, rest) :]

    def close(self) -> None:
        for descriptor in (self._read_fd, self._write_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._read_fd = self._write_fd = -1


def make_pair(*_kind: Any, **_named_kind: Any) -> tuple[PipeEnd, PipeEnd]:
    """Two ends, whatever kind of socket is asked for."""
    first_in, second_out = os.pipe()
    second_in, first_out = os.pipe()
    return PipeEnd(first_in, first_out), PipeEnd(second_in, second_out)


def offer_pairs() -> None:
    """From now on socket.socketpair makes such pairs in this process and in its forks."""
    socket.socketpair = make_pair  # type: ignore[assignment]
