"""How fast a run is judged, and what a killed judging pays twice: against a local judge that answers after 0.1 s.

    python perf/judging.py            805 pairs in both orders, 64 at a time: wall time over the ideal
    python perf/judging.py --kills 20 kill -9 at random moments, then the same command again

The ideal is judgments / 64, rounded up, times 0.1 s. Counting is the judge's: a question is paid when it has
taken it, whether or not somebody waits for the answer.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.judge_server import RunningJudge, serve_judge  # noqa: E402

DELAY_S, AT_ONCE = 0.1, 64


def make_run(folder: pathlib.Path, problems: int) -> list[str]:
    """A folder of responses, its problems, a baseline, and the command that judges it."""
    names, run = folder / "benchmarks", folder / "out" / "pairs"
    run.mkdir(parents=True)
    names.mkdir()
    entry = {
        "grader": "judge",
        "grader_options": {"template": "pairwise"},
        "question": "{problem}",
        "samples_per_seed": 1,
    }
    (names / "pairs.json").write_text(json.dumps(entry))
    rows = [{"id": str(number), "problem": f"Question {number}: what is {number} + 1?"} for number in range(problems)]
    (names / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = [{"task_id": row["id"], "output": f"It is {int(row['id']) + 1}. " * 20, "seed": 1} for row in rows]
    (run / "seed1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    theirs = [{"id": row["id"], "output": "I do not know. " * 20, "generator": "base"} for row in rows]
    (folder / "baseline.jsonl").write_text("".join(json.dumps(row) + "\n" for row in theirs))
    words = [sys.executable, str(ROOT / "evaluate_aime.py"), "-g", str(run), "-q", "pairs", "--judge", "judge"]
    return [*words, "--judge-baseline", str(folder / "baseline.jsonl"), "--judge-concurrency", str(AT_ONCE)]


def start(command: list[str], folder: pathlib.Path, judge: RunningJudge) -> subprocess.Popen[str]:
    env = os.environ | {"BENCHMARKS_DIR": str(folder / "benchmarks"), "OPENAI_BASE_URL": judge.url, "STREAM": "0"}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def paid_lines(folder: pathlib.Path) -> set[str]:
    path = folder / "out" / "pairs" / "judgments.jsonl"
    text = path.read_text() if path.exists() else ""
    return {json.loads(line)["key"] for line in text.split("\n")[:-1]}


def child_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_speed(folder: pathlib.Path, problems: int) -> None:
    command = make_run(folder, problems)
    with serve_judge(folder, DELAY_S) as judge:
        nothing, cpu_0 = time.monotonic(), child_cpu_s()
        start([*command, "--estimate"], folder, judge).communicate()
        began, cpu_1 = time.monotonic(), child_cpu_s()
        process = start(command, folder, judge)
        output = process.communicate()[0]
        wall_s, start_s, cpu_2 = time.monotonic() - began, began - nothing, child_cpu_s()
        assert process.returncode == 0, output
        counts = judge.counts()
        bare_s = measure_bare(judge.url, 2 * problems)
    ideal_s = math.ceil(2 * problems / AT_ONCE) * DELAY_S
    print(
        f"{sum(counts.values())} judgments, {len(counts)} distinct; ideal {ideal_s:.2f} s, wall {wall_s:.2f} s = {wall_s / ideal_s:.2f} times"
    )
    print(f"a bare client just now: {bare_s:.2f} s = {bare_s / ideal_s:.2f} times the ideal")
    print(
        f"CPU of the program {cpu_2 - cpu_1:.2f} s, of its start and of reading the run {cpu_1 - cpu_0:.2f} s; load of the machine {os.getloadavg()[0]:.1f}"
    )
    print(
        f"without the start of the program and reading the run ({start_s:.2f} s, --estimate): {(wall_s - start_s) / ideal_s:.2f} times"
    )


def measure_bare(url: str, requests: int) -> float:
    """Seconds that threads need which only send one body and read the answer: what this machine can do just now."""
    host = url.split("/")[2]
    body = json.dumps({"model": "judge", "messages": [{"role": "user", "content": "[[A]] " + "x" * 900}]}).encode()

    def ask(_: int) -> None:
        connection = http.client.HTTPConnection(host)
        connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        json.loads(connection.getresponse().read())
        connection.close()

    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, range(requests)))
    return time.monotonic() - began


def measure_kills(folder: pathlib.Path, problems: int, kills: int) -> None:
    """Each round kills one judging at a random moment of its judgments, then gives the same command again."""
    good = 0
    draw = random.Random(7)
    for number in range(kills):
        place = folder / f"kill{number}"
        place.mkdir()
        command = make_run(place, problems)
        with serve_judge(place, DELAY_S) as judge:
            process = start(command, place, judge)
            wanted = draw.randrange(1, 2 * problems)
            while len(judge.paid()) < wanted and process.poll() is None:
                time.sleep(0.002)
            time.sleep(draw.uniform(0, DELAY_S / 10))
            process.send_signal(signal.SIGKILL)
            process.wait()
            written, before = paid_lines(place), len(judge.paid())
            again = start(command, place, judge)
            output = again.communicate()[0]
            assert again.returncode == 0, output
            counts = judge.counts()
        twice = sum(count - 1 for count in counts.values())
        lines = (place / "out" / "pairs" / "judgments.jsonl").read_text().count("\n")
        is_whole = len(counts) == 2 * problems and lines == 2 * problems and len(paid_lines(place)) == 2 * problems
        good += is_whole and twice == 0
        print(f"kill {number + 1}: {len(written)} written, {before} paid; afterwards {lines} lines, paid twice {twice}")
    print(f"{good} of {kills}: nothing paid twice, nothing lost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=805)
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.kills:
            measure_kills(pathlib.Path(folder), given.problems, given.kills)
        else:
            measure_speed(pathlib.Path(folder), given.problems)


if __name__ == "__main__":
    main()
