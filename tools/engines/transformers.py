"""Hugging Face transformers as an engine: slow, but it runs wherever torch does.

Requests are answered one at a time. The random generator is seeded for each of them and nothing is padded, so an
answer depends on its prompt and seed alone, to the bit, on the same machine.
"""

from __future__ import annotations

import os
from collections import deque

from tools.engines import Completion, Failure, Request, first_line, is_out_of_memory, load_tokenizer
from tools.errors import EngineOutOfMemory, ModelError
from tools.models.prompts import END_MARKS
from tools.sampling.settings import RunSettings


class TransformersEngine:
    """One model on the first GPU, or on the CPU."""

    capacity = 1

    def __init__(self, settings: RunSettings) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from transformers import AutoModelForCausalLM

        self._torch, self._settings = torch, settings
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model = AutoModelForCausalLM.from_pretrained(
                settings.model, revision=settings.revision, dtype=getattr(torch, settings.dtype, "auto")
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"{settings.model}: transformers cannot load it ({first_line(error)}); check the folder"
            ) from error
        self._model = model.to(device).eval()
        self._tokenizer = load_tokenizer(settings)
        vocabulary = self._tokenizer.get_vocab()
        self._end_ids = sorted(
            {vocabulary[mark] for mark in END_MARKS if mark in vocabulary} | _end_ids_of(self._model, self._tokenizer)
        )
        self._waiting: deque[Request] = deque()

    def submit(self, request: Request) -> None:
        self._waiting.append(request)

    def step(self) -> list[Completion | Failure]:
        request = self._waiting.popleft()
        torch, prompt = self._torch, list(request.prompt.token_ids or ())
        inputs = torch.tensor([prompt], device=self._model.device)
        torch.manual_seed(request.sample.seed)
        temperature = self._settings.temperature
        sampling = {"temperature": temperature, "top_p": self._settings.top_p, "top_k": 0} if temperature > 0 else {}
        try:
            with torch.inference_mode():
                output = self._model.generate(
                    inputs,
                    attention_mask=torch.ones_like(inputs),
                    do_sample=temperature > 0,
                    max_new_tokens=request.max_new_tokens,
                    eos_token_id=self._end_ids,
                    pad_token_id=self._end_ids[0],
                    **sampling,
                )
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise EngineOutOfMemory(
                    f"out of memory with one sequence of {request.max_new_tokens} tokens: {first_line(error)}"
                ) from error
            raise
        new = output[0, len(prompt) :].tolist()
        is_stopped = bool(new) and new[-1] in self._end_ids
        text = self._tokenizer.decode(new[:-1] if is_stopped else new, skip_special_tokens=False)
        return [Completion(request.sample, text, "stop" if is_stopped else "length", len(prompt), len(new))]

    def close(self) -> None:
        del self._model


def _end_ids_of(model: object, tokenizer: object) -> set[int]:
    """End tokens that the model's own generation config and its tokenizer name."""
    named = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = set(named) if isinstance(named, list) else {named}
    ids.add(getattr(tokenizer, "eos_token_id", None))
    return {int(token) for token in ids if token is not None}
