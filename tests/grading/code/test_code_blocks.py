"""The program of a response: blocks in every usual form, joined only when needed, and advice about risky names."""

from __future__ import annotations

from tests.support.programs import verdicts
from tools.grading.code.extraction import clean_if_name, extract_program, has_code, is_safe_code


def test_blocks_are_found_in_every_usual_form() -> None:
    assert has_code("```python\na\n```\n```py\nb\n```\n```Python3 title\nc\n```") == ["a\n", "b\n", "c\n"]
    assert has_code("```\nplain\n```") == ["plain\n"]
    assert has_code("```\nplain\n```\n```python\nx\n```") == ["x\n"]
    assert has_code("- item\n  ```python\n  a = 1\n  ```") == ["  a = 1\n"]
    assert extract_program("- item\n  ```python\n  a = 1\n  if a:\n      b = 2\n  ```") == "a = 1\nif a:\n    b = 2\n"
    assert extract_program("```python\n\tx = 1\n```") == "x = 1\n"
    assert extract_program("no code") is None


def test_functions_of_several_blocks_are_merged_only_when_needed() -> None:
    blocks = ["import math\nprint(1)\n", "def helper(): return math.pi\n", "def f(): return helper()\n"]
    text = "\n".join(f"```python\n{block}```" for block in blocks)
    assert extract_program(text, "f") == "import math\n" + blocks[1] + blocks[2]
    assert extract_program(text + "\n```python\ndef f(): return 1\n```", "f") == "def f(): return 1\n"
    merged = extract_program(text + "\n```python\nx = 3\n```", "f")
    assert merged is not None
    assert "def f" in merged
    assert "import math" in merged
    assert "print" not in merged


def test_main_guards_are_unwrapped_by_the_original_s_helper() -> None:
    for guard in ("if __name__ == '__main__':", 'if "__main__" == __name__:', "if (__name__ == '__main__'):"):
        assert clean_if_name(f"a = 1\n{guard}\n    print(a)").strip() == "a = 1\nprint(a)"
    assert clean_if_name("if a == 1:\n    b = 2") == "if a == 1:\n    b = 2"
    assert clean_if_name("def (") == "def ("


def test_advice_names_risky_code_and_spares_honest_input() -> None:
    assert is_safe_code("import sys\nprint(open(0).read(), input())") == (True, [])
    assert is_safe_code("import os\neval('1')") == (False, ["os", "eval"])
    assert verdicts("import os\nprint(int(input()) * 2)", with_advice=True)[0]["risky_names"] == ["os"]
