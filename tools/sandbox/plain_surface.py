"""What plain programs may use: which names of the language and of which modules, which attributes, which methods.

`plain.py` judges by these lists. What is not listed makes a program not plain, which costs it speed and nothing else; so a
list is the place to be strict. The rule for an entry: through it a program gets no object that outlives a run and can be
changed, and hands none of its own objects to anything that remembers.

>>> USES["math"]["gcd"].use, USES["collections"]["Counter"].use
(<Use.FREE: 'free'>, <Use.CALLED: 'called'>)
>>> "obj" in ATTRIBUTES, "obj" in NEVER_OWN_ATTRIBUTES
(False, True)
"""

from __future__ import annotations

import builtins
import collections
import enum
import functools
import importlib
import io
import itertools
import operator
import types
from dataclasses import dataclass
from typing import Any


class Use(enum.Enum):
    """How an object may appear in a plain program."""

    FREE = "free"  # anywhere: it cannot be changed
    CALLED = "called"  # only as what is called, or as a decorator
    CALLED_ON_ONE = "called on one"  # the same, with exactly one argument, given by position
    ANNOTATION = "annotation"  # only within annotations
    MODULE = "module"  # only as `module.name`
    NEVER = "never"  # a name that a star import binds, and that is not to be used


@dataclass(frozen=True)
class Known:
    """An object of the language or a library, and how it may be used."""

    value: Any
    use: Use


# Names of the language. Not here: what reaches objects by their names or frames (getattr, type, vars, eval ...), what tells
# addresses (id, hash), what opens (open, __import__).
BUILTIN_NAMES = frozenset((
    "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "classmethod", "complex", "dict",
    "divmod", "enumerate", "filter", "float", "format", "frozenset", "hex", "input", "int", "isinstance", "issubclass",
    "iter", "len", "list", "map", "max", "min", "next", "object", "oct", "ord", "pow", "print", "property", "range", "repr",
    "reversed", "round", "set", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "zip",
    "True", "False", "None", "NotImplemented", "Ellipsis", "exit", "quit",
    *(name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)),
))  # fmt: skip

# Modules, and which of their names; None stands for all public ones. Not here: what has a cache, a context, a seed or a
# clock (re, typing outside annotations, datetime, fractions, decimal, random, time), and what gets attributes by name.
MODULE_NAMES: dict[str, frozenset[str] | None] = {
    "math": None, "cmath": None, "itertools": None,
    "bisect": frozenset(("bisect", "bisect_left", "bisect_right", "insort", "insort_left", "insort_right")),
    "collections": frozenset(("Counter", "OrderedDict", "defaultdict", "deque")),
    "copy": frozenset(("copy", "deepcopy")),
    "functools": frozenset(("cache", "cmp_to_key", "lru_cache", "partial", "reduce")),
    "heapq": frozenset(("heapify", "heappop", "heappush", "heappushpop", "heapreplace", "merge", "nlargest", "nsmallest")),
    "json": frozenset(("dumps", "loads")),
    "operator": frozenset(("add", "and_", "eq", "floordiv", "ge", "gt", "itemgetter", "le", "lt", "mod", "mul", "ne", "neg",
                           "not_", "or_", "pow", "sub", "truediv", "xor")),
    "string": frozenset(("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits",
                         "punctuation", "whitespace")),
    "sys": frozenset(("exit", "float_info", "getrecursionlimit", "maxsize", "set_int_max_str_digits", "setrecursionlimit",
                      "stderr", "stdin", "stdout", "version_info")),
    "typing": frozenset(("Any", "Callable", "Counter", "DefaultDict", "Deque", "Dict", "FrozenSet", "Generator", "Iterable",
                         "Iterator", "List", "Mapping", "Optional", "OrderedDict", "Sequence", "Set", "Tuple", "Union")),
    "__future__": frozenset(("annotations",)),
}  # fmt: skip
RENEWED = frozenset(("stdin", "stdout", "stderr"))  # of sys: other objects in each run
ON_ONE = frozenset(
    ("copy", "deepcopy", "dumps", "loads")
)  # further arguments are hooks, or a memo with a lasting default
MODULES_OF_TYPES = frozenset(("typing", "__future__"))
# What a class that can be changed may be handed to: nothing gives it back.
TAKES_CLASSES = (isinstance, issubclass, map, collections.defaultdict)

# Attributes and methods of the objects that a program can hold: numbers, texts, containers, streams, iterators.
ATTRIBUTES = frozenset((
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
    "fromkeys", "get", "items", "keys", "popitem", "setdefault", "update", "values",
    "add", "difference", "difference_update", "discard", "intersection", "intersection_update", "isdisjoint", "issubset",
    "issuperset", "symmetric_difference", "symmetric_difference_update", "union",
    "capitalize", "casefold", "center", "decode", "encode", "endswith", "expandtabs", "find", "isalnum", "isalpha",
    "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle",
    "isupper", "join", "ljust", "lower", "lstrip", "maketrans", "partition", "removeprefix", "removesuffix", "replace",
    "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase",
    "title", "translate", "upper", "zfill",
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "fromhex", "hex", "imag",
    "is_integer", "numerator", "real", "to_bytes",
    "appendleft", "extendleft", "maxlen", "popleft", "rotate", "elements", "most_common", "subtract", "total", "move_to_end",
    "buffer", "flush", "read", "readline", "readlines", "write", "writelines",
    "cache_clear", "from_iterable", "setter",
))  # fmt: skip
# Attributes of library objects that a program may nevertheless call its own by: where an object that it can hold has one,
# it is a number, a text, or the program's own.
HARMLESS_ATTRIBUTES = frozenset((
    "acquire", "code", "end", "hits", "key", "message", "misses", "mode", "msg", "name", "next", "offset",
    "parents", "path", "peek", "prev", "reason", "release", "reset", "start", "step", "stop", "text", "value",
))  # fmt: skip
# Methods that a class of the program may define. Not here: those that get classes, frames or memos, or run at odd times.
METHODS = frozenset(f"__{name}__" for name in (
    "init", "lt", "le", "eq", "ne", "gt", "ge", "hash", "repr", "str", "len", "iter", "next", "reversed", "getitem",
    "setitem", "delitem", "contains", "call", "bool", "int", "float", "index", "complex", "round", "neg", "pos", "abs",
    "invert",
    *(form + name for form in ("", "r", "i") for name in (
        "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "or", "xor",
    )),
))  # fmt: skip

HEAP_TYPE, IMMUTABLE_TYPE = 1 << 9, 1 << 8


def can_change(value: Any) -> bool:
    """True for objects that could carry something from one run to the next: modules, and what is written in Python."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, types.BuiltinFunctionType)):
        return False
    if isinstance(value, tuple):  # such as sys.version_info
        return any(map(can_change, value))
    if isinstance(value, type):
        return bool(value.__flags__ & HEAP_TYPE) and not value.__flags__ & IMMUTABLE_TYPE
    return value is not NotImplemented and value is not Ellipsis


def public_names(module: types.ModuleType) -> list[str]:
    """What `from module import *` binds."""
    return list(getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]))


def _find_use(module_name: str, name: str, value: Any) -> Use:
    if module_name in MODULES_OF_TYPES:
        return Use.ANNOTATION
    if module_name == "sys" and name in RENEWED:
        return Use.FREE
    if module_name in ("copy", "json") and name in ON_ONE:
        return Use.CALLED_ON_ONE
    return Use.CALLED if can_change(value) else Use.FREE


def _read_module(module_name: str, wanted: frozenset[str] | None) -> dict[str, Known]:
    module = importlib.import_module(module_name)
    values = {name: getattr(module, name) for name in wanted or public_names(module) if hasattr(module, name)}
    return {
        name: Known(value, _find_use(module_name, name, value))
        for name, value in values.items()
        if not isinstance(value, types.ModuleType)
    }


def _read_names() -> dict[str, Known]:
    """What a program finds without an import: names of the language, and behind them those of LiveCodeBench's prelude."""
    found: dict[str, Known] = {}
    for module_name in reversed(MODULE_NAMES):
        found |= {name: known for name, known in USES[module_name].items() if module_name != "sys"}
    values = {name: getattr(builtins, name) for name in BUILTIN_NAMES if hasattr(builtins, name)}
    # Of these the prelude's come from typing: objects written in Python, which make the containers when called.
    quits = {name: Known(None, Use.CALLED) for name in ("exit", "quit", "Counter", "OrderedDict")}
    modules = {name: Known(module, Use.MODULE) for name, module in MODULES.items() if name not in MODULES_OF_TYPES}
    language = {name: Known(value, _find_use("builtins", name, value)) for name, value in values.items()}
    return found | modules | language | quits


def _collect_attributes() -> set[str]:
    """Attributes of all types of objects that exist in a process that runs plain programs."""
    spaces = (builtins, types, collections, functools, io, itertools, operator)
    found: set[type] = set()
    for space in spaces:
        found |= {value for value in vars(space).values() if isinstance(value, type)}
    return {name for each in found for name in dir(each)}


MODULES = {name: importlib.import_module(name) for name in MODULE_NAMES}
USES = {name: _read_module(name, wanted) for name, wanted in MODULE_NAMES.items()}
NAMES = _read_names()
NEVER_OWN_ATTRIBUTES = frozenset(_collect_attributes() - ATTRIBUTES - HARMLESS_ATTRIBUTES)
BASES = frozenset(  # of classes: nothing that a cache of a library could take for a text or a number
    name for name, known in NAMES.items()
    if known.use is Use.FREE and isinstance(known.value, type)
    and (known.value is object or issubclass(known.value, BaseException))
)  # fmt: skip


def make_builtins(hidden: frozenset[str]) -> dict[str, Any]:
    """The built-in names of a plain program's runs: those above as far as they exist here, without `hidden`.

    A name that the program binds itself is hidden where the object behind it is not free, so that a use before its own
    binding fails instead of finding that object.
    """
    found = _find_builtins(len(vars(builtins))).copy()
    for name in hidden:
        found.pop(name, None)
    return found


@functools.lru_cache(maxsize=2)
def _find_builtins(_count: int) -> dict[str, Any]:
    """Those without anything hidden; `_count` tells whether the prelude is there. Found once, before the forks."""
    here = vars(builtins)
    found = {"__build_class__": here["__build_class__"], "__import__": here["__import__"]}
    for name, known in NAMES.items():
        # What is not the object that was judged is not offered; what is only called may be another one.
        if name in here and (known.value is here[name] or known.use is Use.CALLED):
            found[name] = here[name]
    return found
