"""Tests that unpack to far more than they are: refused before they take memory, while long honest ones pass."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
import zlib

import pytest

from tests.conftest import ROOT
from tools.grading.code.json_size import check_size

BOMB = """
import base64, resource, sys, zlib
resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))
from tools.errors import DataError
from tools.grading.code.problem_tests import read_tests
unit, count = {unit!r}, {count}
text = b"[" + unit * count + b"{{}}]"
packed = zlib.compress(b"\\x80\\x04\\x8d" + len(text).to_bytes(8, "little") + text + b".")
del text
try:
    read_tests({{"question_id": "q", "private_test_cases": base64.b64encode(packed).decode()}})
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("unit", "count", "words"),
    [
        (b"[],", 12 << 20, "more than 1000000 values"),
        (b'{"input":"1","output":"2"},', 2 << 20, "more than 1000000 values"),
        (b"0" * 1000, 220 << 10, "larger than 192 MiB"),
    ],
)
def test_a_bomb_in_packed_tests_is_one_line_within_a_gibibyte(unit, count, words):
    code = BOMB.format(unit=unit, count=count)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert words in done.stdout, done.stderr[-500:]
    assert done.stdout.count("\n") == 1


def test_honest_tests_pass_however_long_their_strings():
    cases = [{"input": '[1, 2, {3}]\\" ' * 20_000, "output": 'a "quoted" word\\\\', "testtype": "stdin"}] * 40
    text = json.dumps(cases)
    check_size(text)
    from tools.grading.code.problem_tests import unpack_text

    packed = base64.b64encode(zlib.compress(pickle.dumps(text))).decode()
    assert unpack_text(packed) == text


@pytest.mark.parametrize("text", ["", "[", '"', '"\\', '"\\"', "{" * 1000, '["a\\\\"]', '"a" "b'])
def test_texts_that_are_no_json_are_left_to_the_parser(text):
    check_size(text)


def test_escaped_quotes_have_a_limit_of_their_own(monkeypatch):
    monkeypatch.setattr("tools.grading.code.json_size.MAX_ESCAPED_QUOTES", 10)
    check_size('"' + '\\"' * 9 + '"')
    with pytest.raises(ValueError, match="escaped quotes"):
        check_size('"' + '\\"' * 30 + '"')
