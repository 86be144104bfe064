"""Tells plain programs, of which several runs in one process cannot see each other, from all others.

A plain program only computes: it uses a few modules of pure functions, its own names, and the usual ways to read and
print. Run again in a fresh namespace it starts clean, so its tests may share one fork (`quick.py`), which costs a tenth.
Whatever is unusual (os, open, getattr, dunder attributes, setting attributes of a library, passing a library's class
around, ...) makes a program not plain: then every test has a fork of its own. Nothing here protects anything; the fork
is locked in all the same, and the worst that a mistake here can do is to let a program remember an earlier test.

The rule behind the checks: no object that outlives a run and can be changed gets into a program's hands.

>>> judge_plainness(ast.parse("import os")).reason
'imports os'
"""

from __future__ import annotations

import ast
import builtins
import importlib
import types
from dataclasses import dataclass
from typing import Any

# Modules of pure functions, and which of their names; None stands for all public ones.
MODULES: dict[str, set[str] | None] = {
    "__future__": None, "array": None, "bisect": None, "cmath": None, "collections": None, "collections.abc": None,
    "copy": {"copy", "deepcopy"}, "datetime": None, "fractions": None, "heapq": None, "itertools": None, "math": None,
    "time": None,
    "functools": {"cache", "cached_property", "cmp_to_key", "lru_cache", "partial", "reduce", "total_ordering"},
    "string": {"ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits",
               "punctuation", "whitespace"},
    "sys": {"exit", "float_info", "getrecursionlimit", "maxsize", "set_int_max_str_digits", "setrecursionlimit",
            "stderr", "stdin", "stdout", "version_info"},
    "typing": {"Any", "Callable", "Counter", "DefaultDict", "Deque", "Dict", "FrozenSet", "Generator", "Iterable",
               "Iterator", "List", "Mapping", "Optional", "OrderedDict", "Sequence", "Set", "Tuple", "Union"},
    "json": {"dumps", "loads"},
    "re": {"compile", "escape", "findall", "finditer", "fullmatch", "match", "search", "split", "sub"},
    "operator": {"add", "and_", "eq", "floordiv", "ge", "gt", "itemgetter", "le", "lt", "mod", "mul", "ne", "neg",
                 "not_", "or_", "pow", "sub", "truediv", "xor"},
}  # fmt: skip
STREAMS = {"stdin", "stdout", "stderr"}  # of sys: made anew for each run
FORBIDDEN_NAMES = {
    "breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "locals", "memoryview", "open", "setattr",
    "type", "vars",
}  # fmt: skip
FORBIDDEN_METHODS = {"__class_getitem__", "__del__", "__getattr__", "__getattribute__", "__setattr__"}
FORBIDDEN_PREFIXES = ("__", "gi_", "cr_", "ag_", "f_", "tb_", "co_", "func_")  # the ways to frames and classes
FORBIDDEN_ATTRIBUTES = {"detach", "mro", "reconfigure", "register"}
ALLOWED_DUNDERS = {"__init__", "__name__"}
FORBIDDEN_NODES = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
PYTHON_BUILTINS = frozenset(dir(builtins))  # before the warm process adds LiveCodeBench's prelude

HEAP_TYPE, IMMUTABLE_TYPE = 1 << 9, 1 << 8


@dataclass(frozen=True)
class Plainness:
    """`reason` is empty for a plain program. `hidden` are built-in names that the program binds itself: they must be
    taken away while it runs, so that a use before its own binding fails instead of finding the built-in object."""

    reason: str
    hidden: frozenset[str] = frozenset()


class _NotPlain(Exception):
    """Carries the reason."""


def judge_plainness(tree: ast.Module) -> Plainness:
    """Looks through a whole syntax tree; only for use inside a fork, since a model wrote the text."""
    checker = _Checker()
    try:
        nodes = list(ast.walk(tree))
        for node in nodes:
            checker.collect(node)
        for node in nodes:
            checker.check(node)
    except _NotPlain as reason:
        return Plainness(str(reason))
    hidden = {name for name in checker.bound if _can_change(vars(builtins).get(name))}
    return Plainness("", frozenset(hidden | (checker.bound & FORBIDDEN_NAMES)))


class _Checker:
    """First `collect` from all nodes, then `check` all nodes."""

    def __init__(self) -> None:
        self.library: dict[str, Any] = {}  # names that imports bind, with their objects
        self.bound: set[str] = set()  # names that the program binds otherwise
        self.called: set[int] = set()  # nodes that are only called, decorate or annotate: nothing escapes there
        self.inner: set[int] = set()  # nodes of which an attribute is taken

    def collect(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._collect_import(alias)
        elif isinstance(node, ast.ImportFrom):
            self._collect_import_from(node)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            self.bound.add(node.name)
            self.called |= {id(decorator) for decorator in node.decorator_list}
            self._collect_annotation(getattr(node, "returns", None))
        elif isinstance(node, ast.arg):
            self.bound.add(node.arg)
            self._collect_annotation(node.annotation)
        elif isinstance(node, ast.AnnAssign):
            self._collect_annotation(node.annotation)
        elif isinstance(node, ast.Call):
            self.called.add(id(node.func))
        elif isinstance(node, ast.Attribute):
            self.inner.add(id(node.value))
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self.bound.add(node.name)

    def _collect_annotation(self, annotation: ast.expr | None) -> None:
        if annotation is not None:
            self.called |= {id(node) for node in ast.walk(annotation)}

    def _collect_import(self, alias: ast.alias) -> None:
        if alias.name not in MODULES or "." in alias.name:
            raise _NotPlain(f"imports {alias.name}")
        self.library[alias.asname or alias.name] = importlib.import_module(alias.name)

    def _collect_import_from(self, node: ast.ImportFrom) -> None:
        if node.level or node.module not in MODULES:
            raise _NotPlain(f"imports from {node.module}")
        module = importlib.import_module(node.module)
        for alias in node.names:
            for name in _public_names(module) if alias.name == "*" else [alias.name]:
                self.library[alias.asname or name] = _take(module, name)

    def check(self, node: ast.AST) -> None:
        if isinstance(node, FORBIDDEN_NODES):
            raise _NotPlain(f"has {type(node).__name__}")
        if isinstance(node, ast.FunctionDef) and node.name in FORBIDDEN_METHODS:
            raise _NotPlain(f"defines {node.name}")
        if isinstance(node, ast.Attribute):
            self._check_attribute(node)
        elif isinstance(node, ast.Name):
            self._check_name(node)

    def _check_attribute(self, node: ast.Attribute) -> None:
        is_forbidden = node.attr.startswith(FORBIDDEN_PREFIXES) or node.attr in FORBIDDEN_ATTRIBUTES
        if is_forbidden and node.attr not in ALLOWED_DUNDERS:
            raise _NotPlain(f"uses the attribute {node.attr}")
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and (root.id in self.library or root.id not in self.bound):
            if not isinstance(node.ctx, ast.Load):
                raise _NotPlain(f"changes {root.id}.{node.attr}")
            self._check_escape(node)

    def _check_name(self, node: ast.Name) -> None:
        name = node.id
        if name.startswith("__") and name not in ALLOWED_DUNDERS:
            raise _NotPlain(f"uses {name}")
        if name in self.library and name in self.bound and _can_change(self.library[name]):
            raise _NotPlain(f"both imports and binds {name}")
        if name in self.library or name not in self.bound:
            self._check_escape(node)

    def _check_escape(self, node: ast.expr) -> None:
        value = self._resolve(node)
        if _can_change(value) and id(node) not in self.called and id(node) not in self.inner:
            raise _NotPlain(f"passes {ast.unparse(node)} around")

    def _resolve(self, node: ast.expr) -> Any:
        """The object that a name or a chain of attributes of a library means; None where that is the program's own."""
        if isinstance(node, ast.Name):
            return self._resolve_name(node.id)
        if isinstance(node, ast.Attribute):
            parent = self._resolve(node.value)
            if isinstance(parent, types.ModuleType):
                return _take(parent, node.attr)
            if isinstance(parent, type):
                return getattr(parent, node.attr, None)
        return None

    def _resolve_name(self, name: str) -> Any:
        if name in self.library:
            return self.library[name]
        if name in self.bound or name in ALLOWED_DUNDERS:
            return None
        if name in FORBIDDEN_NAMES:
            raise _NotPlain(f"uses {name}")
        if name in PYTHON_BUILTINS:
            return getattr(builtins, name)
        for module_name in MODULES:
            module = importlib.import_module(module_name)
            if name == module_name:
                return module
            if name in _public_names(module):
                return _take(module, name)
        if name in ("exit", "quit"):
            return getattr(builtins, name, None)
        raise _NotPlain(f"uses {name}, which it does not define")


def _public_names(module: types.ModuleType) -> list[str]:
    return list(getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]))


def _take(module: types.ModuleType, name: str) -> Any:
    """A name of a module, if plain programs may use it. Streams count as harmless: None."""
    allowed = MODULES.get(module.__name__)
    value = getattr(module, name, None)
    if module.__name__ not in MODULES or (allowed is not None and name not in allowed) or name.startswith("_"):
        raise _NotPlain(f"uses {module.__name__}.{name}")
    if isinstance(value, types.ModuleType) and module.__name__ != "collections":
        raise _NotPlain(f"uses {module.__name__}.{name}")
    return None if module.__name__ == "sys" and name in STREAMS else value


def _can_change(value: Any) -> bool:
    """True for objects that could carry something from one run to the next: modules, and what is written in Python."""
    if value is None or isinstance(value, (int, float, complex, str, bytes, types.BuiltinFunctionType)):
        return False
    if isinstance(value, type):
        return bool(value.__flags__ & HEAP_TYPE) and not value.__flags__ & IMMUTABLE_TYPE
    return True
