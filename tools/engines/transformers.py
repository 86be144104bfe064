"""Hugging Face transformers as an engine: slow, but it runs wherever torch does.

Requests are answered one at a time. The random generator is seeded for each of them and nothing is padded, so an
answer depends on its prompt and seed alone, to the bit, on the same machine.
"""

from __future__ import annotations

import os
from collections import deque

from tools.engines import (
    Completion,
    EngineSetup,
    Failure,
    GenerationRequest,
    LocalOptions,
    Needs,
    ScoreRequest,
    Scores,
    cannot_load,
    first_line,
    is_out_of_memory,
    load_tokenizer,
)
from tools.errors import EngineOutOfMemory
from tools.models.prompts import END_MARKS


class TransformersEngine:
    """One model on the first GPU, or on the CPU."""

    needs = Needs(packages=("transformers", "torch"), lacks=("presence_penalty",), is_deterministic=True, scores=True)
    Options = LocalOptions
    capacity = 1

    def __init__(self, setup: EngineSetup, options: LocalOptions) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from transformers import AutoModelForCausalLM, GenerationConfig

        self._torch, self._sampling = torch, setup.sampling
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model = AutoModelForCausalLM.from_pretrained(
                setup.model,
                revision=setup.revision,
                dtype=getattr(torch, options.dtype, "auto"),
                trust_remote_code=setup.trust_remote_code,
            )
        except Exception as error:  # of its files, of their code; a restart would find the same
            if is_out_of_memory(error) and not isinstance(error, MemoryError):
                raise EngineOutOfMemory(f"{setup.model}: out of memory ({first_line(error)})") from error
            raise cannot_load(setup.model, "transformers cannot load it", error, "check the folder") from error
        self._model = model.to(device).eval()
        self._tokenizer = load_tokenizer(
            setup.tokenizer or setup.model,
            revision=setup.tokenizer_revision if setup.tokenizer else setup.revision,
            trust_remote_code=setup.trust_remote_code,
        )
        vocabulary = self._tokenizer.get_vocab()
        self._end_ids = sorted(
            {vocabulary[mark] for mark in END_MARKS if mark in vocabulary} | _end_ids_of(self._model, self._tokenizer)
        )
        # A repetition_penalty that stands there would change every answer, and only with this engine.
        self._model.generation_config = GenerationConfig()
        self._waiting: deque[GenerationRequest | ScoreRequest] = deque()

    def submit(self, request: GenerationRequest | ScoreRequest) -> None:
        self._waiting.append(request)

    def step(self) -> list[Completion | Scores | Failure]:
        request = self._waiting.popleft()
        try:
            return [self._score(request) if isinstance(request, ScoreRequest) else self._generate(request)]
        except RuntimeError as error:
            if is_out_of_memory(error):
                what = "scored" if isinstance(request, ScoreRequest) else f"of {request.max_new_tokens} tokens"
                raise EngineOutOfMemory(f"out of memory with one sequence {what}: {first_line(error)}") from error
            raise

    def _score(self, request: ScoreRequest) -> Scores:
        """Each pair by one forward pass; the softmax is of 32 bits."""
        torch, found = self._torch, []
        for pair in request.pairs:
            inputs = torch.tensor([pair.token_ids[:-1]], device=self._model.device)
            with torch.inference_mode():
                logits = self._model(inputs).logits[0, len(pair.context) - 1 :].float().log_softmax(-1)
            wanted = torch.tensor(pair.continuation, device=logits.device)
            is_greedy = bool((logits.argmax(-1) == wanted).all())
            found.append((float(logits.gather(-1, wanted[:, None]).sum()), is_greedy))
        return request.to_scores(found)

    def _generate(self, request: GenerationRequest) -> Completion:
        torch, prompt = self._torch, list(request.prompt.token_ids or ())
        inputs = torch.tensor([prompt], device=self._model.device)
        torch.manual_seed(request.seed)
        with torch.inference_mode():
            output = self._model.generate(
                inputs,
                attention_mask=torch.ones_like(inputs),
                max_new_tokens=request.max_new_tokens,
                eos_token_id=self._end_ids,
                pad_token_id=self._end_ids[0],
                **self._options_of_generate(),
            )
        new = output[0, len(prompt) :].tolist()
        has_end = bool(new) and new[-1] in self._end_ids
        text = self._tokenizer.decode(new[:-1] if has_end else new, skip_special_tokens=False)
        stops = [place for stop in self._sampling.stop if (place := text.find(stop)) >= 0]
        text = text[: min(stops, default=len(text))]
        return Completion(request.sample, text, "stop" if has_end or stops else "length", len(prompt), len(new))

    def _options_of_generate(self) -> dict[str, object]:
        """What was chosen, and for the rest that it does nothing: a model's own generation config has no say."""
        chosen = self._sampling.given()
        del chosen["max_new_tokens"]
        if stop := chosen.pop("stop", None):
            chosen |= {"stop_strings": list(stop), "tokenizer": self._tokenizer}
        if not chosen["temperature"]:
            for name in ("temperature", "top_p", "top_k", "min_p"):
                chosen.pop(name, None)
            return {"do_sample": False, **chosen}
        return {"do_sample": True, "top_k": 0, **chosen}

    def close(self) -> None:
        del self._model


def _end_ids_of(model: object, tokenizer: object) -> set[int]:
    """End tokens that the model's own generation config and its tokenizer name."""
    named = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = set(named) if isinstance(named, list) else {named}
    ids.add(getattr(tokenizer, "eos_token_id", None))
    return {int(token) for token in ids if token is not None}
