"""In which order the tests of a program run that has a fork for each of them.

What programs may not leave for their next test in files or memory they can still leave in time: one that sleeps until the
clock shows a certain phase tells the next which test it is. In an order that changes from program to program such a message
is worth little: how many tests ran before does not say what the next one asks.

>>> sorted(choose_order(5)), choose_order(3), choose_order(2), choose_order(1)
([1, 2, 3, 4, 5], [1, 3, 2], [2, 1], [1])
"""

from __future__ import annotations

import random

_random = random.SystemRandom()


def choose_order(count: int) -> list[int]:
    """The numbers 1 to `count`: the first test first, where most programs that never end are found out, and each of the
    others at another place than its own. Of two tests the second comes first."""
    if count < 3:
        return list(range(count, 0, -1))
    cycle = list(range(2, count + 1))
    _random.shuffle(cycle)
    # Along one cycle through all of them: each number stands where the number before it in the cycle belongs.
    place = {number: cycle[index - 1] for index, number in enumerate(cycle)}
    return [1, *sorted(cycle, key=place.__getitem__)]
