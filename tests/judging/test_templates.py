"""Templates: all of data/judges are whole, their authors' words are read out of real forms, replies are read by rule."""

from __future__ import annotations

import http.server
import json
import pathlib
import threading
from collections import Counter

import pytest

from tools.errors import DataError, FetchError, UsageError
from tools.judging import prompt_source
from tools.judging.messages import fill, orders_of, questions_for
from tools.judging.parsing import RULES, parse_reply, weigh_tokens
from tools.judging.prices import find_price
from tools.judging.prompt_source import complete, read_parts
from tools.judging.templates import JudgeKind, find_template, template_names
from tools.records import Problem


@pytest.mark.parametrize("name", template_names())
def test_every_template_is_whole(name: str) -> None:
    template = find_template(name)
    assert template.rule in RULES
    assert template.source is None or len(template.source.commit) >= 12
    assert (template.kind is JudgeKind.PAIRWISE) == bool(template.baseline)
    for part in template.parts:
        assert part.user or template.source


@pytest.mark.parametrize(
    ("rule", "reply", "label"),
    [
        ("rating", "Fine. Rating: [[7]]", "7"),
        ("rating", "Rating: [8.5]", "8.5"),
        ("rating", "I give it 7 of 10", None),
        ("rating", "[[seven]]", None),
        ("five_point", "First [[A>B]]; but no: [[b>>a]]", "B>>A"),
        ("five_point", "[[A><B]]", None),
        ("three_way", "so [[B]]", "B"),
        ("three_way", "neither", None),
        ("model_name", " m\n", "A"),
        ("model_name", "M", "B"),
        ("model_name", "m is better", None),
        ("grade_letter", "C", "C"),
        ("grade_letter", "A: CORRECT", "A"),
        ("grade_letter", "INCORRECT", "B"),
        ("grade_letter", "NOT_ATTEMPTED", "C"),
        ("grade_letter", "Because of this", None),
        ("grade_letter", "As it is right", None),
        ("yes_no", "reasoning: x\n\n**correct:** yes\nconfidence: 80", "yes"),
        ("yes_no", '{\n"correct": "no",\n"confidence": 70}', "no"),
        ("yes_no", "It is correct.", None),
        ("json_score", '```json\n{"strengths": "a", "score": "7"}\n```', "7"),
        ("json_score", '{"score": 3.5}', "3.5"),
        ("json_score", "score 7", None),
    ],
)
def test_replies_are_read_by_their_rule(rule: str, reply: str, label: str | None) -> None:
    found = parse_reply(reply, rule)
    assert (found.label if found else None) == label


def test_a_long_reply_is_read_in_linear_time() -> None:
    for rule in RULES:
        parse_reply("[[" * 100_000 + "correct:\n" * 20_000 + '"score":' * 20_000, rule)


def test_what_an_answer_holds_is_never_a_placeholder() -> None:
    problem = Problem("1", "What is {answer}?", "7", {})
    (question,) = questions_for(find_template("single"), problem, ["I say {reference} and {question}"])
    assert "What is {answer}?" in question.user
    assert "I say {reference} and {question}" in question.user
    assert fill("{$a} {b}", {"{$a}": "x"}, {"x": "{b}", "b": "2"}) == "{b} 2"


def test_both_orders_or_one_that_the_problem_chooses() -> None:
    assert orders_of(find_template("pairwise"), "1") == ("AB", "BA")
    chosen = Counter(orders_of(find_template("alpaca_eval"), str(number))[0] for number in range(805))
    assert min(chosen.values()) > 350


def test_a_judge_that_needs_a_reference_says_so() -> None:
    with pytest.raises(DataError, match="no reference"):
        questions_for(find_template("right_wrong"), Problem("9", "?", None, {}), ["x"])


def test_the_authors_forms_are_read_and_nothing_is_run() -> None:
    python = b'import os\nos.abort()\nGRADER = """\nIs {target} right?\n""".strip()\nask = lambda p, r: [{"role": "system", "content": f"Judge."}, {"role": "user", "content": f"{p} and {r}\\n"}]\n'
    assert read_parts(python, "python", "GRADER") == (None, "Is {target} right?")
    assert read_parts(python, "python", "ask") == ("Judge.", "{p} and {r}\n")
    with pytest.raises(KeyError):
        read_parts(python, "python", "os")
    yaml = b'system_prompt: "Be fair."\nprompt_template: ["{question_1}|{answer_1}"]\n'
    pytest.importorskip("yaml")
    assert read_parts(yaml, "yaml", "prompt_template") == ("Be fair.", "{question_1}|{answer_1}")


def test_prompts_are_fetched_once_and_kept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'GRADER_TEMPLATE = "Q {question} T {target} P {predicted_answer}"\n')

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(prompt_source, "HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("JUDGE_PROMPTS_DIR", str(tmp_path))
    try:
        template = complete(find_template("simpleqa"))
        assert complete(find_template("simpleqa")) == template
    finally:
        server.shutdown()
        server.server_close()
    assert len(asked) == 1
    (question,) = questions_for(template, Problem("1", "Who?", "She", {}), ["He"])
    assert question.user == "Q Who? T She P He"


def test_prompts_that_cannot_be_fetched_name_the_file_to_put_there(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_source, "HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("JUDGE_PROMPTS_DIR", str(tmp_path))
    with pytest.raises(
        FetchError,
        match=r"^evaluation/eval_template.score.v2.md of allenai/WildBench could not be fetched .* put it, at commit \w+, into",
    ):
        complete(find_template("wildbench"))


def test_a_template_of_ones_own_and_its_mistakes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mine.json"
    row = {"kind": "single", "rule": "rating", "scale": [1, 5], "parts": [{"user": "{question} {answer}"}]}
    path.write_text(json.dumps(row))
    assert find_template(str(path)).scale == (1, 5)
    for change in (
        {"rule": "nonsense"},
        {"parts": []},
        {"scale": [5, 1]},
        {"kind": "other"},
        {"colour": 1},
        {"parts": [{}]},
    ):
        other = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        other.write_text(json.dumps(row | change))
        with pytest.raises(DataError, match="no judge template"):
            find_template(str(other))
    with pytest.raises(UsageError, match="choose alpaca_eval"):
        find_template("unheard_of")


def test_prices_are_data_and_an_unknown_one_is_none() -> None:
    found = find_price("openai/gpt-4o-mini")
    assert found is not None
    assert found.of(1_000_000, 1_000_000) == pytest.approx(0.75)
    assert found.source
    assert found.date
    assert find_price("my/model") is None
    with pytest.raises(UsageError, match="INPUT,OUTPUT"):
        find_price("m", "cheap")


def test_tokens_weigh_a_verdict_as_alpaca_eval_weighs_it() -> None:
    found = weigh_tokens({"M": -0.017597131, "m": -4.048847, "Both": -14.908222})
    assert found is not None
    assert (found.label, round(found.second_share or 0, 6)) == ("B", 0.982558)
    only = weigh_tokens({"m": -0.5})
    assert only is not None
    assert only.second_share == 0
