"""Finds the program in a model's answer.

The answer is what follows the reasoning (tools/models/reasoning.py); the last ```python block is the program. For call-based
problems the original merges the blocks: imports, assignments, functions and classes of all. We do so only when the last
block alone does not define the function.

>>> has_code("Look:\\n```python\\nprint(1)\\n```\\nDone.")
['print(1)\\n']
"""

from __future__ import annotations

import ast
import re

# A fence may be indented, and may name the language in several ways; the end is a fence on a line of its own.
FENCE = re.compile(r"^[ \t]*```[ \t]*(\S*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
PYTHON_NAMES = {"python", "python3", "py", "py3"}
GUARD = re.compile(r"""^if\s*\(?\s*(__name__\s*==\s*['"]__main__['"]|['"]__main__['"]\s*==\s*__name__)\s*\)?\s*:""")
RISKY_NAMES = ("os", "subprocess", "shutil", "socket", "ctypes", "eval", "exec", "open", "compile", "__import__")


def has_code(response: str) -> list[str]:
    """The ```python blocks of a response, in order; an unclosed last block counts, blocks of other languages do not.

    A block that names no language counts when no block names Python.
    """
    blocks = [(match.group(1).lower().strip("{}."), match.group(2)) for match in FENCE.finditer(response)]
    named = [code for language, code in blocks if language in PYTHON_NAMES]
    return named or [code for language, code in blocks if not language]


def extract_program(answer: str, function: str | None = None) -> str | None:
    """The program of an answer (text outside the reasoning), None when there is none."""
    blocks = [block for block in has_code(answer) if block.strip()]
    if not blocks:
        return None
    last = _dedent(blocks[-1]).replace("\t", "    ")
    if function is None or len(blocks) == 1 or defines(last, function):
        return last
    return merge_blocks([_dedent(block).replace("\t", "    ") for block in blocks])


def _dedent(block: str) -> str:
    """Takes away the indentation of a fence inside a list."""
    lines = block.split("\n")
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    margin = min(indents, default=0)
    return "\n".join(line[margin:] for line in lines) if margin else block


def _parse(code: str) -> ast.Module | None:
    """The syntax tree, None for text that is not Python; sizes are bounded because a model wrote it."""
    if len(code) > 200_000:
        return None
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defines(code: str, function: str) -> bool:
    """True when the code has this function, at top level or in a class."""
    return re.search(rf"^\s*(async\s+)?def\s+{re.escape(function)}\s*\(", code, re.MULTILINE) is not None


def merge_blocks(blocks: list[str]) -> str:
    """Imports, assignments, functions and classes of all blocks, as the original joins them for call-based problems."""
    kept: list[str] = []
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for block in blocks:
        tree = _parse(block)
        if tree is not None:
            kept += [ast.unparse(node) for node in tree.body if isinstance(node, kinds)]
    return "\n".join(kept) if kept else blocks[-1]


def clean_if_name(code: str) -> str:
    """The code with a final `if __name__ == "__main__":` unwrapped to its body, as the original's helper does.

    The verifier does not need it: a program runs as `__main__` here.
    """
    tree = _parse(code)
    if tree is None or not tree.body or not isinstance(tree.body[-1], ast.If):
        return code
    last = tree.body[-1]
    if not GUARD.match(f"if {ast.unparse(last.test)}:"):
        return code
    return ast.unparse(ast.Module(body=[*tree.body[:-1], *last.body], type_ignores=[]))


def is_safe_code(code: str) -> tuple[bool, list[str]]:
    """Advice for the report, never a verdict: the names of risky modules and functions that the code mentions."""
    tree = _parse(code)
    if tree is None:
        return True, []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not _opens_stdin(node):
            found.add(node.func.id)
    risky = [name for name in RISKY_NAMES if name in found]
    return not risky, risky


def _opens_stdin(node: ast.Call) -> bool:
    """`open(0)` is how honest solutions read their input."""
    is_open = isinstance(node.func, ast.Name) and node.func.id == "open"
    return is_open and bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value in (0, 1)
