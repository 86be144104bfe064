"""What EvalPlus knows of single tasks: values that JSON cannot hold, answers that cannot be compared by equality alone.

The facts stand in data/evalplus/rules.json, with a reason each; here is what they mean.

>>> shape_inputs("Mbpp/116", [[[1, 2]], [[3]]])
[[(1, 2)], [(3,)]]
>>> oracle_of("Mbpp/2", "similar_elements").value, oracle_of("Mine/2", "similar_elements").value
('set', 'equal')
"""

from __future__ import annotations

import enum
import functools
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from tools.errors import DataError
from tools.grading.code.values import Answer, equals, is_close, is_floats
from tools.store.files import ROOT

RULES = ROOT / "data" / "evalplus" / "rules.json"
LEAST_TOLERANCE = 1e-6  # where floats are expected and the task names none


class Oracle(str, enum.Enum):
    """How an answer of a task is judged."""

    EQUAL = "equal"
    SET = "set"  # both as sets
    NOT_NONE = "not_none"  # a truth value, or anything but None for true
    ANY = "any"
    OR_ZERO = "or_zero"
    DIGIT_DISTANCE = "digit_distance"
    PYRAMID = "pyramid"
    ROOT = "root"


@functools.cache
def read_rules() -> dict[str, Any]:
    """The facts. Raises DataError when the file is not what was committed."""
    try:
        return dict(json.loads(RULES.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{RULES}: cannot be read ({error}); restore the file from the repository") from error


def oracle_of(task_id: str, entry_point: str) -> Oracle:
    """The oracle of a task of EvalPlus; a set of one's own that has the same id or function gets none by accident."""
    name, oracle, _reason = read_rules()["oracles"].get(task_id, ("", "equal", ""))
    return Oracle(oracle) if name == entry_point else Oracle.EQUAL


def shape_inputs(task_id: str, inputs: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Inputs as the task means them, made of what JSON says. Raises DataError."""
    shape = _shapes().get(task_id)
    if shape is None:
        return [list(arguments) for arguments in inputs]
    try:
        return [list(SHAPES[shape](list(arguments))) for arguments in inputs]
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise DataError(f"problem {task_id}: an input is not of the form {shape} ({error}); restore the row") from error


@functools.cache
def _shapes() -> dict[str, str]:
    return {task_id: shape for shape, ids in read_rules()["shapes"].items() for task_id in ids}


def _tuples(values: Sequence[Any]) -> list[Any]:
    return [tuple(each) for each in values]


def _deep(value: Any) -> Any:
    return tuple(_deep(each) for each in value) if isinstance(value, list) else value


def _maybe_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


SHAPES: dict[str, Callable[[list[Any]], Sequence[Any]]] = {
    "arguments_are_tuples": _tuples,
    "arguments_are_lists_of_tuples": lambda given: [_tuples(each) for each in given],
    "first_is_list_of_tuples": lambda given: [_tuples(given[0]), *given[1:]],
    "second_is_tuple": lambda given: [given[0], tuple(given[1])],
    # An empty one is a dictionary there, and so it is here.
    "first_is_list_of_sets": lambda given: [[set(one) if isinstance(one, list) and one else {} for one in given[0]]],
    "float_and_complex": lambda given: [float(given[0]), complex(given[1])],
    "first_is_tuple": lambda given: [tuple(given[0]), *given[1:]],
    "arguments_are_tuples_of_tuples": lambda given: [tuple(_tuples(each)) for each in given],
    "first_is_tuple_with_tuples": lambda given: [tuple(_maybe_tuple(each) for each in given[0])],
    "first_has_tuples_as_values": lambda given: [{key: tuple(one) for key, one in given[0].items()}, *given[1:]],
    "first_is_complex": lambda given: [complex(given[0])],
    "all_lists_are_tuples": lambda given: [_deep(each) for each in given],
}


class Judge:
    """Judges the answers of one run, in their order. As in EvalPlus the tolerance that one float asks for stays for the
    answers after it."""

    def __init__(self, oracle: Oracle, tolerance: float) -> None:
        self.oracle, self.tolerance = oracle, tolerance

    def is_right(self, answer: Answer, expected: Answer, arguments: Sequence[Any]) -> bool:
        """Whether this is an answer to these arguments."""
        try:
            return self._is_right(answer, expected, arguments)
        except (ArithmeticError, TypeError, ValueError, AttributeError, RecursionError, IndexError):
            return False

    def _is_right(self, answer: Answer, expected: Answer, arguments: Sequence[Any]) -> bool:
        value, wanted = answer.value, expected.value
        if self.oracle is Oracle.ROOT:
            return abs(polynomial(arguments[0], value)) <= self.tolerance
        if self.oracle is Oracle.NOT_NONE:
            return equals(value, wanted) if isinstance(value, bool) else wanted is (value is not None)
        is_equal = equals(value, wanted)
        if self.oracle is Oracle.ANY:
            return True
        if self.oracle is Oracle.OR_ZERO:
            is_equal = is_equal or equals(value, 0)
        elif self.oracle is Oracle.DIGIT_DISTANCE:
            is_equal = is_equal or equals(value, digit_distance(*arguments))
        elif self.oracle is Oracle.PYRAMID:
            is_equal = is_equal or abs(value - pyramid_surface(*arguments)) <= self.tolerance
        if self.tolerance == 0 and is_floats(wanted):
            self.tolerance = LEAST_TOLERANCE
        if is_equal or self.tolerance == 0:
            return is_equal
        return answer.kind == expected.kind and is_close(value, wanted, self.tolerance)


def polynomial(coefficients: Sequence[float], x: float) -> float:
    """The value at x of the polynomial with these coefficients, the constant first."""
    return sum(coefficient * math.pow(x, power) for power, coefficient in enumerate(coefficients))


def pyramid_surface(base: float, height: float) -> int:
    """Of a pyramid over a square whose height is that of its top over its base."""
    slant = math.sqrt((base / 2) ** 2 + height**2)
    return round(base**2 + 4 * (base * slant) / 2)


def digit_distance(first: int, second: int) -> int:
    """The sum of the distances of digits, the shorter number padded with zeros."""
    texts = str(first), str(second)
    width = max(map(len, texts))
    return sum(abs(int(one) - int(other)) for one, other in zip(*(text.zfill(width) for text in texts), strict=True))
