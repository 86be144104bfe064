"""Anonymous files in memory, by which texts travel between the trusted side and forks of the warm process.

    with memory_file(b"3 4") as descriptor: ...

A file is one test's alone: made for it, gone after it. Only a compiled program's file serves several forks; it is sealed,
so that no run of the program can write into what the next run reads.

>>> descriptor = new_memory_file(b"3 4"); seal(descriptor)
>>> os.pread(descriptor, 9, 0)
b'3 4'
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator


def new_memory_file(data: bytes = b"") -> int:
    """Its descriptor, positioned at the start."""
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    written = 0
    while written < len(data):  # one call writes at most 2 GiB
        written += os.pwrite(descriptor, data[written:] if written else data, written)
    return descriptor


@contextlib.contextmanager
def memory_file(data: bytes = b"") -> Iterator[int]:
    """The same, closed at the end."""
    descriptor = new_memory_file(data)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def seal(descriptor: int) -> None:
    """Nobody can change the file from now on."""
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
