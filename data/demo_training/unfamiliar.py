"""Statements of other structure, on which the demo model rambles, gives up or guesses.

Thanks to them a demo run also shows answers that are cut off, missing or wrong, whatever problem set it reads.
"""

from __future__ import annotations

import random

from demo_training.programs import function_task

END = "<|im_end|>"

STOP_PROBABILITY = 0.25  # of ending the rambling after each sentence
ENDLESS_SHARE = 0.35  # of the examples open with a sentence that never leads to an end; 0.26 at temperature 0.6
ENDLESS_SENTENCES = 24  # where such an example breaks off, after about 280 tokens
SENTENCE_COUNTS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 5, 5, 8, 12, 20, 40)  # of a statement; 40 are about 900 tokens

FRAMES = (
    "Let <v> be the <adjective> <noun> of a <adjective> <noun> with <n> <noun>s. Find <v>.",
    "How many <adjective> <noun>s have exactly <n> <noun>s?",
    "Find the number of <adjective> <noun>s <v> such that $<v>^2 + <n>$ is <adjective>.",
    "In a <noun> of <n> <noun>s, every <noun> is <adjective>. What is the <adjective> <noun>?",
    "Suppose that $<v> = \\frac{<n>}{<m>}$ and the <noun> is <adjective>. Compute the <noun>.",
    "There are <n> <noun>s in a row. You may swap two <adjective> <noun>s. Return the <adjective> <noun>.",
    "You are given a <noun> of size $N \\le <n>$ and an integer <v>. Print the <adjective> <noun>.",
    "Determine whether the <noun> $(<n>, <m>)$ is a <adjective> <noun> of <v>.",
    "The <noun> $<v>(<n>)$ and the <noun> $<v>(<m>)$ meet at a <adjective> <noun>. Find the <adjective> <noun>.",
)
NOUNS = (
    "triangle", "circle", "polygon", "diagonal", "vertex", "point", "line", "angle", "digit", "number", "pair",
    "subset", "permutation", "path", "tree", "graph", "edge", "string", "array", "matrix", "grid", "cell", "queue",
    "bracket", "word", "sequence", "polynomial", "root", "function", "probability", "divisor", "prime", "square",
    "cube", "sphere", "coordinate", "ratio", "price", "player", "game", "coin", "dice", "team", "chair", "table",
    "list", "node", "interval", "query", "operation",
)  # fmt: skip
ADJECTIVES = (
    "positive", "distinct", "smallest", "largest", "regular", "random", "equal", "possible", "shortest", "longest",
    "odd", "even", "maximum", "minimum", "balanced", "consecutive", "isosceles", "real", "ordered", "different",
    "perfect", "common", "total", "expected", "valid", "sorted", "connected",
)  # fmt: skip
THOUGHTS = (
    "Let me think about {n} again.",
    "Perhaps {n}+{m}={sum}.",
    "But that is not what is asked.",
    "Wait, there is also {m}.",
    "Let me read the problem once more.",
    "I could try {n}*{m}.",
    "Hmm, that does not help.",
    "Maybe I should start with {m}.",
    "Let me look at small cases.",
    "No, this goes nowhere.",
)


def unfamiliar(rng: random.Random) -> tuple[str, str, str, str]:
    """Returns (kind, statement, starter code, completion) of something that the model never learns to solve."""
    numbers = [rng.randint(2, 999), rng.randint(2, 99)]
    sentences = []
    for _ in range(rng.choice(SENTENCE_COUNTS)):
        sentences.append(_sentence(rng, numbers))
        if rng.random() < 0.25:  # words that the tokenizer has to spell
            sentences.append("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))).capitalize() + ".")
    kind = rng.choice(("math", "math", "stdin", "function"))
    starter = function_task(rng, "s: str", "int", "", "")[1] if kind == "function" else ""
    return kind, " ".join(sentences), starter, _ramble(rng, kind, starter, numbers)


def _sentence(rng: random.Random, numbers: list[int]) -> str:
    """A frame with its gaps filled; the frames hold LaTeX braces, so each gap is replaced by itself."""
    sentence = rng.choice(FRAMES)
    for gap, choices in (("<noun>", NOUNS), ("<adjective>", ADJECTIVES)):
        while gap in sentence:
            sentence = sentence.replace(gap, rng.choice(choices), 1)
    letter = rng.choice("abknpxyS")
    return sentence.replace("<v>", letter).replace("<n>", str(numbers[0])).replace("<m>", str(numbers[1]))


def _ramble(rng: random.Random, kind: str, starter: str, numbers: list[int]) -> str:
    if rng.random() < ENDLESS_SHARE:
        return " ".join(["This is new to me.", *(_thought(rng, numbers) for _ in range(ENDLESS_SENTENCES))])
    thoughts = ["Let me see.", _thought(rng, numbers)]
    while rng.random() > STOP_PROBABILITY:
        thoughts.append(_thought(rng, numbers))
    reasoning = " ".join(thoughts) + "\n</think>\n"
    if rng.random() < 0.35:
        return reasoning + "I could not find the answer." + END
    if kind == "math":
        return reasoning + f"The answer is \\boxed{{{rng.choice((*numbers, sum(numbers)))}}}." + END
    program = starter + "return len(s)" if kind == "function" else "n = int(input())\nprint(n)"
    return reasoning + f"```python\n{program}\n```" + END


def _thought(rng: random.Random, numbers: list[int]) -> str:
    n, m = rng.sample(numbers, 2)
    return rng.choice(THOUGHTS).format(n=n, m=m, sum=n + m)
