"""Finds the program in a model's answer.

The answer is what follows the reasoning (tools/models/reasoning.py); the last Python block is the program (`code_blocks.py` finds
the blocks). An unnamed block behind it is the program instead when it is Python that reads input, or defines the
function that is wanted. For problems that call a function, the last block that defines it is the program, with what it
needs of the other blocks (`code_merging.py`); the original merges imports, assignments, functions and classes of all.

>>> has_code("Look:\\n```python\\nprint(1)\\n```\\nDone.")
['print(1)\\n']
"""

from __future__ import annotations

import ast
import re

from tools.grading.code.blocks import Block, Kind, Lexer, Where, find_blocks, parse_program
from tools.grading.code.merging import MAX_BLOCKS, MAX_JOINED_CHARS, is_guard, join_blocks, read_names

READS_INPUT = re.compile(r"\b(?:input|stdin|fileinput|raw_input|open|fdopen|os\.read)\b")
WRITES_OUTPUT = re.compile(r"\b(?:print|stdout|write|fdopen)\b")
RISKY_NAMES = ("os", "subprocess", "shutil", "socket", "ctypes", "eval", "exec", "open", "compile", "__import__")


def has_code(response: str) -> list[str]:
    """The Python blocks of a response, in order; an unclosed last block counts, blocks of other languages do not.

    A block that names no language counts when no block names Python.
    """
    blocks = find_blocks(response)
    named = [block.text for block in blocks if block.kind is Kind.PYTHON]
    return named or [block.text for block in blocks if block.kind is Kind.UNNAMED]


def extract_program(answer: str, function: str | None = None) -> str | None:
    """The program of an answer (text outside the reasoning), None when there is none."""
    blocks = _candidates([block for block in find_blocks(answer) if _is_code(block.text)], function)
    if not blocks:
        return None
    if function is None:
        return _choose_script(*_neighbours(blocks, len(blocks) - 1))
    definers = [number for number, block in enumerate(blocks) if defines(block, function)]
    definers = definers or [number for number, block in enumerate(blocks) if _names(block, function)]
    if not definers:
        return dedent(blocks[-1])
    if len(blocks) == 1:
        return dedent(blocks[0])
    return join_blocks(*_neighbours(blocks, definers[-1]))


def _neighbours(blocks: list[str], base: int) -> tuple[list[str], int]:
    """A block with those around it that may be parsed for it, and its number among them."""
    first, last, size = base, base, len(blocks[base])
    while first > 0 and base - first < MAX_BLOCKS and size + len(blocks[first - 1]) <= MAX_JOINED_CHARS:
        first -= 1
        size += len(blocks[first])
    while last + 1 < len(blocks) and last - base < MAX_BLOCKS and size + len(blocks[last + 1]) <= MAX_JOINED_CHARS:
        last += 1
        size += len(blocks[last])
    return [dedent(block) for block in blocks[first : last + 1]], base - first


def _is_code(text: str) -> bool:
    """False for a block without statements and for the record of a session."""
    lines = (line.strip() for line in text.split("\n"))
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return bool(first) and not first.startswith(">>>")


def _candidates(blocks: list[Block], function: str | None) -> list[str]:
    """The blocks among which the program is; it is the last of them, as far as they define what is wanted."""
    last_named = max((number for number, block in enumerate(blocks) if block.kind is Kind.PYTHON), default=None)
    if last_named is not None:
        later = blocks[last_named + 1 :]
        finals = [block.text for block in later if block.kind is Kind.UNNAMED and _is_program(block.text, function)]
        return [block.text for block in blocks if block.kind is Kind.PYTHON] + finals
    unnamed = [block.text for block in blocks if block.kind is Kind.UNNAMED]
    programs = [text for text in unnamed if _is_program(text, function)]
    if not unnamed:  # a program under a label of its own, or of another language
        return [block.text for block in blocks if _is_program(block.text, function)]
    if function is None:
        return programs or unnamed
    return unnamed


def _is_program(text: str, function: str | None) -> bool:
    """Tells a whole program from sample output, a summary, a formula."""
    code = dedent(text)
    wants = _talks(code) if function is None else defines(code, function)
    return wants and parse_program(code) is not None


def _talks(code: str) -> bool:
    return READS_INPUT.search(code) is not None and WRITES_OUTPUT.search(code) is not None


def _choose_script(blocks: list[str], last: int) -> str:
    """The last block. One that cannot run without names of an earlier block is an example for a whole program, where
    there is one before it and it reads no input itself; else it is the end of a program in several blocks."""
    names = [read_names(block) or (frozenset(), frozenset()) for block in blocks] if last else []
    while last > 0:
        binds, reads = names[last]
        missing = reads - binds
        if not missing or not any(missing & bound for bound, _reads in names[:last]):
            return blocks[last]
        if READS_INPUT.search(blocks[last]) or not any(_talks(block) for block in blocks[:last]):
            return join_blocks(blocks[: last + 1], last)
        last -= 1
    return blocks[0]


def dedent(block: str) -> str:
    """Takes away the indentation of a fence inside a list; lines inside a string of the program may have less of it."""
    block = block.lstrip("\ufeff")
    lines = block.split("\n")
    lexer, place, indents = Lexer(block, 0), 0, []
    for line in lines:
        if line.strip() and lexer.look(place) is not Where.STRING:
            indents.append(line[: len(line) - len(line.lstrip(" \t"))])
        place += len(line) + 1
    margin = _common_start(min(indents), max(indents)) if indents else ""
    if not margin:
        return block
    return "\n".join(line[len(margin) :] if line.startswith(margin) else line.lstrip(" \t") for line in lines)


def _common_start(first: str, second: str) -> str:
    length = 0
    while length < min(len(first), len(second)) and first[length] == second[length]:
        length += 1
    return first[:length]


def defines(code: str, function: str) -> bool:
    """True when the code has this function, at top level or in a class."""
    return (
        re.search(rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{re.escape(function)}[ \t]*[(\[]", code, re.MULTILINE) is not None
    )


def gives_name(code: str, function: str) -> bool:
    """True when the code defines the function in any way."""
    return defines(code, function) or _names(code, function)


def _names(code: str, function: str) -> bool:
    """True when the code gives the name to a function otherwise: `f = lambda x: x`, `f = g`."""
    pattern = rf"^{re.escape(function)}[ \t]*(?::[^=\n]*)?=[ \t]*(?:lambda\b|[A-Za-z_][\w.]*[ \t]*$)"
    return re.search(pattern, code, re.MULTILINE) is not None


def clean_if_name(code: str) -> str:
    """The code with a final `if __name__ == "__main__":` unwrapped to its body, as the original's helper does.

    The verifier does not need it: a program runs as `__main__` here.
    """
    tree = parse_program(code)
    if tree is None or not tree.body or not isinstance(tree.body[-1], ast.If) or not is_guard(tree.body[-1]):
        return code
    last = tree.body[-1]
    try:
        return ast.unparse(ast.Module(body=[*tree.body[:-1], *last.body], type_ignores=[]))
    except (RecursionError, ValueError):  # long chains, and strings that it cannot write
        return code


def is_safe_code(code: str) -> tuple[bool, list[str]]:
    """Advice for the report, never a verdict: the names of risky modules and functions that the code mentions."""
    tree = parse_program(code)
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
