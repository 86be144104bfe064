#!/usr/bin/env python3
"""CPU per streamed token: ENGINE=openai against a bare client that reads the same stream and keeps nothing.

    python perf/streaming.py [--answers 24] [--tokens 4000] [--rounds 5]

A server in a process of its own streams the same answers to both, an event a token, as fast as they are read. CPU time of
this process is counted, in turns, so that the machine's noise falls on both alike; the median of the rounds is told.
  bare    http.client, one `json.loads` an event, text joined at the end: the least that anybody needs
  openai  the `openai` package's own stream, where it is installed
  ours    the engine: threads, gate, bounds, reading of all fields
Exits 1 when ours takes more than 1.1 times the CPU of the bare client.
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import multiprocessing
import pathlib
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.engines import EngineSetup, GenerationRequest, create_engine, make_options  # noqa: E402
from tools.models.prompts import Prompt  # noqa: E402
from tools.records import Sample, Sampling  # noqa: E402

MOST_SHARE = 1.1
AT_ONCE = 8
MODEL = "served"


def serve(tokens: int, told: Connection) -> None:
    """The server's process."""
    chunk = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1764000000,
        "model": MODEL,
    }

    def event(choice: object, **more: object) -> bytes:
        data = b"data: " + json.dumps({**chunk, "choices": [choice] if choice else [], **more}).encode() + b"\n\n"
        return b"%x\r\n%s\r\n" % (len(data), data)

    token = event({"index": 0, "delta": {"content": " token"}, "logprobs": None, "finish_reason": None})
    last = event({"index": 0, "delta": {"content": ""}, "finish_reason": "stop"})
    usage = event(None, usage={"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": 9 + tokens})

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for _ in range(tokens):
                self.wfile.write(token)  # a packet each, as a server writes them
            self.wfile.write(last + usage + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.send(server.server_port)
    server.serve_forever()


def body_of(seed: int) -> dict[str, object]:
    return {"model": MODEL, "messages": [{"role": "user", "content": "2 + 2?"}], "seed": seed, "stream": True}


def read_bare(port: int, seed: int) -> int:
    """Letters of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/v1/chat/completions", json.dumps(body_of(seed)), {"Content-Type": "application/json"})
    pieces = []
    for line in connection.getresponse():
        if line.startswith(b"data: ") and line != b"data: [DONE]\n":
            choices = json.loads(line[6:])["choices"]
            if choices:
                pieces.append(choices[0]["delta"]["content"])
    connection.close()
    return len("".join(pieces))


def run_bare(port: int, answers: int) -> int:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(lambda seed: read_bare(port, seed), range(answers)))


def run_openai(port: int, answers: int) -> int:
    import openai

    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")

    def read(seed: int) -> int:
        stream = client.chat.completions.create(**body_of(seed))  # type: ignore[call-overload]
        return len("".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(read, range(answers)))


def run_ours(port: int, answers: int) -> int:
    options = make_options(
        "openai", {"base_url": f"http://127.0.0.1:{port}/v1", "max_num_seqs": AT_ONCE, "check_model": 0}
    )
    engine = create_engine("openai", EngineSetup(MODEL, Sampling(), 1 << 20), options)
    for seed in range(answers):
        engine.submit(GenerationRequest(Sample("set", "p", seed), Prompt("2 + 2?", None, "2 + 2?"), 32768))
    letters = done = 0
    while done < answers:
        for outcome in engine.step():
            done += 1
            letters += len(outcome.text)
    engine.close()
    return letters


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    ours_end, servers_end = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(given.tokens, servers_end), daemon=True)
    process.start()
    port = ours_end.recv()
    ways = {"bare": run_bare, "ours": run_ours}
    try:
        import openai  # noqa: F401

        ways["openai"] = run_openai
    except ImportError:
        pass
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(given.rounds + 1):
        for name, way in ways.items():
            started = time.process_time()
            letters = way(port, given.answers)
            assert letters == given.answers * given.tokens * len(" token"), (name, letters)
            if number:  # the first round warms up
                seconds[name].append(time.process_time() - started)
    process.terminate()
    count = given.answers * given.tokens
    for name, values in seconds.items():
        print(f"{name:7} {statistics.median(values) / count * 1e6:6.2f} us of CPU a token")
    share = statistics.median(ours / bare for ours, bare in zip(seconds["ours"], seconds["bare"], strict=True))
    print(f"ours takes {share:.2f} times the CPU of the bare client (target: at most {MOST_SHARE})")
    return 0 if share <= MOST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
