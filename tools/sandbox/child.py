"""What one fork of the warm process does: take its limits, run one program on one test, leave one record, end.

Everything here happens on the program's side of the fence: it may be overwritten by the program, and nothing that it
reports is believed further than "this is what the program answered".
"""

from __future__ import annotations

import ast
import atexit
import builtins
import contextlib
import functools
import gc
import json
import marshal
import os
import resource
import sys
import threading
import types
from typing import Any, NoReturn

from tools.sandbox.child_calls import find_function, make_encoder
from tools.sandbox.plain import judge_plainness
from tools.sandbox.prelude import withdraw_prelude
from tools.sandbox.process import die_with_parent
from tools.sandbox.protocol import (
    CALL,
    CHANNEL_FD,
    COMPILE,
    COMPILED,
    DATA_FD,
    EXCEPTION,
    MAX_DESCRIPTORS,
    REPORT_FD,
    RESULT,
    RUN,
    SYNTAX,
    UNPRINTABLE,
    Request,
)
from tools.sandbox.quick import serve_tests
from tools.sandbox.seccomp import PreparedFilter

FILENAME = "<solution>"
MAX_TEXT = 400
_exit_now = os._exit
_pwrite = os.pwrite


class WarmState:
    """What the warm process hands to its forks: the filter to install and the code that was compiled last."""

    def __init__(self, program_filter: PreparedFilter | None, prelude: list[str]) -> None:
        self.program_filter = program_filter
        self.prelude = prelude
        self.record = b""  # what the last compiling fork left
        self.code: types.CodeType | None = None  # from the record, made when it is first needed


def run_child(request: Request, warm: WarmState) -> NoReturn:
    """Never returns. Exit status as Python's own: 0, the program's, or 1 after an exception."""
    status = 1
    try:
        last_fd = {COMPILE: CHANNEL_FD, CALL: DATA_FD, RUN: REPORT_FD}[request.operation]
        if request.operation == RUN:
            os.dup2(REPORT_FD + 1, 0)
            os.dup2(REPORT_FD + 2, 1)
        os.closerange(last_fd + 1, MAX_DESCRIPTORS)
        die_with_parent()
        _take_limits(request)
        if warm.program_filter is not None:
            warm.program_filter.install(os.getpid())
        gc.enable()
        if not request.has_prelude:
            withdraw_prelude(warm.prelude)
        if request.operation == COMPILE:
            status = _compile(request.function, _module_name(request))
        elif request.operation == CALL:
            status = _call(warm.code, request.function)
        else:
            status = _run(warm.code, request.tidies_up, _module_name(request))
    finally:
        _exit_now(status)


def _take_limits(request: Request) -> None:
    for limit, value in (
        (resource.RLIMIT_CPU, request.cpu_s),
        (resource.RLIMIT_AS, request.address_bytes),
        (resource.RLIMIT_DATA, request.data_bytes),
        (resource.RLIMIT_FSIZE, request.file_bytes),
    ):
        resource.setrlimit(limit, (value, value))


def _leave(kind: bytes, text: str) -> None:
    _pwrite(REPORT_FD, kind + text.encode("utf-8", "surrogatepass"), 0)


def _read_all(descriptor: int) -> bytes:
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    os.close(descriptor)
    return data


def _compile(function: str, module_name: str) -> int:
    """Leaves the code for later forks. Goes on to serve tests itself when the program is plain."""
    try:
        tree = ast.parse(_read_all(DATA_FD), FILENAME)
        code = compile(tree, FILENAME, "exec", dont_inherit=True)
        plainness = judge_plainness(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        _leave(SYNTAX, _describe(error))
        return 0
    _pwrite(REPORT_FD, COMPILED + marshal.dumps(code), 0)
    os.close(REPORT_FD)
    if plainness.reason:
        return 0
    for name in plainness.hidden:
        delattr(builtins, name)
    os.write(CHANNEL_FD, str(os.getpid()).encode())
    serve_tests(code, function, CHANNEL_FD, functools.partial(_new_main, module_name))
    return 0


def _describe(error: BaseException) -> str:
    """`ValueError: text (line 7)`, from the innermost frame that is the program's own."""
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    name = type(error).__name__
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)[:MAX_TEXT]
    except BaseException:  # noqa: BLE001 - a program's own __str__ may do anything
        text = ""
    return name + (f": {text}" if text else "") + (f" (line {line})" if line else "")


def _module_name(request: Request) -> str:
    """A program from stdin to stdout is a script. Where functions are tested (calls, HumanEval, MBPP: they have no
    prelude) it is a module that is imported, as in the checkers of these sets: what its guard holds back does not run."""
    return "__main__" if request.has_prelude and not request.function else "solution"


def _new_main(name: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    module.__dict__["__file__"] = "solution.py"
    sys.modules["__main__"] = sys.modules[name] = module
    return module.__dict__


def _run(code: types.CodeType | None, tidies_up: bool, module_name: str) -> int:
    """A program from stdin to stdout, with the end that a real interpreter gives it."""
    names = _new_main(module_name)
    try:
        exec(code, names)  # type: ignore[arg-type] # noqa: S102 - the one place where programs run: a locked-in fork
        status = 0
    except SystemExit as error:
        status = _exit_status(error)
    except BaseException as error:  # noqa: BLE001 - whatever ends a program ends this fork
        _leave(EXCEPTION, _describe(error))
        status = 1
    return _finish(names, tidies_up) or status


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    _leave(EXCEPTION, f"SystemExit: {str(error.code)[:MAX_TEXT]}")
    return 1


def _finish(names: dict[str, Any], tidies_up: bool) -> int:
    """Waits for threads, runs atexit functions, flushes; 120 like Python when the output cannot be flushed."""
    if threading.active_count() > 1:
        threading._shutdown()  # type: ignore[attr-defined]
    if atexit._ncallbacks():
        atexit._run_exitfuncs()
    status = 0
    try:
        _flush(sys.stdout)
        _flush(sys.__stdout__)  # the program may have put an object of its own in sys.stdout
    except Exception:  # noqa: BLE001 - ... whose flush may do anything
        status = 120
    if not tidies_up:
        return status
    names.clear()  # files that the program left open write their rest
    gc.collect()
    with contextlib.suppress(Exception):  # an object of the program's own has just lost its globals
        _flush(sys.stdout)
    return status


def _flush(stream: Any) -> None:
    """As Python does at its end: no stream, or one that the program has closed, is no error."""
    if stream is not None and not getattr(stream, "closed", False):
        stream.flush()


def _allow_digits(count: int) -> int:
    """Sets how many digits of an integer Python reads and writes (0: any number); returns the limit until now."""
    if not hasattr(sys, "set_int_max_str_digits"):
        return 0
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(count)
    return before


def _call(code: types.CodeType | None, function: str) -> int:
    """One call of a function or of a method of `class Solution`; the result leaves as JSON text."""
    digits = _allow_digits(0)
    arguments = json.loads(_read_all(DATA_FD))
    _allow_digits(digits)
    encode = make_encoder()
    try:
        names = _new_main("solution")
        exec(code, names)  # type: ignore[arg-type] # noqa: S102 - as above
        value = find_function(names, function)(*arguments)
    except SystemExit:
        _leave(EXCEPTION, "SystemExit: the program ended itself instead of returning")
        return 1
    except BaseException as error:  # noqa: BLE001 - whatever ends a program ends this fork
        _leave(EXCEPTION, _describe(error))
        return 1
    _allow_digits(0)
    try:
        _leave(RESULT, encode(value))
    except (TypeError, ValueError, RecursionError) as error:
        _leave(UNPRINTABLE, _describe(error))
    return 0
