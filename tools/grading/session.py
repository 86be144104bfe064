"""ONE grading of a folder, whatever its benchmark: read, split, grade, keep, continue, sort; then the results.

    results = grade(pathlib.Path("out/aime24"), "aime24")

Verdicts go to verdicts.jsonl as they come; a killed grading continues there. A verdict holds as long as its
fingerprint does: the same grader with the same rules and options, the same problem, the same response. Samples join
problems by key, never by line; what the plan asks for and the files lack is named, and without it there is no score.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from tools.benchmarks.benchmark import Benchmark, find_entry, name_of, unknown_benchmark
from tools.benchmarks.problems import LoadedBenchmark, load_answered, load_benchmark
from tools.benchmarks.subsets import Subset, breakdown_labels, find_subset, release_labels, whole_parts
from tools.errors import DataError, StorageError, UsageError
from tools.grading import create_grader
from tools.grading.grader import Facts, Grader, GradingOptions, Workplace, our_fault
from tools.grading.responses import FolderResponses, find_folder
from tools.grading.votes import vote_classes
from tools.models.reasoning import split_response
from tools.records import Generation, Grade, Problem, Response
from tools.results.build import build_results, write_results
from tools.results.published import published_for
from tools.results.results import ACCURACY, Labels, Results
from tools.store.manifest import Manifest, read_manifest
from tools.store.verdict_file import VerdictFile, open_verdicts

MOST_NAMED = 5
MARK_DIGITS = 16  # of a fingerprint: 64 bits
DEFAULTS = GradingOptions()
MATHEMATICS = Benchmark("mathematics")


def grade(
    path: pathlib.Path, benchmark: str | None = None, options: GradingOptions = DEFAULTS, file: str | None = None
) -> Results:
    """Grades every response of a folder, writes verdicts.jsonl and accuracy_results.json there, returns the results.

    `benchmark`: a name or a problem file, the folder's own name by default; `file` is read as that benchmark's, whole or
    a part of it. Raises StorageError, DataError, UsageError, IncompleteRun, SandboxError; nothing is graded before all
    that can be refused at once has been.
    """
    folder = find_folder(path, name_of(benchmark) if benchmark else None)
    loaded = load_set(benchmark or folder.resolve().name, file) if file else load_answered(folder, benchmark)
    if options.subset:
        _find_subset(loaded, options.subset)
    manifest = read_manifest(folder)
    check_same_data(folder, manifest, loaded)
    bar = ProgressBar()
    grader = create_grader(
        loaded.benchmark, options.grader, options.rules, Workplace(options.workers, options.launcher, bar.write, folder)
    )
    responses = FolderResponses(
        folder,
        loaded,
        options.seeds,
        manifest.is_reasoning_opened if manifest else None,
        manifest.reasoning_format if manifest else None,
    )
    with open_verdicts(folder) as kept, bar:
        grades = list(grade_responses(grader, responses, kept, bar))
        graded = GradedFolder(folder, loaded, manifest, grader, responses, grades)
        plan = GradingPlan.of(manifest, loaded, grades, options)
        results = build(graded, plan, options)
        kept.finish(plan.choose(grades))
    write_results(folder, results)
    name_our_failures(grades)
    return results


def load_set(benchmark: str, file: str | None) -> LoadedBenchmark:
    """The problems of a benchmark, or of a file that is read as that benchmark's. Raises DataError."""
    if file is None:
        return load_benchmark(benchmark, is_asked=False)
    entry = find_entry(benchmark)
    if entry is None:
        raise DataError(unknown_benchmark(benchmark))
    return load_benchmark(file, benchmark=entry, is_asked=False, is_whole=False)


def estimate(
    path: pathlib.Path, benchmark: str | None = None, options: GradingOptions = DEFAULTS, file: str | None = None
) -> str:
    """What grading a folder would cost, in words; nothing is asked and nothing is written. Raises UsageError where the
    grader costs nothing, and what `grade` raises before it grades."""
    folder = find_folder(path, name_of(benchmark) if benchmark else None)
    loaded = load_set(benchmark or folder.resolve().name, file)
    manifest = read_manifest(folder)
    check_same_data(folder, manifest, loaded)
    grader = create_grader(loaded.benchmark, options.grader, options.rules, Workplace(folder=folder))
    tell = getattr(grader, "estimate", None)
    if tell is None:
        raise UsageError(f"{loaded.name} is graded by {grader.name}, which costs nothing; leave --estimate out")
    is_opened = manifest.is_reasoning_opened if manifest else None
    responses = FolderResponses(
        folder, loaded, options.seeds, is_opened, manifest.reasoning_format if manifest else None
    )
    return str(tell(grader.prepare(problem, response) for problem, response in responses.read()))


def grade_text(
    text: str,
    problem: Problem,
    benchmark: Benchmark = MATHEMATICS,
    options: GradingOptions = DEFAULTS,
) -> Grade:
    """The grade of one response, by the grader of a benchmark (mathematics by default).

    >>> grade_text(r"So it is \\boxed{7}.", Problem("1", "3 + 4?", "7", {})).verdict.value
    'correct'
    """
    grader = create_grader(benchmark, options.grader, options.rules, Workplace(options.workers, options.launcher))
    response = split_response(Generation(problem.task_id, 0, text))
    return next(iter(grader.grade([grader.prepare(problem, response)])))


@dataclasses.dataclass(frozen=True)
class GradedFolder:
    """All that is known of a folder once its responses have grades."""

    folder: pathlib.Path
    loaded: LoadedBenchmark
    manifest: Manifest | None
    grader: Grader
    responses: FolderResponses
    grades: Sequence[Grade]

    def labels(self) -> Labels:
        """Breakdown -> task_id -> label, of the benchmark's own and of its table of subsets."""
        problems, table = self.loaded.problems, self.loaded.benchmark.subsets
        releases = release_labels(self.loaded.by_id, table)
        return {
            **self.loaded.labels(), **breakdown_labels(problems, table), **({"release": releases} if releases else {}),
        }  # fmt: skip


def grade_responses(grader: Grader, responses: FolderResponses, file: VerdictFile, bar: ProgressBar) -> Iterator[Grade]:
    """Every sample's grade: known ones first where they stand, the others as they come."""
    rules = rules_of(grader)
    fingerprints: dict[tuple[str, int], str] = {}
    ready: list[Grade] = []

    def keep(graded: Grade) -> Grade:
        graded = graded.stamped(fingerprints[graded.key])
        file.add(graded)
        bar.advance()
        return graded

    def prepare() -> Iterator[Any]:
        for problem, response in responses.read():
            generation = response.generation
            key = (generation.task_id, generation.seed)
            fingerprints[key] = fingerprint(rules, problem, response)
            known = file.known.get(key)
            if known and known.fingerprint == fingerprints[key] and known.verdict.is_known:  # ours are tried again
                ready.append(known)
                bar.advance()
                continue
            try:
                yield grader.prepare(problem, response)
            except DataError:  # the set is wrong, and each of its responses would say so
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other responses go on
                ready.append(keep(our_fault(response, error)))

    for graded in grader.grade(prepare()):
        yield keep(graded)
    yield from ready


def rules_of(grader: Grader) -> bytes:
    """What a verdict depends on beside problem and response: the grader, its version, rules and options."""
    return json.dumps([grader.name, grader.record(), dataclasses.asdict(grader.options)], sort_keys=True).encode()


def fingerprint(rules: bytes, problem: Problem, response: Response) -> str:
    """What a verdict is of. The problem counts with its whole row, tests included."""
    row = problem.place.checksum if problem.place else zlib.crc32(json.dumps(dict(problem.fields)).encode())
    text = "\0".join([response.generation.output, *response.generation.turns]).encode("utf-8", "surrogatepass")
    seen: tuple[object, ...] = (row, zlib.crc32(text), len(text), response.is_closed, response.is_cut_off)
    if response.generation.loglikelihoods is not None:
        seen += (response.generation.loglikelihoods,)
    return hashlib.sha256(rules + repr(seen).encode()).hexdigest()[:MARK_DIGITS]


@dataclasses.dataclass(frozen=True)
class GradingPlan:
    """What a score needs: every problem with every seed."""

    task_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    whole: int  # problems of the whole benchmark

    @classmethod
    def of(
        cls, manifest: Manifest | None, loaded: LoadedBenchmark, grades: Sequence[Grade], options: GradingOptions
    ) -> GradingPlan:
        """The manifest's plan; for files of others all problems, with every seed that is there."""
        asked = set(manifest.task_ids if manifest and manifest.task_ids else loaded.by_id)
        if options.subset:
            asked &= _find_subset(loaded, options.subset).ids
        seeds = options.seeds or (manifest and manifest.seeds) or sorted({graded.seed for graded in grades})
        return cls(tuple(name for name in loaded.by_id if name in asked), tuple(seeds), len(loaded.problems))

    def choose(self, grades: Sequence[Grade]) -> list[Grade]:
        """The grades of the plan, by seed and then in the order of the problems."""
        rank = {task_id: position for position, task_id in enumerate(self.task_ids)}
        seeds = set(self.seeds)
        kept = [graded for graded in grades if graded.task_id in rank and graded.seed in seeds]
        return sorted(kept, key=lambda graded: (graded.seed, rank[graded.task_id]))

    def named(self, name: str) -> str:
        """A part of a benchmark is not called by the whole's name."""
        return name if len(self.task_ids) == self.whole else f"{name} (first {len(self.task_ids)})"


def _find_subset(loaded: LoadedBenchmark, name: str) -> Subset:
    table = loaded.benchmark.subsets
    if table is None:
        raise UsageError(f"{loaded.name} has no subsets; leave --set {name} out")
    return find_subset(name, table)


def check_same_data(folder: pathlib.Path, manifest: Manifest | None, loaded: LoadedBenchmark) -> None:
    """Raises StorageError when the responses were made from another file of the same name."""
    used = manifest.data_sha256 if manifest else None
    if used and used != loaded.sha256:
        raise StorageError(
            f"{folder}: these responses were made from a file with sha256 {used[:12]}..., {loaded.path} has "
            f"{loaded.sha256[:12]}...; grade with the file they were made from"
        )


def build(graded: GradedFolder, plan: GradingPlan, options: GradingOptions) -> Results:
    """The results of all that was asked, with those of each subset that was graded whole. Raises IncompleteRun."""
    loaded = graded.loaded
    grades = plan.choose(graded.grades)
    facts = graded.grader.facts(grades)
    parts = None
    if loaded.benchmark.subsets:
        subsets = whole_parts(plan.task_ids, loaded.benchmark.subsets, but=options.subset)
        parts = [
            score(graded, dataclasses.replace(plan, task_ids=_in_order(plan, subset)), subset.name, facts, options)
            for subset in subsets
        ]
    sections = {**facts.sections, "identical_samples": graded.responses.identical}
    if graded.responses.cost:
        sections["sampling_cost"] = round(graded.responses.cost, 6)
    facts = dataclasses.replace(facts, sections=sections)
    return score(graded, plan, options.subset or plan.named(loaded.name), facts, options, parts)


def score(
    graded: GradedFolder,
    plan: GradingPlan,
    name: str,
    facts: Facts,
    options: GradingOptions,
    parts: Sequence[Results] | None = None,
) -> Results:
    """The results of one plan under its name; parts come with the whole's facts but without its sections."""
    loaded, manifest, responses = graded.loaded, graded.manifest, graded.responses
    grades = plan.choose(graded.grades)
    is_whole = parts is not None or loaded.benchmark.subsets is None
    model = (manifest and manifest.model) or graded.folder.resolve().parent.name
    settings = manifest.settings if manifest else {}
    table = loaded.benchmark.subsets
    return build_results(
        model=model,
        dataset=loaded.name,
        grades=grades,
        task_ids=plan.task_ids,
        seeds=plan.seeds,
        labels=_restricted(graded.labels(), plan),
        answer_classes=vote_classes(grades, graded.grader.equal),
        set_name=name,
        settings=settings,
        published=published_for(model, table, len(plan.task_ids), name)
        if table
        else published_for(model, loaded.name, loaded.benchmark.problems),
        grader=graded.grader.record(),
        allow_incomplete=options.allow_incomplete,
        doubts=[*facts.doubts, *responses.doubts()],
        warnings=[*loaded.warnings(), *facts.warnings, *responses.warnings(settings)],
        sections=facts.sections if is_whole else {},
        parts=parts,
        metric_kinds=graded.grader.metric_kinds,
        gives_shares=graded.grader.gives_shares,
        metric=loaded.benchmark.metric or ACCURACY,
    )


def _in_order(plan: GradingPlan, subset: Subset) -> tuple[str, ...]:
    return tuple(task_id for task_id in plan.task_ids if task_id in subset.ids)


def _restricted(labels: Labels, plan: GradingPlan) -> dict[str, dict[str, str]]:
    """Breakdowns of the plan's problems only; one that has none of them is left out."""
    chosen = {
        name: {task_id: by_task[task_id] for task_id in plan.task_ids if task_id in by_task}
        for name, by_task in labels.items()
    }
    return {name: by_task for name, by_task in chosen.items() if by_task}


def name_our_failures(grades: Sequence[Grade]) -> None:
    """One line on stderr for each response that could not be graded, so that someone can look."""
    failed = [graded for graded in grades if not graded.verdict.is_known]
    for graded in failed[:MOST_NAMED]:
        reason = f" ({graded.reason})" if graded.reason else ""
        print(f"problem {graded.task_id} seed {graded.seed}: {graded.verdict}{reason}", file=sys.stderr)
    if len(failed) > MOST_NAMED:
        print(f"and {len(failed) - MOST_NAMED} more; verdicts.jsonl has all", file=sys.stderr)


class ProgressBar:
    """A bar with the rate when somebody looks; nothing is imported for it otherwise."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(desc="grading", unit="sample", file=sys.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self) -> None:
        if self._bar is not None:
            self._bar.update(1)

    def write(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr)
