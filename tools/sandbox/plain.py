"""Tells plain programs, of which several runs in one process cannot see each other, from all others.

A plain program only computes: it uses a part of the language, a few modules of pure functions, its own names, and the
usual ways to read and print. Run again in a fresh namespace it starts clean, so its tests may share one fork (`quick.py`),
which costs a tenth. What counts as plain is chosen by what is allowed (`plain_surface.py`, and the table of syntax below);
for everything else every test has a fork of its own. Nothing here protects anything; the fork is locked in all the same,
and the worst that a mistake here can do is to let a program remember an earlier test.

The rule behind it: no object that outlives a run and can be changed gets into a program's hands.

>>> judge_plainness(ast.parse("import os")).reason
'imports os'
>>> judge_plainness(ast.parse("from math import gcd; print(gcd(4, 6))")).reason
''
"""

from __future__ import annotations

import ast
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.sandbox.plain_surface import (
    ATTRIBUTES,
    BASES,
    METHODS,
    MODULES,
    NAMES,
    NEVER_OWN_ATTRIBUTES,
    TAKES_CLASSES,
    USES,
    Known,
    Use,
    public_names,
)

MAX_NODES = 50_000  # a longer program is judged no further: it has a fork per test
ALLOWED_DUNDER_NAMES = frozenset(("__name__", "__slots__"))

# The syntax that is looked through as it is, and the one that has a rule of its own. Not here: with, match, async, type
# aliases and parameters, and whatever Python will invent.
SYNTAX = (
    "Module Return Delete Assign AugAssign For While If Raise Assert Global Nonlocal Expr Pass Break Continue BoolOp "
    "NamedExpr BinOp UnaryOp Lambda IfExp Dict Set ListComp SetComp DictComp GeneratorExp Compare Constant Subscript Starred "
    "List Tuple Slice JoinedStr FormattedValue arguments keyword Try"
)
WITH_RULES = "Import ImportFrom FunctionDef ClassDef ExceptHandler Yield YieldFrom Call Attribute Name AnnAssign arg alias comprehension"
RULED = frozenset(getattr(ast, name) for name in WITH_RULES.split())
# Operators, marks of reading and writing, and what is a number or a remark need no look.
PASSED_OVER = frozenset(("ctx", "op", "ops", "type_comment", "kind", "conversion", "simple", "level", "is_async"))
FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    node: tuple(field for field in node._fields if field not in PASSED_OVER)
    for node in (*RULED, *(getattr(ast, name) for name in SYNTAX.split()))
}
FIELDS[ast.Constant] = ()
IN_ANNOTATIONS = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Tuple,
    ast.List,
    ast.Constant,
    ast.BinOp,
    ast.BitOr,
    ast.Load,
)

OWN = Known(None, Use.FREE)


@dataclass(frozen=True)
class Plainness:
    """`reason` is empty for a plain program. `hidden` are built-in names that its runs must not find."""

    reason: str
    hidden: frozenset[str] = frozenset()


class _NotPlain(Exception):
    """Carries the reason."""


def judge_plainness(tree: ast.Module) -> Plainness:
    """Looks through a whole syntax tree, once; only for use inside a fork, since a model wrote the text."""
    try:
        nodes = _walk(tree)
        names = _Names(nodes)
        checker = _Checker(names)
        for node, is_in_try in nodes:
            checker.check(node, is_in_try)
    except _NotPlain as reason:
        return Plainness(str(reason))
    except Exception as error:  # noqa: BLE001 - an odd program then has a fork per test, and no other harm
        return Plainness(f"cannot be judged ({type(error).__name__})")
    return Plainness("", names.find_hidden())


def _walk(tree: ast.Module) -> list[tuple[ast.AST, bool]]:
    """All nodes that a rule is about, outer ones before their parts, and whether each is in a try statement of its own
    function. What stands at the top of a program comes first: an import decides soonest."""
    found: list[tuple[ast.AST, bool]] = []
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    for _count in range(MAX_NODES):
        if not todo:
            return found
        node, is_in_try = todo.pop()
        kind = type(node)
        if kind not in FIELDS:
            raise _NotPlain(f"has {kind.__name__}")
        if kind in RULED:
            if kind is ast.Import or kind is ast.ImportFrom:
                _check_import(node)
            found.append((node, is_in_try))
        is_function = kind is ast.FunctionDef or kind is ast.Lambda
        for field in FIELDS[kind]:
            value = getattr(node, field, None)
            if value is None:
                continue
            # The body of a function is its own; its defaults, decorators and annotations belong to what is around it.
            is_within = kind is ast.Try or (is_in_try and not (is_function and field == "body"))
            if isinstance(value, list):
                todo += [(each, is_within) for each in reversed(value) if isinstance(each, ast.AST)]
            elif isinstance(value, str):
                if value.startswith("__"):
                    _check_identifier(node, value)
            else:
                todo.append((value, is_within))
    raise _NotPlain(f"has more than {MAX_NODES} parts")


def _check_import(node: Any) -> None:
    names = (
        [alias.name for alias in node.names]
        if isinstance(node, ast.Import)
        else ["." * node.level + (node.module or "")]
    )
    for name in names:
        if name not in MODULES:
            raise _NotPlain(f"imports {name}")


def _check_identifier(node: ast.AST, name: str) -> None:
    is_method = isinstance(node, ast.FunctionDef) and name in METHODS
    is_super = isinstance(node, ast.Attribute) and name == "__init__"
    is_module = isinstance(node, ast.ImportFrom) and name == "__future__"
    if not (is_method or is_super or is_module or (isinstance(node, ast.Name) and name in ALLOWED_DUNDER_NAMES)):
        raise _NotPlain(f"uses {name}")


class _Names:
    """What each name of a program can mean: bindings of all scopes are taken together."""

    def __init__(self, nodes: list[tuple[ast.AST, bool]]) -> None:
        self.imported: dict[str, list[Known]] = {}
        self.bound: set[str] = set()  # otherwise than by an import
        self.classes: set[str] = set()
        self.own_attributes: set[str] = set()
        bound_twice: set[str] = set()
        for node, _is_in_try in nodes:
            if isinstance(node, ast.ClassDef):  # a decorator could put anything in its place
                (bound_twice if node.name in self.bound or node.decorator_list else self.classes).add(node.name)
            name = _bound_name(node)
            if name is not None:
                if not isinstance(node, ast.ClassDef) and name in self.classes:
                    bound_twice.add(name)
                self.bound.add(name)
            elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                self.own_attributes.add(node.attr)
            elif isinstance(node, ast.Import):
                self._collect_import(node)
            elif isinstance(node, ast.ImportFrom):
                self._collect_import_from(node)
        self.own_attributes |= self.bound
        self.classes -= bound_twice | set(self.imported)

    def _collect_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name, Known(MODULES[alias.name], Use.MODULE))

    def _collect_import_from(self, node: ast.ImportFrom) -> None:
        source = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                for name in public_names(MODULES[source]):
                    self._bind(name, USES[source].get(name, Known(None, Use.NEVER)))
            else:
                self._bind(alias.asname or alias.name, take(MODULES[source], alias.name))

    def _bind(self, name: str, known: Known) -> None:
        self.imported.setdefault(name, []).append(known)

    def find(self, name: str) -> list[Known]:
        """All that a use of this name can find; it must be allowed for each of them."""
        found = [*self.imported.get(name, ()), *([OWN] if name in self.bound else ())]
        if not found:
            if name not in NAMES and name not in ALLOWED_DUNDER_NAMES:
                raise _NotPlain(f"uses {name}, which it does not define")
            return [NAMES.get(name, OWN)]
        return found

    def find_hidden(self) -> frozenset[str]:
        """Names that the program binds, and behind which lies something that may not be used freely."""
        return frozenset(
            name for name in self.bound | set(self.imported) if name in NAMES and NAMES[name].use is not Use.FREE
        )


def _bound_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)):
        return node.name
    return node.arg if isinstance(node, ast.arg) else None


def take(module: Any, name: str) -> Known:
    """A name of a module, if plain programs may use it."""
    known = USES[module.__name__].get(name)
    if known is None:
        raise _NotPlain(f"uses {module.__name__}.{name}")
    return known


def _takes_classes(known: Known) -> bool:
    return known.use is Use.FREE and any(known.value is each for each in TAKES_CLASSES)


def _describe(node: ast.expr) -> str:
    """A name or an attribute in few words."""
    if isinstance(node, ast.Attribute):
        return f"{_describe(node.value) if isinstance(node.value, ast.Name) else '...'}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else type(node).__name__


class _Checker:
    """Checks one node after the other, outer ones first: an outer node says how its parts may be used."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._called: set[int] = set()  # nodes that are only called, decorate, or are handed to what keeps nothing
        self._called_on_one: set[int] = set()
        self._annotations: set[int] = set()
        self._inner: set[int] = set()  # nodes of which an attribute is taken
        self._formats: set[int] = set()  # `"...".format` that is safe
        self._rules: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.FunctionDef: self._check_function, ast.ClassDef: self._check_class, ast.arg: self._check_annotated,
            ast.AnnAssign: self._check_annotated, ast.Call: self._check_call, ast.Attribute: self._check_attribute,
            ast.Name: self._check_name,
        }  # fmt: skip

    def check(self, node: ast.AST, is_in_try: bool) -> None:
        if isinstance(node, (ast.Yield, ast.YieldFrom)) and (
            is_in_try or (isinstance(node, ast.YieldFrom) and self._names.own_attributes & {"close", "throw"})
        ):
            raise _NotPlain("yields where something could go on after its run")
        if isinstance(node, ast.comprehension) and node.is_async:
            raise _NotPlain("has an asynchronous loop")
        rule = self._rules.get(type(node))
        if rule is not None:
            rule(node)

    def _check_function(self, node: ast.FunctionDef) -> None:
        self._called.update(map(id, node.decorator_list))
        if node.returns is not None:
            self._check_annotation(node.returns)

    def _check_annotated(self, node: ast.arg | ast.AnnAssign) -> None:
        if node.annotation is not None:
            self._check_annotation(node.annotation)

    def _check_annotation(self, annotation: ast.expr) -> None:
        """Only types and what is made of them: typing remembers what it is given."""
        todo: list[ast.AST] = [annotation]
        while todo:
            node = todo.pop()
            if not isinstance(node, IN_ANNOTATIONS) or (
                isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitOr)
            ):
                raise _NotPlain(f"has {type(node).__name__} in an annotation")
            if isinstance(node, ast.Name) and node.id in self._names.bound and node.id not in self._names.classes:
                raise _NotPlain(f"annotates with {node.id}")
            if isinstance(node, ast.Attribute) and not self._is_of_module(node):
                raise _NotPlain(f"annotates with {_describe(node)}")
            self._annotations.add(id(node))
            todo += ast.iter_child_nodes(node)

    def _is_of_module(self, node: ast.Attribute) -> bool:
        return isinstance(node.value, ast.Name) and all(
            known.use is Use.MODULE for known in self._names.find(node.value.id)
        )

    def _check_class(self, node: ast.ClassDef) -> None:
        self._called.update(map(id, node.decorator_list))
        for base in node.bases:
            name = base.id if isinstance(base, ast.Name) else ""
            is_library = name in BASES and name not in self._names.bound and name not in self._names.imported
            if not (is_library or name in self._names.classes):
                raise _NotPlain(f"derives from {_describe(base)}")
        if node.keywords:
            raise _NotPlain("has a metaclass")

    def _check_call(self, node: ast.Call) -> None:
        function = node.func
        self._called.add(id(function))
        if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
            self._called_on_one.add(id(function))
        if isinstance(function, ast.Name) and all(map(_takes_classes, self._names.find(function.id))):
            self._called.update(map(id, node.args))
        elif isinstance(function, ast.Attribute) and function.attr == "format":
            if not (isinstance(function.value, ast.Constant) and _is_simple_format(function.value.value)):
                raise _NotPlain("formats by a text that is not its own")
            self._formats.add(id(function))

    def _check_attribute(self, node: ast.Attribute) -> None:
        self._inner.add(id(node.value))
        found = self._resolve(node.value)
        is_module = [known.use is Use.MODULE for known in found]
        if any(is_module):
            if not all(is_module) or not isinstance(node.ctx, ast.Load):
                raise _NotPlain(f"changes or confuses {_describe(node)}")
            self._check_use(node, [take(known.value, node.attr) for known in found])
            return
        is_changed = not isinstance(node.ctx, ast.Load)
        if any(known.use is not Use.FREE or (is_changed and known is not OWN) for known in found):
            raise _NotPlain(f"takes or changes {_describe(node)}")
        self._check_own_attribute(node)

    def _check_own_attribute(self, node: ast.Attribute) -> None:
        attribute, names = node.attr, self._names
        is_own = attribute in names.own_attributes and attribute not in NEVER_OWN_ATTRIBUTES
        if attribute in ATTRIBUTES or is_own or id(node) in self._formats:
            return
        value = node.value
        is_super = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super"
        is_base = isinstance(value, ast.Name) and value.id in names.classes | BASES and value.id not in names.imported
        if attribute == "__init__" and (is_super or is_base) and id(node) in self._called:
            return
        raise _NotPlain(f"uses the attribute {attribute}")

    def _resolve(self, node: ast.expr) -> list[Known]:
        """What the part before a dot can be; own objects for everything that is no name and no name of a module."""
        if isinstance(node, ast.Name):
            return self._names.find(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return [
                take(known.value, node.attr) if known.use is Use.MODULE else OWN
                for known in self._names.find(node.value.id)
            ]
        return [OWN]

    def _check_name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._check_use(node, self._names.find(node.id))

    def _check_use(self, node: ast.Name | ast.Attribute, found: list[Known]) -> None:
        at = id(node)
        for known in found:
            is_allowed = {
                Use.FREE: True,
                Use.CALLED: at in self._called or at in self._annotations or at in self._inner,
                Use.CALLED_ON_ONE: at in self._called_on_one,
                Use.ANNOTATION: at in self._annotations,
                Use.MODULE: at in self._inner,
                Use.NEVER: False,
            }[known.use]
            if not is_allowed:
                raise _NotPlain(f"passes {_describe(node)} around")


def _is_simple_format(text: object, depth: int = 0) -> bool:
    """True for a format text that takes no attributes and no items: `{}`, `{0:>5}`, `{name}`, `{:{}}`."""
    if not isinstance(text, str) or depth > 2:
        return False
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return False
    return all(
        name is None or ("." not in name and "[" not in name and (not spec or _is_simple_format(spec, depth + 1)))
        for _literal, name, spec, _conversion in fields
    )
