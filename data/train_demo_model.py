"""Trains the demo model: a Qwen2 model of 0.7 million parameters that solves small word problems by reasoning.

For maintainers; users find the result in data/demo_model. The same script with the same seed and the same library
versions gives the same weights on the same machine. About 20 CPU minutes on one core:

    OMP_NUM_THREADS=1 python data/train_demo_model.py --out data/demo_model

Needs torch and transformers (requirements-cpu.txt has both). The optimiser is Muon for the matrices of the blocks
(https://kellerjordan.github.io/posts/muon/; AdamW alone was far behind) and AdamW for embeddings, norms and biases.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_training.corpus import SYSTEM, Example, draw_example

if TYPE_CHECKING:
    import torch

DATA = Path(__file__).resolve().parent
SAMPLE_FILES = {"aime_sample.jsonl": "problem", "livecodebench_sample.jsonl": "question_content"}

# The pre-tokenizer of Qwen2: transformers puts it into every qwen2 model, so the vocabulary must be trained with it.
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THOUGHT_TOKENS = ("<think>", "</think>")  # ordinary text for the detokenizer: graders have to see them

CHAT_TEMPLATE = (
    "{%- if messages[0].role != 'system' %}{{- '<|im_start|>system\\n" + SYSTEM + "<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"
)

VOCABULARY = 1024
SHAPE: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
}
SEED = 20241
STEPS = 5200
TOKENS_PER_STEP = 2048
POOL = 1024  # examples that are sorted by length together, so that little padding is computed
MUON_RATE, ADAM_RATE, WARM_UP_STEPS, COOL_DOWN_SHARE = 0.02, 0.004, 50, 0.5


def excluded_statements() -> frozenset[str]:
    """Statements of the sample sets: the model never sees them in training."""
    statements = set()
    for name, key in SAMPLE_FILES.items():
        for line in (DATA / name).read_text(encoding="utf-8").split("\n"):
            if line:
                statements.add(json.loads(line)[key])
    return frozenset(statements)


def train_tokenizer(examples: list[Example]) -> Any:
    """A byte-level BPE tokenizer, so that any text of any benchmark can be written in it."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import Qwen2TokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL_TOKENS) - len(THOUGHT_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    marks = re.compile("|".join(map(re.escape, SPECIAL_TOKENS + THOUGHT_TOKENS)))
    texts = (part for example in examples for part in marks.split(example.prompt + example.completion))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in THOUGHT_TOKENS])
    return Qwen2TokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token=None,
        model_max_length=SHAPE["max_position_embeddings"],
        chat_template=CHAT_TEMPLATE,
    )


def batches(tokenizer: Any, rng: random.Random, excluded: frozenset[str]) -> Any:
    """Yields (token ids, labels) without end: rows of similar length, the loss on completions only (-100 elsewhere)."""
    import torch

    while True:
        pool = []
        for _ in range(POOL):
            example = draw_example(rng, excluded)
            prompt = tokenizer.encode(example.prompt, add_special_tokens=False)
            completion = tokenizer.encode(example.completion, add_special_tokens=False)
            pool.append((prompt + completion, [-100] * len(prompt) + completion))
        pool.sort(key=lambda row: len(row[0]))
        groups: list[list[tuple[list[int], list[int]]]] = [[]]
        for row in pool:
            if (len(groups[-1]) + 1) * len(row[0]) > TOKENS_PER_STEP:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        for group in groups:
            width = max(len(ids) for ids, _ in group)
            ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in group])
            labels = torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in group])
            yield ids, labels


def new_model(tokenizer: Any) -> Any:
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    config = Qwen2Config(vocab_size=VOCABULARY, eos_token_id=end, pad_token_id=pad, bos_token_id=None, **SHAPE)
    model = Qwen2ForCausalLM(config)
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=0.6, top_p=0.95, eos_token_id=[end, pad], pad_token_id=pad
    )
    return model


def learning_rate(step: int, steps: int) -> float:
    """Factor on both rates: a short warm-up, a plateau, a linear way down to zero."""
    cool_down = max(1, int(COOL_DOWN_SHARE * steps))
    return min(1.0, (step + 1) / WARM_UP_STEPS, (steps - step) / cool_down)


def loss_of(model: Any, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy of the completion tokens; the head is computed for these alone."""
    import torch

    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
        is_learned = labels[:, 1:] != -100
        logits = model.lm_head(hidden[is_learned])
    return torch.nn.functional.cross_entropy(logits.float(), labels[:, 1:][is_learned])


def train(steps: int, seed: int = SEED) -> tuple[Any, Any, list[float]]:
    """Returns model, tokenizer and the loss of every step."""
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
    rng, excluded = random.Random(seed), excluded_statements()
    tokenizer = train_tokenizer([draw_example(rng, excluded) for _ in range(20_000)])
    model = new_model(tokenizer)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimisers = (
        torch.optim.Muon(matrices, lr=MUON_RATE, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.95), weight_decay=0.0),
    )
    losses, started = [], time.process_time()
    for step, (ids, labels) in zip(range(steps), batches(tokenizer, rng, excluded), strict=False):
        for optimiser, rate in zip(optimisers, (MUON_RATE, ADAM_RATE), strict=True):
            optimiser.param_groups[0]["lr"] = rate * learning_rate(step, steps)
        loss = loss_of(model, ids, labels)
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        losses.append(loss.item())
        if step % 50 == 49 or step == steps - 1:
            mean = sum(losses[-50:]) / len(losses[-50:])
            print(f"step {step + 1}/{steps} loss {mean:.4f} CPU {time.process_time() - started:.0f} s", file=sys.stderr)
    return model, tokenizer, losses


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    import torch

    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the demo model (about 20 CPU minutes on one core).")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    model, tokenizer, _ = train(arguments.steps)
    save(model, tokenizer, arguments.out)


if __name__ == "__main__":
    main()
