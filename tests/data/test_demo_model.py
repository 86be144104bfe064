"""The demo model: its files, its prompts, what it was trained on, and that it solves part of the sample set."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import json
import random
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
MODEL = DATA / "demo_model"

# Spelled out here, not taken from the training code: both must agree with the prompts that are sent.
AIME_PROMPT = (
    "<|im_start|>system\nYou are a helpful and harmless assistant. You should think step-by-step.<|im_end|>\n"
    "<|im_start|>user\n{problem}\n\nPlease place your final answer inside \\boxed{{}}.<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n"
)


def has_packages(*names: str) -> bool:
    return all(importlib.util.find_spec(name) for name in names)


needs_tokenizers = pytest.mark.skipif(not has_packages("tokenizers"), reason="the package tokenizers is not installed")
needs_torch = pytest.mark.skipif(
    not has_packages("torch", "transformers"), reason="torch and transformers are not installed"
)


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DATA))
    return importlib.import_module("demo_training.corpus")


@pytest.fixture
def word_problems(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DATA))
    return importlib.import_module("demo_training.word_problems")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    return tokenizers.Tokenizer.from_file(str(MODEL / "tokenizer.json"))


def read_json(name: str) -> Any:
    return json.loads((MODEL / name).read_text(encoding="utf-8"))


# --- files ----------------------------------------------------------------------------------------------------------


def test_model_is_complete_and_small() -> None:
    needed = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    files = {path.name: path.stat().st_size for path in MODEL.iterdir()}
    assert needed <= set(files)
    assert sum(files.values()) < 3_000_000


def test_weights_are_qwen2_in_bfloat16_with_about_six_hundred_thousand_parameters() -> None:
    with (MODEL / "model.safetensors").open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    tensors = [value for name, value in header.items() if name != "__metadata__"]
    assert {tensor["dtype"] for tensor in tensors} == {"BF16"}
    assert 500_000 < sum(_product(tensor["shape"]) for tensor in tensors) < 800_000
    config = read_json("config.json")
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert config["max_position_embeddings"] >= 4096


def _product(sizes: list[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


# --- tokenizer and prompts ------------------------------------------------------------------------------------------


@needs_tokenizers
@pytest.mark.parametrize(
    "text",
    [
        "Find $x$ if $7x + 45 = 521$.",
        "def f(x: int) -> int:\n    return x % 7\n\n\tprint('é', \"漢字\", '\u2028', '🙂')  \n",
        "\\left[\\begin{matrix} \\frac{1}{2} & \\sqrt{3} \\end{matrix}\\right]   <think>\n</think>\r\n",
    ],
)
def test_any_text_survives_the_tokenizer(tokenizer: Any, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@needs_tokenizers
def test_chat_marks_are_single_tokens_and_the_model_stops_at_them(tokenizer: Any) -> None:
    for mark in ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>"):
        assert len(tokenizer.encode(mark).ids) == 1
    end = tokenizer.token_to_id("<|im_end|>")
    assert end in read_json("generation_config.json")["eos_token_id"]
    assert read_json("config.json")["eos_token_id"] == end


@needs_tokenizers
def test_end_of_reasoning_stays_in_the_text_and_chat_marks_do_not(tokenizer: Any) -> None:
    ids = tokenizer.encode("1+1=2.\n</think>\nThe answer is \\boxed{2}.<|im_end|>").ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "1+1=2.\n</think>\nThe answer is \\boxed{2}."


@needs_tokenizers
def test_problem_text_of_others_needs_no_more_than_a_token_for_two_characters(tokenizer: Any) -> None:
    statement = "Find the largest possible real part of $(75+117i)z+\\frac{96+144i}{z}$ where $|z|=4$."
    assert len(tokenizer.encode(statement).ids) < len(statement) / 1.3


@needs_torch
def test_chat_template_gives_exactly_the_prompt_of_type_qwen() -> None:
    prompt = AIME_PROMPT.format(problem="What is 1 + 1?")
    question = "What is 1 + 1?\n\nPlease place your final answer inside \\boxed{}."
    script = f"""
        from transformers import AutoTokenizer
        tokenizer = AutoTokenizer.from_pretrained({str(MODEL)!r})
        messages = [{{"role": "user", "content": {question!r}}}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
        same_ids = ids == tokenizer.encode(text, add_special_tokens=False) == tokenizer.encode(text)
        print(json.dumps([text, same_ids, tokenizer.decode(ids)]))
    """
    assert run_python(script) == [prompt, True, prompt]


# --- training -------------------------------------------------------------------------------------------------------


def test_training_examples_are_the_same_every_time(corpus: Any) -> None:
    first, second = (
        [corpus.draw_example(rng, frozenset()) for _ in range(500)] for rng in (random.Random(5), random.Random(5))
    )
    assert first == second
    assert first != [corpus.draw_example(random.Random(6), frozenset()) for _ in range(500)]


def test_training_prompts_are_those_that_the_toolkit_sends(corpus: Any) -> None:
    prompt = corpus.chat_prompt(corpus.question_text("math", "What is 1 + 1?", ""))
    assert prompt == AIME_PROMPT.format(problem="What is 1 + 1?")
    starter = "class Solution:\n    def solve(self, n: int) -> int:\n        "
    assert corpus.question_text("function", "Return n.", starter) == (
        "Return n.\n\nSolve the problem starting with the provided function header.\n\nFunction header:\n```\n"
        f"{starter}\n```\n\nPlease place the solution code in the following format:\n"
        "```python\n# Your solution code here\n```"
    )
    assert corpus.question_text("stdin", "Print 1.", "") == (
        "Print 1.\n\nWrite Python code to solve the problem. Please place the solution code in the following format:\n"
        "```python\n# Your solution code here\n```"
    )


def test_model_never_learns_from_a_problem_of_the_sample_sets(corpus: Any) -> None:
    rng = random.Random(1)
    seen = {corpus.draw_example(rng, frozenset()).statement for _ in range(20_000)}
    common = next(statement for statement in sorted(seen) if statement.startswith("Read an integer x. Print YES"))
    rng = random.Random(1)
    assert all(corpus.draw_example(rng, frozenset([common])).statement != common for _ in range(20_000))
    training = importlib.import_module("train_demo_model")
    problems = [json.loads(line)["problem"] for line in (DATA / "aime_sample.jsonl").read_text("utf-8").splitlines()]
    assert set(problems) <= training.excluded_statements()


def test_every_equation_in_every_working_holds(word_problems: Any) -> None:
    rng = random.Random(3)
    for family in word_problems.WORD_PROBLEMS:
        for _ in range(300):
            statement, working, answer = family(rng)
            assert 0 <= answer <= 999, statement
            check_equations(working)
    for _ in range(300):
        check_equations(word_problems.drill(rng))


def check_equations(working: str) -> None:
    """Each sentence is a chain of equal terms (a, a+b, a-b, a*b, a/b), or a number alone."""
    for sentence in working.removesuffix(".").split(". "):
        values = {value_of(term) for term in sentence.split("=")}
        assert len(values) == 1, sentence


def value_of(term: str) -> int:
    if term.isdigit():
        return int(term)
    left, sign, right = re.fullmatch(r"(\d+)([-+*/])(\d+)", term).groups()  # type: ignore[union-attr]
    numbers = int(left), int(right)
    if sign == "/":
        assert numbers[0] % numbers[1] == 0
        return numbers[0] // numbers[1]
    return {"+": numbers[0] + numbers[1], "-": numbers[0] - numbers[1], "*": numbers[0] * numbers[1]}[sign]


@pytest.mark.parametrize("name", ["corpus", "word_problems", "programs", "unfamiliar"])
def test_examples_in_docstrings_hold(corpus: Any, name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"demo_training.{name}")).failed == 0


def run_python(script: str, timeout_s: float = 300) -> Any:
    """Runs a script that needs torch in its own process, with the training code at hand; returns the JSON it prints."""
    lines = "\n".join(line.removeprefix(" " * 8) for line in script.split("\n"))
    program = f"import json, sys\nsys.path.insert(0, {str(DATA)!r})\n{lines}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().split("\n")[-1])


@pytest.mark.slow
@needs_torch
def test_same_seed_gives_the_same_losses_and_the_shipped_vocabulary() -> None:
    script = f"""
        import train_demo_model
        runs = [train_demo_model.train(steps=4) for _ in range(2)]
        shipped = json.load(open({str(MODEL / "tokenizer.json")!r}, encoding="utf-8"))["model"]
        trained = json.loads(runs[0][1].backend_tokenizer.to_str())["model"]
        print(json.dumps([runs[0][2], runs[1][2], trained["vocab"] == shipped["vocab"]]))
    """
    first, second, is_same_vocabulary = run_python(script)
    assert len(first) == 4
    assert first == second
    assert is_same_vocabulary


@pytest.mark.slow
@needs_torch
def test_greedy_answers_solve_part_of_the_sample_set_and_fail_part_of_it() -> None:
    script = f"""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        torch.set_num_threads(1)
        tokenizer = AutoTokenizer.from_pretrained({str(MODEL)!r}, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained({str(MODEL)!r})
        rows = [json.loads(line) for line in open({str(DATA / "aime_sample.jsonl")!r}, encoding="utf-8")]
        prompts = [{AIME_PROMPT!r}.format(problem=row["problem"]) for row in rows]
        batch = tokenizer(prompts, return_tensors="pt", padding=True)
        ids = model.generate(**batch, do_sample=False, temperature=None, top_p=None, max_new_tokens=256)
        texts = tokenizer.batch_decode(ids[:, batch["input_ids"].shape[1]:], skip_special_tokens=True)
        print(json.dumps([[row["answer"], text] for row, text in zip(rows, texts)]))
    """
    answers = run_python(script)
    solved = [f"</think>\nThe answer is \\boxed{{{answer}}}." in text for answer, text in answers]
    assert sum(solved[:15]) >= 4  # of the kinds that it was trained on; 9 where it was trained
    assert not all(solved)
