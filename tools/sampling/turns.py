"""Problems with several turns: the next one is asked when the one before has ended, and all of them are one sample.

An engine knows nothing of turns. This stands around it: what it gives back of a first turn becomes the prompt of the second, and
only the last one is handed on, with the text of each. The answers go into the prompt without their reasoning, as models' own
templates have it. A turn without an answer, cut off before one for example, is the last.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from tools.engines import Completion, Engine, GenerationRequest, Outcome, Request, load_tokenizer
from tools.models.chat import Turn
from tools.models.prompts import Prompt, cut_at_end_mark, encode_prompt, render_without_tokenizer
from tools.models.reasoning import split_reasoning
from tools.records import Sample
from tools.sampling.settings import RunSettings


@dataclasses.dataclass(frozen=True)
class Conversation:
    """A sample on its way: what is asked now, what still will be, and what came of the turns before."""

    request: GenerationRequest
    later: tuple[str, ...]
    done: tuple[Completion, ...] = ()


class TurnEngine:
    """An engine of conversations around one of single requests."""

    def __init__(self, engine: Engine, settings: RunSettings, max_model_len: int) -> None:
        self._engine, self._settings, self._max_model_len = engine, settings, max_model_len
        self._open: dict[Sample, Conversation] = {}
        self._tokenizer: Any = None

    needs = property(lambda self: self._engine.needs)
    Options = property(lambda self: self._engine.Options)

    @property
    def capacity(self) -> int:
        return self._engine.capacity

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(getattr(self._engine, "dropped", ()))

    def submit(self, request: Request) -> None:
        if isinstance(request, GenerationRequest) and request.later:
            self._open[request.sample] = Conversation(request, request.later)
        self._engine.submit(request)

    def step(self) -> list[Outcome]:
        found = (self._follow(outcome) for outcome in self._engine.step())
        return [outcome for outcome in found if outcome is not None]

    def close(self) -> None:
        self._engine.close()

    def _follow(self, outcome: Outcome) -> Outcome | None:
        """The outcome of a whole sample; None where its next turn was asked."""
        talk = self._open.pop(outcome.sample, None)
        if talk is None or not isinstance(outcome, Completion):
            return outcome
        done, prompt = (*talk.done, outcome), talk.request.prompt
        text = cut_at_end_mark(outcome.text)
        answer = split_reasoning(text, prompt.is_reasoning_opened or None, self._settings.reasoning_format).answer
        if not talk.later or not answer.strip():
            return join(done)
        said = prompt.turns or (("user", prompt.question),)
        following = self._encode((*said, ("assistant", answer.strip()), ("user", talk.later[0])))
        cap = talk.request.max_new_tokens
        if following.token_ids is not None:
            cap = min(cap, self._max_model_len - len(following.token_ids))
        if cap < 1:
            return dataclasses.replace(join(done), finish_reason="length")
        request = dataclasses.replace(talk.request, prompt=following, max_new_tokens=cap, later=())
        self._open[outcome.sample] = Conversation(request, talk.later[1:], done)
        self._engine.submit(request)
        return None

    def _encode(self, turns: tuple[Turn, ...]) -> Prompt:
        settings, question = self._settings, turns[-1][1]
        if not settings.uses_tokenizer:
            return render_without_tokenizer(question, settings.model_type, settings.chat, turns)
        if self._tokenizer is None:
            setup = settings.engine_setup(0)
            name, revision = (
                (setup.tokenizer, setup.tokenizer_revision) if setup.tokenizer else (setup.model, setup.revision)
            )
            self._tokenizer = load_tokenizer(name, revision=revision, trust_remote_code=setup.trust_remote_code)
        return encode_prompt(question, settings.model_type, self._tokenizer, settings.chat, turns)


def join(done: tuple[Completion, ...]) -> Completion:
    """One completion of all turns: the last text, the sum of the tokens, cut off when one of them was."""
    counts = [(each.prompt_tokens, each.output_tokens) for each in done]
    prompts, outputs = [one for one, _ in counts if one is not None], [one for _, one in counts if one is not None]
    costs = [each.cost for each in done if each.cost is not None]
    return Completion(
        done[-1].sample,
        done[-1].text,
        "length" if any(each.finish_reason == "length" for each in done) else done[-1].finish_reason,
        sum(prompts) if len(prompts) == len(done) else None,
        sum(outputs) if len(outputs) == len(done) else None,
        sum(costs) if len(costs) == len(done) else None,
        turns=tuple(each.text for each in done),
    )


def with_turns(engine: Engine, settings: RunSettings, max_model_len: int) -> Engine:
    """An engine that follows conversations; requests of one turn go through it as they are."""
    return TurnEngine(engine, settings, max_model_len)  # type: ignore[return-value]
