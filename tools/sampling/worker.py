"""One worker: one engine on one GPU (or tensor-parallel group, or the CPU) that answers samples from the shared queue.

Started by the supervisor as `python inference.py --worker NAME --out OUT`. The model is loaded once; samples of all
seeds and sets go through it as one stream; each answer is on disk before the queue hears of it.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import pathlib
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

from tools.benchmarks.problems import LoadedBenchmark, load_benchmark
from tools.engines import Completion, Engine, Failure, Request, create_engine, load_tokenizer, read_model_limit
from tools.errors import ModelError
from tools.models.prompts import Prompt, cut_at_end_mark, encode_prompt, render_question, template_sha256
from tools.records import Generation, Sample
from tools.sampling.settings import RunSettings
from tools.sampling.workqueue import WorkQueue
from tools.store import generations, manifest
from tools.store.files import write_atomically

IDLE_SLEEP_S = 0.2
RECOVER_EVERY_S = 2.0
STATUS_EVERY_S = 1.0
PR_SET_PDEATHSIG = 1


def run_worker(out: pathlib.Path, name: str, max_num_seqs: int | None = None) -> int:
    """The whole life of a worker. Raises what the engine, the files or the model raise."""
    end_with_parent()
    settings = RunSettings.from_json((out / ".run" / "settings.json").read_text(encoding="utf-8"))
    settings = dataclasses.replace(settings, max_num_seqs=max_num_seqs or settings.max_num_seqs)
    status = WorkerStatus(out / ".run" / "workers" / f"{name}.json", name)
    queue = WorkQueue.join(out / ".run", name)
    queue.refresh()
    if queue.is_finished:  # the others did it all while this worker was waiting to be started again
        status.write("finished")
        return 0
    make_request, max_model_len = prepare_requests(out, settings)
    engine = create_engine(settings, max_model_len)
    status.capacity = engine.capacity
    status.write("running")
    started, cpu_started = time.monotonic(), time.process_time()
    answer_all(queue, engine, make_request, out, status)
    status.answering_s = round(time.monotonic() - started, 3)
    status.answering_cpu_s = round(time.process_time() - cpu_started, 3)
    status.write("finished")
    engine.close()
    return 0


def prepare_requests(out: pathlib.Path, settings: RunSettings) -> tuple[Callable[[Sample], Request], int]:
    """What makes a sample into a request, and the longest sequence in tokens. Completes the manifests."""
    sets = {loaded.name: loaded for loaded in map(load_benchmark, settings.datasets)}
    prompts = encode_prompts(sets, settings)
    max_model_len = fit_length(prompts, settings)
    settle_manifests(out, sets, prompts, settings, max_model_len)

    def make_request(sample: Sample) -> Request:
        prompt = prompts[sample.dataset, sample.task_id]
        room = max_model_len - len(prompt.token_ids or ())
        return Request(
            sample, prompt, min(settings.max_new_tokens, room) if prompt.token_ids else settings.max_new_tokens
        )

    return make_request, max_model_len


def answer_all(
    queue: WorkQueue, engine: Engine, make_request: Callable[[Sample], Request], out: pathlib.Path, status: WorkerStatus
) -> None:
    """Takes, asks and writes until every sample of the run is done or failed."""
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
                engine.submit(make_request(sample))
            status.in_flight += len(taken)
        if status.in_flight:
            for outcome in engine.step():
                status.in_flight -= 1
                record(outcome, queue, out, status)
        elif queue.is_finished:
            return
        else:
            time.sleep(IDLE_SLEEP_S)  # the others still work; what a dying one leaves is taken up here
        status.tick()


def record(outcome: Completion | Failure, queue: WorkQueue, out: pathlib.Path, status: WorkerStatus) -> None:
    """One answer to the disk, then to the queue."""
    sample = outcome.sample
    if isinstance(outcome, Failure):
        status.failed += 1
        queue.failed(sample, outcome.reason)
        return
    text = cut_at_end_mark(outcome.text)
    generation = Generation(
        sample.task_id, sample.seed, text, outcome.finish_reason, outcome.prompt_tokens, outcome.output_tokens
    )
    generations.append(out / sample.dataset, generation)
    queue.done(sample, outcome.output_tokens)
    status.done += 1
    status.by_dataset[sample.dataset] = status.by_dataset.get(sample.dataset, 0) + 1
    status.tokens += outcome.output_tokens
    status.truncated += generation.is_cut_off
    status.unclosed += "</think>" not in text


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


def encode_prompts(sets: dict[str, LoadedBenchmark], settings: RunSettings) -> dict[tuple[str, str], Prompt]:
    """The prompt of every problem by (data set, task_id). A server with its own template gets the question alone."""
    tokenizer = None if settings.sends_chat else load_tokenizer(settings)
    prompts = {}
    for loaded in sets.values():
        for problem in loaded.problems[: settings.limit]:
            if tokenizer is None:
                question = render_question(problem, loaded.benchmark.question, settings.model_type)
                prompt = Prompt(question, None, question)
            else:
                prompt = encode_prompt(problem, loaded.benchmark.question, settings.model_type, tokenizer)
            prompts[loaded.name, problem.task_id] = prompt
    return prompts


def fit_length(prompts: dict[tuple[str, str], Prompt], settings: RunSettings) -> int:
    """Prompt and answer in tokens at most: what was asked for, or the model's limit if that is less."""
    longest = max(len(prompt.token_ids or ()) for prompt in prompts.values())
    wanted = longest + settings.max_new_tokens
    limit = None if settings.engine == "openai" else read_model_limit(settings)
    if limit is None or wanted <= limit:
        return wanted
    if longest >= limit:
        raise ModelError(
            f"the longest prompt has {longest} tokens and the model ends at {limit}; choose another model or set"
        )
    print(
        f"note: the model ends at {limit} tokens, so answers end before OUT_SEQ_LEN={settings.max_new_tokens}",
        flush=True,
    )
    return limit


def settle_manifests(
    out: pathlib.Path,
    sets: dict[str, LoadedBenchmark],
    prompts: dict[tuple[str, str], Prompt],
    settings: RunSettings,
    max_model_len: int,
) -> None:
    """Completes every set's manifest with what only the tokenizer knows, or finds that it does not fit."""
    tokenizer = None if settings.sends_chat else load_tokenizer(settings)
    for name, loaded in sets.items():
        first = prompts[name, loaded.problems[0].task_id]
        template = template_sha256(settings.model_type, loaded.benchmark.question, tokenizer)
        made_with = settings.identity(loaded) | {"template_sha256": template}
        facts = {
            "first_prompt": first.text,
            "first_prompt_token_ids": list(first.token_ids) if first.token_ids else None,
            "is_reasoning_opened_by_prompt": first.is_reasoning_opened if first.token_ids else None,
            "max_model_len": max_model_len,
            "model_num_parameters": manifest.count_parameters(settings.model),
        }
        task_ids = [problem.task_id for problem in loaded.problems[: settings.limit]]
        manifest.settle(out / name, made_with, facts, {"seeds": settings.all_seeds(name), "task_ids": task_ids})


class WorkerStatus:
    """What the supervisor sees of a worker: counts in a small file, rewritten about once a second."""

    def __init__(self, path: pathlib.Path, name: str) -> None:
        self._path, self._name = path, name
        self.done = self.failed = self.tokens = self.truncated = self.unclosed = self.in_flight = self.capacity = 0
        self.by_dataset: dict[str, int] = {}
        self.answering_s = self.answering_cpu_s = 0.0  # between the engine's start and its last answer
        self._written_at = 0.0
        self.write("starting")

    def tick(self) -> None:
        if time.monotonic() - self._written_at >= STATUS_EVERY_S:
            self.write("running")

    def write(self, state: str) -> None:
        self._written_at = time.monotonic()
        row: dict[str, Any] = {"name": self._name, "pid": os.getpid(), "state": state, "updated_at": time.time()}
        row |= {key: value for key, value in self.__dict__.items() if not key.startswith("_")}
        write_atomically(self._path, json.dumps(row))


def end_with_parent() -> None:
    """Asks the kernel to end this process when its supervisor dies, even by SIGKILL."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
