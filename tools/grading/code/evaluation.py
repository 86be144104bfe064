"""Grades a folder of responses to programming problems: from generations to verdicts, results and a printed table.

Verdicts go to verdicts.jsonl one by one, as they come; a killed grading continues there. Responses are read one at a
time and only their programs are kept; tests are read when their problem is graded. Samples join problems by key.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from tools.benchmarks.livecodebench import IndexedProblem, index_file
from tools.benchmarks.problems import find_file
from tools.errors import RunLocked, StorageError
from tools.grading.code.extraction import extract_program
from tools.grading.code.pool import Crew, LocalCrew, Pool, PoolOptions
from tools.grading.code.ray_crew import RayCrew
from tools.models.reasoning import split_reasoning
from tools.records import Generation, Grade, Verdict
from tools.results.code_results import build_code_results
from tools.results.results import Results
from tools.sandbox.limits import limits_for
from tools.store import generations, manifest
from tools.store.files import sha256_of_file, storage_error

VERIFIER_VERSION = "1.0"  # goes up with every change that could change a verdict
VERDICTS = "verdicts.jsonl"
STUCK_AFTER_S = 30.0


@dataclasses.dataclass(frozen=True)
class CodeOptions:
    """How to grade. `timeout_s` is per test, in CPU seconds; `rules` is "ours" or "original"; `launcher` is "local" or
    "ray"."""

    timeout_s: float = 6.0
    workers: int | None = None
    rules: str = "ours"
    seeds: tuple[int, ...] | None = None
    allow_incomplete: bool = False
    is_unsafe_allowed: bool = False
    runs_all: bool = False
    with_advice: bool = False
    set_name: str | None = None
    launcher: str = "local"

    def crew(self) -> Crew:
        return RayCrew(self.workers) if self.launcher == "ray" else LocalCrew(self.workers)

    def pool_options(self) -> PoolOptions:
        return PoolOptions(
            limits=limits_for(self.timeout_s),
            runs_all=self.runs_all,
            with_advice=self.with_advice,
            is_unsafe_allowed=self.is_unsafe_allowed,
            rules=self.rules,
        )


@dataclasses.dataclass
class Sample:
    """One response as far as grading needs it: its program, or the verdict that it has without one.

    Under the original's rules `our_code` is what ours would have taken, to count the verdicts that differ.
    """

    task_id: str
    seed: int
    code: str | None
    our_code: str | None
    fingerprint: str
    base: Grade


@dataclasses.dataclass
class Folder:
    """What a folder of generations says about itself."""

    path: pathlib.Path
    made_with: Mapping[str, Any]
    problems: dict[str, IndexedProblem]
    problem_path: pathlib.Path
    unknown_ids: list[str] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        return self.problem_path.stem


def evaluate_code_folder(
    path: pathlib.Path, questions: str | None, options: CodeOptions = CodeOptions()
) -> Results:
    """Grades every response below `path`, writes verdicts.jsonl and accuracy_results.json, returns the results; their
    parts are the versions (v5, v6) that were graded whole.

    Raises StorageError, DataError, IncompleteRun, SandboxError.
    """
    folder = open_folder(path, questions)
    samples = {(sample.task_id, sample.seed): sample for sample in read_samples(folder, options)}
    if not samples:
        raise StorageError(
            f"{folder.path}: none of its responses is to a problem of {folder.problem_path}; these generations belong "
            "to another set, give its file with --question-path"
        )
    pool = Pool(options.crew(), options.pool_options())
    with _verdict_file(folder.path) as file:
        known = read_known_verdicts(file, samples)
        left = [sample for key, sample in samples.items() if key not in known]
        for graded in grade_samples(pool, folder, left, len(known)):
            known[graded.task_id, graded.seed] = graded
            file.write(graded.to_json() + "\n")
            file.flush()
        grades = [known[key] for key in samples]
        write_sorted(file, grades, list(folder.problems))
    protection = pool.protection or pool.find_protection()
    return build_code_results(folder, grades, options, protection, VERIFIER_VERSION)


def open_folder(path: pathlib.Path, questions: str | None) -> Folder:
    """Finds generations (in the folder or in its one sub-folder that has some) and the problems they answer."""
    found = find_generations(path, questions)
    problem_path = find_file(questions or found.resolve().name)
    made_with = manifest.read_raw(found) or {}
    used = made_with.get("data", {}).get("sha256")
    if used and used != sha256_of_file(problem_path):
        raise StorageError(
            f"{found}: these responses were made from another {made_with.get('data', {}).get('path', 'file')} (sha256 "
            f"{used[:12]}...) than {problem_path}; grade with the file they were made from"
        )
    return Folder(found, made_with, index_file(problem_path), problem_path)


def find_generations(path: pathlib.Path, questions: str | None) -> pathlib.Path:
    """`path` itself, or the sub-folder that a run made in it. Raises StorageError."""
    if not path.is_dir():
        raise StorageError(f"{path}: no such folder; give the folder with seed<N>.jsonl with --generation-path")
    if generations.list_files(path):
        return path
    inside = [child for child in sorted(path.iterdir()) if child.is_dir() and generations.list_files(child)]
    wanted = pathlib.Path(questions).stem if questions else None
    chosen = [child for child in inside if child.name == wanted] or [
        child for child in inside if child.name.startswith("livecodebench")
    ]
    if len(chosen) != 1:
        names = ", ".join(child.name for child in inside) or "none"
        raise StorageError(
            f"{path}: no seed<N>.jsonl there, and its sub-folders with some are: {names}; give one with --generation-path"
        )
    return chosen[0]


def read_samples(folder: Folder, options: CodeOptions) -> Iterator[Sample]:
    """Every response once, reduced to its program. Raises StorageError when two differ for one problem and seed."""
    is_opened = folder.made_with.get("is_reasoning_opened_by_prompt")
    seen: dict[tuple[str, int], int] = {}
    for response in generations.read_folder(folder.path):
        if response.task_id not in folder.problems:
            folder.unknown_ids.append(response.task_id)
            continue
        if options.seeds and response.seed not in options.seeds:
            continue
        key, mark = (response.task_id, response.seed), hash(response.output)
        if key in seen:
            if seen[key] != mark:
                raise StorageError(
                    f"{folder.path}: problem {key[0]} seed {key[1]} stands there twice with different texts; remove one"
                )
            continue
        seen[key] = mark
        yield reduce_response(response, folder.problems[response.task_id], is_opened, options)


def reduce_response(
    response: Generation, problem: IndexedProblem, is_opened: bool | None, options: CodeOptions
) -> Sample:
    """Takes the program out of a response; without one the verdict is known already."""
    split = split_reasoning(response.output, is_opened)
    our_code = code = extract_program(split.answer, problem.function)
    if options.rules == "original":
        has_end = "</think>" in response.output  # the original fails what lacks it, and reads the whole text
        code = extract_program(response.output, problem.function) if has_end else None
    verdict, reason = Verdict.GRADER_ERROR, "not graded yet"
    if code is None:
        is_truncated = split.is_closed is False or response.is_cut_off
        verdict = Verdict.TRUNCATED if is_truncated else Verdict.NO_ANSWER
        reason = "cut off before an answer" if is_truncated else "no Python block in the answer"
    base = Grade(
        response.task_id,
        response.seed,
        verdict,
        rule="extraction",
        reason=reason,
        output_tokens=response.output_tokens,
        reasoning_chars=len(split.reasoning),
        is_cut_off=response.is_cut_off,
        closes_reasoning=split.is_closed,
    )
    rules = (VERIFIER_VERSION, options.rules, options.timeout_s, options.is_unsafe_allowed, options.runs_all)
    text = json.dumps([rules, problem.checksum, code, our_code, verdict.value])
    fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Sample(response.task_id, response.seed, code, our_code, fingerprint, base)


def grade_samples(pool: Pool, folder: Folder, samples: Sequence[Sample], done: int) -> Iterator[Grade]:
    """Verdicts as they come: first those that need no run, then the pool's. Shows progress on a terminal."""
    by_id = {f"{sample.task_id} seed {sample.seed}": sample for sample in samples}
    needs_run = [
        sample.code is not None or (pool.options.rules == "original" and sample.our_code) for sample in samples
    ]
    with _progress(len(samples) + done, done) as bar:
        for sample, is_run in zip(samples, needs_run, strict=True):
            if not is_run:
                yield _finish(sample, sample.base, {})
                bar.update(1)
        rows = [
            {"solution_id": name, "question_id": sample.task_id, "code": sample.code or "", "our_code": sample.our_code}
            for (name, sample), is_run in zip(by_id.items(), needs_run, strict=True)
            if is_run
        ]
        pool.on_wait = lambda names: bar.write(_describe_wait(names), file=sys.stderr)
        problems = {name: problem.source() for name, problem in folder.problems.items()}
        for row in pool.grade(problems, rows):
            yield to_graded_sample(by_id[row["solution_id"]], row)
            bar.update(1)


def _describe_wait(names: Sequence[str]) -> str:
    if not names:
        return "no grading process has started yet; they wait for a free core of the cluster"
    return f"still running after {STUCK_AFTER_S:g} s: {', '.join(names)}"


def to_graded_sample(sample: Sample, row: Mapping[str, Any]) -> Grade:
    """Joins a verifier's row with what is known of the response."""
    kept = ("first_failing_test", "tests_run", "tests_total", "cpu_s", "max_cpu_s", "wall_s", "peak_bytes")
    details = {name: row[name] for name in kept if row.get(name) is not None}
    optional = ("hangs_on_time", "was_rerun_alone", "per_test", "risky_names")
    details |= {name: row[name] for name in optional if row.get(name)}
    if sample.code is None:  # run for the comparison with our rules only
        differs = row.get("differs_from_original")
        return _finish(sample, dataclasses.replace(sample.base, differs_from_original=differs), details)
    number = row.get("first_failing_test")
    rule = f"test {number}" if number else f"{row['tests_run']} tests"
    graded = dataclasses.replace(
        sample.base,
        verdict=Verdict(row["status"]),
        rule=rule,
        reason=row["reason"],
        differs_from_original=row.get("differs_from_original"),
    )
    return _finish(sample, graded, details)


def _finish(sample: Sample, graded: Grade, details: dict[str, Any]) -> Grade:
    return dataclasses.replace(graded, details={**details, "fingerprint": sample.fingerprint})


@contextlib.contextmanager
def _verdict_file(folder: pathlib.Path) -> Iterator[IO[str]]:
    """verdicts.jsonl, open and locked: two gradings of one folder would spoil each other's."""
    path = folder / VERDICTS
    try:
        file = path.open("a+", encoding="utf-8", errors="surrogatepass")
    except OSError as error:
        raise storage_error(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunLocked(f"{folder} is being graded by another process; wait for it or end it") from error
        try:
            yield file
        except OSError as error:
            raise storage_error(path, error) from error


def read_known_verdicts(file: IO[str], samples: Mapping[tuple[str, int], Sample]) -> dict[tuple[str, int], Grade]:
    """Verdicts of an earlier grading that still hold: same program, tests, rules and verifier. The file is rewritten
    without the others, and without the torn line of a killed grading."""
    file.seek(0)
    known: dict[tuple[str, int], Grade] = {}
    for line in file.read().split("\n"):
        try:
            graded = Grade.from_row(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        sample = samples.get((graded.task_id, graded.seed))
        is_same = sample is not None and graded.details.get("fingerprint") == sample.fingerprint
        if is_same and graded.verdict.is_known:  # our own failures are tried again
            known[graded.task_id, graded.seed] = graded
    file.seek(0)
    file.truncate()
    file.writelines(graded.to_json() + "\n" for graded in known.values())
    file.flush()
    return known


def write_sorted(file: IO[str], grades: Sequence[Grade], task_ids: Sequence[str]) -> None:
    """The finished file in the order of seeds and problems, so that equal gradings give equal files but for times."""
    rank = {task_id: position for position, task_id in enumerate(task_ids)}
    ordered = sorted(grades, key=lambda graded: (graded.seed, rank[graded.task_id]))
    file.seek(0)
    file.truncate()
    file.writelines(graded.to_json() + "\n" for graded in ordered)
    file.flush()


def _progress(total: int, done: int) -> Any:
    """A tqdm bar on a terminal; quiet elsewhere."""
    from tqdm import tqdm

    return tqdm(total=total, initial=done, unit="sample", file=sys.stderr, disable=not sys.stderr.isatty())
