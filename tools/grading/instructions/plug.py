"""The grader of instructions as a plug of the session: right is a response that follows all of its prompt's instructions.

A prompt's figures are those of IFEval and IFBench: strictly and leniently, by prompt and by instruction. The figures by
instruction are ratios over all instructions of a set, as their authors give them, so each prompt counts as often as it
has instructions.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from tools.benchmarks.benchmark import Benchmark
from tools.commandline import option
from tools.errors import DataError, UsageError
from tools.grading.grader import Facts, Judgement, ResponseGrader, Workplace
from tools.grading.instructions import DEFAULT_RULES, IFBENCH_RULES, VERSION
from tools.records import Grade, JsonObject, MetricKind, Problem, Response, Verdict

# The checks are imported where they are used: --help needs none of them.
if TYPE_CHECKING:
    from tools.grading.instructions.following import Followed
    from tools.grading.instructions.registry import Asked

BY_LIST = "words:start_verb"  # the one kind that takes data which no package has
PACKAGES = ("punkt", "langdetect", "emoji", "syllapy")
REMEDY = "python -m nltk.downloader averaged_perceptron_tagger_eng"


@dataclasses.dataclass(frozen=True)
class InstructionsOptions:
    """By which rules instructions are checked."""

    ifbench_rules: str = option(
        DEFAULT_RULES, "commit of IFBench whose rules hold", shown="the entry's", choices=IFBENCH_RULES
    )


def read_answer(response: Response) -> str:
    """What is checked: all of a response that holds no reasoning; else what follows it, without the space between."""
    return response.generation.output if response.is_closed is None else response.answer.lstrip()


class InstructionsGrader(ResponseGrader):
    """Checks each instruction on the answer without its reasoning."""

    name, version, Options = "instructions", VERSION, InstructionsOptions
    metric_kinds: ClassVar[Mapping[str, MetricKind]] = {
        "prompt_strict": MetricKind(),
        "prompt_loose": MetricKind(),
        "instruction_strict": MetricKind(weight="instructions"),
        "instruction_loose": MetricKind(weight="instructions"),
    }

    def __init__(self, options: InstructionsOptions, workplace: Workplace, benchmark: Benchmark | None = None) -> None:
        """Raises UsageError where a package is missing: else a part of the responses would be graded."""
        super().__init__(options, workplace, benchmark)
        if missing := [package for package in PACKAGES if importlib.util.find_spec(package) is None]:
            raise UsageError(
                f"grading instructions needs {', '.join(missing)}; run `pip install -r requirements-grade.txt`"
            )

    def record(self) -> JsonObject:
        from tools.grading.instructions.verbs import source

        rules = self.options.ifbench_rules
        return {"name": self.name, "version": self.version, "ifbench_rules": rules, "verbs": source()}

    def judge(self, problem: Problem, response: Response) -> Judgement:
        from tools.grading.instructions.following import Followed, follow, read_instructions

        try:
            asked = read_instructions(problem.fields, self.options.ifbench_rules)
        except ValueError as error:
            raise DataError(
                f"problem {problem.task_id}: {error}; restore its row, or grade this set otherwise"
            ) from error
        if response.is_closed is False:
            nothing = (False,) * len(asked)
            return self._say(asked, Followed(nothing, nothing), Verdict.TRUNCATED, "the reasoning is never closed")
        text = read_answer(response)
        if not text.strip():
            verdict = Verdict.TRUNCATED if response.is_cut_off else Verdict.NO_ANSWER
            return self._say(asked, follow("", asked), verdict, "the response is empty")
        followed = follow(text, asked)
        missed = [each.name for each, is_followed in zip(asked, followed.strict, strict=True) if not is_followed]
        verdict = Verdict.WRONG if missed else Verdict.CORRECT
        return self._say(asked, followed, verdict, f"not followed: {', '.join(missed)}"[:300] if missed else "")

    def _say(self, asked: Sequence[Asked], followed: Followed, verdict: Verdict, reason: str) -> Judgement:
        metrics = {}
        for way, verdicts in (("strict", followed.strict), ("loose", followed.loose)):
            metrics[f"prompt_{way}"] = float(all(verdicts))
            metrics[f"instruction_{way}"] = sum(verdicts) / len(verdicts)
        details = {
            "instructions": len(asked),
            "ids": [each.name for each in asked],
            "strict": list(followed.strict),
            "loose": list(followed.loose),
        }
        return Judgement(verdict, rule="instructions", reason=reason, metrics=metrics, details=details)

    def facts(self, grades: Sequence[Grade]) -> Facts:
        """Says where a list of verbs decided, because the authors ask a tagger."""
        from tools.grading.instructions.verbs import LIST, source

        count = sum(BY_LIST in grade.details.get("ids", ()) for grade in grades)
        if not count or source() != LIST:
            return Facts()
        return Facts(
            warnings=(f"{count} verdicts on {BY_LIST} are by a list of verbs; for the authors' tagger run `{REMEDY}`",)
        )

    @property
    def equal(self) -> None:
        """Responses are texts; no two give one vote."""
        return None
