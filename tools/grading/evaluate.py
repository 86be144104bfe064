"""Grades a folder of responses to mathematical problems: from generations to verdicts, results and a printed table.

Nothing here needs a model, a GPU or torch; integer answers need no sympy either. Samples are joined to problems by key,
never by line; what the plan asks for and the files lack is named, and without it there is no score.

>>> results = evaluate_folder(pathlib.Path("out/aime24"), "data/aime24.jsonl")   # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tools.benchmarks.problems import LoadedBenchmark, load_benchmark
from tools.errors import StorageError, UsageError
from tools.grading.math.grader import GRADER_VERSION, MathGrade, grade_response, group_equal_answers
from tools.models.reasoning import SplitResponse, split_reasoning
from tools.records import Generation, Grade, Verdict
from tools.results.build import build_results, write_results
from tools.results.published import published_for
from tools.results.results import Results
from tools.results.subsets import subset_name
from tools.store import generations, manifest
from tools.store.files import write_atomically


@dataclasses.dataclass(frozen=True)
class GradingOptions:
    """How to grade. `answer_from`: "answer" or "anywhere"; `rules`: "ours" or "original"."""

    answer_from: str = "answer"
    rules: str = "ours"
    comparison: str | None = None
    seeds: tuple[int, ...] | None = None
    allow_incomplete: bool = False


def evaluate_folder(folder: pathlib.Path, dataset: str, options: GradingOptions = GradingOptions()) -> Results:
    """Grades every response in `folder`, writes verdicts.jsonl and accuracy_results.json there, returns the results.

    Raises StorageError, DataError, IncompleteRun.
    """
    loaded = load_benchmark(dataset)
    if loaded.benchmark.grader != "math":
        raise UsageError(f"{loaded.name} is a set of programming problems; grade it with evaluate_livecodebench.py")
    made_with = manifest.read_raw(folder) or {}
    check_same_data(folder, made_with, loaded)
    check_folder(folder)
    graded = grade_folder(folder, made_with, loaded, options)
    task_ids, seeds = planned(made_with, loaded, graded.grades, options)
    wanted, wanted_seeds = set(task_ids), set(seeds)
    grades = [grade for grade in graded.grades if grade.task_id in wanted and grade.seed in wanted_seeds]
    results = build_results(
        model=made_with.get("model") or folder.resolve().parent.name,
        dataset=loaded.name,
        grades=grades,
        task_ids=task_ids,
        seeds=seeds,
        labels=loaded.labels(),
        answer_classes=classify_answers(grades),
        set_name=subset_name(loaded.name, len(task_ids), len(loaded.problems)),
        settings=made_with.get("settings", {}),
        published=published_for(made_with.get("model", ""), loaded.name, loaded.benchmark.problems),
        grader={"name": options.rules, "version": GRADER_VERSION, "answer_from": options.answer_from},
        allow_incomplete=options.allow_incomplete,
        warnings=warn_of_identical_seeds(graded, made_with.get("settings", {})),
        sections={
            "would_differ_read_anywhere": sum("read_anywhere" in grade.details for grade in grades),
            "identical_samples": graded.identical,
        },
    )
    write_verdicts(folder, grades)
    write_results(folder, results)
    return results


@dataclasses.dataclass
class GradedFolder:
    """All verdicts of a folder; how many responses repeat another seed's text of the same problem; seeds that all do."""

    grades: list[Grade]
    identical: int
    identical_seeds: list[tuple[int, int]]


def warn_of_identical_seeds(graded: GradedFolder, settings: Mapping[str, Any]) -> list[str]:
    if not graded.identical_seeds or settings.get("temperature") == 0:
        return []
    first, second = graded.identical_seeds[0]
    pairs = len(graded.identical_seeds)
    return [f"seeds {first} and {second} gave the same text for every problem ({pairs} such pairs); is the seed used?"]


def check_folder(folder: pathlib.Path) -> None:
    """Raises StorageError when there is nothing to grade."""
    if not folder.is_dir():
        raise StorageError(f"{folder}: no such folder; give the folder that holds seed<N>.jsonl with --modelfolder")
    if not generations.list_files(folder):
        raise StorageError(
            f"{folder}: no file named seed<N>.jsonl; give the folder of one data set, such as OUT/aime24"
        )


def grade_folder(
    folder: pathlib.Path, made_with: Mapping[str, Any], loaded: LoadedBenchmark, options: GradingOptions
) -> GradedFolder:
    """Grades file by file and keeps no text, so that memory does not grow with the responses."""
    resolve = generations.task_id_resolver(folder, [problem.task_id for problem in loaded.problems])
    is_opened = opens_reasoning(folder, made_with)
    grades: list[Grade] = []
    marks: dict[int, dict[str, tuple[int, str]]] = {}  # seed -> task_id -> what tells one text from another
    for response in with_progress(map(resolve, generations.read_folder(folder))):
        text = response.output
        mark = (len(text), text[-200:] + text[:200])
        known = marks.setdefault(response.seed, {}).setdefault(response.task_id, mark)
        if known is mark:
            grades.append(grade(response, loaded, options, is_opened))
        elif known != mark:
            raise StorageError(
                f"{folder}: problem {response.task_id} seed {response.seed} stands there twice with different texts; remove one of the lines"
            )
    return GradedFolder(grades, *find_identical(marks))


def find_identical(marks: Mapping[int, Mapping[str, tuple[int, str]]]) -> tuple[int, list[tuple[int, int]]]:
    """(responses that repeat another seed's, pairs of seeds that agree on every one of several problems)."""
    distinct = {(task_id, mark) for by_task in marks.values() for task_id, mark in by_task.items()}
    first_with: dict[frozenset[tuple[str, tuple[int, str]]], int] = {}
    pairs = []
    for seed, by_task in marks.items():
        first = first_with.setdefault(frozenset(by_task.items()), seed)
        if first != seed and len(by_task) > 1:
            pairs.append((first, seed))
    return sum(map(len, marks.values())) - len(distinct), pairs


def check_same_data(folder: pathlib.Path, made_with: Mapping[str, Any], loaded: LoadedBenchmark) -> None:
    """Raises StorageError when the responses were made from another file of the same name."""
    used = made_with.get("data", {}).get("sha256")
    if used and used != loaded.sha256:
        raise StorageError(
            f"{folder}: these responses were made from a file with sha256 {used[:12]}..., {loaded.path} has "
            f"{loaded.sha256[:12]}...; grade with the file they were made from"
        )


def planned(
    made_with: Mapping[str, Any], loaded: LoadedBenchmark, grades: Sequence[Grade], options: GradingOptions
) -> tuple[list[str], list[int]]:
    """(task_ids, seeds) that a score needs: the manifest's plan; for files of others all problems, for every seed there."""
    plan = made_with.get("plan", {})
    asked = set(plan.get("task_ids") or [problem.task_id for problem in loaded.problems])
    task_ids = [problem.task_id for problem in loaded.problems if problem.task_id in asked]
    seeds = options.seeds or plan.get("seeds") or sorted({grade.seed for grade in grades})
    return task_ids, list(seeds)


def with_progress(responses: Iterator[Generation]) -> Iterable[Generation]:
    """A bar with the rate when somebody looks; nothing is imported for it otherwise."""
    if not sys.stderr.isatty():
        return responses
    from tqdm import tqdm

    bar: Iterable[Generation] = tqdm(responses, desc="grading", unit="response", leave=False)
    return bar


def opens_reasoning(folder: pathlib.Path, made_with: Mapping[str, Any]) -> bool | None:
    """Whether prompts ended in `<think>`: from the manifest, or because a response closes what it never opened."""
    told: bool | None = made_with.get("is_reasoning_opened_by_prompt")
    if told is not None:
        return told
    for response in generations.read_folder(folder):
        closing = response.output.find("</think>")
        if closing >= 0:
            return not 0 <= response.output.find("<think>") < closing
    return None


def grade(response: Generation, loaded: LoadedBenchmark, options: GradingOptions, is_opened: bool | None) -> Grade:
    """One response by the rules asked for."""
    reference = loaded.by_id[response.task_id].answer or ""
    comparison = options.comparison or loaded.benchmark.grader_options.get("comparison", "math")
    if options.rules == "original":
        return grade_like_original(response, reference, loaded, comparison, is_opened)
    return grade_one(response, reference, comparison, options.answer_from, is_opened)


def grade_one(response: Generation, reference: str, comparison: str, answer_from: str, is_opened: bool | None) -> Grade:
    """Our verdict, and whether the right answer stands in the reasoning only."""
    parts = split_reasoning(response.output, is_opened)
    text = parts.answer if answer_from == "answer" else response.output
    verdict = grade_response(
        text, reference, comparison=comparison, answer_from="anywhere", is_cut_off=response.is_cut_off
    )
    if verdict.verdict is Verdict.NO_ANSWER and parts.is_closed is False:
        verdict = MathGrade(Verdict.TRUNCATED, rule="extraction", reason="the reasoning is never closed")
    if answer_from == "anywhere" or parts.is_closed is None:
        return to_sample(response, verdict, parts)
    if "\\boxed" in text:  # the last box of the answer is the last box of the whole text too
        return to_sample(response, verdict, parts, None if verdict.is_correct else False)
    whole = grade_response(response.output, reference, comparison=comparison, answer_from="anywhere")
    sample = to_sample(response, verdict, parts, None if verdict.is_correct else whole.is_correct)
    if whole.is_correct != verdict.is_correct:
        sample.details["read_anywhere"] = whole.verdict.value
    return sample


def grade_like_original(
    response: Generation, reference: str, loaded: LoadedBenchmark, comparison: str, is_opened: bool | None
) -> Grade:
    """The original toolkit's verdict, with a mark where ours differs."""
    from tools.grading.math.original import is_correct_original

    ours = grade_one(response, reference, comparison, "answer", is_opened)
    is_right = is_correct_original(
        response.output, reference, rules=loaded.benchmark.grader_options.get("original_rules", "aime")
    )
    verdict = Verdict.CORRECT if is_right else (Verdict.WRONG if ours.is_correct else ours.verdict)
    return dataclasses.replace(
        ours,
        verdict=verdict,
        rule="original",
        reason=f"ours: {ours.verdict} ({ours.rule})",
        differs_from_original=is_right != ours.is_correct,
    )


def to_sample(
    response: Generation, grade: MathGrade, parts: SplitResponse, is_correct_in_reasoning: bool | None = None
) -> Grade:
    return Grade(
        response.task_id,
        response.seed,
        grade.verdict,
        answer=grade.answer,
        rule=grade.rule,
        reason=grade.reason,
        output_tokens=response.output_tokens,
        reasoning_chars=len(parts.reasoning),
        is_cut_off=response.is_cut_off,
        closes_reasoning=parts.is_closed,
        is_correct_in_reasoning=is_correct_in_reasoning,
        details=dict(grade.details),
    )


def classify_answers(grades: Iterable[Grade]) -> dict[tuple[str, int], int | None]:
    """For maj@k: the class of equal answers of each sample within its problem. No answer, no vote."""
    by_problem: dict[str, list[Grade]] = {}
    for grade in grades:
        by_problem.setdefault(grade.task_id, []).append(grade)
    classes: dict[tuple[str, int], int | None] = {}
    for samples in by_problem.values():
        numbers = group_equal_answers([sample.answer for sample in samples])
        classes.update({(sample.task_id, sample.seed): number for sample, number in zip(samples, numbers, strict=True)})
    return classes


def write_verdicts(folder: pathlib.Path, grades: Sequence[Grade]) -> None:
    write_atomically(folder / "verdicts.jsonl", "".join(grade.to_json() + "\n" for grade in grades))
