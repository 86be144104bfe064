"""Calls a program's function on many inputs and says what each call returned; on the program's side of the fence.

The text of this file runs in the sandbox behind a program, in a namespace of its own (`calls.py` puts the two together).
The order comes from stdin, one line of output goes back for each call. Values travel as JSON: None, truth values,
integers, floats, texts and lists as they are, everything else as an object that names its kind:

>>> encode((1, {2.5}, {"a": 3j}))
{'t': [1, {'s': [2.5]}, {'d': [['a', {'c': [0.0, 3.0]}]]}]}
>>> decode(encode((1, {2.5}, {"a": 3j})))
(1, {2.5}, {'a': 3j})

What has no such form (objects, generators) is named only, `{"o": "generator"}`, and equals nothing.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

SIMPLE = (int, float, str, bool, type(None))
BASES: tuple[Any, ...] = (int, float, str, tuple, list, dict, set, frozenset, complex, bytes)
UNCHANGING = (int, float, str, complex, bytes)
MOST_DEPTH = 200  # of values in values
MANY_TUPLES = 50_000
LONG_CHARS = 64 << 20  # of a value's JSON; of a longer one only its digest travels
LONG_BITS = 8192  # of an integer; longer ones travel as hexadecimal digits


class NoInput(io.StringIO):
    """What a function finds as stdin: reading fails, as in EvalPlus."""

    def read(self, *_: Any) -> Any:
        raise OSError("a function that is tested has no input")

    readline = read


def encode(value: Any, depth: int = 0) -> Any:
    """A value as JSON can say it."""
    kind = type(value)
    if kind is int and value.bit_length() > LONG_BITS:
        return {"i": hex(value)}  # digits would take quadratic time
    if kind in SIMPLE:
        return value
    if depth > MOST_DEPTH:
        return {"o": "too deep"}
    if kind is list:
        if set(map(type, value)).issubset(SIMPLE) and not _has_long_integer(value):
            return value
        return _digest_of_tuples(value) or [encode(each, depth + 1) for each in value]
    if kind is tuple:
        return {"t": encode(list(value), depth + 1)}
    if kind is set or kind is frozenset:
        return {"s" if kind is set else "fs": encode(list(value), depth + 1)}
    if kind is dict:
        return {"d": [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()]}
    if kind is complex:
        return {"c": [value.real, value.imag]}
    if kind is bytes or kind is bytearray:
        return {"b": value.hex()}
    return _encode_other(value, kind, depth)


def _has_long_integer(values: list[Any]) -> bool:
    return any(type(each) is int and each.bit_length() > LONG_BITS for each in values)


def _encode_other(value: Any, kind: type, depth: int) -> Any:
    """A kind of a plain kind (a named tuple, a counter), a number of a library, or a name only."""
    plain: Any
    for base in BASES:
        if isinstance(value, base):
            plain = base.__new__(base, value) if base in UNCHANGING else base(value)
            return {"u": [kind.__name__, encode(plain, depth + 1)]}
    if kind in (type({}.keys()), type({}.items())):
        return {"u": [kind.__name__, encode(set(value), depth + 1)]}
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        plain = value.item()
        return {"u": [kind.__name__, encode(plain, depth + 1)]} if type(plain) in SIMPLE else {"o": kind.__name__}
    if hasattr(value, "numerator") or hasattr(value, "as_tuple"):  # Fraction, Decimal
        plain = float(value)
        return {"u": [kind.__name__, plain]} if plain == value else {"o": kind.__name__}
    return {"o": kind.__name__}


def decode(tree: Any) -> Any:
    """The value of a tree that `encode` made."""
    if isinstance(tree, list):
        return [decode(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    (kind, inner), *_ = tree.items()
    if kind == "d":
        return {decode(key): decode(item) for key, item in inner}
    if kind == "b":
        return bytes.fromhex(inner)
    if kind == "c":
        return complex(*inner)
    if kind == "i":
        return int(inner, 16)
    return {"t": tuple, "s": set, "fs": frozenset}[kind](decode(inner))


def answer_calls(names: dict[str, Any]) -> None:
    """Reads the order and answers it call by call, up to the first one that fails."""
    order = json.loads(_read_all())
    allow_digits: Callable[[int], None] = getattr(sys, "set_int_max_str_digits", lambda _count: None)
    digits = getattr(sys, "get_int_max_str_digits", lambda: 0)()
    try:  # noqa: SIM105 - contextlib is one of the modules that make a program rare
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - a program may have closed or replaced it
        pass
    write, clock = os.write, time.process_time
    mark, dumps = f"\n{order['token']} ".encode(), json.dumps
    collect = set if order.get("collect") == "set" else None
    sys.stdin, sys.stdout, sys.stderr = NoInput(), io.StringIO(), io.StringIO()
    for given in order["inputs"]:
        started = clock()
        try:
            value = names[order["function"]](*decode(given))
            tree = encode(list(collect(value)) if collect else value)
            allow_digits(0)
            text = dumps(tree)
            if len(text) > LONG_CHARS:
                text = dumps({"h": [_sha256(text.encode()).hexdigest(), len(text)]})
            text = f'{{"v": {text}, "s": {clock() - started}}}'
            allow_digits(digits)
            del value, tree
        except BaseException as error:  # noqa: BLE001 - whatever ends a call ends it for good
            text = dumps({"e": _describe(error)})
        _write_all(write, mark + text.encode() + b"\n")
        if text.startswith('{"e"'):
            return


def _sha256(data: bytes = b"") -> Any:
    """Imported here, and not by its name in one word: whether a program's text names it decides how it is run."""
    return __import__("hash" + "lib").sha256(data)


def _digest_of_tuples(values: list[Any]) -> Any:
    """Of a very long list of tuples with plain members, as combinations come: gigabytes in any other form."""
    if len(values) < MANY_TUPLES or set(map(type, values)) != {tuple}:
        return None
    digest = _sha256()
    for start in range(0, len(values), MANY_TUPLES):
        part = values[start : start + MANY_TUPLES]
        if not set(map(type, [one for each in part for one in each])).issubset(SIMPLE):
            return None
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
    return {"h": [digest.hexdigest(), len(values)]}


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except BaseException:  # noqa: BLE001 - a program's own __str__ may do anything
        return type(error).__name__


def _read_all() -> bytes:
    parts = []
    while part := os.read(0, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _write_all(write: Callable[[int, bytes], int], data: bytes) -> None:
    """Raises OSError when the output is full; the line is then not whole."""
    done = 0
    while done < len(data):
        done += write(1, data[done:] if done else data)
