"""What the trusted side and the warm process say to each other: one request with descriptors, one reply, no more.

Requests go over a SOCK_SEQPACKET pair and are numbers only. Texts, compiled programs, inputs and answers travel as
descriptors (SCM_RIGHTS) of anonymous memory files, which only forks read: no byte of them is ever in the memory of the
warm process, where a later fork could find it. Nothing here is pickled.

>>> Request.unpack(Request(RUN, False, True, 7, 1 << 32, 1 << 31, 1 << 24).pack()).cpu_s
7
>>> split_text(join_text("solve", b"def solve(): ..."))
('solve', b'def solve(): ...')
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

COMPILE, RUN, CALL = 1, 2, 3
CONTROL_FD = 9  # of the warm process; received descriptors then become 3, 4, 5, 6
REPORT_FD = 3  # where a fork leaves its one record
TEXT_FD = 4  # of a compiling fork the program's text, of others the record that a compiling fork left
CHANNEL_FD = 5  # of a compiling fork: the socket over which a plain program gets tests
INPUT_FD = 5  # of others: the arguments of a call, or stdin
OUTPUT_FD = 6  # stdout
DESCRIPTORS = {COMPILE: 3, RUN: 4, CALL: 3}  # how many a request brings
MAX_DESCRIPTORS = 64
MAX_RECORD = 64 << 20  # of a compiled program; a longer one does not compile

# Kinds of record at REPORT_FD: first byte, then UTF-8 text (COMPILED: marshalled code).
COMPILED, SYNTAX, RESULT, UNPRINTABLE, EXCEPTION = b"C", b"S", b"R", b"U", b"E"

# Several tests of a plain program in one fork, over its channel: a test is one message, its answer another.
TEST, ANSWER, NO_ANSWER = b"T", b"A", b"N"
MAX_MESSAGE = 64 << 10  # larger inputs and answers are for forks of their own

_REQUEST = struct.Struct("=B??IQQQ")
_NAME_LENGTH = struct.Struct("=I")
_REPLY = struct.Struct("=iddQ")


@dataclass(frozen=True)
class Request:
    """`operation` is COMPILE, RUN (stdin to stdout) or CALL; the limits are for the fork that does it.

    `tidies_up`: at its end the program's own objects are destroyed, as a real interpreter does (open files are flushed).
    `has_prelude`: the program finds the names of LiveCodeBench's prelude.
    """

    operation: int
    tidies_up: bool
    has_prelude: bool
    cpu_s: int
    address_bytes: int
    data_bytes: int
    file_bytes: int

    def pack(self) -> bytes:
        flags = (self.operation, self.tidies_up, self.has_prelude)
        limits = (self.cpu_s, self.address_bytes, self.data_bytes, self.file_bytes)
        return _REQUEST.pack(*flags, *limits)

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        return cls(*_REQUEST.unpack(message))


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


def join_text(function: str, text: bytes) -> bytes:
    """A program's text, or its compiled form, behind the name of the function that `call` calls (empty: none)."""
    name = function.encode("utf-8", "surrogatepass")
    return _NAME_LENGTH.pack(len(name)) + name + text


def split_text(data: bytes) -> tuple[str, bytes]:
    """The function's name and the text."""
    start = _NAME_LENGTH.size
    end = start + int(_NAME_LENGTH.unpack_from(data)[0])
    return data[start:end].decode("utf-8", "surrogatepass"), data[end:]
