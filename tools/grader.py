r"""The grader of mathematical answers under its public name; it lives in tools/grading/math.

>>> math_equal("0.5", r"\frac{1}{2}"), math_equal("2.04", "204")
(True, False)
"""

from tools.grading.math.grader import (
    GRADER_VERSION,
    MathGrade,
    extract_answer,
    get_answer_by_majority_voting,
    grade_answer,
    grade_response,
    group_equal_answers,
    is_correct,
    math_answer_cleaning,
    math_equal,
    numeric_equal,
    symbolic_equal,
    unreadable_golds,
)

__all__ = [
    "GRADER_VERSION", "MathGrade", "extract_answer", "get_answer_by_majority_voting", "grade_answer", "grade_response",
    "group_equal_answers", "is_correct", "math_answer_cleaning", "math_equal", "numeric_equal", "symbolic_equal", "unreadable_golds",
]  # fmt: skip
