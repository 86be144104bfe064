"""Conversations and scored choices: rows of a benchmark become prompts, and what is scored is divided as lm-eval does."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.questions import choices_of, render_question, turns_of
from tools.errors import DataError
from tools.models.chat import ChatOptions
from tools.models.prompts import encode_prompt, encode_scored
from tools.models.scoring import encode_windows
from tools.records import Generation, Problem
from tools.store import generations

CHAT = Benchmark("talk", question="{messages}")
TURNS = [{"role": "system", "content": "Add."}, {"role": "user", "content": "1+1?"}]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    pytest.importorskip("transformers")
    from tools.engines import load_tokenizer

    return load_tokenizer(str(ROOT / "data" / "demo_model"))


def problem(**fields: Any) -> Problem:
    return Problem("1", "Add.\n\n1+1?", None, fields)


def test_a_conversation_is_for_type_chat_alone() -> None:
    asked = problem(messages=TURNS)
    assert turns_of(asked, CHAT, "chat") == (("system", "Add."), ("user", "1+1?"))
    assert turns_of(asked, CHAT, "qwen") == ()
    assert turns_of(asked, Benchmark("other"), "chat") == ()
    assert render_question(asked, CHAT, "qwen") == "Add.\n\n1+1?"


def test_a_system_prompt_of_the_run_stands_before_the_conversations_own() -> None:
    messages = ChatOptions("Be brief.").messages("?", (("system", "Add."), ("user", "1+1?")))
    assert messages == [{"role": "system", "content": "Be brief.\n\nAdd."}, {"role": "user", "content": "1+1?"}]


def test_an_answer_that_is_begun_is_continued(tokenizer: Any) -> None:
    turns = (("user", "1+1?"), ("assistant", "It is"))
    text = encode_prompt("?", "chat", tokenizer, turns=turns).text
    assert text.endswith("It is")
    assert encode_prompt("?", "chat", tokenizer, turns=turns[:1]).text == encode_prompt("1+1?", "chat", tokenizer).text


def test_damaged_messages_and_choices_are_named() -> None:
    with pytest.raises(DataError, match="its messages are no list of role and content"):
        turns_of(problem(messages=["hello"]), CHAT, "chat")
    scored = Benchmark("scored", is_scored=True)
    for fields in ({"choices": []}, {"choices": [1]}, {"choices": ["a", "b"], "contexts": ["one"]}):
        with pytest.raises(DataError, match="has no list of texts `choices`"):
            choices_of(problem(**fields), scored)
    assert choices_of(problem(choices=[" a", " b"]), scored)[1] == ("Add.\n\n1+1?", " b")


@pytest.mark.parametrize(
    ("context", "continuation"),
    [("The sky is", " blue"), ("The sky is ", "blue"), ("", "blue sky"), ("a  \n", " b"), ("12", "34"), ("é", "e")],
)
def test_context_and_continuation_are_divided_as_lm_eval_divides_them(
    tokenizer: Any, context: str, continuation: str
) -> None:
    pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")
    from lm_eval.api.instance import Instance
    from lm_eval.api.model import TemplateLM

    class Model(TemplateLM):
        backend = "causal"
        eot_token_id = tokenizer.eos_token_id
        prefix_token_id = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id

        def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
            given = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
            return tokenizer.encode(string, **given)

        def _loglikelihood_tokens(self, requests: Any, disable_tqdm: bool = False, **_: Any) -> Any:
            return requests

        loglikelihood_rolling = generate_until = _loglikelihood_tokens

    request = Instance("loglikelihood", {}, (context, continuation), 0)
    ((_, theirs, their_rest),) = Model().loglikelihood([request], disable_tqdm=True)
    (ours,) = encode_scored([(context, continuation)], tokenizer).pairs
    assert (list(ours.context), list(ours.continuation)) == (theirs, their_rest)


@pytest.mark.parametrize("longest", [3, 4, 7, 64])
def test_a_whole_text_is_divided_as_lm_eval_divides_it(tokenizer: Any, longest: int) -> None:
    pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    for length in range(1, 40):
        text = "7" * length
        tokens = tokenizer.encode(text, add_special_tokens=False)
        theirs = map(make_disjoint_window, get_rolling_token_windows(tokens, first, longest - 1, 1))
        ours = encode_windows(text, tokenizer, longest)
        assert [(list(pair.context), list(pair.continuation)) for pair in ours] == list(theirs)
        assert max(len(pair.token_ids) for pair in ours) <= longest


def test_log_likelihoods_stand_in_a_line_and_come_back(tmp_path: pathlib.Path) -> None:
    said = Generation("1", 100, " blue", "stop", 3, 1, loglikelihoods=((-0.25, True), (-1 / 3, False)))
    generations.append(tmp_path, said)
    assert json.loads((tmp_path / "seed100.jsonl").read_text())["loglikelihoods"] == [[-0.25, True], [-1 / 3, False]]
    assert list(generations.read_folder(tmp_path)) == [said]


@pytest.mark.parametrize("value", ["[1]", "[[1]]", '[["a", true]]', "[[0.5, 1]]", '"no"'])
def test_damaged_log_likelihoods_are_named(tmp_path: pathlib.Path, value: str) -> None:
    (tmp_path / "seed1.jsonl").write_text(f'{{"task_id": "1", "output": "", "loglikelihoods": {value}}}\n')
    with pytest.raises(Exception, match="loglikelihoods is not a list"):
        list(generations.read_folder(tmp_path))
