r"""The worker process behind symbolic.py: `python symbolic_worker.py MEMORY_BYTES [spare]`.

Questions and answers go through its pipes. A message is four bytes of length and JSON; a question is {"operation",
"given", "gold", "timeout_s"}, an answer the fields of a Comparison. Text is parsed by the quick reader or the grammar,
never evaluated. The ladder for two values, cheap to dear: normal forms and numbers (as in the caller), then SymPy: the
calculus carried out, same structure, expanded difference, values in 30 digits, simplified difference.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from tools.errors import LatexError
from tools.mathematics import values
from tools.mathematics.approx import is_writable
from tools.mathematics.compare import trees_equal
from tools.mathematics.reader import read
from tools.mathematics.tree import BeyondLimits, NotMathematics, Tree, Unreadable, kinds, mapped, shown, words
from tools.records import JsonObject

LENGTH = struct.Struct(">I")
BRACED_SUBSCRIPT = re.compile(r"_\{([^{}]*)\}")
CALCULUS = words("integral sum prod lim diff")
DIGITS = 30
QUADRATURE_DIGITS = 30  # in which an integral and a value have to agree
FEW_DIGITS = 10
CLEAR = 1e-6
POLL_S = 0.02
IMPORT_ALLOWANCE_S = 30.0
CPU_LIMIT_EXIT = 152  # as a shell names death by SIGXCPU


def main() -> None:
    """Serves questions until the pipe closes."""
    memory_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # a library that prints must not break the protocol
        os.dup2(silence, descriptor)
    values.dear_stage = equal_by_sympy
    if "spare" in sys.argv:
        import sympy  # noqa: F401  - ahead of the first question
    cpu_limit.start()
    _send(answers, {"is_ready": True})
    while True:
        header = questions.read(LENGTH.size)
        if len(header) < LENGTH.size:
            return
        question = json.loads(questions.read(LENGTH.unpack(header)[0]))
        cpu_limit.start_question(question["timeout_s"])
        answer = OPERATIONS[question["operation"]](question["given"], question["gold"])
        cpu_limit.end_s = math.inf
        _send(answers, answer)


def _send(answers: BinaryIO, message: JsonObject) -> None:
    payload = json.dumps(message).encode()
    answers.write(LENGTH.pack(len(payload)) + payload)
    answers.flush()


class CpuLimit(threading.Thread):
    """Ends the process when one question has had its CPU seconds.

    A thread looks every few milliseconds; the kernel's limit, which counts whole seconds, stands behind it for work
    that does not let other threads run (one multiplication of enormous integers).
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.end_s = math.inf

    def start_question(self, timeout_s: float) -> None:
        self.end_s = time.process_time() + timeout_s
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(self.end_s) + 1, resource.RLIM_INFINITY))

    def allow(self, extra_s: float) -> None:
        """Start-up work that is not the question's fault (importing SymPy)."""
        self.start_question(self.end_s - time.process_time() + extra_s)

    def run(self) -> None:
        while True:
            time.sleep(POLL_S)
            if time.process_time() > self.end_s:
                os._exit(CPU_LIMIT_EXIT)


cpu_limit = CpuLimit()


def _answer(given: str, gold: str) -> JsonObject:
    try:
        gold_tree = read_any(gold)
    except LatexError as error:
        return _comparison(None, "unreadable", f"the reference cannot be read: {error}", given, gold)
    try:
        given_tree = read_any(given)
    except LatexError as error:
        return _comparison(False, "unreadable", str(error), given, gold)
    try:
        verdict = trees_equal(given_tree, gold_tree)
    except ImportError as error:
        return _comparison(None, "symbolic", f"{error}; install sympy and antlr4-python3-runtime", given, gold)
    except (MemoryError, RecursionError) as error:
        return _comparison(None, "symbolic", f"{type(error).__name__} in the comparison", given, gold)
    return _comparison(
        verdict, "symbolic", "" if verdict is not None else "no stage decides", shown(given_tree), shown(gold_tree)
    )


def _comparison(is_equal: bool | None, rule: str, reason: str, given: str, gold: str) -> JsonObject:
    return {"is_equal": is_equal, "rule": rule, "reason": reason, "given_form": given[:500], "gold_form": gold[:500]}


def read_any(text: str) -> Tree:
    """By the quick reader, else by the grammar; raises LatexError."""
    try:
        return read(text)
    except (BeyondLimits, NotMathematics):
        raise
    except Unreadable:
        from tools.latex2sympy.reader import read_latex

        return with_quick_names(read_latex(text))


def with_quick_names(tree: Tree) -> Tree:
    """`x_{1}` as `x_1`: the other side may have been read by the quick reader."""

    def rename(node: Tree) -> Tree:
        if node[0] in ("sym", "apply") and "_{" in node[1]:
            return (node[0], BRACED_SUBSCRIPT.sub(r"_\1", node[1]), *node[2:])
        return node

    return mapped(tree, rename)


def equal_by_sympy(given: Tree, gold: Tree) -> bool | None:
    """The dear end of the ladder, for two values."""
    if not (is_writable(given) and is_writable(gold)):
        return None
    started_s = time.process_time()
    cpu_limit.allow(IMPORT_ALLOWANCE_S)
    import sympy

    from tools.latex2sympy.converter import to_sympy

    cpu_limit.allow(time.process_time() - started_s - IMPORT_ALLOWANCE_S)
    try:
        left, right = to_sympy(given, {}, is_exact=True), to_sympy(gold, {}, is_exact=True)
        if kinds(given) & CALCULUS or kinds(gold) & CALCULUS:
            verdict = _equal_by_quadrature(left, right)
            if verdict is not None:
                return verdict
            left, right = left.doit(), right.doit()
        if left == right:
            return True
        if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
            return bool(sympy.simplify(left - right).is_zero_matrix) if left.shape == right.shape else False
        return _equal_expressions(left, right)
    except (LatexError, TypeError, ValueError, AttributeError, NotImplementedError, ArithmeticError):
        return None


def _equal_by_quadrature(left: Any, right: Any) -> bool | None:
    """Definite integrals as numbers, which is quicker than looking for antiderivatives; None when quadrature is not sure
    of its digits or there is more than integrals."""
    import sympy

    difference = left - right
    if difference.free_symbols or difference.has(sympy.Sum, sympy.Product, sympy.Limit, sympy.Derivative):
        return None
    for digits in (15, QUADRATURE_DIGITS):
        try:
            values = [side.evalf(digits) for side in (left, right)]
        except (AttributeError, TypeError, ValueError, NotImplementedError, ArithmeticError):
            return None
        if not all(value.is_Float and value._prec > 3 * digits for value in values if not value.is_Rational):
            return None
        if abs(values[0] - values[1]) > CLEAR * max(1, abs(values[1])):
            return False
    return True if abs(values[0] - values[1]) < sympy.Float(10) ** (5 - digits) * max(1, abs(values[1])) else None


def _equal_expressions(left: Any, right: Any) -> bool | None:
    import sympy

    if left.has(sympy.nan, sympy.zoo) != right.has(sympy.nan, sympy.zoo):
        return False
    difference = left - right
    if difference == 0 or sympy.expand(difference) == 0:
        return True
    verdict = _equal_in_digits(difference)
    if verdict is False:
        return False
    if left.has(sympy.Integral, sympy.Sum, sympy.Limit) and left.dummy_eq(right):
        return True
    return True if sympy.simplify(difference) == 0 else verdict


def _equal_in_digits(difference: Any) -> bool | None:
    """False when the difference is clearly not zero at some point of the real domain, else None."""
    import sympy

    names = sorted(difference.free_symbols, key=str)
    for shift in range(3):
        point = {name: sympy.Rational(1237 + 419 * shift + 331 * place, 1000) for place, name in enumerate(names)}
        value = difference.subs(point).evalf(DIGITS)
        if value.has(sympy.Integral):  # quadrature rarely gives that many
            value = difference.subs(point).evalf(FEW_DIGITS)
        if value.is_number and value.is_finite and value.is_comparable and abs(value) > CLEAR:
            return False
    return None


def _answer_as_original(given: str, gold: str) -> JsonObject:
    from tools.grading.math.original_symbols import equal_as_original

    return {"is_equal": equal_as_original(given, gold)}


def _why_unreadable(text: str, _: str) -> JsonObject:
    try:
        read_any(text)
    except LatexError as error:
        return {"reason": str(error)}
    return {"reason": ""}


OPERATIONS = {"read": _why_unreadable, "compare": _answer, "original": _answer_as_original}

if __name__ == "__main__":
    main()
