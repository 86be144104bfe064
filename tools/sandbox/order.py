"""In which order the tests of a program run that has a fork for each of them.

What programs may not leave for their next test in files or memory they can still leave in time: one that sleeps until the
clock shows a certain phase tells the next which test it is. In an order that changes from program to program such a message
is worth nothing: how many tests ran before says nothing about what the next one asks.

>>> sorted(choose_order(5)), choose_order(1)
([1, 2, 3, 4, 5], [1])
"""

from __future__ import annotations

import random

_random = random.SystemRandom()


def choose_order(count: int) -> list[int]:
    """The numbers 1 to `count` in some order, in which no test keeps its place unless there is only one."""
    numbers = list(range(1, count + 1))
    _random.shuffle(numbers)
    # Along one cycle through all tests: each number stands where the number before it in the cycle belongs.
    order = [0] * count
    for place, number in enumerate(numbers):
        order[numbers[place - 1] - 1] = number
    return order
