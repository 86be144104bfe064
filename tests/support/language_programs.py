"""One small problem in every language, in the form of MultiPL-E: a prompt, its tests, a whole answer, a completion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`completion` is what stands between prompt and tests."""

    prompt: str
    tests: str
    whole: str
    completion: str


def _script(head: str, body: str, end: str, tests: str) -> Case:
    """A language whose tests come after a whole function."""
    return Case(head, tests, f"{head}{body}{end}", f"{body}{end}")


def _braces(before: str, head: str, body: str, tests: str, more: str = "") -> Case:
    """A language whose tests begin with the brace that a completion lacks."""
    return Case(before + head, "}\n" + tests, f"{head}{body}}}\n{more}", body)


PROGRAMS = {
    "js": _script(
        "// Adds.\nfunction add(x, y){\n", "  return x + y;\n", "}\n",
        "const assert = require('node:assert');\nfunction test() {\n  let candidate = add;\n"
        "  assert.deepEqual(candidate(0, 1), 1);\n}\ntest();\n",
    ),
    "ts": _script(
        "// Adds.\nfunction add(x: number, y: number): number {\n", "  return x + y;\n", "}\n",
        "declare var require: any;\nconst assert = require('node:assert');\nfunction test() {\n  let candidate = add;\n"
        "  assert.deepEqual(candidate(0, 1), 1);\n}\ntest();\n",
    ),
    "cpp": _braces(
        "#include <assert.h>\n#include <vector>\n", "// Adds.\nlong add(long x, long y) {\n", "  return x + y;\n",
        "int main() {\n  auto candidate = add;\n  assert(candidate(0, 1) == 1);\n}\n",
        "int main() {\n  return add(1, 2);\n}\n",
    ),
    "java": Case(
        "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    // Adds.\n"
        "    public static long add(long x, long y) {\n",
        "    }\n    public static void main(String[] args) {\n    assert(add(0l, 1l) == 1l);\n"
        "    assert(Pair.with(1, 2).equals(Pair.with(1, 2)));\n    }\n\n}\n",
        "class Problem {\n    public static long add(long x, long y) {\n        return x + y;\n    }\n}\n",
        "        return x + y;\n",
    ),
    "sh": _braces(
        "#!/bin/bash\n# Adds.\n", "add() {\n", '  echo $(($1 + $2))\n',
        'candidate() {\n  add "$@"\n}\nset -e\nrun_test() {\n  [[ $(candidate "0" "1") = "1" ]]\n}\nrun_test\n',
    ),
    "rs": _braces(
        "/// Adds.\n", "fn add(x: isize, y: isize) -> isize {\n", "  x + y\n",
        "\nfn main() {\n  let candidate = add;\n  assert_eq!(candidate(0, 1), 1);\n}\n", "fn main() {}\n",
    ),
    "go": _braces(
        'package add_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// Adds.\n', "func add(x int, y int) int {\n",
        "  return x + y\n",
        "\nfunc TestAdd(t *testing.T) {\n  if add(0, 1) != 1 {\n    t.Errorf(fmt.Sprint(add(0, 1)))\n  }\n}\n",
    ),
    "php": _braces(
        "<?php\n// Adds.\n", "function add($x, $y) {\n", "  return $x + $y;\n",
        "\nfunction candidate(...$args) {\n  return add(...$args);\n}\n"
        'if (candidate(0, 1) !== 1) { throw new Exception("Test failed!"); }\n',
    ),
    "lua": _script(
        "-- Adds.\nlocal function add(x, y)\n", "  return x + y\n", "end\n",
        "lu = require('luaunit')\nfunction test_humaneval()\n  lu.assertEquals(add(0, 1), 1)\nend\n"
        "os.exit(lu.LuaUnit.run())\n",
    ),
    "rb": _script(
        "# Adds.\ndef add(x, y)\n", "  x + y\n", "end\n",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_add\n    candidate = method(:add)\n"
        "    assert_equal(1, candidate.call(0, 1))\n  end\nend\n",
    ),
    "pl": _script(
        "# Adds.\nsub add {\n    my($x, $y) = @_;\n", "    return $x + $y;\n", "}\n",
        "use Test::Deep;\nsub testhumaneval {\n  if (eq_deeply(add(0, 1), 1)) {\n    print \"ok!\";\n  } else {\n"
        "    exit 1;\n  }\n}\ntesthumaneval();\n",
    ),
}  # fmt: skip
