"""The clerk's own side: takes errands from a pipe, asks them of the engine, writes each reply before it tells of it.

Started by tools/judging/clerk.py as `python -m tools.judging.clerk_process FD`. When the pipe ends, errands that were not sent yet are
dropped, and the replies that are on their way are still written, for GRACE_S at most.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from tools.commandline import read_options
from tools.engines import (
    Completion,
    Engine,
    EngineSetup,
    Failure,
    GenerationRequest,
    Scores,
    check_engine,
    create_engine,
    find_engine,
    load_tokenizer,
    make_options,
)
from tools.errors import EvaluationError
from tools.judging.clerk import GRACE_S, ClerkFault, ClerkReady, Errand, Unanswered, lock_file
from tools.judging.ledger import PaidReply
from tools.judging.prices import estimate_tokens
from tools.judging.setup import JudgeSetup
from tools.models.chat import ChatOptions
from tools.models.prompts import Prompt, cut_at_end_mark, encode_prompt, render_without_tokenizer
from tools.records import Sample
from tools.store.files import append_whole, cut_torn_line, storage_error

LOCAL_MODEL_LEN = 32768  # of a judge that is loaded here: prompt and reply in tokens


class ClerkProcess:
    """One engine, one file, one pipe."""

    def __init__(self, connection: Connection, setup: JudgeSetup, path: pathlib.Path | None) -> None:
        self._connection, self._setup, self._path = connection, setup, path
        self._inbox: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._waiting: deque[Errand] = deque()
        self._sent: dict[Sample, Errand] = {}
        self._is_left_alone = False
        self._file = None if path is None else lock_file(path)
        if self._file is not None:
            cut_torn_line(self._file)
        needs = find_engine(setup.engine).needs
        self._tokenizer = load_tokenizer(setup.model) if needs.loads_model and needs.tokenizer else None
        self._engine = start_engine(setup)
        # Some wait for a thread of a server's engine, so that none of them is idle; others get what they ask for.
        self._room = self._engine.capacity + (0 if needs.loads_model else self._engine.capacity // 4)

    def work(self) -> None:
        self._tell(ClerkReady(2 * self._room))
        threading.Thread(target=self._listen, daemon=True).start()
        while self._collect():
            outcomes = self._engine.step()
            self._finish([outcome for outcome in outcomes if not isinstance(outcome, Scores)])  # nothing is scored here
        self._engine.close()

    def _listen(self) -> None:
        """Reads all the time, so that who sends never waits for one who sends."""
        try:
            while True:
                self._inbox.put(self._connection.recv())
        except (EOFError, OSError):
            self._inbox.put(None)

    def _collect(self) -> bool:
        """Sends what there is room for; False when nothing is on its way and nothing will come."""
        while True:
            while not self._inbox.empty() or not (self._sent or self._waiting or self._is_left_alone):
                errand = self._inbox.get()
                if errand is None:
                    self._leave_alone()
                else:
                    self._waiting.append(errand)
            while self._waiting and not self._is_left_alone and len(self._sent) < self._room:
                self._submit(self._waiting.popleft())
            if self._sent:
                return True
            if self._is_left_alone:
                return False

    def _leave_alone(self) -> None:
        self._is_left_alone = True
        self._waiting.clear()
        alarm = threading.Timer(GRACE_S, os._exit, (1,))  # a server that never answers
        alarm.daemon = True
        alarm.start()

    def _submit(self, errand: Errand) -> None:
        sample = Sample("judge", errand.key, errand.attempt)
        self._sent[sample] = errand
        cap = self._setup.sampling.max_new_tokens
        self._engine.submit(GenerationRequest(sample, self._prompt(errand), cap, errand.attempt))

    def _prompt(self, errand: Errand) -> Prompt:
        chat, user = ChatOptions(errand.question.system), errand.question.user
        if self._tokenizer is None:
            return render_without_tokenizer(user, "chat", chat)
        return encode_prompt(user, "chat", self._tokenizer, chat)

    def _finish(self, outcomes: Sequence[Completion | Failure]) -> None:
        """Writes and tells of all that came together at once: many answers come in the same moment."""
        found = [self._found(outcome) for outcome in outcomes]
        lines = "".join(one.to_json() + "\n" for one in found if isinstance(one, PaidReply))
        if lines and self._file is not None and self._path is not None:
            try:
                append_whole(self._file, lines.encode("utf-8", errors="surrogatepass"))
            except OSError as error:
                raise storage_error(self._path, error) from error
        if found:
            self._tell(found)

    def _found(self, outcome: Completion | Failure) -> PaidReply | Unanswered:
        errand = self._sent.pop(outcome.sample)
        if isinstance(outcome, Failure):
            return Unanswered(errand.key, outcome.reason)
        return self._to_reply(errand, outcome)

    def _tell(self, message: object) -> None:
        with contextlib.suppress(OSError):  # nobody is left to be told
            self._connection.send(message)

    def _to_reply(self, errand: Errand, outcome: Completion) -> PaidReply:
        setup = self._setup
        is_estimated = outcome.prompt_tokens is None or outcome.output_tokens is None
        prompt = outcome.prompt_tokens if outcome.prompt_tokens is not None else estimate_tokens(errand.question.chars)
        output = outcome.output_tokens if outcome.output_tokens is not None else estimate_tokens(len(outcome.text))
        return PaidReply(
            key=errand.key,
            judge=setup.model,
            template=setup.template.name,
            task_id=errand.task_id,
            seed=errand.seed,
            reply=cut_at_end_mark(outcome.text),
            turn=errand.question.turn,
            order=errand.question.order,
            attempt=errand.attempt,
            finish_reason=outcome.finish_reason,
            prompt_tokens=prompt,
            output_tokens=output,
            is_estimated=is_estimated,
            cost=None if setup.price is None else setup.price.of(prompt, output),
            first_tokens=None if outcome.first_tokens is None else dict(outcome.first_tokens),
            date=datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc).date().isoformat(),
        )


def start_engine(setup: JudgeSetup) -> Engine:
    """Loads the judge or connects to it; its options are the environment's. Raises UsageError, ModelError, EngineError."""
    check_engine(setup.engine, setup.sampling)
    values: dict[str, Any] = read_options(find_engine(setup.engine).Options, argparse.Namespace(), os.environ)
    values |= {"base_url": setup.base_url} if setup.base_url else {}
    values |= {"max_num_seqs": setup.concurrency} if setup.concurrency else {}
    if setup.template.top_logprobs and hasattr(find_engine(setup.engine).Options, "extra_body"):
        wanted = {"logprobs": True, "top_logprobs": setup.template.top_logprobs}
        values["extra_body"] = json.dumps({**wanted, **json.loads(values.get("extra_body") or "{}")})
    engine = EngineSetup(setup.model, setup.sampling, LOCAL_MODEL_LEN)
    return create_engine(setup.engine, engine, make_options(setup.engine, values))


def main() -> None:
    """Ends without waiting for threads of a server's engine, which may wait for what nobody needs."""
    connection = Connection(int(sys.argv[1]))
    code = 0
    try:
        setup, path = connection.recv()
        ClerkProcess(connection, setup, path).work()
    except EvaluationError as error:
        code = error.exit_code
        try:
            connection.send(ClerkFault(type(error).__name__, str(error)))
        except OSError:
            print(f"error: {error}", file=sys.stderr)
    except EOFError:  # whoever started it ended at once
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
