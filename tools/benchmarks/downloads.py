"""Files of a benchmark that no hub dataset has: one address and the checksum of what stands there.

>>> check_sum(b"rows", hashlib.sha256(b"rows").hexdigest(), "address") is None
True
>>> check_sum(b"other rows", "0" * 64, "address")
Traceback (most recent call last):
tools.errors.FetchError: address: the file there is another one than the entry names (sha256 5771276d3e6d...)
"""

from __future__ import annotations

import hashlib
import pathlib
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from tools.benchmarks.published_files import read_published
from tools.errors import FetchError

TIMEOUT_S = 60.0
MOST_BYTES = 1 << 30
SCHEMES = ("https", "http")


def read_url(url: str, sha256: str, folder: pathlib.Path) -> Iterator[Any]:
    """The rows of the file at an address, whose checksum has to be this. Raises FetchError, OSError and DataError."""
    name = pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name
    path = folder / name
    path.write_bytes(download(url, sha256))
    try:
        yield from read_published(path)
    finally:
        path.unlink(missing_ok=True)


def download(url: str, sha256: str) -> bytes:
    """What stands at an address. Raises FetchError when it is another file than was named, OSError without a network."""
    if urllib.parse.urlsplit(url).scheme not in SCHEMES:
        raise FetchError(f"{url}: no address of the web; the entry has to name one that begins with https://")
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FetchError(f"{url}: over {MOST_BYTES >> 30} GiB, which no set of problems has")
    check_sum(content, sha256, url)
    return content


def check_sum(content: bytes, sha256: str, url: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise FetchError(f"{url}: the file there is another one than the entry names (sha256 {found[:12]}...)")
