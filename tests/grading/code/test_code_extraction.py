"""Programs out of answers: golden rows for every way in which fences and blocks come, and time that grows with the text
and no faster, whatever the text repeats."""

from __future__ import annotations

import json
import pathlib
from random import Random
from typing import Any

import pytest

from tests.support.cpu import grows_linearly, takes_less
from tools.grading.code.blocks import Block, Kind, find_blocks
from tools.grading.code.extraction import clean_if_name, extract_program, is_safe_code
from tools.grading.code.harness import complete_answer
from tools.grading.code.merging import join_blocks
from tools.models.reasoning import split_reasoning

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "golden" / "code_extraction.jsonl"
ROWS = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").split("\n") if line]

# Texts that a pathological answer repeats, and what it may begin and end with.
TOKENS = [
    "```", "```python\n", "```python", "```\n", "\n", "`", "````\n", "~~~\n", '"""', "'''", '"', "'", "#", "\\", "> ",
    "- ```python\n", "    ", "\t", "```x\n", "a ```\n", "x = 1\n", '```\n"""\n', '```python\n"""\n', "print(1)```\n",
    "\r\n", "```python x``` ", "def f(", "if 1:\n", "\ufeff", "<|im_end|>", "f = ", "-", "not ", "a.", "1+", "[", "f'{",
    "```\n>>> 1\n", "<think>", "'</think>'\n", "```python\ndef f(x): return a\n```\n", "````\n```\n",
    "```\n```python\ng = 1\n```\n",
]  # fmt: skip
BEGINNINGS = ["", "```python\n", "```python\ndef f(x):\n  return y\n```\n```python\n", '"""']
ENDS = ["", ".\n```python\ndef f(x): return 1\n```"]
LENGTH = 10_000


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}-{row['source'][:40]}" for number, row in enumerate(ROWS)])
def test_golden_answers(row: dict[str, Any]) -> None:
    assert extract_program(row["response"], row["function"]) == row["program"], row["source"]


def find_programs(text: str) -> None:
    """With and without a function."""
    answer = split_reasoning(text).answer
    extract_program(answer)
    extract_program(answer, "f")


@pytest.mark.slow
@pytest.mark.parametrize("beginning", BEGINNINGS, ids=range(len(BEGINNINGS)))
def test_time_grows_with_the_text_and_no_faster(beginning: str) -> None:
    for token in TOKENS:
        for end in ENDS:
            small, large = (beginning + token * (length // len(token)) + end for length in (LENGTH, 4 * LENGTH))
            assert grows_linearly(find_programs, small, large), (token, end)


def test_an_answer_of_a_million_signs_takes_half_a_second() -> None:
    text = "```python\nprint(1)\n```\nso\n" * 42_000
    assert extract_program(text) == "print(1)\n"
    assert takes_less(2, extract_program, text)  # half a second, on a machine that does nothing else


def test_the_first_of_very_many_fences_is_still_found() -> None:
    assert extract_program("```python\nprint(1)\n```\n" + "```x\n" * 60_000) == "print(1)\n"


def test_blocks_say_their_kind() -> None:
    blocks = find_blocks("```py\na\n```\n```\nb\n```\n```cpp\nc\n```")
    assert blocks == [Block(Kind.PYTHON, "a\n"), Block(Kind.UNNAMED, "b\n"), Block(Kind.OTHER, "c\n")]


def test_tags_in_strings_of_programs_are_text() -> None:
    code = "```python\nimport re\nprint(re.sub(r'<think>.*?</think>', '', input()))\n```"
    assert split_reasoning(code).answer == code
    assert split_reasoning("hm, it's 5</think>It's\n" + code).answer == "It's\n" + code
    assert split_reasoning("a draft\n```python\nthat's it</think>Here's\n" + code).answer == "Here's\n" + code
    one = "```python\nprint(input().split('</think>')[1])\n```"
    assert split_reasoning(one) == split_reasoning(one, is_opened_by_prompt=None)
    assert split_reasoning(one).answer == one
    assert split_reasoning("<think>\n" + one + "\n</think>\n" + one).answer == "\n" + one
    assert split_reasoning("x </think>\n```python\nprint('<think>')\n```").is_closed
    documented = '```python\n"""\nstrips <think> and </think>\n"""\nprint(1)  # </think>\n```'
    assert split_reasoning(documented).answer == documented
    draft = "<think>a\n```python\ns = '''\n</think>\n```python\nprint(1)\n```"
    assert split_reasoning(draft).answer == "\n```python\nprint(1)\n```"
    inline = "<think>it's ``` here</think>\n```python\nprint('<think>')\n```"
    assert split_reasoning(inline).answer == "\n```python\nprint('<think>')\n```"


def test_only_what_the_function_needs_is_joined() -> None:
    assert join_blocks(["import os\n", "def f(): return 1\n"], 1) == "def f(): return 1\n"
    assert join_blocks(["x = 1\n", "def f(: return x\n"], 1) == "def f(: return x\n"  # no Python: as it stands
    assert join_blocks(["y = 1\nx = y\nz = x\n", "def f(): return x\n"], 1) == "y = 1\nx = y\ndef f(): return x\n"
    assert join_blocks(["def broken(:\n", "def f(): return x\n"], 1) == "def f(): return x\n"


def test_chains_and_strings_that_cannot_be_written_anew_stop_nothing() -> None:
    chain = "x = " + "1 + " * 5_000 + "1\n"
    for code in (chain, 'x = f"{chr(10)!r:{1}}"\n', "x = f'''{\"\"\"\n\"\"\"}'''\n", "x = " + "-" * 5_000 + "1\n"):
        text = f"```python\n{code}def f(): return x\n```\n```python\nf()\n```"
        assert extract_program(text, "f") == f"{code}def f(): return x\n"
        guarded = code + "if __name__ == '__main__':\n    f()\n"
        assert isinstance(clean_if_name(guarded), str)
        assert is_safe_code(code) == (True, [])


PROMPT = 'import math\nHALF = 0.5\n\n\ndef area(r):\n    """ doc\n    """\n'


@pytest.mark.parametrize(
    "answer",
    [
        "def area(r):\n    return HALF * math.pi * r\n",
        "    return HALF * math.pi * r\n",
        "return HALF * math.pi * r\n",
        "x = HALF * math.pi\n    return x * r\n",
        "x = HALF * math.pi\nreturn x * r\n",
        "  x = HALF * math.pi\n  return x * r\n",
        "\tx = HALF * math.pi\n\treturn x * r\n",
        "    def area(r):\n        return HALF * math.pi * r\n",
        "from __future__ import annotations\ndef area(r: int) -> float:\n    return HALF * math.pi * r\n",
        "area = lambda r: HALF * math.pi * r\n",
        PROMPT + "    return HALF * math.pi * r\n",
        "    return HALF * math.pi * r\n\n\ndef other(r):\n    return area(r)\n",
    ],
)
def test_answers_in_every_form_of_humaneval_become_programs(answer: str) -> None:
    program = complete_answer(answer, PROMPT, "area")
    names: dict[str, Any] = {}
    exec(compile(program, "p", "exec", dont_inherit=True), names)  # noqa: S102 - a program of this test
    assert names["area"](2) == pytest.approx(3.14159265)
    assert complete_answer(answer, "", "") == answer


PIECES = [*TOKENS, "def f(x):\n", "    return g(x)\n", "from __future__ import annotations\n", "print(f(1))\n", "t[0] = 1\n",
          "@d\n", "a; b = 1\n", "    global q; q = 1\n", "return 1\n", "lambda: (yield)\n", "\x00", "\ud800", "\u2028", "\f"]  # fmt: skip


def test_no_answer_whatever_it_holds_stops_the_extraction() -> None:
    random = Random(12)
    for _ in range(2_000):
        answer = "".join(random.choice(PIECES) for _ in range(random.randint(1, 50)))
        split = split_reasoning(answer)
        for function in (None, "f"):
            program = extract_program(split.answer, function)
            assert program is None or isinstance(complete_answer(program, PROMPT, "f"), str)
        prose = answer.replace("`", "").replace("~", "")
        assert extract_program(f"```python\nprint(1)\n```\n{prose}") == "print(1)\n"
