"""What the trusted side and the warm process say to each other: one request with descriptors, one reply, no more.

Requests go over a SOCK_SEQPACKET pair; files travel as descriptors (SCM_RIGHTS) of anonymous memory files, so that the
warm process never holds a test's text in its own memory. Nothing here is pickled.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

COMPILE, RUN, CALL = 1, 2, 3
CONTROL_FD = 9  # of the warm process; received descriptors then become 3, 4, 5
REPORT_FD = 3  # where a fork leaves its one record
MAX_DESCRIPTORS = 64

# Kinds of record at REPORT_FD: first byte, then UTF-8 text (COMPILED: marshalled code).
COMPILED, SYNTAX, RESULT, UNPRINTABLE, EXCEPTION = b"C", b"S", b"R", b"U", b"E"

_REQUEST = struct.Struct("=BIQQQ")
_REPLY = struct.Struct("=iddQ")


@dataclass(frozen=True)
class Request:
    """`operation` is COMPILE, RUN (stdin to stdout) or CALL; the limits are for the fork that does it."""

    operation: int
    cpu_s: int
    address_bytes: int
    data_bytes: int
    file_bytes: int
    function: str = ""

    def pack(self) -> bytes:
        numbers = _REQUEST.pack(self.operation, self.cpu_s, self.address_bytes, self.data_bytes, self.file_bytes)
        return numbers + self.function.encode()

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        return cls(*_REQUEST.unpack_from(message), message[_REQUEST.size :].decode())


@dataclass(frozen=True)
class Reply:
    """How a fork ended, from the kernel: wait status, CPU seconds, wall seconds, peak memory."""

    status: int
    cpu_s: float
    wall_s: float
    peak_kib: int

    def pack(self) -> bytes:
        return _REPLY.pack(self.status, self.cpu_s, self.wall_s, self.peak_kib)

    @classmethod
    def unpack(cls, message: bytes) -> Reply:
        return cls(*_REPLY.unpack(message))
