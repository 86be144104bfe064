"""A deterministic engine for tests without a model: it answers by rule, and fails by rule, wherever Python runs.

    ENGINE=tests.support.scripted_engine:ScriptedEngine python inference.py --model any/name --out out ...

The text depends on the prompt, the seed and the temperature alone, as with a real engine. Its options are environment variables too, as
any engine's, so a test can have it slow, failing, out of memory or dying at a chosen request. What happens once in a
run (a crash) is noted in a file, so that the next start goes on.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import pathlib
import signal
import time
import zlib
from collections import deque

from tools.commandline import option
from tools.engines import Completion, EngineOptions, EngineSetup, Failure, GenerationRequest, Needs
from tools.errors import EngineOutOfMemory, EngineUnavailable

WORDS = "so we add seven and three then check that the sum of all digits is right before we go on".split()


@dataclasses.dataclass(frozen=True)
class ScriptedOptions(EngineOptions):
    """What goes wrong, and how long answers are. Counts begin at 1 and are of one process."""

    script_delay_s: float = option(0.0, "for each answer")
    script_start_s: float = option(0.0, "for the start, as loading a model takes")
    script_words: int = option(12, "of an answer at most; the token limit cuts longer ones")
    script_fail_every: int = option(0, "every n-th request is answered with an error")
    script_memory: int | None = option(None, "more requests at once than this are out of memory")
    script_crash_at: int | None = option(None, "the process ends by SIGKILL at this request, once in a run")
    script_crash_mark: str | None = option(None, "the file that notes the crash")
    script_refuse: str | None = option(None, "the engine cannot start, and says so")
    script_import: str | None = option(None, "the engine needs this package")
    script_loads: str | None = option(None, "a file that gets a line for every start")
    script_answer: str | None = option(None, "every answer is this text")


class ScriptedEngine:
    """Answers in the order of asking, one a step."""

    needs = Needs(loads_model=False, tokenizer=False)
    Options = ScriptedOptions

    def __init__(self, setup: EngineSetup, options: ScriptedOptions) -> None:
        if options.script_refuse:
            raise EngineUnavailable(options.script_refuse)
        if options.script_import:
            importlib.import_module(options.script_import)
        if options.script_loads:
            with pathlib.Path(options.script_loads).open("a", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
        time.sleep(options.script_start_s)
        self.capacity = options.max_num_seqs or 4
        self._options, self._temperature = options, setup.sampling.temperature
        self._waiting: deque[GenerationRequest] = deque()
        self._count = 0

    def submit(self, request: GenerationRequest) -> None:
        self._waiting.append(request)

    def step(self) -> list[Completion | Failure]:
        options = self._options
        if options.script_memory is not None and len(self._waiting) > options.script_memory:
            raise EngineOutOfMemory(f"out of memory with {len(self._waiting)} sequences")
        self._count += 1
        self._crash_if_due()
        time.sleep(options.script_delay_s)
        request = self._waiting.popleft()
        if options.script_fail_every and self._count % options.script_fail_every == 0:
            return [Failure(request.sample, f"request {self._count} has a bad day")]
        return [answer(request, options, self._temperature)]

    def close(self) -> None:
        self._waiting.clear()

    def _crash_if_due(self) -> None:
        if self._count != self._options.script_crash_at:
            return
        mark = pathlib.Path(self._options.script_crash_mark or os.devnull)
        if mark == pathlib.Path(os.devnull) or not mark.exists():
            mark.write_text("crashed")
            os.kill(os.getpid(), signal.SIGKILL)


def answer(request: GenerationRequest, options: ScriptedOptions, temperature: float) -> Completion:
    """A few words of reasoning and a boxed number, as many tokens as words."""
    number = zlib.crc32(f"{request.prompt.text}|{request.seed}|{temperature}".encode())
    length = 1 + number % options.script_words
    words = [WORDS[(number + index) % len(WORDS)] for index in range(length)]
    text = options.script_answer or f"{' '.join(words)}</think>\n\\boxed{{{number % 1000}}}"
    is_cut_off = length > request.max_new_tokens
    if is_cut_off:
        text = " ".join(words[: request.max_new_tokens])
    tokens = min(length, request.max_new_tokens)
    return Completion(request.sample, text, "length" if is_cut_off else "stop", 0, tokens)
