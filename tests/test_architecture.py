"""The plan of the house, held: which room may import which, no circles, one name for one thing, files of a readable size.

docs/architecture.md says what each room is for. An arrow that is not in the table is a decision: make it here and there.
"""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"
GENERATED = ("latex2sympy/gen",)

GROUND = {"errors", "commandline", "records"}  # everybody stands on it
# room -> the rooms that it may import, beside the ground
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "commandline": set(),
    "records": set(),
    "statistics": set(),
    "mathematics": set(),
    "sandbox": set(),
    "store": set(),
    "cluster": set(),
    "latex2sympy": {"mathematics"},
    "models": {"store"},
    "benchmarks": {"store"},
    "importing": {"benchmarks", "store"},
    "engines": {"models"},
    "sampling": {"benchmarks", "models", "engines", "store", "cluster"},
    "results": {"statistics", "benchmarks", "models", "store"},
    "grading": {
        "results", "benchmarks", "models", "store", "mathematics", "latex2sympy", "sandbox", "cluster",
    },
    "judging": {"grading", "engines", "models", "benchmarks", "store", "results", "statistics"},
    "analysis": {"results", "statistics", "store", "benchmarks", "models"},
    "report": {"analysis", "results", "statistics", "store", "benchmarks", "models"},
    "leaderboard": {"report", "analysis", "results", "statistics", "store", "benchmarks", "models"},
    "upload": {"report", "results", "store", "benchmarks", "models"},
    "lm_eval_tasks": {"grading", "benchmarks", "models", "store"},
    "view": {"report", "analysis", "results", "statistics", "store", "benchmarks", "models", "grading"},
    # The doors: names that strangers import.
    "grader": {"grading"},
    "code_verifier": {"grading"},
    "__init__": set(),  # its public names are loaded by name, when they are used
    "__main__": set(),
}  # fmt: skip


def modules() -> dict[str, pathlib.Path]:
    """Dotted name below tools -> file."""
    found = {}
    for path in sorted(TOOLS.rglob("*.py")):
        name = path.relative_to(TOOLS).with_suffix("").as_posix()
        if not name.startswith(GENERATED):
            found[name.removesuffix("/__init__").replace("/", ".")] = path
    return found


MODULES = modules()


def imports_of(path: pathlib.Path) -> Iterator[str]:
    """Dotted names below tools that a file imports, wherever; those for type checkers alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("tools.") for alias in node.names if alias.name.startswith("tools."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tools":
            base = node.module.removeprefix("tools").removeprefix(".")
            for alias in node.names:
                full = f"{base}.{alias.name}" if base else alias.name
                if full in MODULES or full in ("grader", "code_verifier"):
                    yield full
                elif base:
                    yield base


GRAPH = {
    name: {other for other in imports_of(path) if other in MODULES and other != name} for name, path in MODULES.items()
}


def room_of(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("room", sorted({room_of(name) for name in MODULES}))
def test_a_room_imports_only_what_its_row_allows(room: str) -> None:
    assert room in ALLOWED, f"{room} is a new room: give it a row, and a line in docs/architecture.md"
    arrows = {
        (module, other)
        for module, others in GRAPH.items()
        for other in others
        if room_of(module) == room and room_of(other) not in {room, *ALLOWED[room], *GROUND}
    }
    assert not arrows


def find_circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, empty where there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if circle := walk(other, [*path, node]):
                return circle
        done.add(node)
        return []

    return next((circle for node in sorted(graph) if (circle := walk(node, []))), [])


def test_no_files_import_each_other_in_a_circle() -> None:
    assert find_circle(GRAPH) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for module, others in GRAPH.items():
        rooms.setdefault(room_of(module), set()).update(room_of(other) for other in others)
    assert find_circle({room: others - {room} for room, others in rooms.items()}) == []


def test_a_circle_would_be_found() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]


def test_few_files_stand_directly_in_tools() -> None:
    assert len([path for path in TOOLS.iterdir() if path.is_file()]) <= 12


def test_a_class_name_is_used_once() -> None:
    names = Counter(
        node.name
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def tracked(*patterns: str) -> list[pathlib.Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", *patterns], capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    exempt = ("latex2sympy/gen/", "view/vendor/", "tests/golden/", "data/")
    long = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.sh", "*.md", "*.js", "*.css", "*.g4")
        if path.read_text(encoding="utf-8").count("\n") > 400 and not any(part in str(path) for part in exempt)
    ]
    assert long == []


def test_nothing_points_to_what_a_stranger_cannot_open() -> None:
    """Only the tests' one place for real data may name the folder beside the checkout."""
    private = re.compile(r"PAINS|SPEC\b|\.\./shared|\bpains_?\d")
    allowed = {ROOT / "tests" / "conftest.py", pathlib.Path(__file__).resolve()}
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("*.py", "*.md", "*.sh")
        if path not in allowed and ".ci" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if private.search(line)
    ]
    assert found == []


def test_results_are_read_by_attribute() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in MODULES.values()
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if re.search(r"\bresults\[[\"']", line)
    ]
    assert found == []


def test_loose_dicts_are_rare_in_signatures() -> None:
    """Records are dataclasses; a dict of anything stands at the disk and the wire only."""
    loose = [
        f"{name}.{node.name}"
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if re.search(
            r"(dict|Mapping)\[str, Any\]", ast.unparse(node.args) + (ast.unparse(node.returns) if node.returns else "")
        )
    ]
    assert len(loose) < LOOSE_SIGNATURES, loose


LOOSE_SIGNATURES = 40
