"""What the results say of a judging, in their section `judge`: who judged, when, for how much, what failed, and the authors' figures.

The figures are of all grades of the plan together; the score beside them has its intervals.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

from tools.errors import DataError
from tools.grading.grader import Facts
from tools.judging.ledger import Ledger, PaidReply
from tools.judging.scores import battle_rate, battle_scores, calibration_error, f_score, scale_means, win_rate
from tools.judging.setup import JudgeSetup
from tools.judging.templates import JudgeKind
from tools.records import Grade, JsonObject, Verdict

NEVER_MIXED = "judged scores are opinions: they compare with scores of the same judge and template only"


def describe_judging(setup: JudgeSetup, ledger: Ledger, grades: Sequence[Grade], gamed: str | None = None) -> Facts:
    """Section, and the line that stands beside the score. `gamed`: AlpacaEval's df_gamed.csv where it was given."""
    ids = {(grade.task_id, grade.seed) for grade in grades}
    paid = [reply for reply in ledger.all() if reply.judge == setup.model and reply.template == setup.template.name]
    paid = [reply for reply in paid if (reply.task_id, reply.seed) in ids] or paid
    told = [row for grade in grades for row in grade.details.get("judgments", ())]
    failed = sum(row["tries"] - ("said" in row) for row in told)
    found, lacking = figures(setup, grades), tuple[str, ...]()
    if found and (gamed or setup.template.gamed_file):
        more, lacking = _controlled(setup, grades, gamed)
        found |= more
    section = _section(setup, paid, failed) | {"figures": found}
    days = sorted({reply.date for reply in paid if reply.date})
    when = f" on {days[0]}" + (f" to {days[-1]}" if days[-1] != days[0] else "") if days else ""
    price = "price unknown" if section["cost_usd"] is None else f"{section['cost_usd']:.4f} USD"
    words = f"judged by {setup.model}{when} ({setup.template.name}; {len(paid)} judgments, {price}, {failed} replies not parsed)"
    return Facts(warnings=(f"{words}: {NEVER_MIXED}", *lacking), sections={"judge": section})


def _section(setup: JudgeSetup, paid: Sequence[PaidReply], failed: int) -> JsonObject:
    costs = [reply.cost for reply in paid if reply.cost is not None]
    days = sorted(reply.date for reply in paid if reply.date)
    price = setup.price
    return {
        "name": setup.model,
        "engine": setup.engine,
        "template": setup.template.name,
        "template_sha256": setup.template.sha256(),
        "authors_judge": setup.template.judge,
        "sampling": setup.sampling.given(),
        "judgments": len(paid),
        "asked_again": sum(reply.attempt > 0 for reply in paid),
        "failed_parses": failed,
        "prompt_tokens": sum(reply.prompt_tokens for reply in paid),
        "output_tokens": sum(reply.output_tokens for reply in paid),
        "cost_usd": sum(costs) if costs and len(costs) == len(paid) else None,
        "price": None
        if price is None
        else {"input": price.input, "output": price.output, "source": price.source, "date": price.date},
        "first_date": days[0] if days else None,
        "last_date": days[-1] if days else None,
    }


def figures(setup: JudgeSetup, grades: Sequence[Grade]) -> JsonObject:
    """The authors' figures, by what the template's `figure` names; percent but for means of a scale."""
    known = [grade for grade in grades if grade.verdict.is_known]
    kind, figure = setup.template.kind, setup.template.figure
    if kind is JudgeKind.SINGLE:
        return _scale_figures(known, figure)
    if kind is JudgeKind.RIGHT_WRONG:
        return _right_wrong_figures(known, figure)
    if figure == "battles":
        rate = battle_rate(_battle(grade) for grade in known)
        return {} if rate is None else {"win_rate": rate}
    found = win_rate(1 + grade.score for grade in known)
    if found is None:
        return {}
    row = {"win_rate": found.percent, "standard_error": found.standard_error, "discrete_win_rate": found.discrete}
    row |= {"wins": found.wins, "losses": found.losses, "draws": found.draws}
    return row


def _controlled(setup: JudgeSetup, grades: Sequence[Grade], given: str | None) -> tuple[JsonObject, tuple[str, ...]]:
    """The length-controlled win rate. With a file that was given it raises DataError; with the authors', which is fetched, what
    is in the way becomes a warning."""
    known = [grade for grade in grades if grade.verdict.is_known]
    if given is not None:
        return {"length_controlled_win_rate": _controlled_rate(known, pathlib.Path(given))}, ()
    from tools.judging.prompt_source import keep_file

    assert setup.template.gamed_file is not None
    try:
        path = keep_file(f"{setup.template.name}_gamed", setup.template.gamed_file)
        return {"length_controlled_win_rate": _controlled_rate(known, path)}, ()
    except DataError as error:
        return {}, (f"no length-controlled win rate: {error}",)


def _controlled_rate(grades: Sequence[Grade], gamed: pathlib.Path) -> float:
    """Problems are AlpacaEval's instructions, named by their number. Raises DataError."""
    from tools.judging.length_control import PreferenceRow, length_controlled, read_gamed

    baselines, difficulties = read_gamed(gamed)
    rows = []
    for grade in grades:
        index = int(grade.task_id) if grade.task_id.isdecimal() else -1
        if index not in difficulties or "chars" not in grade.details:
            raise DataError(
                f"problem {grade.task_id} is none of AlpacaEval's instructions, so {gamed} has no difficulty of it"
            )
        baseline_chars, model_chars = grade.details["chars"]
        rows.append(PreferenceRow(1 + grade.score, baseline_chars, model_chars, index, difficulties[index]))
    return length_controlled(rows, baselines)


def _scale_figures(grades: Sequence[Grade], figure: str) -> JsonObject:
    scores: list[tuple[int, float | None]] = []
    for grade in grades:
        by_turn = {name: value for name, value in grade.metrics.items() if name.startswith("judge_score_turn_")}
        if by_turn:
            scores += [(int(name.rpartition("_")[2]), value) for name, value in by_turn.items()]
        elif "judge_score" in grade.metrics:
            scores.append((1, grade.metrics["judge_score"]))
    found = scale_means(scores)
    if found.mean is None:
        return {}
    row: dict[str, Any] = {"mean": found.mean, "judged": found.judged}
    row |= {f"turn_{turn}": mean for turn, mean in found.turns.items()} if len(found.turns) > 1 else {}
    return row | ({"wb_score": (found.mean - 5) * 2 * 10} if figure == "wildbench" else {})


def _right_wrong_figures(grades: Sequence[Grade], figure: str) -> JsonObject:
    counts = {
        verdict: sum(grade.verdict is verdict for grade in grades) for verdict in (Verdict.CORRECT, Verdict.NO_ANSWER)
    }
    correct, silent = counts[Verdict.CORRECT], counts[Verdict.NO_ANSWER]
    wrong = len(grades) - correct - silent
    if not grades:
        return {}
    row: dict[str, Any] = {"accuracy": 100 * correct / len(grades)}
    if figure == "simpleqa":
        attempted = correct + wrong
        row |= {"not_attempted": 100 * silent / len(grades), "f_score": f_score(correct, wrong, silent)}
        row["accuracy_given_attempted"] = 100 * correct / attempted if attempted else None
    sure = [(grade.metrics["confidence"], grade.is_correct) for grade in grades if "confidence" in grade.metrics]
    if sure:
        row["calibration_error"] = calibration_error([one for one, _ in sure], [right for _, right in sure])
    return row


def _battle(grade: Grade) -> tuple[float, ...] | None:
    said = {row.get("order"): row.get("said") for row in grade.details.get("judgments", ())}
    return battle_scores(said.get("AB"), said.get("BA"))
