"""The grader `judge`: a model reads each answer and says what it is worth, by a template of data/judges.

    python evaluate.py OUT --judge gpt-4o-mini --judge-base-url URL --estimate     what it would cost
    python evaluate.py OUT --judge gpt-4o-mini --judge-base-url URL                judges; a killed judging continues

A judged score is an opinion: it is never mixed with exact ones, and the judge's name, date and cost stand beside it.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from tools.benchmarks.benchmark import Benchmark
from tools.commandline import option
from tools.errors import UsageError
from tools.grading.grader import Facts, Judgement, Workplace, to_grade
from tools.records import Grade, JsonObject, MetricKind, Problem, Response, Verdict

if TYPE_CHECKING:
    from tools.judging.baselines import Baseline
    from tools.judging.ledger import Ledger
    from tools.judging.setup import JudgeSetup
    from tools.judging.templates import JudgeTemplate

# What asks, and the engines with it, is imported where it is used: --help needs none of them.

VERSION = "1"
OWN_TEMPLATE = "single"


@dataclasses.dataclass(frozen=True)
class JudgeOptions:
    """Who judges, by which template, and what it may cost."""

    model: str = option("", "the judge's name, as its engine knows it", name="JUDGE", shown="none")
    engine: str = option("openai", "the judge's engine, as ENGINE", name="JUDGE_ENGINE")
    base_url: str | None = option(None, "the judge's server", name="JUDGE_BASE_URL", shown="OPENAI_BASE_URL")
    template: str = option(OWN_TEMPLATE, "of data/judges, or a file", name="JUDGE_TEMPLATE")
    baseline: str | None = option(
        None,
        "outputs to compare with: a file, or a folder of ours",
        name="JUDGE_BASELINE",
        shown="the authors', if known",
    )
    references: str | None = option(None, "right answers that the problems lack: a file", name="JUDGE_REFERENCES")
    concurrency: int | None = option(None, "questions at once", name="JUDGE_CONCURRENCY", shown="the engine's")
    budget_usd: float | None = option(None, "US dollars at most, of this folder", name="JUDGE_BUDGET_USD")
    price: str = option("", "US dollars for a million tokens: INPUT,OUTPUT", name="JUDGE_PRICE", shown="prices.json")
    gamed: str | None = option(
        None, "AlpacaEval's df_gamed.csv, for the length-controlled rate", name="JUDGE_GAMED", shown="fetched"
    )

    def __post_init__(self) -> None:
        if self.budget_usd is not None and self.budget_usd < 0:
            raise UsageError(f"JUDGE_BUDGET_USD={self.budget_usd:g} is no sum of money; give a number over 0")
        if self.concurrency is not None and not 1 <= self.concurrency <= 4096:
            raise UsageError(f"JUDGE_CONCURRENCY={self.concurrency} is not between 1 and 4096")


class JudgeGrader:
    """Prepares what is to be asked, asks it, and turns the replies into grades."""

    name, version, Options = "judge", VERSION, JudgeOptions
    original: ClassVar[type | None] = None
    equal = None  # answers to open questions are not voted on

    def __init__(self, options: JudgeOptions, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        from tools.judging.templates import find_template  # here: --help needs none of it

        self.options, self.workplace, self.benchmark = options, workplace, benchmark
        self.template: JudgeTemplate = find_template(options.template)
        self._asked: JudgeTemplate | None = None  # with the authors' texts
        self._baseline: Baseline | None = None
        self._references: Baseline | None = None

    @property
    def gives_shares(self) -> bool:
        return not self.template.is_right_wrong

    @property
    def metric_kinds(self) -> Mapping[str, MetricKind]:
        template = self.template
        if not template.is_single:
            return {"confidence": MetricKind()} if template.is_right_wrong else {}
        names = ["judge_score", *(f"judge_score_turn_{turn}" for turn in range(1, template.turns + 1))]
        return {name: MetricKind(scale=template.scale[1]) for name in names}

    def record(self) -> JsonObject:
        template = self.template
        row = {"name": "judge", "version": self.version, "judge": self.options.model, "template": template.name}
        return {**row, "template_sha256": template.sha256()[:16], "answer_from": "answer"}

    def prepare(self, problem: Problem, response: Response) -> object:
        """The grade of a response that holds no answer, or the questions about it."""
        from tools.judging.asking import JudgeTask
        from tools.judging.messages import questions_for, turns_of

        answers = response.turns or (response.answer,)
        is_whole = all(answer.strip() for answer in answers)
        is_truncated = response.is_closed is False or (response.is_cut_off and not is_whole)
        missing = min(self.template.turns, len(turns_of(problem))) - len(answers)
        if is_truncated or not is_whole or missing > 0:
            verdict = Verdict.TRUNCATED if is_truncated else Verdict.NO_ANSWER
            reason = "cut off before an answer" if is_truncated else "an answer is empty"
            reason = f"turn {len(answers) + 1} has no answer" if is_whole and missing > 0 else reason
            share = 0.0 if self.gives_shares else None
            return to_grade(response, Judgement(verdict, rule=self.template.name, reason=reason, share=share))
        baseline = self._baseline_answers(problem)
        chars = {"chars": [len(baseline[0]), len(answers[0])]} if baseline else {}
        base = to_grade(response, Judgement(Verdict.GRADER_ERROR, rule=self.template.name, details=chars))
        return JudgeTask(base, tuple(questions_for(self._texts(), problem, answers, baseline, self._given(problem))))

    def grade_at_once(self, problem: Problem, response: Response) -> Grade | None:
        return None  # nothing is paid for a page

    def grade(self, prepared: Iterable[object]) -> Iterator[Grade]:
        from tools.judging.asking import JudgeTask, Judging
        from tools.judging.verdicts import to_verdict

        setup, ledger = self._setup(), self._ledger()
        ready: list[Grade] = []

        def tasks() -> Iterator[JudgeTask]:
            for one in prepared:
                if isinstance(one, JudgeTask):
                    yield one
                else:
                    assert isinstance(one, Grade)
                    ready.append(one)

        for task, replies in Judging(setup, ledger).judge(tasks()):
            while ready:
                yield ready.pop()
            yield to_verdict(task.base, self.template, replies)
        yield from ready

    def estimate(self, prepared: Iterable[object]) -> str:
        """What judging would ask and cost, without asking."""
        from tools.judging.asking import JudgeTask
        from tools.judging.estimate import describe_estimate

        tasks = (one for one in prepared if isinstance(one, JudgeTask))
        return describe_estimate(self._setup(), self._ledger(), tasks)

    def facts(self, grades: Sequence[Grade]) -> Facts:
        from tools.judging.summary import describe_judging

        return describe_judging(self._setup(), self._ledger(), grades, self.options.gamed)

    def _ledger(self) -> Ledger:
        """What the folder has, when nobody writes to it any more."""
        from tools.judging.clerk import wait_for_clerk
        from tools.judging.ledger import FILE_NAME, Ledger

        folder = self.workplace.folder
        if folder is not None:
            wait_for_clerk(folder / FILE_NAME, self.workplace.on_wait)
        return Ledger(folder)

    def _setup(self) -> JudgeSetup:
        """Raises UsageError for what is missing, before anything is asked."""
        from tools.judging.prices import find_price
        from tools.judging.setup import JudgeSetup

        options, template = self.options, self._texts()
        if not options.model:
            theirs = f" (its authors asked {template.judge})" if template.judge else ""
            raise UsageError(
                f"a model judges these answers: give --judge MODEL{theirs}, --judge-base-url its server; --estimate tells the cost"
            )
        if template.is_pairwise and options.baseline is None and template.baseline_file is None:
            raise UsageError(
                f"{template.name} compares with a baseline: give --judge-baseline FILE ({template.baseline})"
            )
        price, budget = find_price(options.model, options.price), options.budget_usd
        if budget is None and (text := os.environ.get("JUDGE_BUDGET_USD")):
            budget = _to_usd(text)
        if budget is not None and price is None:
            raise UsageError(
                f"JUDGE_BUDGET_USD needs the price of {options.model}: give JUDGE_PRICE=INPUT,OUTPUT, or unset it"
            )
        return JudgeSetup(
            options.model, options.engine, template, options.base_url, options.concurrency, price, budget
        )  # fmt: skip

    def _texts(self) -> JudgeTemplate:
        """The template with its authors' words; fetched when they are first needed."""
        from tools.judging.prompt_source import complete

        self._asked = self._asked or complete(self.template)
        return self._asked

    def _baseline_answers(self, problem: Problem) -> tuple[str, ...]:
        if not self.template.is_pairwise:
            return ()
        self._baseline = self._baseline or self._find_baseline()
        return self._baseline.answers(problem) if self._baseline else ()

    def _find_baseline(self) -> Baseline | None:
        """The outputs that were given, else the authors', which are fetched once. Raises DataError, FetchError."""
        from tools.judging.baselines import read_baseline
        from tools.judging.prompt_source import keep_file

        if self.options.baseline is not None:
            return read_baseline(pathlib.Path(self.options.baseline))
        source = self.template.baseline_file
        return read_baseline(keep_file(f"{self.template.name}_baseline", source)) if source else None

    def _given(self, problem: Problem) -> tuple[str, ...]:
        """Right answers from a file of their own, as MT-bench's authors have them; empty where it has none."""
        from tools.judging.baselines import read_baseline

        if self.options.references is None:
            return ()
        self._references = self._references or read_baseline(pathlib.Path(self.options.references))
        return tuple(self._references.by_id.get(problem.task_id, ()))


def _to_usd(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"JUDGE_BUDGET_USD={text!r} is no sum of money; give US dollars") from None
