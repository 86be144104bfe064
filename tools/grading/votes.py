"""Which answers count together in a majority vote: classes of equal answers, by a grader's own idea of equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tools.records import Grade


def equal_classes(answers: Sequence[str | None], equal: Callable[[str, str], bool]) -> list[int | None]:
    """Class numbers in order of first appearance: equal answers share one; None and blank ones have none.

    >>> equal_classes(["1", None, "3", "01"], lambda one, other: int(one) == int(other))
    [0, None, 1, 0]
    """
    numbers: dict[str, int] = {}
    representatives: list[str] = []
    classes: list[int | None] = []
    for answer in answers:
        if answer is None or not answer.strip():
            classes.append(None)
            continue
        if answer not in numbers:
            same = (number for number, other in enumerate(representatives) if equal(answer, other))
            numbers[answer] = next(same, len(representatives))
            if numbers[answer] == len(representatives):
                representatives.append(answer)
        classes.append(numbers[answer])
    return classes


def vote_classes(
    grades: Sequence[Grade], equal: Callable[[str, str], bool] | None
) -> dict[tuple[str, int], int | None] | None:
    """For maj@k: the class of each sample's answer within its problem; no answer, no vote. None where nobody votes."""
    if equal is None:
        return None
    by_problem: dict[str, list[Grade]] = {}
    for grade in grades:
        by_problem.setdefault(grade.task_id, []).append(grade)
    classes: dict[tuple[str, int], int | None] = {}
    for samples in by_problem.values():
        numbers = equal_classes([sample.answer for sample in samples], equal)
        classes.update({sample.key: number for sample, number in zip(samples, numbers, strict=True)})
    return classes
