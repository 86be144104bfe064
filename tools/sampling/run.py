"""A whole run of generation, from settings to sorted files: what inference.py calls.

Checks everything that can be checked before a model is loaded, then lets the supervisor run the workers, then makes
sure that every planned sample is on disk. Nothing is written before the checks are through.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import socket
import sys
import time
from collections.abc import Mapping, Sequence

from tools.benchmarks.planned import keep_plan, read_plan
from tools.benchmarks.problems import LoadedBenchmark, load_benchmark
from tools.engines import check_engine, check_scoring
from tools.errors import IncompleteRun, RunLocked
from tools.records import Sample
from tools.sampling.checks import check_model
from tools.sampling.gpus import choose_devices
from tools.sampling.launcher import Slot, supervise, write_run_settings
from tools.sampling.pinning import apply_generation_config, fetch_models, pin
from tools.sampling.plan import make_plan
from tools.sampling.progress import RunProgress
from tools.sampling.requests import plan_of
from tools.sampling.settings import RunSettings, parse_settings
from tools.sampling.workqueue import PLAN_FILE, WorkQueue, living_workers
from tools.store import generations, manifest, provenance
from tools.store.files import hold_lock, storage_error

HELP_EVERY_S = 1.0


def sample(model: str, out: str | os.PathLike[str], benchmarks: Sequence[str] = (), **options: object) -> pathlib.Path:
    """Samples a model from Python as inference.py does from the shell; returns the folder with what was sampled.

    `options` are those of the command line in Python's spelling, for example temperature=0.6, seeds=[100, 200], gpus=8;
    the environment plays no part. Raises EvaluationErrors; the same call continues where it was.
    """
    words = ["--model", model, "--out", str(out)]
    words += ["--benchmarks", ",".join(benchmarks)] if benchmarks else []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if flag == "--overwrite":
            words += [flag] if value else []
        elif value is not None:
            words += [flag, _as_word(value)]
    generate(parse_settings(words, environ={}))
    return pathlib.Path(out)


def _as_word(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(int(value) if isinstance(value, bool) else value)


def generate(settings: RunSettings) -> None:
    """Samples all that is missing. Raises EvaluationErrors; the same call continues where it was."""
    check_model(settings)
    out = pathlib.Path(settings.out)
    settings = pin(settings, out)
    if settings.generation_config == "model" and settings.needs.loads_model:
        fetch_models(settings, weights=False)
    settings = apply_generation_config(settings)
    check_engine(settings.engine, settings.sampling)
    devices = [] if settings.launcher == "ray" else choose_devices(settings)
    slots = [Slot(device.name, device.gpus) for device in devices]
    sets = {loaded.name: loaded for loaded in map(load_benchmark, settings.benchmarks)}
    for name, loaded in sets.items():
        if loaded.benchmark.is_scored:
            check_scoring(settings.engine, name, (read_plan(loaded.path) or {}).get("generative_form"))
        if not settings.overwrite:
            manifest.check_settings(out / name, settings.identity(loaded))
    lock = lock_folder(out) if not settings.join else help_until_free(out, settings, slots)
    try:
        if settings.overwrite:
            move_aside(out, sets)
        run(out, settings, sets, slots)
        WorkQueue.remove(out / ".run")
    finally:
        os.close(lock)


def run(out: pathlib.Path, settings: RunSettings, sets: Mapping[str, LoadedBenchmark], slots: list[Slot]) -> None:
    """The run itself, in a locked folder."""
    planned = plan_samples(settings, sets)
    for name in sets:
        generations.repair_folder(out / name)
    total = {name: sum(sample.dataset == name for sample in planned) for name in sets}
    started, has_worked = time.monotonic(), False
    on_disk, missing = find_missing(out, planned)
    new = len(missing)
    if missing:
        fetch_models(settings, weights=settings.launcher != "ray")  # actors fetch for themselves
        prepare(out, settings, sets)
        if has_helpers(out):  # of a launcher that died: their queue goes on, a second one would sample twice
            has_worked = work(out, settings, slots, count_done(total, missing), total)
            on_disk, missing = find_missing(out, planned)
    if missing:
        WorkQueue.create(out / ".run", missing, seen_lengths(on_disk))
        has_worked = work(
            out, settings, [dataclasses.replace(slot) for slot in slots], count_done(total, missing), total
        )
        check_complete(out, planned)
    for name, loaded in sets.items():
        generations.sort_files(out / name, [problem.task_id for problem in loaded.problems])
        if has_worked or not (manifest.read_raw(out / name) or {}).get("end_time"):
            manifest.end_session(out / name, time.monotonic() - started)
    print(f"{len(planned)} samples in {out} ({new} new)", file=sys.stderr)


def work(
    out: pathlib.Path, settings: RunSettings, slots: list[Slot], done: Mapping[str, int], total: Mapping[str, int]
) -> bool:
    """Lets workers answer what is in the queue, with progress on stderr and in status.json."""
    progress = RunProgress(out, settings, total, done)
    state = "failed"
    try:
        if settings.launcher == "ray":
            from tools.sampling.ray_workers import supervise_on_ray

            supervise_on_ray(out, settings, progress)
        else:
            supervise(out, settings, slots, progress)
        state = "finished"
    finally:
        progress.finish(state)
    return True


def find_missing(
    out: pathlib.Path, planned: list[Sample]
) -> tuple[dict[str, dict[tuple[str, int], int]], list[Sample]]:
    """Lengths of what is on disk by data set, and the planned samples that are not."""
    on_disk = {name: read_done(out / name) for name in dict.fromkeys(sample.dataset for sample in planned)}
    return on_disk, [sample for sample in planned if (sample.task_id, sample.seed) not in on_disk[sample.dataset]]


def count_done(total: Mapping[str, int], missing: list[Sample]) -> dict[str, int]:
    return {name: total[name] - sum(sample.dataset == name for sample in missing) for name in total}


def has_helpers(out: pathlib.Path) -> bool:
    """True when workers of other launchers live in the queue. Workers of one that was just killed get time to go."""
    for _ in range(50):
        if not living_workers(out / ".run"):
            return False
        time.sleep(0.1)
    return True


def help_until_free(out: pathlib.Path, settings: RunSettings, slots: list[Slot]) -> int:
    """JOIN=1: works on the run that another launcher leads, until nobody leads it; returns the folder's lock."""
    host = socket.gethostname()
    slots = [dataclasses.replace(slot, name=f"{host}-{os.getpid()}-{slot.name}") for slot in slots]
    while True:
        try:
            return lock_folder(out)
        except RunLocked:
            time.sleep(HELP_EVERY_S)
        if (out / ".run" / PLAN_FILE).exists() and not has_finished(out):
            print(f"{out}: another launcher leads this run; helping with {len(slots)} workers", file=sys.stderr)
            fetch_models(RunSettings.from_json((out / ".run" / "settings.json").read_text(encoding="utf-8")))
            supervise(out, settings, [dataclasses.replace(slot) for slot in slots], None)


def has_finished(out: pathlib.Path) -> bool:
    """True when the queue has nothing left to do."""
    queue = WorkQueue.join(out / ".run", f"look-{socket.gethostname()}-{os.getpid()}")
    try:
        queue.refresh()
        return queue.is_finished
    finally:
        queue.close()


def plan_samples(settings: RunSettings, sets: Mapping[str, LoadedBenchmark]) -> list[Sample]:
    """Every (benchmark, problem, seed) that the settings ask for."""
    plans = {name: plan_of(loaded, settings) for name, loaded in sets.items()}
    return make_plan({name: (plan.task_ids, plan.seeds) for name, plan in plans.items()})


def prepare(out: pathlib.Path, settings: RunSettings, sets: Mapping[str, LoadedBenchmark]) -> None:
    """Manifests, repaired files and the workers' settings, before the first worker starts."""
    (out / ".run").mkdir(exist_ok=True)
    tools = manifest.Tools(
        model=settings.model,
        model_type=settings.model_type,
        toolkit_version=provenance.toolkit_version(),
        versions=provenance.package_versions(settings.needs.packages),
        git_hash=provenance.git_hash(),
        hardware_info=provenance.hardware_info(),
    )
    for name, loaded in sets.items():
        manifest.settle(out / name, settings.identity(loaded), plan_of(loaded, settings))
        kept = keep_plan(loaded.path, out / name)
        data = manifest.DataFile(str(kept), loaded.sha256, len(loaded.problems))
        if plan := read_plan(kept):
            manifest.record_planned(out / name, plan)
        manifest.record_origin(out / name, name, data, tools)
        manifest.start_session(out / name, tools, settings.gpus, settings.engine_options.gpus_per_engine)
    write_run_settings(out, settings)


def read_done(folder: pathlib.Path) -> dict[tuple[str, int], int]:
    """(task_id, seed) -> output tokens of what is on disk."""
    return {
        (generation.task_id, generation.seed): generation.output_tokens or len(generation.output) // 4
        for generation in generations.read_folder(folder)
    }


def seen_lengths(on_disk: Mapping[str, Mapping[tuple[str, int], int]]) -> dict[tuple[str, str], list[int]]:
    """Lengths of finished answers by problem, for the order of those still to come."""
    lengths: dict[tuple[str, str], list[int]] = {}
    for dataset, done in on_disk.items():
        for (task_id, _), tokens in done.items():
            lengths.setdefault((dataset, task_id), []).append(tokens)
    return lengths


def check_complete(out: pathlib.Path, planned: list[Sample]) -> None:
    """Raises IncompleteRun when samples are missing, with the reason of the first failed request."""
    _, missing = find_missing(out, planned)
    if not missing:
        return
    failures = WorkQueue.join(out / ".run", "check").read_failures()
    first = missing[0]
    reason = failures.get(first) or next(iter(failures.values()), "a worker ended early")
    raise IncompleteRun(
        f"{len(missing)} of {len(planned)} samples are missing, the first {first.dataset} problem {first.task_id} seed {first.seed} "
        f"({reason}); run the same command again, only these are sampled"
    )


def move_aside(out: pathlib.Path, sets: Mapping[str, LoadedBenchmark]) -> None:
    for name in sets:
        backup = manifest.move_to_backup(out / name)
        if backup:
            print(f"what was in {out / name} is now in {backup}", file=sys.stderr)


def lock_folder(out: pathlib.Path) -> int:
    """Creates the output folder and locks it against a second run. Raises StorageError, RunLocked."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".run").mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(out, error) from error
    descriptor = hold_lock(out / ".run" / "lock")
    if descriptor is None:
        raise RunLocked(f"{out}: another run writes here; wait for it, end it, or choose another folder")
    return descriptor
