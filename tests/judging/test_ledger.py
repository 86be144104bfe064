"""What was paid: kept by its key, whatever stands in the file besides."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest

from tools.judging.ledger import FILE_NAME, Ledger, PaidReply, key_of, read_reply_line

PAID = PaidReply(
    key="ab", judge="m", template="single", task_id="1", seed=0, reply="[[7]]", cost=0.5, date="2026-01-02"
)
MESSAGES = [{"role": "user", "content": "?"}]


def test_a_key_is_of_judge_messages_sampling_and_seed() -> None:
    keys = [
        key_of("m", MESSAGES, {"temperature": 0.0}, 0),
        key_of("n", MESSAGES, {"temperature": 0.0}, 0),
        key_of("m", [*MESSAGES, *MESSAGES], {"temperature": 0.0}, 0),
        key_of("m", MESSAGES, {"temperature": 1.0}, 0),
        key_of("m", MESSAGES, {"temperature": 0.0}, 1),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of("m", [dict(MESSAGES[0])], {"temperature": 0.0}, 0) == keys[0]


@pytest.mark.parametrize(
    "change",
    [
        {"reply": 7}, {"cost": "much"}, {"cost": -1}, {"cost": float("nan")}, {"seed": "x"}, {"key": None},
        {"prompt_tokens": -5}, {"first_tokens": {"m": "x"}}, {"first_tokens": [1]}, {"turn": True},
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_passed_over(tmp_path: pathlib.Path, change: dict[str, object]) -> None:
    whole = json.loads(PAID.to_json())
    lines = [json.dumps({**whole, "key": "bad", **change}), "[1, 2]", "no JSON", PAID.to_json(), PAID.to_json()[:40]]
    (tmp_path / FILE_NAME).write_text("\n".join(lines))
    ledger = Ledger(tmp_path)
    assert ledger.all() == [PAID]
    assert ledger.spent == 0.5


def test_a_line_is_read_as_it_was_written() -> None:
    told = dataclasses.replace(PAID, first_tokens={"m": -0.5}, reply="\u2028 \ud800", cost=None)
    assert read_reply_line(told.to_json().encode("utf-8", "surrogatepass")) == told
