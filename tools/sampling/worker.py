"""One worker: one engine on one GPU (or tensor-parallel group, or the CPU) that answers samples from the shared queue.

Started by the supervisor as `python inference.py --worker NAME --out OUT`. The model is loaded once; samples of all
seeds and sets go through it as one stream; each answer is on disk before the queue hears of it.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import signal
import time
from collections.abc import Iterable, Sequence

from tools.engines import Completion, Engine, Failure, Outcome, Scores, create_engine
from tools.models.prompts import cut_at_end_mark
from tools.models.reasoning import closes_reasoning
from tools.records import Generation, Sample
from tools.sampling.requests import RequestMaker, prepare_requests
from tools.sampling.settings import RunSettings
from tools.sampling.status import StatusFile, workers_folder
from tools.sampling.turns import with_turns
from tools.sampling.workqueue import WorkQueue
from tools.store import generations, manifest

IDLE_SLEEP_S = 0.2
RECOVER_EVERY_S = 2.0
PR_SET_PDEATHSIG = 1


def run_worker(out: pathlib.Path, name: str, max_num_seqs: int | None = None) -> int:
    """The whole life of a worker. Raises what the engine, the files or the model raise."""
    end_with_parent()
    settings = RunSettings.from_json((out / ".run" / "settings.json").read_text(encoding="utf-8"))
    settings = settings.with_batch(max_num_seqs)
    file = StatusFile(workers_folder(out), name)
    queue = WorkQueue.join(out / ".run", name)
    queue.refresh()
    if queue.is_finished:  # the others did it all while this worker was waiting to be started again
        file.write("finished")
        return 0
    requests = prepare_requests(out, settings)
    engine = create_engine(settings.engine, settings.engine_setup(requests.max_model_len), settings.engine_options)
    file.status.capacity = engine.capacity
    file.write("running")
    started, cpu_started = time.monotonic(), time.process_time()
    answer_all(queue, with_turns(engine, settings, requests.max_model_len), requests, out, file)
    file.status.answering_s = round(time.monotonic() - started, 3)
    file.status.answering_cpu_s = round(time.process_time() - cpu_started, 3)
    file.write("finished")
    engine.close()
    return 0


def answer_all(queue: WorkQueue, engine: Engine, requests: RequestMaker, out: pathlib.Path, file: StatusFile) -> None:
    """Takes, asks and writes until every sample of the run is done or failed."""
    status = file.status
    ask_at = recover_at = 0.0
    while True:
        room, now = engine.capacity - status.in_flight, time.monotonic()
        if now >= recover_at:  # what dead workers left is among what we take next
            queue.recover(lambda samples: find_on_disk(out, samples))
            recover_at = now + RECOVER_EVERY_S
        if room and (now >= ask_at or not status.in_flight):
            taken = queue.take(room)
            ask_at = now if taken else now + IDLE_SLEEP_S
            for sample in taken:
                engine.submit(requests.make(sample))
            status.in_flight += len(taken)
        if status.in_flight:
            outcomes = engine.step()
            note_dropped(what_is_dropped(engine), out, requests, file)
            for outcome in outcomes:
                status.in_flight -= 1
                record(outcome, queue, out, requests, file)
        elif queue.is_finished:
            return
        else:
            time.sleep(IDLE_SLEEP_S)  # the others still work; what a dying one leaves is taken up here
        file.tick()


def what_is_dropped(engine: Engine) -> tuple[str, ...]:
    return tuple(getattr(engine, "dropped", ()))  # engines need not have it


def note_dropped(dropped: Sequence[str], out: pathlib.Path, requests: RequestMaker, file: StatusFile) -> None:
    """What a server refuses of the sampling goes to the manifests before the first answer that was drawn without it."""
    if list(dropped) != file.status.dropped:
        file.status.dropped = list(dropped)
        for benchmark in requests.caps:
            manifest.record_dropped(out / benchmark, dropped)


def to_generation(outcome: Completion | Scores) -> Generation:
    """The line of an outcome. What was scored has the likeliest choice for a text."""
    sample = outcome.sample
    if isinstance(outcome, Scores):
        counts = outcome.context_tokens, outcome.continuation_tokens
        return Generation(
            sample.task_id, sample.seed, outcome.best, "stop", *counts, loglikelihoods=outcome.loglikelihoods
        )
    text = cut_at_end_mark(outcome.text)
    told = outcome.prompt_tokens, outcome.output_tokens
    turns = tuple(map(cut_at_end_mark, outcome.turns))
    return Generation(sample.task_id, sample.seed, text, outcome.finish_reason, *told, outcome.cost, turns=turns)


def record(outcome: Outcome, queue: WorkQueue, out: pathlib.Path, requests: RequestMaker, file: StatusFile) -> None:
    """One answer to the disk, then to the queue."""
    sample, status = outcome.sample, file.status
    if isinstance(outcome, Failure):
        status.failed += 1
        queue.failed(sample, outcome.reason)
        return
    generation = to_generation(outcome)
    text = generation.output
    generations.append(out / sample.dataset, generation)
    tokens = generation.output_tokens
    if tokens is None:  # a server that does not count: close enough for the schedule and the rate
        tokens = max(1, len(text) // 4)
    queue.done(sample, tokens)
    status.done += 1
    status.by_dataset[sample.dataset] = status.by_dataset.get(sample.dataset, 0) + 1
    status.tokens += tokens
    status.cost += generation.cost or 0.0
    status.truncated += generation.is_cut_off
    status.unclosed += closes_reasoning(text, requests.is_opened(sample), requests.reasoning_format) is False


def find_on_disk(out: pathlib.Path, samples: Iterable[Sample]) -> set[Sample]:
    """Those of the samples that have a line in their seed file."""
    by_file: dict[tuple[str, int], dict[str, Sample]] = {}
    for sample in samples:
        by_file.setdefault((sample.dataset, sample.seed), {})[sample.task_id] = sample
    found = set()
    for (dataset, seed), wanted in by_file.items():
        path = generations.seed_file(out / dataset, seed)
        if path.exists():
            written = generations.read_file(path, seed)
            found |= {wanted[generation.task_id] for generation in written if generation.task_id in wanted}
    return found


def end_with_parent() -> None:
    """Asks the kernel to end this process when its supervisor dies, even by SIGKILL."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
