"""Trivial programming tasks in LiveCodeBench's manner, on standard input or as a function of `class Solution`.

A family draws one task and returns (statement, starter code or "", plan, program):

>>> statement, starter, plan, program = decision(random.Random(1))
>>> statement
'Read an integer x. Print YES if x is divisible by 10, otherwise print NO.'
>>> plan
'"YES" if x % 10 == 0 else "NO"'
"""

from __future__ import annotations

import random
from collections.abc import Callable

READ_LIST = "n = int(input())\nnums = list(map(int, input().split()))\n"
LIST_INPUT = "Read an integer n, then n integers on the next line. "
CONDITIONS = (
    ("greater than {k}", "x > {k}"),
    ("smaller than {k}", "x < {k}"),
    ("divisible by {k}", "x % {k} == 0"),
)


def linear(rng: random.Random) -> tuple[str, str, str, str]:
    k, c, sign = rng.randint(2, 40), rng.randint(1, 99), rng.choice(("plus", "minus"))
    formula = f"{k} * n {'+' if sign == 'plus' else '-'} {c}"
    if rng.random() < 0.5:
        return f"Read an integer n. Print {k} times n {sign} {c}.", "", formula, f"n = int(input())\nprint({formula})"
    return function_task(rng, "n: int", "int", f"Given an integer n, return {k} times n {sign} {c}.", formula)


def two_numbers(rng: random.Random) -> tuple[str, str, str, str]:
    k, c, sign = rng.randint(2, 40), rng.randint(2, 40), rng.choice(("plus", "minus"))
    formula = f"{k} * a {'+' if sign == 'plus' else '-'} {c} * b"
    if rng.random() < 0.7:
        program = f"a, b = map(int, input().split())\nprint({formula})"
        return f"Read two integers a and b on one line. Print {k} times a {sign} {c} times b.", "", formula, program
    statement = f"Given two integers a and b, return {k} times a {sign} {c} times b."
    return function_task(rng, "a: int, b: int", "int", statement, formula)


def letters(rng: random.Random) -> tuple[str, str, str, str]:
    k = rng.randint(2, 40)
    wish, formula = rng.choice(
        (
            (f"its first {k} letters", f"s[:{k}]"),
            (f"its last {k} letters", f"s[-{k}:]"),
            (f"it {k} times in a row", f"s * {k}"),
            (f"it in upper case {k} times in a row", f"s.upper() * {k}"),
            (f"it backwards {k} times in a row", f"s[::-1] * {k}"),
        )
    )
    if rng.random() < 0.7:
        return f"Read a word s. Print {wish}.", "", formula, f"s = input()\nprint({formula})"
    return function_task(rng, "s: str", "str", f"Given a word s, return {wish}.", formula)


def selection(rng: random.Random) -> tuple[str, str, str, str]:
    k, (words, condition) = rng.randint(2, 60), rng.choice(CONDITIONS)
    words, condition = words.format(k=k), condition.format(k=k)
    wish, formula = rng.choice(
        (
            (f"how many of them are {words}", f"sum(1 for x in nums if {condition})"),
            (f"the sum of those that are {words}", f"sum(x for x in nums if {condition})"),
        )
    )
    if rng.random() < 0.7:
        return LIST_INPUT + f"Print {wish}.", "", formula, READ_LIST + f"print({formula})"
    return function_task(rng, "nums: List[int]", "int", f"Given a list of integers nums, return {wish}.", formula)


def decision(rng: random.Random) -> tuple[str, str, str, str]:
    k, (words, condition) = rng.randint(2, 60), rng.choice(CONDITIONS)
    formula = f'"YES" if {condition.format(k=k)} else "NO"'
    statement = f"Read an integer x. Print YES if x is {words.format(k=k)}, otherwise print NO."
    return statement, "", formula, f"x = int(input())\nprint({formula})"


def extreme(rng: random.Random) -> tuple[str, str, str, str]:
    k, (word, call) = rng.randint(2, 60), rng.choice((("largest", "max"), ("smallest", "min"), ("sum", "sum")))
    what = "sum" if word == "sum" else f"{word} one"
    formula = f"{call}(nums) * {k}"
    return LIST_INPUT + f"Print {k} times the {what}.", "", formula, READ_LIST + f"print({formula})"


def function_task(
    rng: random.Random, parameters: str, result: str, statement: str, formula: str
) -> tuple[str, str, str, str]:
    """The form with `class Solution`, under a name that the model has to copy."""
    name = rng.choice(("solve", "answer", "compute", "result", "getValue", "findValue"))
    starter = f"class Solution:\n    def {name}(self, {parameters}) -> {result}:\n        "
    return statement, starter, formula, f"{starter}return {formula}"


PROGRAMS: tuple[Callable[[random.Random], tuple[str, str, str, str]], ...] = (
    linear, two_numbers, letters, selection, decision, extreme,
)  # fmt: skip
