"""Is it right: one session for every grader. A grader is one class and one line of this registry.

>>> sorted(GRADERS)
['choice', 'code', 'cruxeval', 'instructions', 'jeebench', 'judge', 'language', 'lm_eval', 'math', 'text', 'unittest']
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from tools.benchmarks.benchmark import Benchmark
from tools.errors import DataError, UsageError
from tools.grading.grader import Grader, Workplace

# Name (as a benchmark's entry says it) -> where its class is; imported only when it is asked for.
GRADERS = {
    "math": "tools.grading.math.plug:MathGrader",
    "code": "tools.grading.code.plug:CodeGrader",
    "cruxeval": "tools.grading.code.crux_plug:CruxGrader",
    "instructions": "tools.grading.instructions.plug:InstructionsGrader",
    "choice": "tools.grading.choice.plug:ChoiceGrader",
    "text": "tools.grading.text.plug:TextGrader",
    "jeebench": "tools.grading.choice.jeebench:JeeBenchGrader",
    "lm_eval": "tools.lm_eval_tasks.grader:LmEvalGrader",
    "language": "tools.grading.code.languages:LanguageGrader",
    "unittest": "tools.grading.code.languages:UnittestGrader",
    "judge": "tools.judging.plug:JudgeGrader",
}


def grader_class(name: str) -> Any:
    """The class of a grader; a name with a colon is a class of one's own, `package.module:Class`. Raises UsageError."""
    place = GRADERS.get(name, name)
    module, colon, attribute = place.partition(":")
    if not colon:
        raise UsageError(f"there is no grader {name!r}; there are {', '.join(GRADERS)}")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the grader {name} cannot be loaded ({error}); check its name") from error


def create_grader(benchmark: Benchmark, given: Mapping[str, Any], rules: str, workplace: Workplace) -> Grader:
    """The grader of a benchmark. `given` are options of the command line, over those of the benchmark's entry; `rules`:
    "ours", or "original" for the original toolkit's beside ours. Raises UsageError."""
    kind = grader_class(benchmark.grader)
    ours: Grader = kind(build_options(kind.Options, benchmark, given), workplace, benchmark)
    if rules == "ours":
        return ours
    theirs = kind.original
    if theirs is None:
        raise UsageError(f"the original toolkit has no rules for {benchmark.name} ({kind.name}); leave --grader out")
    from tools.grading.original import BesideOriginal

    return BesideOriginal(ours, theirs(build_options(theirs.Options, benchmark, given), workplace, benchmark))


def build_options(options: type, benchmark: Benchmark, given: Mapping[str, Any]) -> Any:
    """Defaults, then the benchmark's entry, then what was given. Raises UsageError for an option of another grader."""
    names = {field.name for field in dataclasses.fields(options)}
    foreign = [name for name in given if name not in names]
    if foreign:
        raise UsageError(
            f"{benchmark.name} is graded by {benchmark.grader}, which has no option {', '.join(foreign)}; leave it out"
        )
    unknown = [name for name in benchmark.grader_options if name not in names]
    if unknown:
        raise DataError(f"{benchmark.name}: its entry has options that {benchmark.grader} lacks: {', '.join(unknown)}")
    return options(**{**benchmark.grader_options, **given})
