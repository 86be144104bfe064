"""Prompts, exactly as the models were trained for: types r1, qwen and chat; as text and as token ids.

Engines get token ids, so that no tokenizer adds a second begin-of-sentence to a text that has one already. The
templates of r1 and qwen are the original toolkit's; a golden test holds each of them. What the user says
comes from tools/benchmarks/questions.py.

>>> render_prompt("What is 1 + 1?", "r1")[:40]
'<｜begin▁of▁sentence｜><｜User｜>What is 1 +'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tools.errors import ModelError, UsageError
from tools.models.chat import NO_OPTIONS, ChatOptions, Turn, apply_template
from tools.models.reasoning import find_opened_format
from tools.models.scoring import TokenPair, encode_pairs, encode_windows
from tools.store.checksums import sha256

MODEL_TYPES = ("r1", "qwen", "chat")

R1_BEGIN = "<｜begin▁of▁sentence｜>"
R1_TEMPLATE = R1_BEGIN + "<｜User｜>{question}<｜Assistant｜><think>\n"
R1_TURN = "<｜User｜>{question}<｜Assistant｜>{answer}<｜end▁of▁sentence｜>"  # one that is over, as in the model's own template
QWEN_TURN = "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"
QWEN_TEMPLATE = (
    "<|im_start|>system\nYou are a helpful and harmless assistant. You should think step-by-step.<|im_end|>\n"
    "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n<think>\n"
)

# Where generated text ends: the end-of-text marks of the model families in use.
END_MARKS = (
    "<|im_end|>", "<|end_of_text|>", "<|eot_id|>", "<|endoftext|>", "<｜end▁of▁sentence｜>",  # Qwen, Llama, DeepSeek
    "<|return|>", "<|call|>", "[|endofturn|]", "<|END_OF_TURN_TOKEN|>", "<end_of_turn>", "<turn|>", "<seed:eos>",
    "<|assistant_end|>", "<|eom_id|>", "<|eot|>", "<|plamo:tag|>", "<|content_model_end_sampling|>",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt ready to send. `token_ids` is None where the tokenizer is not ours: then `question` or `text` is sent."""

    text: str
    token_ids: tuple[int, ...] | None
    question: str
    system: str | None = None
    turns: tuple[Turn, ...] = ()  # where a benchmark brings a conversation
    pairs: tuple[TokenPair, ...] = ()  # of a scored benchmark: what is to be scored; `token_ids` is the longest
    scored: tuple[str, ...] = ()  # the pairs' continuations as text

    @property
    def messages(self) -> list[dict[str, str]]:
        """For a server that applies its own template."""
        return ChatOptions(self.system).messages(self.question, self.turns)

    @property
    def is_reasoning_opened(self) -> bool:
        return find_opened_format(self.text) is not None


def render_prompt(
    question: str,
    model_type: str,
    tokenizer: Any = None,
    chat: ChatOptions = NO_OPTIONS,
    turns: Sequence[Turn] = (),
) -> str:
    """The whole prompt as text. Type chat needs the tokenizer, whose own template is used.

    `turns` stand in the question's place. Types r1 and qwen take those of user and assistant in their turn, else the question.
    """
    if model_type == "r1":
        return _after(turns, R1_TURN, R1_TEMPLATE.format(question=question), "<｜User｜>")
    if model_type == "qwen":
        return _after(turns, QWEN_TURN, QWEN_TEMPLATE.format(question=question), "<|im_start|>user")
    if model_type != "chat":
        raise UsageError(f"model type {model_type!r} is unknown; choose one of {', '.join(MODEL_TYPES)}")
    return apply_template(tokenizer, question, chat, turns)


def _after(turns: Sequence[Turn], turn: str, text: str, mark: str) -> str:
    """A prompt with earlier turns before its own, which begins at the first `mark`."""
    roles = [role for role, _ in turns]
    if len(turns) < 2 or roles != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        return text
    said = [each for _, each in turns]
    earlier = [
        turn.format(question=asked, answer=answer) for asked, answer in zip(said[0:-1:2], said[1::2], strict=True)
    ]
    start = text.find(mark)
    return text[:start] + "".join(earlier) + text[start:]


def encode_prompt(
    question: str, model_type: str, tokenizer: Any, chat: ChatOptions = NO_OPTIONS, turns: tuple[Turn, ...] = ()
) -> Prompt:
    """The prompt with its token ids. Raises ModelError when begin-of-sentence does not stand exactly once."""
    text = render_prompt(question, model_type, tokenizer, chat, turns)
    token_ids = tuple(tokenizer.encode(text, add_special_tokens=False))
    begin = tokenizer.bos_token_id
    count = token_ids.count(begin) if begin is not None else 0
    if count > 1 or (model_type == "r1" and count != 1):
        raise ModelError(
            f"begin-of-sentence stands {count} times in the prompt {question[:40]!r}...; "
            f"type {model_type} does not fit this tokenizer, choose another --model-type"
        )
    return Prompt(text, token_ids, question, chat.system_prompt, turns)


def render_without_tokenizer(
    question: str, model_type: str, chat: ChatOptions = NO_OPTIONS, turns: tuple[Turn, ...] = ()
) -> Prompt:
    """The prompt for an engine that tokenizes by itself; type chat leaves the template to it too."""
    text = question if model_type == "chat" else render_prompt(question, model_type, turns=turns)
    return Prompt(text, None, question, chat.system_prompt, turns)


def encode_scored(choices: Sequence[tuple[str, str]], tokenizer: Any) -> Prompt:
    """What is scored: each (context, continuation) as a model reads it, without a template. Raises ModelError."""
    pairs = encode_pairs(choices, tokenizer)
    longest = max(pairs, key=lambda pair: len(pair.token_ids))
    texts = tuple(continuation for _, continuation in choices)
    return Prompt(choices[0][0], longest.token_ids, choices[0][0], pairs=pairs, scored=texts)


def encode_whole(text: str, tokenizer: Any, longest: int | None) -> Prompt:
    """A text that is scored from its first token to its last, in windows of `longest` tokens. Raises ModelError."""
    pairs = encode_windows(text, tokenizer, longest)
    longest_pair = max(pairs, key=lambda pair: len(pair.token_ids))
    return Prompt(text, longest_pair.token_ids, text, pairs=pairs, scored=("",) * len(pairs))


def template_sha256(question: str, model_type: str, tokenizer: Any = None, chat: ChatOptions = NO_OPTIONS) -> str:
    """Hash of everything around the problem, so that a changed template is seen: the prompt of a fixed question.

    Without a tokenizer type chat is hashed by the question alone: a server applies its own template.
    """
    if tokenizer is None:
        text = render_without_tokenizer(question, model_type).text
    else:
        text = render_prompt(question, model_type, tokenizer, chat)
    return sha256(text.encode()).hexdigest()


def cut_at_end_mark(text: str) -> str:
    """Generated text up to its first end mark."""
    end = min((position for mark in END_MARKS if (position := text.find(mark)) >= 0), default=len(text))
    return text[:end]
