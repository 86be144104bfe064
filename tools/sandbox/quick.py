"""Several tests of a plain program in one fork: the program's side.

Tests come one at a time over a socket, the next one only when the last was answered; each runs in a fresh namespace with
fresh streams, and with those built-in names only that plain programs may use. What a test leaves behind is cleared before
the next one comes; a test that took much memory, which cannot be given back without a trace, is the last one here.

Only right answers count: whatever else happens here, the trusted side runs that test again in a fork of its own. So this
file may be simple where `child.py` must be exact.
"""

from __future__ import annotations

import gc
import io
import json
import os
import resource
import sys
import types
from collections.abc import Callable
from typing import Any

from tools.sandbox.child_calls import find_function, make_encoder
from tools.sandbox.protocol import ANSWER, MAX_MESSAGE, NO_ANSWER

RECURSION_LIMIT, INT_DIGITS = 50_000, 50_000  # as the warm process sets them
FEW_OBJECTS = 40  # containers that no count of references freed
MUCH_MEMORY_KIB = 64 << 10  # beyond what the process had at its start


def serve_tests(code: types.CodeType, function: str, channel: int, new_main: Callable[[], dict[str, Any]]) -> None:
    """Answers tests until the other side hangs up."""
    most_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + MUCH_MEMORY_KIB
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss <= most_kib:
        message = os.read(channel, 2 * MAX_MESSAGE)
        if not message:
            return
        sys.setrecursionlimit(RECURSION_LIMIT)
        if hasattr(sys, "set_int_max_str_digits"):
            sys.set_int_max_str_digits(INT_DIGITS)
        names = new_main()
        try:
            answer = _call(code, function, message[1:], names) if function else _run(code, message[1:], names)
        except BaseException:  # noqa: BLE001 - decided by a fork of its own
            answer = None
        names.clear()
        _collect_what_is_left()
        if answer is None or len(answer) > MAX_MESSAGE:
            os.write(channel, NO_ANSWER)
        else:
            os.write(channel, ANSWER + answer)


def _collect_what_is_left() -> None:
    """Collects objects that hold each other, unless the test has left next to none: looking for them has its price too."""
    young, *older = gc.get_count()
    if young > FEW_OBJECTS or any(older):
        gc.collect()


def _renew_streams(stdin: bytes) -> io.BytesIO:
    """Fresh standard streams; returns what stdout writes to."""
    output = io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8", errors="surrogateescape")
    sys.stdout = io.TextIOWrapper(output, encoding="utf-8", errors="surrogateescape")
    sys.stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    return output


def _run(code: types.CodeType, stdin: bytes, names: dict[str, Any]) -> bytes | None:
    output = _renew_streams(stdin)
    try:
        exec(code, names)  # noqa: S102 - inside a locked-in fork
    except SystemExit as error:
        if error.code is not None and (type(error.code) is not int or error.code & 0xFF):
            return None
    sys.stdout.flush()
    return output.getvalue()


def _call(code: types.CodeType, function: str, arguments: bytes, names: dict[str, Any]) -> bytes | None:
    _renew_streams(b"")
    exec(code, names)  # noqa: S102 - inside a locked-in fork
    value = find_function(names, function)(*json.loads(arguments))
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    return make_encoder()(value).encode("utf-8", "surrogatepass")
