"""The tests of one problem: read lazily, from JSON or from LiveCodeBench's packed form, without trusting either.

Private tests in the official files are base64 of zlib of a pickle of JSON text. `unpickle_text` reads only such pickles
that hold one text and nothing else; it never runs the pickle machine, so a hostile file can build nothing.

>>> import pickle
>>> unpickle_text(pickle.dumps("[]"))
'[]'
"""

from __future__ import annotations

import ast
import base64
import binascii
import builtins
import enum
import json
import keyword
import pickletools
import re
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.errors import DataError
from tools.grading.code.comparison import parse_json
from tools.grading.code.json_size import check_size
from tools.records import JsonRow

ID_FIELDS = ("question_id", "task_id", "id")
PRINT_INPUT = "\nimport sys as _sys\nprint('\\n' + _sys.stdin.read())\n"
MOST_LIMIT_S = 120  # of a problem's own time limit
MAX_UNPACKED_BYTES = 192 << 20  # of one problem; the largest official one has about half
TEXT_OPCODES = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
BUILTINS = frozenset(dir(builtins))
SILENT_OPCODES = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"}


class CODE_TYPE(enum.Enum):
    """How a problem talks to its solutions; values as in LiveCodeBench."""

    call_based = 0
    standard_input = 1


@dataclass(frozen=True)
class TestCase:
    """`input` is stdin, or one JSON value per line for a call; `expected` is stdout, or one JSON value."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    input: str
    expected: str


@dataclass(frozen=True)
class ProblemTests:
    """All tests of one problem, public ones first. `function` is None for programs from stdin to stdout.

    `harness`: HumanEval's and MBPP's form, test code that runs after the program (which then may be no more than the
    rest of `prompt`, the function `entry_point`); it ends by printing its input, so that a program which only ends early has not passed.
    `checker`: a program that says which other outputs are right (checkers.py). `cpu_s`: the problem's own time limit, 0 for none.
    """

    question_id: str
    cases: tuple[TestCase, ...]
    function: str | None
    harness: str | None = None
    prompt: str = ""
    entry_point: str = ""
    checker: str = ""
    cpu_s: float = 0.0

    @property
    def code_type(self) -> CODE_TYPE:
        return CODE_TYPE.standard_input if self.function is None else CODE_TYPE.call_based


def read_tests(row: JsonRow, *, with_public: bool = True, with_private: bool = True) -> ProblemTests:
    """Reads the tests of one LiveCodeBench row; raises DataError that names the problem and the field."""
    question_id = find_id(row)
    if row.get("test") is not None or row.get("test_list") is not None:
        return _read_harness(question_id, row)
    if row.get("official_tests") is not None:
        return _read_contest(question_id, row)
    cases: list[TestCase] = []
    kinds = set()
    for field, is_wanted in (("public_test_cases", with_public), ("private_test_cases", with_private)):
        if is_wanted:
            for case, kind in _read_field(question_id, field, row.get(field)):
                cases.append(case)
                kinds.add(kind)
    function = find_function_name(row, "functional" in kinds)
    if "functional" in kinds and function is None:
        raise DataError(f"problem {question_id}: its tests call a function, but metadata.func_name does not name it")
    return ProblemTests(question_id, tuple(cases), function)


def _read_contest(question_id: str, row: JsonRow) -> ProblemTests:
    """open-r1's Codeforces: tests from stdin to stdout, a checker where several outputs are right, a time limit in seconds."""
    if row.get("official_tests_complete") is False:
        raise DataError(f"problem {question_id}: its tests are cut off, so that nothing can be said to pass them")
    if str(row.get("input_mode") or "stdio") != "stdio":
        raise DataError(f"problem {question_id} reads {row['input_mode']}; programs here read stdin")
    cases = tuple(case for case, _ in _read_field(question_id, "official_tests", row["official_tests"]))
    limit = row.get("time_limit")
    limit_s = float(limit) if isinstance(limit, (int, float)) and 0 < limit < MOST_LIMIT_S else 0.0
    checker = str(row.get("generated_checker") or "")
    return ProblemTests(question_id, cases, None, checker=checker, cpu_s=limit_s)


def find_id(row: JsonRow) -> str:
    """A problem's id as text, from the first field that has one: some sets number their problems."""
    return str(next((row[name] for name in ID_FIELDS if row.get(name) is not None), "?"))


def _read_harness(question_id: str, row: JsonRow) -> ProblemTests:
    """HumanEval: `test` defines check(candidate), called with `entry_point`. MBPP: `test` or `test_list` are asserts."""
    entry_point, test = row.get("entry_point"), row.get("test")
    if isinstance(test, str) and entry_point:
        harness = f"{test}\ncheck({entry_point})\n"
    else:
        asserts = _read_asserts(question_id, row.get("test_list") if test is None else test)
        harness = "\n".join([*_read_imports(row), str(row.get("test_setup_code") or ""), *asserts])
    token = secrets.token_hex(16)
    prompt = str(row.get("prompt") or "") if entry_point else ""
    cases = (TestCase(token, token),)
    name = str(entry_point or find_tested_function(row) or "")
    return ProblemTests(question_id, cases, None, "\n\n" + harness + PRINT_INPUT, prompt, name)


def find_tested_function(row: JsonRow) -> str | None:
    """The function that HumanEval's entry point or MBPP's first assertion is about; for the extraction of code only."""
    if row.get("entry_point"):
        return str(row["entry_point"])
    tests = row.get("test_list") or row.get("test")
    text = tests[0] if isinstance(tests, list) and tests else tests
    match = re.search(r"\bassert\b.*", text[:10_000]) if isinstance(text, str) else None
    calls = re.findall(r"(?<![\w.])([A-Za-z_]\w*)\s*\(", match.group()) if match else []
    return next((name for name in calls if name not in BUILTINS and not keyword.iskeyword(name)), None)


def _read_imports(row: JsonRow) -> list[str]:
    """What MBPP's asserts import for themselves, in its sanitized form."""
    imports = row.get("test_imports") or []
    return [str(line) for line in imports] if isinstance(imports, (list, tuple)) else [str(imports)]


def _read_asserts(question_id: str, value: Any) -> list[str]:
    """A list of asserts, also written as the text of a Python list."""
    try:
        asserts = ast.literal_eval(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise DataError(f"problem {question_id}: its asserts are no list ({error}); restore the row") from error
    asserts = [asserts] if isinstance(asserts, str) else asserts
    if not isinstance(asserts, list) or not asserts or not all(isinstance(each, str) for each in asserts):
        raise DataError(f"problem {question_id} has no tests: nothing can pass it")
    return asserts


def find_function_name(row: JsonRow, is_functional: bool = False) -> str | None:
    """metadata.func_name, or the last `def` of the starter code where the tests say that they call a function."""
    metadata = row.get("metadata") or {}
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError as error:
            raise DataError(f"problem {row.get('question_id')}: metadata is not JSON ({error})") from error
    if isinstance(metadata, dict) and isinstance(metadata.get("func_name"), str) and metadata["func_name"]:
        return str(metadata["func_name"])
    names = re.findall(r"^\s*def\s+(\w+)\s*\(", str(row.get("starter_code") or ""), re.MULTILINE)
    return names[-1] if is_functional and names else None


def _read_field(question_id: str, field: str, value: Any) -> Iterator[tuple[TestCase, str]]:
    if isinstance(value, str):
        value = _parse(question_id, field, value)
    if value is None:
        return
    if not isinstance(value, list):
        raise DataError(f"problem {question_id}: {field} holds no list of tests")
    for number, test in enumerate(value, 1):
        if not isinstance(test, dict) or not isinstance(test.get("input"), str) or "output" not in test:
            raise DataError(f"problem {question_id}: test {number} of {field} lacks input or output")
        expected = test["output"] if isinstance(test["output"], str) else json.dumps(test["output"])
        yield TestCase(test["input"], expected), str(test.get("testtype", "stdin"))


def _parse(question_id: str, field: str, text: str) -> Any:
    if not text.strip():
        return None
    try:
        if not text.lstrip().startswith("["):
            text = unpack_text(text)
        check_size(text)
        return json.loads(text)
    except (ValueError, RecursionError, binascii.Error, zlib.error) as error:
        hint = "restore the row or fetch the file again"
        raise DataError(f"problem {question_id}: {field} cannot be decoded ({error}); {hint}") from error


def unpack_text(packed: str) -> str:
    """Base64 of zlib of a pickled text; raises ValueError or zlib.error."""
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(packed, validate=True), MAX_UNPACKED_BYTES)
    if not unpacker.eof:
        raise ValueError(f"the packed text is cut off or larger than {MAX_UNPACKED_BYTES >> 20} MiB")
    return unpickle_text(data)


def unpickle_text(data: bytes) -> str:
    """The text in a pickle that holds one text; ValueError for every other pickle."""
    texts: list[str] = []
    for opcode, argument, _position in pickletools.genops(data):
        if opcode.name in TEXT_OPCODES:
            texts.append(str(argument))
        elif opcode.name not in SILENT_OPCODES:
            raise ValueError(f"the pickle holds more than text (opcode {opcode.name})")
    if len(texts) != 1:
        raise ValueError("the pickle does not hold one text")
    return texts[0]


def parse_arguments(case: TestCase) -> list[Any]:
    """The arguments of a call: one JSON value per line; raises ValueError."""
    return [parse_json(line) for line in case.input.split("\n") if line.strip()]


def pack_arguments(case: TestCase) -> bytes:
    """The arguments of a call as one JSON list, in the test's own words; raises ValueError and RecursionError."""
    parse_arguments(case)
    text = "[" + ", ".join(line.strip() for line in case.input.split("\n") if line.strip()) + "]"
    return text.encode("utf-8", "surrogatepass")
