"""`from tools import ...`: the public names, pinned, lazy and cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tools
from tests.conftest import ROOT

PUBLIC = {
    "Benchmark", "Generation", "Grade", "GradingOptions", "Problem", "Response", "Results", "RunFolder", "Sample", "Sampling",
    "Verdict", "__version__", "compare", "extract_answer", "grade", "grade_text", "is_correct", "latex2sympy",
    "list_benchmarks", "load_benchmark", "math_equal", "sample", "verify_programs", "write_report",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(tools.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(__import__("tools", fromlist=[name]), name)
    assert name == "__version__" or value.__doc__


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(AttributeError, match="math_equal"):
        _ = tools.maths_equal  # type: ignore[attr-defined]


def loaded_by(statement: str) -> set[str]:
    """The packages that a statement loads, in a fresh interpreter."""
    code = f"import sys\n{statement}\nprint(' '.join(name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()} | set(done.stdout.split())


def test_importing_the_toolkit_loads_none_of_its_rooms() -> None:
    assert {name for name in loaded_by("import tools") if name.startswith("tools")} == {"tools"}


def test_grading_integers_loads_neither_sympy_nor_numpy() -> None:
    statement = "from tools import is_correct, math_equal\nassert math_equal('12', '12.0') and is_correct('so \\\\boxed{7}', '7')"
    assert not {"sympy", "numpy", "torch", "transformers", "antlr4"} & loaded_by(statement)


def test_grading_mathematics_and_programs_loads_no_torch() -> None:
    statement = (
        "from tools import math_equal, verify_programs\n"
        "assert math_equal('x + 1', '1 + x')\n"
        "problem = {'question_id': 'q', 'public_test_cases': '[{\"input\": \"3\", \"output\": \"6\"}]'}\n"
        "rows = verify_programs([problem], [{'solution_id': 1, 'question_id': 'q', 'code': 'print(2 * int(input()))'}], 1)\n"
        "assert [row['passed'] for row in rows] == [True]"
    )
    assert not {"torch", "transformers", "vllm", "datasets"} & loaded_by(statement)


def test_latex2sympy_is_a_function_whatever_was_imported_before() -> None:
    import tools.latex2sympy
    from tools import latex2sympy

    assert str(latex2sympy("x + x")) == "2*x"
    assert str(tools.latex2sympy.latex2sympy("x + x")) == "2*x"
