"""What one fork of the warm process does: take its limits, run one program on one test, leave one record, end.

Everything here happens on the program's side of the fence: it may be overwritten by the program, and nothing that it
reports is believed further than "this is what the program answered".
"""

from __future__ import annotations

import ast
import atexit
import contextlib
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
from tools.sandbox.plain_surface import make_builtins
from tools.sandbox.prelude import withdraw_prelude
from tools.sandbox.process import die_with_parent
from tools.sandbox.protocol import (
    CHANNEL_FD,
    COMPILE,
    COMPILED,
    DESCRIPTORS,
    EXCEPTION,
    INPUT_FD,
    MAX_RECORD,
    OUTPUT_FD,
    REPORT_FD,
    RESULT,
    RUN,
    SYNTAX,
    TEXT_FD,
    UNPRINTABLE,
    Request,
    join_text,
    split_text,
)
from tools.sandbox.quick import serve_tests
from tools.sandbox.seccomp import PreparedFilter

FILENAME = "<solution>"
PRACTICE = """
import sys, heapq
from collections import defaultdict, deque
from typing import List
class Solution:
    def solve(self, n: int, values: List[int] = []) -> int:
        self.best = -1
        for i, value in enumerate(values):
            if value > 0 and not (i % 2 == 0 or value <= n): self.best += values[i - 1:][0] * 2
        return [x for x in values if x] or {1: 2, 3: 4}.get(n, (1, 2))
def main():
    data = list(map(int, sys.stdin.read().split()))
    counts, queue = defaultdict(int), deque([data[0]])
    while queue:
        try: heapq.heappush(data, queue.popleft())
        except ValueError as error: raise KeyError(f"{error} {len(data):>3}") from None
        counts[data[0]] = sum(1 for x in data) if data else max(data, key=lambda x: x)
    print(*data, sep="\\n", file=sys.stdout)
if __name__ == "__main__":
    main()
"""
MAX_TEXT = 400
_exit_now = os._exit
_pwrite = os.pwrite


class WarmState:
    """What the warm process hands to its forks: nothing of any program, only how to run one."""

    def __init__(self, program_filter: PreparedFilter | None, prelude: list[str], first_own_fd: int) -> None:
        self.program_filter = program_filter
        self.prelude = prelude
        self.first_own_fd = first_own_fd  # from here on descriptors belong to the interpreter (folders of its library)


def run_child(request: Request, warm: WarmState) -> NoReturn:
    """Never returns. Exit status as Python's own: 0, the program's, or 1 after an exception."""
    status = 1
    try:
        if request.operation == RUN:
            os.dup2(INPUT_FD, 0)
            os.dup2(OUTPUT_FD, 1)
            os.closerange(INPUT_FD, OUTPUT_FD + 1)
        os.closerange(REPORT_FD + DESCRIPTORS[request.operation], warm.first_own_fd)
        die_with_parent()
        _take_limits(request)
        if warm.program_filter is not None:
            warm.program_filter.install(os.getpid())
        if not request.has_prelude:
            withdraw_prelude(warm.prelude)
        if request.operation == COMPILE:
            status = _compile(request.has_prelude)
        else:
            function, code = _load()
            gc.enable()
            if request.operation == RUN:
                status = _run(code, request.tidies_up, _module_name(request.has_prelude, function))
            else:
                status = _call(function, code)
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
    _write_all(kind + text.encode("utf-8", "surrogatepass"))


def _write_all(record: bytes) -> None:
    """Raises OSError when the record is longer than this fork may write."""
    done = 0
    while done < len(record):
        done += _pwrite(REPORT_FD, record[done:] if done else record, done)


def _read_all(descriptor: int) -> bytes:
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    os.close(descriptor)
    return data


def _compile(has_prelude: bool) -> int:
    """Leaves the code for later forks. Goes on to serve tests itself when the program is plain."""
    try:
        function, text = split_text(_read_all(TEXT_FD))
        tree = ast.parse(text, FILENAME)
        code = compile(tree, FILENAME, "exec", dont_inherit=True)
        record = COMPILED + join_text(function, marshal.dumps(code))
        plainness = judge_plainness(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        _leave(SYNTAX, _describe(error))
        return 0
    if len(record) > MAX_RECORD:
        _leave(SYNTAX, f"the compiled program is larger than {MAX_RECORD >> 20} MiB")
        return 0
    _write_all(record)
    os.close(REPORT_FD)
    if plainness.reason:
        return 0
    del tree, record
    gc.freeze()
    gc.enable()
    own_builtins = make_builtins(plainness.hidden)
    os.write(CHANNEL_FD, str(os.getpid()).encode())
    name = _module_name(has_prelude, function)
    serve_tests(code, function, CHANNEL_FD, lambda: _new_main(name) | {"__builtins__": own_builtins.copy()})
    return 0


def practise() -> None:
    """Compiles and judges a text of ours a few times, in the warm process: what the interpreter makes ready at the first
    use of its parser, and learns about the code of the judge, every fork finds done."""
    for _ in range(4):
        tree = ast.parse(PRACTICE.encode(), FILENAME)
        marshal.loads(marshal.dumps(compile(tree, FILENAME, "exec", dont_inherit=True)))
        make_builtins(judge_plainness(tree).hidden)


def _load() -> tuple[str, types.CodeType]:
    """What the compiling fork left: the function to call, and the code. The descriptor is gone before any of it runs."""
    record = _read_all(TEXT_FD)
    function, marshalled = split_text(record[len(COMPILED) :])
    return function, marshal.loads(marshalled)


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


def _module_name(has_prelude: bool, function: str) -> str:
    """A program from stdin to stdout is a script. Where functions are tested (calls, HumanEval, MBPP: they have no
    prelude) it is a module that is imported, as in the checkers of these sets: what its guard holds back does not run."""
    return "__main__" if has_prelude and not function else "solution"


def _new_main(name: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    module.__dict__["__file__"] = "solution.py"
    sys.modules["__main__"] = sys.modules[name] = module
    return module.__dict__


def _run(code: types.CodeType, tidies_up: bool, module_name: str) -> int:
    """A program from stdin to stdout, with the end that a real interpreter gives it."""
    names = _new_main(module_name)
    try:
        exec(code, names)  # noqa: S102 - the one place where programs run: a locked-in fork
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
        _flush(getattr(sys, "stdout", None))
        _flush(getattr(sys, "__stdout__", None))  # the program may have put an object of its own in sys.stdout
    except Exception:  # noqa: BLE001 - ... whose flush may do anything
        status = 120
    if not tidies_up:
        return status
    names.clear()  # files that the program left open write their rest
    gc.collect()
    with contextlib.suppress(Exception):  # an object of the program's own has just lost its globals
        _flush(getattr(sys, "stdout", None))
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


def _call(function: str, code: types.CodeType) -> int:
    """One call of a function or of a method of `class Solution`; the result leaves as JSON text."""
    digits = _allow_digits(0)
    arguments = json.loads(_read_all(INPUT_FD))
    _allow_digits(digits)
    encode = make_encoder()
    try:
        names = _new_main("solution")
        exec(code, names)  # noqa: S102 - as above
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
