"""Puts HumanEval's prompt around an answer: models give the whole function, its body, or the body without indentation.

For `code_grading.py`. OpenAI's harness runs prompt + completion; so a whole function may rely on the imports, constants
and helper functions of the prompt, and gets them here too, before its own definitions.

>>> print(complete_answer("return x + HALF", "HALF = 0.5\\ndef f(x):\\n", "f"))
HALF = 0.5
def f(x):
    return x + HALF
"""

from __future__ import annotations

import ast
import re
import textwrap

from tools.grading.code.blocks import parse_program
from tools.grading.code.extraction import dedent, gives_name
from tools.grading.code.merging import put_before

INDENTATION = "    "
MAX_RAW_CHARS = 50_000
LEAVES = re.compile(r"\b(?:return|yield|raise)\b")


def complete_answer(code: str, prompt: str, entry_point: str) -> str:
    """The program that is run for an answer; without a prompt that is the answer."""
    if not prompt.strip() or not entry_point:
        return code
    if gives_name(code, entry_point):
        return put_before(_before_function(prompt, entry_point), dedent(code))
    forms = _body_forms(prompt, code)
    return next((form for form in forms if _is_whole(form)), forms[0])


def find_raw_program(text: str, prompt: str, entry_point: str) -> str | None:
    """An answer that is a program, or the rest of the prompt, without a fence around it; None when it is neither.

    >>> find_raw_program("    return x", "def f(x):\\n", "f"), find_raw_program("I return x.", "def f(x):\\n", "f")
    ('    return x', None)
    """
    if len(text) > MAX_RAW_CHARS:
        return None
    if gives_name(text, entry_point):
        return text if parse_program(dedent(text)) is not None else None
    if not prompt.strip() or not LEAVES.search(text):
        return None
    return text if any(_is_whole(form) for form in _body_forms(prompt, text)) else None


def _is_whole(code: str) -> bool:
    """True for Python in which nothing of a function's body stands outside: `return` does there, for the parser."""
    tree = parse_program(code)
    waiting: list[ast.AST] = list(tree.body) if tree else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            return False
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
    return tree is not None


def _before_function(prompt: str, entry_point: str) -> str:
    """Imports, constants and helpers: all of the prompt before the function that is to be written."""
    found = list(re.finditer(rf"^(?:async[ \t]+)?def[ \t]+{re.escape(entry_point)}\b", prompt, re.MULTILINE))
    return prompt[: found[-1].start()] if found else prompt


def _body_forms(prompt: str, body: str) -> list[str]:
    """The ways in which a body may be meant, the likeliest first: as it stands, its first line stripped of its
    indentation, all of it stripped."""
    prompt = prompt if prompt.endswith("\n") else prompt + "\n"
    body = body.strip("\n")
    flat = textwrap.indent(dedent(body), INDENTATION)
    is_indented = body[:1] in (" ", "\t")
    return [prompt + each for each in ([body, flat] if is_indented else [INDENTATION + body, flat])]
