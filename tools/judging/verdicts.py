"""From a judge's replies to the grade of a sample.

A sample has a grade only when every question about it was answered; else it is GRADER_ERROR, never a lower score. Where a judge
gives shares, `verdict` says on which side of the middle the share lies.

>>> pair_share(ParsedReply("A"), "AB"), pair_share(ParsedReply("A"), "BA"), pair_share(ParsedReply("B>>A"), "AB")
(0.0, 1.0, 1.0)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tools.judging.asking import JudgeReply
from tools.judging.parsing import ParsedReply
from tools.judging.scores import BATTLE_SCORES, battle_scores
from tools.judging.templates import JudgeKind, JudgeTemplate
from tools.records import Grade, JsonObject, Verdict

THREE_WAY = {"A": 1.0, "B": 0.0, "C": 0.5}  # of assistant A
RIGHT_WRONG = {
    "yes": Verdict.CORRECT, "no": Verdict.WRONG,
    "A": Verdict.CORRECT, "B": Verdict.WRONG, "C": Verdict.NO_ANSWER,
}  # fmt: skip
MIDDLE = 0.5
LONGEST_REASON = 300


def to_verdict(base: Grade, template: JudgeTemplate, replies: Sequence[JudgeReply]) -> Grade:
    """`base` with its verdict, share, metrics and cost."""
    details: dict[str, Any] = {**base.details, "judgments": [_detail(reply) for reply in replies]}
    costs = [paid.cost for reply in replies for paid in reply.paid]
    cost = None if not costs or any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
    base = dataclasses.replace(base, rule=template.name, details=details, cost=cost)
    failed = next((reply for reply in replies if reply.verdict is None), None)
    if failed is not None or not replies:
        reason = failed.reason if failed else "the judge was asked nothing"
        return dataclasses.replace(base, verdict=Verdict.GRADER_ERROR, reason=reason[:LONGEST_REASON])
    known = [(reply, reply.verdict) for reply in replies if reply.verdict is not None]
    if template.kind is JudgeKind.RIGHT_WRONG:
        said = known[0][1]
        metrics = {} if said.confidence is None else {"confidence": said.confidence}
        return dataclasses.replace(base, verdict=RIGHT_WRONG[said.label], answer=said.label, metrics=metrics)
    if template.kind is JudgeKind.SINGLE:
        return _with_scores(base, template, known)
    return _with_preference(base, known)


def _with_scores(base: Grade, template: JudgeTemplate, known: Sequence[tuple[JudgeReply, ParsedReply]]) -> Grade:
    """The share is the mean score over the scale's end: ten times an MT-bench share is the authors' score."""
    scores = {reply.question.turn: said.score or 0.0 for reply, said in known}
    mean = sum(scores.values()) / len(scores)
    metrics = {"judge_score": mean}
    if template.turns > 1:
        metrics |= {f"judge_score_turn_{turn}": score for turn, score in scores.items()}
    return _shared(dataclasses.replace(base, metrics=metrics), mean / template.scale[1])


def _with_preference(base: Grade, known: Sequence[tuple[JudgeReply, ParsedReply]]) -> Grade:
    """Mean over turns and orders; Arena-Hard's strong verdicts count as its authors count them."""
    by_turn: dict[int, list[tuple[str, ParsedReply]]] = {}
    for reply, said in known:
        by_turn.setdefault(reply.question.turn, []).append((reply.question.order, said))
    shares = [_turn_share(games) for games in by_turn.values()]
    return _shared(base, sum(shares) / len(shares))


def _turn_share(games: Sequence[tuple[str, ParsedReply]]) -> float:
    labels = {order: said.label for order, said in games}
    battle = battle_scores(labels.get("AB"), labels.get("BA"))
    if battle is not None:
        return sum(battle) / len(battle)
    return sum(pair_share(said, order) for order, said in games) / len(games)


def pair_share(said: ParsedReply, order: str) -> float:
    """What the model gets of one game: 1 when it is better, 0.5 for a draw."""
    first = THREE_WAY.get(said.label) if said.second_share is None else 1 - said.second_share
    if first is None:
        first = BATTLE_SCORES[said.label][0]
    return first if order == "BA" else 1 - first


def _shared(base: Grade, share: float) -> Grade:
    return dataclasses.replace(base, share=share, verdict=Verdict.CORRECT if share > MIDDLE else Verdict.WRONG)


def _detail(reply: JudgeReply) -> JsonObject:
    """What a reader of verdicts.jsonl sees of one question; the judge's words stand in judgments.jsonl, under the key."""
    row: dict[str, Any] = {"turn": reply.question.turn, "order": reply.question.order or None}
    row |= {"said": None if reply.verdict is None else reply.verdict.label, "tries": len(reply.paid)}
    row |= {"key": reply.paid[-1].key if reply.paid else None}
    return {name: value for name, value in row.items() if value is not None}
