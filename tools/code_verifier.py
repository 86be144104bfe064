"""The verifier of programs under its public name; it lives in tools/grading/code.

>>> check_correctness({"question_id": "double", "public_test_cases": '[{"input": "3\\\\n", "output": "6\\\\n"}]'},
...     "print(2 * int(input()))")[0]
[True]
"""

from tools.grading.code.verifier import (
    CODE_TYPE,
    PoolOptions,
    check_correctness,
    clean_if_name,
    grade_call_based,
    grade_stdio,
    has_code,
    is_safe_code,
    reliability_guard,
    run_test,
    verify_many,
)

verify_programs = verify_many  # under the name that `from tools import ...` gives it

__all__ = [
    "CODE_TYPE", "PoolOptions", "check_correctness", "clean_if_name", "grade_call_based", "grade_stdio", "has_code",
    "is_safe_code", "reliability_guard", "run_test", "verify_many", "verify_programs",
]  # fmt: skip
