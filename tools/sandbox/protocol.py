"""What the trusted side and the warm process say to each other: one request with descriptors, one reply, no more.

Requests go over a SOCK_SEQPACKET pair; files travel as descriptors (SCM_RIGHTS) of anonymous memory files, so that the
warm process never holds a test's text in its own memory. Nothing here is pickled.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

COMPILE, RUN, CALL = 1, 2, 3
CHANNEL_FD = 5  # of a compiling fork: the socket over which a plain program gets tests
CONTROL_FD = 9  # of the warm process; received descriptors then become 3, 4, 5
REPORT_FD = 3  # where a fork leaves its one record
DATA_FD = 4  # the program's text, or the arguments of a call
MAX_DESCRIPTORS = 64

# Kinds of record at REPORT_FD: first byte, then UTF-8 text (COMPILED: marshalled code).
COMPILED, SYNTAX, RESULT, UNPRINTABLE, EXCEPTION = b"C", b"S", b"R", b"U", b"E"

# Several tests of a plain program in one fork, over its channel: a test is one message, its answer another.
TEST, ANSWER, NO_ANSWER = b"T", b"A", b"N"
MAX_MESSAGE = 64 << 10  # larger inputs and answers are for forks of their own

_REQUEST = struct.Struct("=B?IQQQ")
_REPLY = struct.Struct("=iddQ")


@dataclass(frozen=True)
class Request:
    """`operation` is COMPILE, RUN (stdin to stdout) or CALL; the limits are for the fork that does it.

    `tidies_up`: at its end the program's own objects are destroyed, as a real interpreter does (open files are flushed).
    """

    operation: int
    tidies_up: bool
    cpu_s: int
    address_bytes: int
    data_bytes: int
    file_bytes: int
    function: str = ""

    def pack(self) -> bytes:
        numbers = _REQUEST.pack(
            self.operation, self.tidies_up, self.cpu_s, self.address_bytes, self.data_bytes, self.file_bytes
        )
        return numbers + self.function.encode()

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        operation, tidies_up, cpu_s, address_bytes, data_bytes, file_bytes = _REQUEST.unpack_from(message)
        function = message[_REQUEST.size :].decode()
        return cls(operation, tidies_up, cpu_s, address_bytes, data_bytes, file_bytes, function)


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
