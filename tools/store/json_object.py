"""Reads a file that should hold one JSON object, and says in a sentence what is wrong with it instead.

>>> import tempfile
>>> path = pathlib.Path(tempfile.mkdtemp()) / "manifest.json"
>>> read_object(path) is None
True
>>> _ = path.write_text("[1]"); notes = []
>>> note_object(path, notes), notes
(None, ['manifest.json holds a list where an object is expected.'])
"""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

from tools.errors import StorageError
from tools.records import JsonObject
from tools.store.reading import open_file, parse_json

# A manifest or results file larger than this was not written by us and would only fill the memory.
MOST_BYTES = 64 << 20
SURROGATE = re.compile(rb"\\\\u[dD][89a-fA-F]")


def read_object(path: pathlib.Path) -> JsonObject | None:
    """The object, None where there is no such file. Raises StorageError."""
    notes: list[str] = []
    row = note_object(path, notes)
    if notes:
        raise StorageError(f"{path.parent}: {notes[0].rstrip('.')}; restore the file or remove it")
    return row


def note_object(path: pathlib.Path, notes: list[str]) -> JsonObject | None:
    """As `read_object` for those who go on without it: a damaged file adds a sentence to `notes` and gives None."""
    try:
        with open_file(path) as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            notes.append(f"{path.name} is larger than {MOST_BYTES >> 20} MiB and was not read.")
            return None
        row = _without_surrogates(parse_json(content.decode("utf-8", "replace")), content)
    except FileNotFoundError:
        return None
    except OSError as error:
        notes.append(f"{path.name} cannot be read ({error.strerror}).")
        return None
    except ValueError:
        notes.append(f"{path.name} is damaged (not JSON); run the script that wrote it again.")
        return None
    if not isinstance(row, dict):
        notes.append(f"{path.name} holds a {type(row).__name__} where an object is expected.")
        return None
    return row


def _without_surrogates(value: Any, content: bytes) -> Any:
    """The same with halves of surrogate pairs as "?": what stands here is printed, and names files. Raises ValueError."""
    if not SURROGATE.search(content):
        return value
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
