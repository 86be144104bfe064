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


# Ways to keep something from one test for the next, by kind: none of them is in what plain programs may use.
KEEPING = {
    "object of an exception": "from collections import Counter\ntry: Counter.nope\nexcept AttributeError as e: e.obj.n = 1",
    "object of an exception, own name": "class A: obj = 1\ntry: [].x\nexcept AttributeError as e: print(e.obj)",
    "walrus in an annotation": "import math\ndef f(a: (m := math)): pass\nm.n = 1",
    "call in an annotation": "def f(a: print(1)): pass",
    "instance in an annotation": "from typing import List\nclass A:\n    def __hash__(self): return 1\na = A()\ndef f(x: List[a]): pass",
    "attribute in an annotation": "from typing import List\nclass A: pass\na = A()\na.b = A()\ndef f(x: List[a.b]): pass",
    "decorated class in an annotation": "from typing import List\ndef d(c): return 1\n@d\nclass A: pass\ndef f(x: List[A]): pass",
    "cache of typing": "from typing import List\nx = List[1]",
    "cache of re": "import re\nre.compile('a', 0)",
    "cache of strptime": "import datetime\ndatetime.datetime.strptime('1', '%d')",
    "cache of fractions": "from fractions import Fraction\nhash(Fraction(1))",
    "text of a class of its own": "class F(str): pass",
    "number of a class of its own": "class F(int): pass",
    "memo of deepcopy": "import copy\ncopy.deepcopy([], {})",
    "memo of deepcopy by name": "from copy import deepcopy\ndeepcopy([], memo={})",
    "memo of deepcopy, starred": "from copy import deepcopy\ndeepcopy(*[[], {}])",
    "hook of deepcopy": "class A:\n    def __deepcopy__(self, memo): pass",
    "one name for two modules": "import sys as m\ndef f():\n    import math as m\n    return m.pi\nm.modules",
    "one name for a module and for its own": "import heapq as h\ndef f(h): h.n = 1",
    "module by the name of another": "import math as string\nstring.n = 1",
    "built-in names by import": "import collections as __builtins__\nprint(_sys)",
    "built-in names by assignment": "__builtins__ = {}",
    "star import over its own": "from functools import *\ndef f(update_wrapper): update_wrapper.n = 1",
    "address": "print(id([]))", "hash of an address": "print(hash(print))",
    "attribute by format": "print('{0.__class__}'.format(1))", "item by format": "print('{0[a]}'.format({}))",
    "attribute by a made format": "f = '{0.' + 'x}'\nprint(f.format(1))", "attribute by str.format": "print(str.format('{0.x}', 1))",
    "attribute by nested format": "print('{:{0.x}}'.format(1))", "attributes by operator": "import operator\noperator.attrgetter('a')",
    "frames of generators": "g = (i for i in [])\nprint(g.gi_frame)", "frames of tracebacks": "try: 1/0\nexcept Exception as e: e.with_traceback(None)",
    "yield within try": "def g():\n    try: yield\n    finally: print(1)", "yield within try, in a default":
    "def g():\n    try:\n        def f(x=(yield)): pass\n    finally: print(1)", "yield within with": "def g():\n    with a: yield",
    "yield from what is closed": "class A:\n    def __iter__(self): return self\n    def close(self): print(1)\ndef g(): yield from A()",
    "end of an object": "class A:\n    def __del__(self): print(1)", "metaclass": "class A(metaclass=print): pass",
    "class of a library": "from collections import Counter\nclass A(Counter): pass", "clock": "import time\ntime.time()",
    "function of a library": "from heapq import nlargest\nx = nlargest", "class handed over": "def f(c): c.n = 1\nf(Counter)",
    "subclass hook": "class A:\n    def __init_subclass__(c): pass", "set name": "class A:\n    def __set_name__(s, o, n): pass",
    "attributes of functions": "def f(): pass\nprint(f.__globals__)", "hooks of json": "import json\njson.loads('1', cls=1)",
    "match": "match 1:\n    case int(real=x): pass", "streams": "import sys\nsys.stdout.seek(0)", "streams, value": "import sys\nsys.stdout.buffer.getvalue()",
    "deep attributes of a library": "from sys import stdin\nstdin.n = 1", "asynchronous generator": "x = (i async for i in y)",
}  # fmt: skip


@pytest.mark.parametrize("way", KEEPING)
def test_ways_to_keep_something_are_not_plain(way: str) -> None:
    try:
        tree = ast.parse(KEEPING[way])
    except SyntaxError:
        pytest.skip("not in this version of Python")
    assert judge_plainness(tree).reason != ""


MORE_PLAIN = [
    "class Node:\n    def __init__(self, value, name): self.value, self.name = value, name\n    def __lt__(self, o): return self.value < o.value",
    "class E(Exception): pass\nclass B(E):\n    def __init__(self, t): super().__init__(t); Exception.__init__(self, t)",
    "from collections import Counter, defaultdict\nd = defaultdict(Counter)\nprint(isinstance(d, Counter), list(map(Counter, ['a'])))",
    "from copy import deepcopy\nimport copy\nb = deepcopy([1]); c = copy.copy(b)", "string = input()\nprint(string.upper())",
    "import typing\ndef f(a: typing.Optional['Node'], b: int | None = None, *c: list[int]) -> typing.Dict[str, int]: return {}",
    "from functools import lru_cache, cache, reduce, cmp_to_key\n@lru_cache(maxsize=None)\ndef f(x): return x\nf.cache_clear()",
    "print('{:>5} {0}'.format(1) if 0 else '{} {x:.2f} {:{}}'.format(1, 2, 3, x=1), f'{1:>{2}}')", "try: 1/0\nexcept ZeroDivisionError as e: print(e)",
    "def g(n):\n    yield n\n    yield from g(n - 1) if n else []\nprint(*g(3))", "import itertools\nprint(list(itertools.chain.from_iterable([[1]])))",
    "class S:\n    @staticmethod\n    def f(): pass\n    @property\n    def g(self): return 1\n    @g.setter\n    def g(self, x): pass",
    "def f():\n    f.calls = 1\nf()\nprint(f.calls)", "from itertools import *\nfrom math import *\ne = 5\nprint(e, pi, list(permutations([1])))",
    "import sys\nwrite = sys.stdout.write\ndata = sys.stdin.buffer.read().split()\nfor line in sys.stdin: write(line)", "id = 5\ntype = 3\nprint(id + type)",
]  # fmt: skip


@pytest.mark.parametrize("code", MORE_PLAIN)
def test_what_honest_programs_do_is_plain(code: str) -> None:
    assert judge_plainness(ast.parse(code)).reason == ""


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


def test_what_a_test_leaves_does_not_reach_the_next(sandbox: Sandbox) -> None:
    code = "def f():\n    f.calls = getattr_or(f) + 1\ndef getattr_or(g):\n    try: return g.calls\n    except AttributeError: return 0\nf()\nf()\nprint(f.calls)"
    sandbox.load(code)
    assert [(sandbox.ask(b"") or (b"?",))[0] for _ in range(3)] == [b"2\n"] * 3


def test_a_name_behind_which_a_module_lies_is_not_found_before_it_is_bound(sandbox: Sandbox) -> None:
    sandbox.load("def f():\n    return string\nprint(f())\nstring = 1")
    assert sandbox.ask(b"") is None


def test_a_test_that_takes_much_memory_is_the_last_in_its_fork(sandbox: Sandbox) -> None:
    sandbox.load("x = bytearray(100 << 20)\nprint(len(x) >> 20)")
    assert [(sandbox.ask(b"") or (b"?",))[0] for _ in range(2)] == [b"100\n", b"?"]


def test_the_end_of_a_program_is_not_asked_of_its_own_objects(sandbox: Sandbox) -> None:
    code = "class A:\n    def __eq__(self, other): return True\nimport sys\nprint(1)\nsys.exit(A())"
    program = sandbox.load(code)
    assert sandbox.ask(b"") is None
    assert sandbox.run(program, b"").reason.startswith("SystemExit")
