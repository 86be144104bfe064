"""Keeps a hub from writing outside its cache: what it names files by is looked at before anything is downloaded.

huggingface_hub puts a download at <cache>/blobs/<ETag> and <cache>/snapshots/<commit>/<file>, and takes ETag and commit
from the server's headers. A server (HF_ENDPOINT, a mirror, whoever sits in between) that sends "../../../x" as an ETag would
write where it likes. Whoever downloads calls `guard_downloads` once, after importing huggingface_hub.

>>> check_names('"0123abc"', "a" * 40)
>>> check_names("../../../../tmp/x", "a" * 40)
Traceback (most recent call last):
OSError: the hub sent the name '../../../../tmp/x' for a file, which could leave its cache; nothing was downloaded
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

# What hubs send: hashes in hexadecimal, with quotation marks, "W/" or a number of parts after "-".
SAFE_NAME = re.compile(r'(?:W/)?"?[A-Za-z0-9_=+:-]{1,200}"?')
COMMIT = re.compile(r"[A-Za-z0-9_-]{1,100}")


def check_names(etag: str | None, commit: str | None) -> None:
    """Raises OSError (a plain one, which the client does not take for a lost connection) for a name that is none."""
    if etag is not None and not SAFE_NAME.fullmatch(etag):
        raise OSError(_refusal(etag))
    if commit is not None and not COMMIT.fullmatch(commit):
        raise OSError(_refusal(commit))


def _refusal(name: str) -> str:
    return f"the hub sent the name {name[:80]!r} for a file, which could leave its cache; nothing was downloaded"


def guard_downloads() -> None:
    """Puts the check around the two places from which every download of huggingface_hub has its names; once."""
    from huggingface_hub import file_download

    _guard(file_download, "get_hf_file_metadata", lambda found: (found.etag, found.commit_hash))
    # (address, etag, commit, size, ...): also what was read from a listing of the repository's files
    _guard(file_download, "_get_metadata_or_catch_error", lambda found: (found[1], found[2]))


def _guard(module: Any, name: str, names_of: Callable[[Any], tuple[str | None, str | None]]) -> None:
    original = getattr(module, name, None)
    if original is None or hasattr(original, "is_guarded"):
        return

    @functools.wraps(original)
    def guarded(*args: Any, **options: Any) -> Any:
        found = original(*args, **options)
        check_names(*names_of(found))
        return found

    guarded.is_guarded = True  # type: ignore[attr-defined]
    setattr(module, name, guarded)
