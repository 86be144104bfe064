"""The grader of lm-eval's tasks: their own filters, metrics and aggregation, on the text after the reasoning.

Each response gets its task's values under lm-eval's names ("exact_match,strict-match"); the score of a sample is one of
them, `--lm-metric`, by default the one that the group aggregates, else the task's first. The figures of each seed, as
lm-eval itself would print them for these responses, stand in the results under `lm_eval`: those that are no means of
values too (BLEU of a corpus), and those of groups. A text that stops a response (`until`) counts after the reasoning only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.planned import read_plan, split_name
from tools.commandline import option
from tools.errors import DataError, GradingError
from tools.grading.grader import Facts, Judgement, Workplace, to_grade
from tools.lm_eval_tasks.values import is_number
from tools.records import Grade, JsonObject, JsonRow, MetricKind, Problem, Response, Verdict

UNREADABLE = "[invalid]"  # what lm-eval's filters give where they find no answer
PERCENT = {"bleu": 100.0, "chrf": 100.0, "chrf++": 100.0}  # metrics of 0 to 100
LONGEST_ANSWER = 500


@dataclasses.dataclass(frozen=True)
class LmEvalOptions:
    """Which value is the score, and how long a task's own code may take for one response."""

    lm_metric: str = option("", "lm-eval's metric,filter that is the score of a sample", shown="the task's first")
    lm_timeout_s: float = option(60.0, "for a task's own code, for one response")


@dataclasses.dataclass(frozen=True)
class PreparedResponse:
    """What the task needs of a response: the text after the reasoning, or the log-likelihoods of its choices."""

    grade: Grade  # with all that is known without the task
    place: JsonRow  # which document of which task
    responses: tuple[Any, ...]
    is_unfinished: bool


class LmEvalGrader:
    """Asks the process of lm_eval, one response after another."""

    name: ClassVar[str] = "lm_eval"
    version: ClassVar[str] = "1"
    Options: ClassVar[type] = LmEvalOptions
    original: ClassVar[Any] = None

    def __init__(self, options: LmEvalOptions, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        from tools.lm_eval_tasks.process import PROCESS  # here: --help needs none of it

        self.options, self.workplace, self._process = options, workplace, PROCESS
        found = split_name(benchmark.name) if benchmark else None
        if benchmark is None or found is None:
            raise DataError("the grader lm_eval is for tasks of lm-eval alone; name the benchmark as lm:TASK")
        self._task = found[1]
        self._plan: JsonObject = (read_plan(benchmark.file) if benchmark.file else None) or {}
        self._repeats = benchmark.samples_per_seed
        self._installed: JsonObject | None = None
        self.gives_shares = False
        self.metric_kinds: dict[str, MetricKind] = {}

    def record(self) -> JsonObject:
        versions = {name: str(task["version"]) for name, task in self._plan.get("tasks", {}).items()}
        planned = {"lm_eval": self._plan.get("version"), "task": self._task, "task_versions": versions}
        return {"name": self.name, "version": self.version, **planned}

    def prepare(self, problem: Problem, response: Response) -> PreparedResponse:
        fields, generation = problem.fields, response.generation
        task = fields.get("task") or fields.get("task_name")
        if task is None or "doc_id" not in fields or "doc_hash" not in fields:
            raise DataError(
                f"problem {problem.task_id!r} is no row that was planned for lm-eval; name the benchmark as lm:TASK"
            )
        place = {"name": task, "doc_id": fields["doc_id"], "doc_hash": fields["doc_hash"]}
        if "choices" in fields or "gen_kwargs" not in fields:
            if generation.loglikelihoods is None:
                raise DataError(
                    "this task needs `loglikelihoods`, and the response has none; sample it with this toolkit"
                )
            responses: tuple[Any, ...] = generation.loglikelihoods
        else:
            responses = (stop_text(response, fields["gen_kwargs"]),)
        is_unfinished = response.is_closed is False or response.is_cut_off
        return PreparedResponse(to_grade(response, Judgement(Verdict.WRONG)), place, responses, is_unfinished)

    def grade_at_once(self, problem: Problem, response: Response) -> Grade | None:
        """Never: it takes a process."""
        return None

    def grade(self, prepared: Iterable[PreparedResponse]) -> Iterator[Grade]:
        for each in prepared:
            self._open()
            responses = each.responses * (self._repeats if self._repeats > 1 and len(each.responses) == 1 else 1)
            try:
                found = self._process.ask(
                    self.options.lm_timeout_s, do="judge", task=self._task, **each.place, responses=responses
                )
            except GradingError as error:
                yield dataclasses.replace(
                    each.grade, verdict=Verdict.GRADER_ERROR, rule="lm_eval", reason=str(error)[:300]
                )
            else:
                yield self._to_grade(each, found)

    def _open(self) -> None:
        """Sees to it that the process has this task, and no other one since."""
        from tools.lm_eval_tasks.planner import task_folders
        from tools.lm_eval_tasks.process import check_installed

        if self._installed is None or self._process.opened != self._task:
            check_installed(f"lm:{self._task}")
            self._installed = self._process.open(self._task, task_folders())

    def _to_grade(self, prepared: PreparedResponse, found: JsonObject) -> Grade:
        values = found["values"]
        key = self._main_key(values)
        filtered = found["filtered"].get(key.rpartition(",")[2]) if key else None
        figure = values[key] if key and is_number(values[key]) else found["alone"].get(key)
        share = share_of(key, figure)
        verdict = Verdict.CORRECT if share is not None and share >= 1 else Verdict.WRONG
        if verdict is Verdict.WRONG and prepared.is_unfinished:
            verdict = Verdict.TRUNCATED
        elif verdict is Verdict.WRONG and (filtered or "").strip() in ("", UNREADABLE) and filtered is not None:
            verdict = Verdict.NO_ANSWER
        details: JsonObject = {
            "lm_eval_task": prepared.place["name"],
            "lm_eval_doc": [prepared.place["doc_id"], prepared.place["doc_hash"]],
        }
        raw = {name: value for name, value in values.items() if not is_number(value)}
        details |= {"lm_eval_values": raw} if raw else {}
        keeps_text = self._repeats > 1 or found["is_random"]
        details |= {"lm_eval_text": prepared.responses[0]} if keeps_text else {}
        return dataclasses.replace(
            prepared.grade,
            verdict=verdict,
            answer=filtered[:LONGEST_ANSWER] if filtered and filtered != UNREADABLE else None,
            rule=key or "",
            share=None if share in (0.0, 1.0) else share or 0.0,
            metrics={name: float(value) for name, value in values.items() if is_number(value)},
            details=details,
        )

    def _main_key(self, values: JsonRow) -> str:
        """Which of the values is the score. Raises DataError for a name that the task does not have."""
        wanted = self.options.lm_metric or self._plan.get("main_metric") or ""
        chosen = next(
            (name for name in values if name == wanted or (wanted and name.startswith(f"{wanted.rstrip(',')},"))), None
        )
        if chosen is None and self.options.lm_metric:
            raise DataError(
                f"lm:{self._task} has no metric {wanted!r}; give one of {', '.join(map(repr, values))} as --lm-metric"
            )
        return chosen or next(iter(values), "")

    def facts(self, grades: Sequence[Grade]) -> Facts:
        """The figures of each seed by the task's own aggregation, and what is to be said of them."""
        known = [grade for grade in grades if grade.verdict.is_known and "lm_eval_task" in grade.details]
        self.gives_shares = any(grade.share is not None for grade in known)
        directions = self._directions()
        self.metric_kinds = {
            name: MetricKind(directions.get(name.rpartition(",")[0], True), scale_of(known, name))
            for name in {name for grade in known for name in grade.metrics}
        }
        if not known:
            return Facts()
        self._open()
        installed = self._installed or {}
        from tools.lm_eval_tasks.figures import figures_by_seed, mean_figures

        by_seed = figures_by_seed(known, self._repeats, self._aggregate, self._replay)
        section = {
            "version": installed.get("version"),
            "planned_with": self._plan.get("version"),
            "task": self._task,
            "task_versions": installed.get("versions", {}),
            "higher_is_better": directions,
            "by_seed": by_seed,
            "mean": mean_figures(by_seed),
        }
        return Facts(tuple(self._doubts(known)), tuple(self._warnings(known, section)), {"lm_eval": section})

    def _aggregate(self, values: Mapping[str, Mapping[str, Sequence[Any]]]) -> JsonObject:
        return self._process.ask(self.options.lm_timeout_s * 60, do="aggregate", task=self._task, values=values)

    def _replay(self, docs: Sequence[Sequence[Any]]) -> Sequence[JsonObject]:
        """The values of documents that need all samples of a seed, or its random numbers, judged in lm-eval's order."""
        limit = self.options.lm_timeout_s * max(1, len(docs))
        values: list[JsonObject] = self._process.ask(limit, do="replay", task=self._task, docs=docs)["values"]
        return values

    def _directions(self) -> dict[str, bool]:
        tasks = self._plan.get("tasks", {}).values()
        return {name: bool(is_better) for task in tasks for name, is_better in task["higher_is_better"].items()}

    def _doubts(self, grades: Sequence[Grade]) -> Iterator[str]:
        rules = sorted({grade.rule for grade in grades})
        lower = [rule for rule in rules if not self._directions().get(rule.rpartition(",")[0], True)]
        if lower or not rules[0]:
            yield f"{lower[0] if lower else 'this task'} is no share of right answers; the figures stand under lm_eval"

    def _warnings(self, grades: Sequence[Grade], section: JsonRow) -> Iterator[str]:
        if any(grade.rule in grade.details.get("lm_eval_values", {}) for grade in grades):
            yield f"the score is a mean over single responses; the corpus's {grades[0].rule} stands under lm_eval"
        if section["planned_with"] not in (None, section["version"]):
            yield f"planned with lm_eval {section['planned_with']} and graded with {section['version']}"

    @property
    def equal(self) -> Callable[[str, str], bool] | None:
        return str.__eq__


def stop_text(response: Response, gen_kwargs: JsonRow) -> str:
    """The answer up to the first of the texts that stop it, cut one after another as lm-eval cuts; a reasoning's end
    takes the white space behind it along.

    >>> from tools.models.reasoning import split_response
    >>> from tools.records import Generation
    >>> stop_text(split_response(Generation("1", 0, "Q: hm</think> 7. Q: next?")), {"until": ["Q:"]})
    '7. '
    """
    text = response.answer.lstrip() if response.is_closed else response.answer
    until = gen_kwargs.get("until") or ()
    for stop in [until] if isinstance(until, str) else until:
        if stop:
            text = text.split(stop)[0]
    return text


def share_of(key: str, figure: float | None) -> float | None:
    """A value as a share of the points, None for one that is none.

    >>> share_of("exact_match,none", True), share_of("bleu,none", 25.0), share_of("perplexity,none", 12.5)
    (1.0, 0.25, None)
    """
    if figure is None:
        return None
    value = float(figure) / PERCENT.get(key.rpartition(",")[0], 1.0)
    return min(1.0, value) if 0 <= value <= 1 + 1e-9 else None


def scale_of(grades: Sequence[Grade], name: str) -> float | None:
    """1 where all values of a metric lie between 0 and 1; None for another scale."""
    values = [grade.metrics[name] for grade in grades if name in grade.metrics]
    return 1.0 if values and 0 <= min(values) <= max(values) <= 1 else None
