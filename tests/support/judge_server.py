"""A local judge: an OpenAI-compatible server in a process of its own, which answers each question after a fixed time by its own rule.

    with serve_judge(folder, delay_s=0.1) as judge: ...    # judge.url; judge.counts() after or while it runs

It notes every question that it has taken, one line with the hash of its messages and seed: from then on it is paid, whether or not
somebody waits for the answer. Its rule makes a
judgment of the hash, so two runs agree; texts that hold "UNREADABLE" get a reply without a verdict (with "UNREADABLE ONCE" for
seed 0 only).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import math
import pathlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

CHANCES = {"m": 0.6, "M": 0.2, "The": 0.1}  # of the first token, where they are asked for
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@dataclasses.dataclass(frozen=True)
class RunningJudge:
    url: str
    log: pathlib.Path

    def paid(self) -> list[str]:
        """The key of every question that was taken, in order."""
        return self.log.read_text().split() if self.log.exists() else []

    def counts(self) -> Counter[str]:
        return Counter(self.paid())


@contextlib.contextmanager
def serve_judge(folder: pathlib.Path, delay_s: float = 0.0) -> Iterator[RunningJudge]:
    """Starts one and ends it."""
    log, port = folder / "paid.log", folder / "port"
    port.unlink(missing_ok=True)
    server = subprocess.Popen([sys.executable, __file__, str(folder), str(delay_s)])
    try:
        deadline = time.monotonic() + 30
        while not port.exists() or not port.read_text():
            assert server.poll() is None, "the judge does not start"
            assert time.monotonic() < deadline, "the judge does not start in time"
            time.sleep(0.02)
        yield RunningJudge(f"http://127.0.0.1:{port.read_text()}/v1", log)
    finally:
        server.terminate()
        server.wait()


def reply_to(body: dict[str, object]) -> tuple[str, str]:
    """(key, reply) of a request."""
    messages, seed = body["messages"], body.get("seed")
    text = json.dumps(messages)
    key = hashlib.sha256(json.dumps([messages, seed]).encode()).hexdigest()[:24]
    if "UNREADABLE" in text and not ("UNREADABLE ONCE" in text and seed != 0):
        return key, "I would rather not say."
    if "correct: yes" in text:
        return key, "The same.\ncorrect: yes"
    if "[[A]]" in text:
        return key, f"It is clear. [[{'ABC'[int(key, 16) % 3]}]]"
    return key, f"Well done. Rating: [[{1 + int(key, 16) % 10}]]"


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float, log: object) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            (int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")), 0
        )
        data = await reader.readexactly(length)
        key = ""
        if head.startswith("GET"):
            sent: object = {"data": [{"id": "judge"}]}
        else:
            body = json.loads(data)
            key, reply = reply_to(body)
            log.write(key + "\n")  # type: ignore[attr-defined]
            log.flush()  # type: ignore[attr-defined]
            await asyncio.sleep(delay_s)
            choice: dict[str, object] = {"index": 0, "message": {"content": reply}, "finish_reason": "stop"}
            if body.get("logprobs"):
                top = [{"token": token, "logprob": math.log(chance)} for token, chance in CHANCES.items()]
                choice["logprobs"] = {"content": [{"token": "m", "logprob": -0.1, "top_logprobs": top}]}
            sent = {"choices": [choice], "usage": USAGE}
        payload = json.dumps(sent).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            % len(payload)
            + payload
        )
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _serve(folder: pathlib.Path, delay_s: float) -> None:
    with open(folder / "paid.log", "a") as log:
        server = await asyncio.start_server(lambda r, w: _answer(r, w, delay_s, log), "127.0.0.1", 0, backlog=1024)
        (folder / "port.new").write_text(str(server.sockets[0].getsockname()[1]))
        (folder / "port.new").rename(folder / "port")
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(pathlib.Path(sys.argv[1]), float(sys.argv[2])))
