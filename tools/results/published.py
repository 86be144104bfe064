"""Is our score consistent with a published one? A verdict with its interval, and what to look at first if not.

Both figures come from the same problems, so only sampling separates them: with s^2 our sampling variance, the
published mean of k' samples has variance s^2 k / k', and the difference may be 1.96 sqrt(s^2 (1 + k / k')), plus half a
unit of the last digit printed. The error from the choice of problems plays no part, and must not make a failed
reproduction look like a success.

>>> judge_published({"value": 0.726, "source": "model card"}, results)["consistent"]  # doctest: +SKIP
True

Source of the complaint: teams that could not tell a failed reproduction from noise (PAINS 13).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.statistics.distributions import two_sided_t_quantile

LEVEL = 0.95
ROUNDING = 0.0005  # figures are printed as 72.6, so the last digit hides up to 0.05 points


def judge_published(
    published: Mapping[str, Any] | Sequence[Mapping[str, Any]], results: Mapping[str, Any]
) -> dict[str, Any]:
    """Adds ours, difference, interval of the difference, `consistent` (None: cannot be said) and `look_at_first`.

    `published["value"]` may be a fraction or, above 1, percent as printed in tables. With "breakdown" and "label" it is
    held against that part of the run, as LiveCodeBench's v5 and v6; several figures give one record with "parts".
    """
    if isinstance(published, Mapping):
        return _judge_one(published, results)
    parts = [_judge_one(item, results) for item in published]
    answers = [part["consistent"] for part in parts]
    return {
        "parts": parts,
        "value": None,
        "source": "; ".join(dict.fromkeys(str(part.get("source", "")) for part in parts)),
        "consistent": None if None in answers else all(answers),
        "verdict": "; ".join(f"{part.get('label') or part.get('set') or ''}: {part['verdict']}" for part in parts),
        "look_at_first": list(dict.fromkeys(item for part in parts for item in part["look_at_first"])),
    }


@dataclass(frozen=True)
class _Ours:
    """What this run has to hold against one figure."""

    score: float
    sampling_error: float | None
    problems: int


def _ours(published: Mapping[str, Any], results: Mapping[str, Any]) -> _Ours | None:
    """The run's own figures, of the part that is meant; None when it has no such part."""
    if "breakdown" not in published:
        return _Ours(results["avg_at_k"], results["sampling_error"], results["set"]["count"])
    group = results["breakdowns"].get(published["breakdown"], {}).get(published["label"])
    return _Ours(group["accuracy"], group["sampling_error"], group["problems"]) if group else None


def _judge_one(published: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    value = float(published["value"])
    value = value / 100.0 if value > 1.0 else value
    ours = _ours(published, results)
    record = {**published, "value": value, "ours": ours.score if ours else None}
    record["difference"] = ours.score - value if ours else None
    reason = _why_not_comparable(published, results, ours)
    if reason or ours is None or ours.sampling_error is None:
        return {**record, "consistent": None, "verdict": f"cannot be said: {reason}", "look_at_first": [reason]}
    k = results["samples_per_problem"]
    error = ours.sampling_error * math.sqrt(1.0 + k / int(published.get("samples_per_problem") or k))
    half = two_sided_t_quantile(LEVEL, math.inf) * error + ROUNDING
    difference = ours.score - value
    consistent = abs(difference) <= half
    low, high = difference - half, difference + half
    return {
        **record,
        "consistent": consistent,
        "difference_interval": [low, high],
        "confidence_level": LEVEL,
        "interval_method": "normal, sampling error of both figures and rounding; same problems",
        "verdict": (
            f"{'consistent' if consistent else 'not consistent'}: ours {100 * ours.score:.1f}, published "
            f"{100 * value:.1f}, difference {100 * difference:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}] "
            "from sampling alone"
        ),
        "look_at_first": [] if consistent else _suspects(published, results),
    }


def _why_not_comparable(published: Mapping[str, Any], results: Mapping[str, Any], ours: _Ours | None) -> str | None:
    if not results["complete"]:
        return f"{results['missing_count']} samples are missing"
    if not results["claimable"]:
        return "; ".join(results["not_claimable_because"])
    if ours is None:
        return f"this run has no {published['breakdown']} {published['label']}"
    if ours.sampling_error is None:
        return "one sample per problem gives no sampling error"
    wanted_set, count = published.get("set"), published.get("problems")
    if wanted_set is not None and wanted_set != results["set"]["name"]:
        return f"the published figure is for {wanted_set}, this run is {results['set']['name']}"
    if count is not None and count != ours.problems:
        return f"the published figure is for {count} problems, this run has {ours.problems}"
    cap, our_cap = published.get("max_new_tokens"), results["settings"].get("max_new_tokens")
    if cap is not None and our_cap is not None and cap != our_cap:
        return f"the published figure has a cap of {cap} tokens, this run {our_cap}"
    return None


def _suspects(published: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    """Causes in the order in which the field has met them (PAINS 2, 6, 10, 41)."""
    settings, reasoning = results["settings"], results["reasoning"]
    suspects = []
    if reasoning["truncated_share"] > 0.05:
        share = 100 * reasoning["truncated_share"]
        suspects.append(f"{share:.1f} % of the responses were cut off: raise the cap, or look for repetition loops")
    if reasoning["closed_share"] is None:
        suspects.append("no response holds reasoning: the prompt does not open it, or thinking is off")
    for name, usual in (("temperature", 0.6), ("top_p", 0.95)):
        wanted, found = published.get(name, usual), settings.get(name)
        if found is not None and found != wanted:
            suspects.append(f"{name} is {found}, published runs use {wanted}")
    if results["grader"].get("differs_from_original"):
        number = results["grader"]["differs_from_original"]
        suspects.append(f"{number} verdicts differ from the original grader's: read them in the audit list")
    suspects.append("the first prompt's token ids in the manifest: one begin-of-sentence, the model's own template")
    suspects.append("engine and library versions in the manifest against those of the published run")
    return suspects
