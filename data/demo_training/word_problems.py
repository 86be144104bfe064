"""Arithmetic in words, worked step by step: the problems that the demo model learns to solve.

A family draws one problem and returns (statement, working, answer):

>>> remainder(random.Random(1))
('Find the remainder when 237 is divided by 12.', '23-12=11. 117-108=9.', 9)

The workings write no spaces around signs: Qwen2's tokenizer would spend a token on each.
"""

from __future__ import annotations

import random
from collections.abc import Callable

NAMES = ("Mia", "Tom", "Ava", "Ben", "Lea", "Max", "Ida", "Sam", "Eva", "Leo", "Zoe", "Jon")
ITEMS = ("apples", "pens", "coins", "cards", "books", "shells", "stamps", "beads", "nuts", "keys")


def times(left: int, right: int) -> str:
    """Works out a product digit by digit, in steps that a tiny model can learn.

    >>> times(34, 27)
    '34*2=60+8=68. 34*20=680. 34*7=210+28=238. 680+238=918.'
    """
    if right >= 10 and left < 10:
        left, right = right, left
    if right < 10:
        return times_digit(left, right)
    tens, ones = divmod(right, 10)
    steps = [] if tens == 1 else [times_digit(left, tens)]
    steps.append(f"{left}*{tens * 10}={left * tens * 10}.")
    if ones:
        steps += [times_digit(left, ones), f"{left * tens * 10}+{left * ones}={left * right}."]
    return " ".join(steps)


def times_digit(large: int, digit: int) -> str:
    """A number of up to two digits times one digit.

    >>> times_digit(34, 7)
    '34*7=210+28=238.'
    """
    tens, ones = large // 10 * 10, large % 10
    between = f"={tens * digit}+{ones * digit}" if tens and ones else ""
    return f"{large}*{digit}{between}={large * digit}."


def divide(number: int, digit: int) -> str:
    """A division without remainder by one digit.

    >>> divide(476, 7)
    '476=420+56. 420/7=60. 56/7=8. 60+8=68.'
    """
    quotient = number // digit
    tens, ones = quotient // 10 * 10, quotient % 10
    if not tens or not ones:
        return f"{number}/{digit}={quotient}."
    parts = f"{number}={tens * digit}+{ones * digit}. {tens * digit}/{digit}={tens}. {ones * digit}/{digit}={ones}."
    return f"{parts} {tens}+{ones}={quotient}."


def trade(rng: random.Random) -> tuple[str, str, int]:
    name, items = rng.choice(NAMES), rng.choice(ITEMS)
    have, more = rng.randint(10, 499), rng.randint(10, 499)
    total = have + more
    less = rng.randint(5, total - 1)
    statement = rng.choice(
        (
            f"{name} has {have} {items}, buys {more} more and gives away {less}. How many {items} are left?",
            f"{name} has {have} {items}. A friend brings {more} more, then {less} are lost. How many {items} are left?",
        )
    )
    return statement, f"{have}+{more}={total}. {total}-{less}={total - less}.", total - less


def boxes(rng: random.Random) -> tuple[str, str, int]:
    items, count = rng.choice(ITEMS), rng.randint(3, 40)
    each = rng.randint(11, min(99, 999 // count))
    statement = rng.choice(
        (
            f"A box holds {each} {items}. How many {items} are in {count} boxes?",
            f"There are {each} {items} in every bag. How many {items} are in {count} bags?",
        )
    )
    return statement, times(each, count), each * count


def perimeter(rng: random.Random) -> tuple[str, str, int]:
    long, wide = rng.randint(10, 249), rng.randint(10, 249)
    half = long + wide
    statement = f"A rectangle is {long} cm long and {wide} cm wide. Find its perimeter in cm."
    return statement, f"{long}+{wide}={half}. {half}+{half}={2 * half}.", 2 * half


def area(rng: random.Random) -> tuple[str, str, int]:
    wide = rng.randint(4, 31)
    long = rng.randint(11, min(90, 999 // wide))
    statement = f"A garden is {long} m long and {wide} m wide. Find its area in square metres."
    return statement, times(long, wide), long * wide


def journey(rng: random.Random) -> tuple[str, str, int]:
    first, hours, second, more_hours = rng.randint(20, 80), rng.randint(2, 6), rng.randint(20, 80), rng.randint(2, 6)
    start, end = first * hours, second * more_hours
    statement = (
        f"A train runs at {first} km per hour for {hours} hours "
        f"and then at {second} km per hour for {more_hours} hours. How many km does it run?"
    )
    working = f"{times(first, hours)} {times(second, more_hours)} {start}+{end}={start + end}."
    return statement, working, start + end


def remainder(rng: random.Random) -> tuple[str, str, int]:
    """Long division, digit by digit."""
    number, divisor = rng.randint(100, 999), rng.randint(3, 12)
    steps, rest = [], 0
    for digit in str(number):
        rest = rest * 10 + int(digit)
        taken = rest // divisor * divisor
        if taken:
            steps.append(f"{rest}-{taken}={rest - taken}.")
        rest -= taken
    return f"Find the remainder when {number} is divided by {divisor}.", " ".join(steps), rest


def equation(rng: random.Random) -> tuple[str, str, int]:
    factor, x, constant = rng.randint(2, 9), rng.randint(3, 99), rng.randint(5, 99)
    total = factor * x + constant
    working = f"{total}-{constant}={total - constant}. {divide(total - constant, factor)}"
    return f"Find $x$ if ${factor}x + {constant} = {total}$.", working, x


def sequence(rng: random.Random) -> tuple[str, str, int]:
    start, step, index = rng.randint(1, 90), rng.randint(3, 25), rng.randint(8, 36)
    grown = (index - 1) * step
    statement = f"An arithmetic sequence starts with {start} and grows by {step}. Find its term number {index}."
    return statement, f"{index}-1={index - 1}. {times(step, index - 1)} {start}+{grown}={start + grown}.", start + grown


def ages(rng: random.Random) -> tuple[str, str, int]:
    first, second = rng.sample(NAMES, 2)
    young, factor, years = rng.randint(4, 19), rng.randint(2, 5), rng.randint(2, 30)
    old = factor * young
    then_young, then_old = young + years, old + years
    statement = (
        f"{first} is {young} years old and {second} is {factor} times as old. "
        f"What is the sum of their ages in {years} years?"
    )
    working = f"{times(young, factor)} {young}+{years}={then_young}. {old}+{years}={then_old}. "
    return statement, working + f"{then_young}+{then_old}={then_young + then_old}.", then_young + then_old


def common_divisor(rng: random.Random) -> tuple[str, str, int]:
    """Euclid by subtraction, so that every step is one that other families teach too."""
    divisor = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 21, 25))
    left, right = divisor * rng.randint(2, 12), divisor * rng.randint(2, 12)
    statement, steps = f"Find the greatest common divisor of {left} and {right}.", []
    while left != right:
        left, right = max(left, right), min(left, right)
        steps.append(f"{left}-{right}={left - right}.")
        left -= right
    return statement, " ".join([*steps, f"{left}={right}."]), left


def multiples(rng: random.Random) -> tuple[str, str, int]:
    """The long one: its running sums take up to about 350 tokens, beyond a small OUT_SEQ_LEN."""
    step = rng.randint(2, 9)
    count = rng.randint(4, int((1998 / step) ** 0.5) - 1)
    limit = step * count + rng.randint(0, step - 1)
    total, steps = step, [f"{step}."]
    for value in range(2 * step, limit + 1, step):
        steps.append(f"{total}+{value}={total + value}.")
        total += value
    return f"Find the sum of all positive multiples of {step} that are at most {limit}.", " ".join(steps), total


WORD_PROBLEMS: tuple[Callable[[random.Random], tuple[str, str, int]], ...] = (
    trade, boxes, perimeter, area, journey, remainder, equation, sequence, ages, common_divisor, multiples,
)  # fmt: skip


def drill(rng: random.Random) -> str:
    """A row of bare sums: far more arithmetic to a token than the word problems hold."""
    return " ".join(rng.choice(FACTS)(rng) for _ in range(10))


def _addition(rng: random.Random) -> str:
    left, right = rng.randint(2, 10 ** rng.randint(1, 3) - 1), rng.randint(2, 10 ** rng.randint(1, 3) - 1)
    return f"{left}+{right}={left + right}."


def _subtraction(rng: random.Random) -> str:
    right, rest = rng.randint(1, 10 ** rng.randint(1, 3) - 1), rng.randint(0, 10 ** rng.randint(1, 3) - 1)
    return f"{right + rest}-{right}={rest}."


def _product(rng: random.Random) -> str:
    return times(rng.randint(4, 99), rng.randint(2, 12))


def _quotient(rng: random.Random) -> str:
    digit = rng.randint(2, 9)
    return divide(digit * rng.randint(3, 99), digit)


FACTS = (_addition, _addition, _subtraction, _subtraction, _product, _quotient)
