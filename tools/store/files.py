"""Files as a run needs them: written whole or not at all, locked by the kernel, and one line of error when they fail.

>>> import tempfile
>>> path = pathlib.Path(tempfile.mkdtemp()) / "status.json"
>>> write_atomically(path, "{}"); path.read_text()
'{}'
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pathlib

from tools.errors import DataError, StorageError
from tools.store.checksums import sha256
from tools.store.reading import check_regular, open_file

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Writes beside the file and renames. Raises StorageError and leaves the old file as it was."""
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        part.write_text(text, encoding="utf-8", errors="surrogatepass")
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it may not be there, and on a read-only disk nothing can be removed
            part.unlink()
        raise storage_error(path, error) from error


def append_line(path: pathlib.Path, line: str) -> None:
    """Adds one line under a lock, whole or not at all, after cutting what a killed writer left. Raises StorageError."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        try:
            check_regular(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            cut_torn_line(descriptor)
            append_whole(descriptor, (line + "\n").encode("utf-8", errors="surrogatepass"))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(path, error) from error


def append_whole(descriptor: int, line: bytes) -> None:
    """All of a line or nothing of it. Raises OSError."""
    size = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def cut_torn_line(descriptor: int) -> int:
    """Drops what a killed writer left after the last line end; returns the file's size."""
    size = os.fstat(descriptor).st_size
    end = size
    while end:
        start = max(0, end - (1 << 16))
        block = os.pread(descriptor, end - start, start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def repair_lines(path: pathlib.Path) -> None:
    """Cuts the torn last line of a file that nobody writes to now. Raises StorageError."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            check_regular(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            cut_torn_line(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(path, error) from error


def hold_lock(path: pathlib.Path) -> int | None:
    """A descriptor that holds an exclusive lock on the file until it is closed or the process ends; None when taken."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sha256_of_file(path: pathlib.Path) -> str:
    """Hash of a file's bytes, read in blocks."""
    digest = sha256()
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_place(path: str, offset: int, length: int) -> str:
    """A part of a file as text, a row that was indexed before. Raises DataError."""
    try:
        with open_file(path) as file:
            file.seek(offset)
            return file.read(length).decode()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}, byte {offset}: the row cannot be read ({error})") from error


def storage_error(path: pathlib.Path, error: OSError) -> StorageError:
    """The one-line error of a failed write, with the remedy of its kind."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(
            f"{path}: the disk is full; free space and run the same command again, it continues where it was"
        )
    return StorageError(f"{path}: cannot be written ({error.strerror}); choose a folder that you may write to")
