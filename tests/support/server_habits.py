"""A local server with the habits of real OpenAI-compatible ones, good and bad: for the tests of ENGINE=openai.

    with serve_habit("o_series") as server: ...   # server.url, server.bodies, server.answered, server.most_at_once

A habit is a function that gets the request and answers it; HABITS has them by name. Where it streams, it streams the same
answer that it would give whole, a few letters an event.
"""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ANSWER = "The answer is \\boxed{7}."
THOUGHT = "3 + 4 is 7"
WHOLE = f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"
USAGE = {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70}
PIECE = 5


class Ask(http.server.BaseHTTPRequestHandler):
    """One request, with what a habit needs to answer it."""

    protocol_version = "HTTP/1.1"
    habit: Habit
    body: dict[str, Any]

    def do_GET(self) -> None:
        if self.habit.name == "no_models":
            self.say(404, {"error": "Not Found"})
        elif self.habit.name == "models_elsewhere":
            self.go("http://127.0.0.2:9/v1/models")
        else:
            self.say(200, {"data": [{"id": "served"}]})

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        habit = self.habit
        with habit.lock:
            habit.bodies.append(self.body)
            habit.count += 1
            self.number = habit.count
            habit.at_once += 1
            habit.most_at_once = max(habit.most_at_once, habit.at_once)
        try:
            HABITS[habit.name](self)
        except (BrokenPipeError, ConnectionResetError):
            habit.hung_up += 1
        finally:
            with habit.lock:
                habit.at_once -= 1

    def say(self, status: int, row: object, **headers: str) -> None:
        self.raw(status, json.dumps(row).encode(), **headers)

    def raw(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def go(self, where: str) -> None:
        self.raw(307, b"", Location=where)

    def refuse(self, message: str, status: int = 400, **more: object) -> None:
        self.say(status, {"error": {"message": message, **more}})

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, row: object) -> None:
        self.wfile.write(b"data: " + json.dumps(row).encode() + b"\n\n")

    def answer(
        self,
        finish: str | None = "stop",
        usage: object = USAGE,
        *,
        ends: bool = True,
        **message: object,
    ) -> None:
        """The message, streamed where that was asked for."""
        with self.habit.lock:
            self.habit.answered += 1
        if not self.body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": finish}
            self.say(200, {"choices": [choice], **({"usage": usage} if usage else {})})
            return
        self.begin_stream()
        for name, value in message.items():
            pieces = (
                [value[at : at + PIECE] for at in range(0, len(value), PIECE)] if isinstance(value, str) else [value]
            )
            for piece in pieces:
                self.event({"choices": [{"index": 0, "delta": {name: piece}, "finish_reason": None}]})
        if ends:
            self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
            if usage:
                self.event({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *words: object) -> None:
        pass


class Habit:
    """A running server and what it has seen."""

    def __init__(self, name: str) -> None:
        self.name, self.url = name, ""
        self.bodies: list[dict[str, Any]] = []
        self.count = self.answered = self.at_once = self.most_at_once = self.hung_up = 0
        self.places = 2
        self.lock = threading.Lock()


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def serve_habit(name: str) -> Iterator[Habit]:
    habit = Habit(name)
    server = QuietServer(("127.0.0.1", 0), type("Handler", (Ask,), {"habit": habit}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    habit.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield habit
    finally:
        server.shutdown()
        server.server_close()


def o_series(ask: Ask) -> None:
    if "max_tokens" in ask.body:
        ask.refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.")
    elif ask.body.get("temperature", 1) != 1:
        ask.refuse(
            "Unsupported value: 'temperature' does not support 0.6. Only the default (1) is.", param="temperature"
        )
    else:
        ask.answer(content=ANSWER)


def refuses(name: str, message: str, status: int = 400) -> Callable[[Ask], None]:
    return lambda ask: ask.refuse(message, status) if name in ask.body else ask.answer(content=ANSWER)


def forbids_extra(ask: Ask) -> None:
    extra = [name for name in ("seed", "stream_options") if name in ask.body]
    rows = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"} for name in extra
    ]
    ask.say(422, {"detail": rows}) if rows else ask.answer(content=ANSWER)


def short_seeds(ask: Ask) -> None:
    if ask.body["seed"] >= 1 << 31:
        ask.refuse("seed must be less than or equal to 2147483647")
    else:
        ask.answer(content=ANSWER)


def one_of_two(ask: Ask) -> None:
    if {"temperature", "top_p"} <= ask.body.keys():
        ask.refuse("`temperature` and `top_p` cannot both be specified for this model. Use only one.")
    else:
        ask.answer(content=ANSWER)


def two_at_a_time(ask: Ask) -> None:
    if ask.habit.at_once > ask.habit.places:
        ask.refuse("Too many concurrent requests", 429)
    else:
        time.sleep(0.02)
        ask.answer(content=ANSWER)


def two_places(ask: Ask) -> None:
    """Others wait; the server answers two at a time."""
    with ask.habit.__dict__.setdefault("semaphore", threading.Semaphore(2)):
        time.sleep(0.01)
        ask.answer(content=ANSWER)


def limited_at_first(ask: Ask) -> None:
    if ask.number <= 8:
        ask.say(429, {"error": {"message": "Rate limit reached"}}, Retry_After="0.1")
    else:
        ask.answer(content=ANSWER)


def proxy(ask: Ask) -> None:
    ask.answer(content=ANSWER) if ask.body.get("stream") else ask.refuse("Gateway Time-out", 504)


def cut_once(ask: Ask) -> None:
    ask.answer(content=ANSWER, ends=ask.number > 1)


def breaks_off_once(ask: Ask) -> None:
    if ask.number == 1:
        ask.close_connection = True
    else:
        ask.answer(content=ANSWER)


def error_in_stream_once(ask: Ask) -> None:
    if ask.number > 1:
        ask.answer(content=ANSWER)
        return
    ask.begin_stream()
    ask.event({"choices": [{"index": 0, "delta": {"content": "The"}, "finish_reason": None}]})
    ask.event({"error": {"message": "Provider returned error", "code": 502}})


def odd_stream(ask: Ask) -> None:
    """Comments, CRLF, no space, several lines an event, a letter cut between two packets."""
    ask.begin_stream()
    ask.wfile.write(b': PROCESSING\r\n\r\nevent: message\r\ndata:{"choices": [{"delta": {"content": "3 \xe2')
    ask.wfile.flush()
    time.sleep(0.05)
    ask.wfile.write(
        b'\x89\xa4 4.\\ud83d"}}]}\r\n\r\ndata: {"choices":\r\ndata: [{"delta": {"content": "\\ude00"}}]}\r\n\r'
    )
    ask.wfile.flush()
    time.sleep(0.05)
    ask.wfile.write(b'\ndata: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\r\n\r\n')


def never_closes(ask: Ask) -> None:
    ask.begin_stream()
    ask.event({"choices": [{"delta": {"content": ANSWER}, "finish_reason": "stop"}], "usage": USAGE})
    time.sleep(30)


def drip(ask: Ask) -> None:
    ask.begin_stream()
    while True:
        ask.event({"choices": [{"delta": {"content": "x"}, "finish_reason": None}]})
        time.sleep(0.05)


def drip_headers(ask: Ask) -> None:
    ask.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        ask.wfile.write(b"X")
        time.sleep(0.05)


def huge(ask: Ask) -> None:
    ask.send_response(200)
    ask.send_header("Content-Length", str(700 << 20))
    ask.end_headers()
    for _ in range(700):
        ask.wfile.write(b" " * (1 << 20))


def huge_stream(ask: Ask) -> None:
    ask.begin_stream()
    block = b"data: " + json.dumps({"choices": [{"delta": {"content": "x" * 10_000}}]}).encode() + b"\n\n"
    for _ in range(70_000):
        ask.wfile.write(block)


def bomb(ask: Ask) -> None:
    ask.raw(200, gzip.compress(b"[" + b" " * (300 << 20)), Content_Encoding="gzip")


def zipped(ask: Ask) -> None:
    choice = {"message": {"content": ANSWER}, "finish_reason": "stop"}
    ask.raw(200, gzip.compress(json.dumps({"choices": [choice], "usage": USAGE}).encode()), Content_Encoding="gzip")


def whole(**message: object) -> Callable[[Ask], None]:
    return lambda ask: ask.answer(**message)


def raw_body(data: bytes) -> Callable[[Ask], None]:
    return lambda ask: ask.raw(200, data)


HABITS: dict[str, Callable[[Ask], None]] = {
    "plain": whole(content=ANSWER),
    "no_models": whole(content=ANSWER),
    "models_elsewhere": whole(content=ANSWER),
    "o_series": o_series,
    "rejects_seed": refuses(
        "seed", "[{'type': 'extra_forbidden', 'loc': ['body', 'seed'], 'msg': 'Extra inputs'}]", 422
    ),
    "forbids_extra": forbids_extra,
    "rejects_stop": refuses("stop", "Unsupported parameter: 'stop' is not supported with this model."),
    "rejects_stream": refuses("stream", "Field `stream` is not supported"),
    "short_seeds": short_seeds,
    "one_of_two": one_of_two,
    "bad_temperature": refuses("temperature", "temperature must be between 0 and 0.5"),
    "refuses_extra_body": refuses("magic", "Unknown field: 'magic' is not permitted"),
    "context": lambda ask: ask.refuse(
        "This model's maximum context length is 12 tokens. You requested 16 output tokens."
    ),
    "long_prompt": lambda ask: ask.refuse("the request exceeds the available context size, try increasing it"),
    "quota": lambda ask: ask.refuse("You exceeded your current quota", 429, code="insufficient_quota"),
    "key": lambda ask: ask.refuse("Incorrect API key provided", 401),
    "no_route": lambda ask: ask.say(404, {"detail": "Not Found"}),
    "no_such_model": lambda ask: ask.refuse("The model `served` does not exist", 404),
    "controls": lambda ask: ask.refuse("\x1b]0;owned\x07\x1b[2J bad \u202e request", 400),
    "two_at_a_time": two_at_a_time,
    "two_places": two_places,
    "limited_at_first": limited_at_first,
    "proxy": proxy,
    "cut_once": cut_once,
    "breaks_off_once": breaks_off_once,
    "error_in_stream_once": error_in_stream_once,
    "error_200_once": lambda ask: (
        ask.say(200, {"error": {"message": "Provider error", "code": 502}})
        if ask.number == 1
        else ask.answer(content=ANSWER)
    ),
    "drops": lambda ask: setattr(ask, "close_connection", True),
    "error_200": lambda ask: ask.say(200, {"error": {"message": "Provider returned error", "code": 502}}),
    "odd_stream": odd_stream,
    "never_closes": never_closes,
    "drip": drip,
    "drip_headers": drip_headers,
    "huge": huge,
    "huge_stream": huge_stream,
    "bomb": bomb,
    "zipped": zipped,
    "elsewhere": lambda ask: ask.go("http://127.0.0.2:9/v1/chat/completions"),
    "same_host": lambda ask: ask.answer(content=ANSWER) if "moved" in ask.path else ask.go("/v1/moved"),
    "circle": lambda ask: ask.go(ask.path),
    "no_usage": whole(content=ANSWER, usage=None),
    "odd_usage": whole(content=ANSWER, usage={"prompt_tokens": "many", "completion_tokens": True}),
    "list_usage": whole(content=ANSWER, usage=[1, 2]),
    "null_length": whole(content=None, finish="length"),
    "thought_length": whole(reasoning_content=THOUGHT, content=None, finish="length"),
    "filter": whole(content="", finish="content_filter"),
    "azure_filter": lambda ask: ask.refuse(
        "The response was filtered: content management policy", code="content_filter"
    ),
    "empty": whole(content="", usage={"prompt_tokens": 5, "completion_tokens": 0}),
    "refusal": whole(content=None, refusal="I cannot."),
    "finish_null": whole(content=ANSWER, finish=None, usage={"completion_tokens": 5}),
    "finish_null_at_cap": whole(content=ANSWER, finish=None, usage={"completion_tokens": 16}),
    "finish_eos": whole(content=ANSWER, finish="eos_token"),
    "finish_max": whole(content=ANSWER, finish="MAX_TOKENS"),
    "finish_model_length": whole(content=ANSWER, finish="model_length"),
    "finish_abort": whole(content=ANSWER, finish="abort"),
    "content_list": whole(
        content=[
            {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
            {"type": "text", "text": ANSWER},
        ]
    ),
    "reasoning": whole(reasoning=THOUGHT, content=ANSWER),
    "reasoning_content": whole(reasoning_content=THOUGHT, content=ANSWER),
    "both_names": whole(reasoning=THOUGHT, reasoning_content=THOUGHT, content=ANSWER),
    "reasoning_details": whole(reasoning_details=[{"type": "reasoning.text", "text": THOUGHT}], content=ANSWER),
    "reasoning_summary": whole(reasoning_details=[{"type": "reasoning.summary", "summary": THOUGHT}], content=ANSWER),
    "in_the_text": whole(content=WHOLE),
    "twice": whole(reasoning_content=THOUGHT, content=WHOLE),
    "twice_unmarked": whole(reasoning_content=THOUGHT, content=f"{THOUGHT}\n\n{ANSWER}"),
    "surrogate": whole(content="x \ud83d y\x00\u2028</think>" + ANSWER),
    "deep": raw_body(b"[" * 100_000),
    "no_choices": raw_body(b'{"choices": []}'),
    "odd_choices": raw_body(b'{"choices": [{"message": 7, "finish_reason": {"a": 1}}]}'),
    "html": raw_body(b"<html><title>Welcome</title></html>"),
    "nothing": raw_body(b""),
}
