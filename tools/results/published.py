"""Is our score consistent with a published one? A verdict with its interval, and what to look at first if not.

Both figures come from the same problems, so only sampling separates them: with s^2 our sampling variance, the
published mean of k' samples has variance s^2 k / k', and the difference may be 1.96 sqrt(s^2 (1 + k / k')), plus half a
unit of the last digit printed. The error from the choice of problems plays no part, and must not make a failed
reproduction look like a success. k' is the number of samples that the figure's own source names.

>>> card = published_for("nvidia/AceReason-Nemotron-1.1-7B", "aime24", problems=30)
>>> card.value, card.samples_per_problem
(0.726, 64)
>>> ours = Measured(score=0.715, sampling_error=0.009, problems=30, subset="aime24", samples_per_problem=64)
>>> judge(card, ours).is_consistent
True

The complaint behind it: teams that could not tell a failed reproduction from noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.models.presets import find_preset
from tools.records import JsonRow
from tools.statistics.distributions import two_sided_t_quantile

LEVEL = 0.95
ROUNDING = 0.0005  # figures are printed as 72.6, so the last digit hides up to 0.05 points
CUT_OFF_SHARE = 0.05  # above it the cap is the first suspect
USUAL_SAMPLING = {"temperature": 0.6, "top_p": 0.95}  # of published reasoning runs whose source names none
METHOD = "normal, sampling error of both figures and rounding; same problems"


@dataclass(frozen=True)
class Published:
    """One figure of a model card or paper, as a fraction. What its source does not say is None.

    `samples_per_problem` None: it is taken to stand on as many samples as ours. With `breakdown` and `label` the figure
    is held against that part of a run.
    """

    value: float
    source: str = ""
    samples_per_problem: int | None = None
    subset: str | None = None
    problems: int | None = None
    max_new_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    breakdown: str | None = None
    label: str | None = None

    def to_json(self) -> dict[str, object]:
        row = {("set" if name == "subset" else name): value for name, value in self.__dict__.items()}
        return {name: value for name, value in row.items() if value is not None}

    @classmethod
    def from_json(cls, row: JsonRow) -> Published:
        """`value` above 1 is percent, as tables print it."""
        known = {name: row[name] for name in cls.__dataclass_fields__ if row.get(name) is not None}
        value = float(row["value"])
        return cls(**{**known, "subset": row.get("set"), "value": value / 100.0 if value > 1.0 else value})


@dataclass(frozen=True)
class Measured:
    """What a run has to hold against a figure. `obstacles` are the reasons for which its score cannot be claimed."""

    score: float | None
    sampling_error: float | None
    problems: int
    subset: str
    samples_per_problem: int
    obstacles: tuple[str, ...] = ()
    settings: JsonRow = field(default_factory=dict)
    truncated_share: float = 0.0
    closed_share: float | None = None
    differs_from_original: int | None = None


@dataclass(frozen=True)
class PublishedVerdict:
    """Ours against one figure, or against several (`parts`). `is_consistent` None: it cannot be said."""

    figure: Published | None
    ours: float | None
    difference: float | None
    interval: tuple[float, float] | None
    is_consistent: bool | None
    verdict: str
    look_at_first: tuple[str, ...]
    parts: tuple[PublishedVerdict, ...] = ()

    @property
    def source(self) -> str:
        if self.figure is not None:
            return self.figure.source
        return "; ".join(dict.fromkeys(part.source for part in self.parts))

    def to_json(self) -> dict[str, object]:
        said = {"verdict": self.verdict, "look_at_first": list(self.look_at_first)}
        if self.figure is None:
            parts = [part.to_json() for part in self.parts]
            return {"parts": parts, "value": None, "source": self.source, "consistent": self.is_consistent, **said}
        row = self.figure.to_json() | {"ours": self.ours, "difference": self.difference}
        row["consistent"] = self.is_consistent
        if self.interval:
            row |= {"difference_interval": list(self.interval), "confidence_level": LEVEL, "interval_method": METHOD}
        return row | said


def published_for(model: str, benchmark: str, problems: int | None, subset: str | None = None) -> Published | None:
    """The model card's figure for a benchmark, or for one of its subsets (LiveCodeBench's v5); None without one.

    `problems`: how many the figure is of. Everything else stands in tools/models/presets.json.
    """
    preset = find_preset(model)
    key = f"{benchmark}_{subset}" if subset else benchmark
    if key not in preset.published:
        return None
    return Published(
        value=preset.published[key] / 100.0,
        source=preset.source,
        samples_per_problem=preset.published_samples.get(key),
        subset=subset or benchmark,
        problems=problems,
        max_new_tokens=preset.max_new_tokens,
        temperature=preset.temperature,
        top_p=preset.top_p,
    )


def judge_all(verdicts: Sequence[PublishedVerdict]) -> PublishedVerdict | None:
    """One record of the verdicts on several figures: consistent only when each is. None for none."""
    if len(verdicts) < 2:
        return verdicts[0] if verdicts else None
    answers = [part.is_consistent for part in verdicts]
    names = [part.figure and (part.figure.label or part.figure.subset) for part in verdicts]
    return PublishedVerdict(
        figure=None,
        ours=None,
        difference=None,
        interval=None,
        is_consistent=None if None in answers else all(answers),
        verdict="; ".join(f"{name or ''}: {part.verdict}" for name, part in zip(names, verdicts, strict=True)),
        look_at_first=tuple(dict.fromkeys(item for part in verdicts for item in part.look_at_first)),
        parts=tuple(verdicts),
    )


def judge(published: Published, ours: Measured) -> PublishedVerdict:
    """Difference, its interval from the sampling of both figures, and the causes to look at where they disagree."""
    difference = None if ours.score is None else ours.score - published.value
    reason = _why_not_comparable(published, ours)
    if reason or ours.score is None or difference is None or ours.sampling_error is None:
        words = reason or "this run has no such score"
        return PublishedVerdict(
            published, ours.score, difference, None, None, f"cannot be said: {words}", (words,)
        )  # fmt: skip
    k = ours.samples_per_problem
    error = ours.sampling_error * math.sqrt(1.0 + k / (published.samples_per_problem or k))
    half = two_sided_t_quantile(LEVEL, math.inf) * error + ROUNDING
    is_consistent = abs(difference) <= half
    low, high = difference - half, difference + half
    verdict = (
        f"{'consistent' if is_consistent else 'not consistent'}: ours {100 * ours.score:.1f}, published "
        f"{100 * published.value:.1f}, difference {100 * difference:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}] "
        "from sampling alone"
    )
    suspects = () if is_consistent else tuple(_suspects(published, ours))
    return PublishedVerdict(published, ours.score, difference, (low, high), is_consistent, verdict, suspects)


def _why_not_comparable(published: Published, ours: Measured) -> str | None:
    if ours.obstacles:
        return "; ".join(ours.obstacles)
    if ours.score is None:
        return f"this run has no {published.breakdown} {published.label}"
    if ours.sampling_error is None:
        return "one sample per problem gives no sampling error"
    if published.subset is not None and published.subset != ours.subset:
        return f"the published figure is for {published.subset}, this run is {ours.subset}"
    if published.problems is not None and published.problems != ours.problems:
        return f"the published figure is for {published.problems} problems, this run has {ours.problems}"
    cap = published.max_new_tokens
    our_cap = ours.settings.get("answer_cap") or ours.settings.get("max_new_tokens")
    if cap is not None and our_cap is not None and cap != our_cap:
        return f"the published figure has a cap of {cap} tokens, this run {our_cap}"
    return None


def _suspects(published: Published, ours: Measured) -> list[str]:
    """Causes in the order in which the field has met them: the cap, no reasoning, sampling, the grader, the prompt."""
    suspects = []
    if ours.truncated_share > CUT_OFF_SHARE:
        share = 100 * ours.truncated_share
        suspects.append(f"{share:.1f} % of the responses were cut off: raise the cap, or look for repetition loops")
    if dropped := ours.settings.get("dropped"):
        suspects.append(f"the server refused {dropped}, so the sampling is its own")
    if ours.closed_share is None:
        suspects.append("no response holds reasoning: the prompt does not open it, or thinking is off")
    for name, named in (("temperature", published.temperature), ("top_p", published.top_p)):
        wanted, found = USUAL_SAMPLING[name] if named is None else named, ours.settings.get(name)
        if found is not None and found != wanted:
            suspects.append(f"{name} is {found}, published runs use {wanted}")
    if ours.differs_from_original:
        number = ours.differs_from_original
        suspects.append(f"{number} verdicts differ from the original grader's: read them in the audit list")
    suspects.append("the first prompt's token ids in the manifest: one begin-of-sentence, the model's own template")
    suspects.append("engine and library versions in the manifest against those of the published run")
    return suspects
