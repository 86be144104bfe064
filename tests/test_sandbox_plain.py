"""Which programs may share a fork between tests; and that those that may cannot remember anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tools.sandbox.plain import judge_plainness
from tools.sandbox.session import Sandbox

PLAIN = [
    "print(int(input()) * 2)",
    "import sys\nfor line in sys.stdin:\n    print(line)",
    "import sys\ninput = sys.stdin.readline\nn = int(input())\nprint(n)",
    "from collections import defaultdict, Counter, deque\nd = defaultdict(list)\nprint(Counter('aab').most_common(1), deque([1]))",
    "from functools import lru_cache\n@lru_cache(None)\ndef f(n): return n\nprint(f(3))",
    "from typing import List\nclass Solution:\n    def f(self, a: List[int]) -> int:\n        self.x = a\n        return sum(a)",
    "import heapq\npush = heapq.heappush\nh = []\npush(h, 1)",
    "class Node:\n    def __init__(self): self.left = None\nn = Node()\nn.left = Node()",
    "from math import *\nprint(gcd(4, 6), pi)",
    "import sys\nsys.setrecursionlimit(10**6)\nsys.stdout.write('1')\nprint(2, file=sys.stderr)\nsys.exit()",
    "import json\nprint(json.dumps([1]), json.loads('[1]'))",
]
NOT_PLAIN = [
    "import os", "import random", "from os import path", "import builtins", "open(0)", "eval('1')", "getattr(1, 'x')",
    "type(1)", "().__class__", "import math\nmath.n = 1", "import sys\nsys.path.append('x')", "import sys\nsys.stdin = 1",
    "from sys import *\nprint(path)", "import sys\nsys.modules", "import math as m\nk = m\nk.n = 1", "from collections import Counter\nCounter.n = 1",
    "from collections import Counter\nc = Counter\nc.n = 1", "from collections import Counter\nf = Counter.most_common\nf.n = 1",
    "import collections\nf = collections.Counter.most_common\nf.n = 1", "from heapq import merge\ndef g(x): x.n = 1\ng(merge)",
    "Counter.n = 1", "def g(x): x.n = 1\ng(Counter)", "from operator import attrgetter", "(i for i in []).gi_frame",
    "import string\nstring.Formatter()", "import functools\nfunctools.update_wrapper(1, 2)", "undefined_name", "globals()",
    "async def f(): pass", "class A:\n    def __del__(self): pass", "import typing\ntyping.get_type_hints(1)", "exec('')",
    "from collections.abc import Sequence\nSequence.register(int)", "exit.n = 1",
]  # fmt: skip


@pytest.mark.parametrize("code", PLAIN)
def test_programs_that_only_compute_are_plain(code: str) -> None:
    assert judge_plainness(ast.parse(code)).reason == ""


@pytest.mark.parametrize("code", NOT_PLAIN)
def test_programs_that_could_remember_are_not(code: str) -> None:
    assert judge_plainness(ast.parse(code)).reason != ""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def test_tests_of_a_plain_program_start_clean(sandbox: Sandbox) -> None:
    code = "import sys\nseen = []\ndef f(x, memo=[]):\n    memo.append(x)\n    return len(memo)\nseen.append(input())\nprint(len(seen), f(1))"
    sandbox.load(code)
    assert [sandbox.ask(b"a\n") and sandbox.ask(b"a\n")[0] for _ in range(3)] == [b"1 1\n"] * 3  # type: ignore[index]


def test_a_name_that_the_program_binds_later_is_not_found_among_the_built_in_ones(sandbox: Sandbox) -> None:
    sandbox.load("def f():\n    e = eval\n    return e\nprint(f())\neval = 1")
    assert sandbox.ask(b"") is None  # NameError: decided by a fork of its own


def test_slow_and_large_tests_are_left_to_a_fork_of_their_own(sandbox: Sandbox) -> None:
    program = sandbox.load("n = len(input())\nwhile n == 1: pass\nprint(n)")
    assert sandbox.ask(b"ab\n") is not None
    assert sandbox.ask(b"a\n") is None
    assert sandbox.ask(b"ab\n") is None  # the shared fork is gone
    assert sandbox.run(program, b"ab\n").output == b"2\n"
    sandbox.load("print(len(input()))")
    assert sandbox.ask(b"a" * 100_000) is None


def test_recursion_limit_and_streams_are_renewed(sandbox: Sandbox) -> None:
    sandbox.load(
        "import sys\nprint(sys.getrecursionlimit())\nsys.setrecursionlimit(77)\nsys.stdout.flush()\nsys.stdin.close()\nsys.stdout.close()"
    )
    first, second = sandbox.ask(b""), sandbox.ask(b"")
    assert first is None or first[0] == second[0]  # type: ignore[index]


def test_programs_that_are_not_plain_are_never_asked(sandbox: Sandbox) -> None:
    sandbox.load("import os\nprint(1)")
    assert sandbox.ask(b"") is None
