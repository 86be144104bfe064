"""Evaluation of reasoning language models: sampling, grading, statistics and reports, from the shell or from Python.

    from tools import grade, load_benchmark, math_equal, verify_programs

Everything public is named here and loaded when it is first used, so that importing `tools` costs nothing and grading
integers never loads SymPy. The rooms, in the order in which data walk through them, stand in docs/architecture.md;
`python -m tools` lists the commands.

>>> from tools import math_equal
>>> math_equal("0.5", r"\\frac{1}{2}")
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

# Public name -> the module that has it.
_HOMES = {
    "Benchmark": "tools.benchmarks.benchmark",
    "Generation": "tools.records",
    "Grade": "tools.records",
    "GradingOptions": "tools.grading.grader",
    "Problem": "tools.records",
    "Response": "tools.records",
    "Results": "tools.results.results",
    "RunFolder": "tools.results.run_folder",
    "Sample": "tools.records",
    "Sampling": "tools.records",
    "Verdict": "tools.records",
    "compare": "tools.analysis.compare",
    "extract_answer": "tools.grader",
    "grade": "tools.grading.session",
    "grade_text": "tools.grading.session",
    "is_correct": "tools.grader",
    "list_benchmarks": "tools.benchmarks.benchmark",
    "load_benchmark": "tools.benchmarks.problems",
    "math_equal": "tools.grader",
    "sample": "tools.sampling.run",
    "verify_programs": "tools.code_verifier",
    "write_report": "tools.report.page",
}
__all__ = [*_HOMES, "__version__", "latex2sympy"]  # latex2sympy is a room that can be called


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tools' has no attribute {name!r}; public names: {', '.join(__all__)}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# ruff: noqa: F401  (for type checkers: what __getattr__ gives)
if TYPE_CHECKING:
    from tools import latex2sympy
    from tools.analysis.compare import compare
    from tools.benchmarks.benchmark import Benchmark, list_benchmarks
    from tools.benchmarks.problems import load_benchmark
    from tools.code_verifier import verify_programs
    from tools.grader import extract_answer, is_correct, math_equal
    from tools.grading.grader import GradingOptions
    from tools.grading.session import grade, grade_text
    from tools.records import Generation, Grade, Problem, Response, Sample, Sampling, Verdict
    from tools.report.page import write_report
    from tools.results.results import Results
    from tools.results.run_folder import RunFolder
    from tools.sampling.run import sample
