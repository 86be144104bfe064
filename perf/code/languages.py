"""Programs in other languages: verdicts in the sandbox against plain runs of compiler and program, and the CPU of both.

    python perf/code/languages.py [--languages js,cpp] [--problems 20] [--folder FOLDER]

FOLDER holds humaneval-<language>.jsonl (MultiPL-E's rows with an answer of a model, `gpt_solution`); default:
$DATA_DIR/breadth/multipl-e. The plain run is the same command in an ordinary folder, with this user's rights and nothing
around it, in the same clean environment. Targets: no difference; at most 1.3 times the CPU. Programs that come to the limit of time
or memory count for their verdict only: a plain run has neither.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.grading.code.language_answers import extract_code  # noqa: E402
from tools.grading.code.language_program import (  # noqa: E402
    find_missing,
    make_program,
    open_toolchain,
    read_problem,
    run_program,
)
from tools.grading.code.language_recipes import Recipe, find_recipe  # noqa: E402
from tools.records import Verdict  # noqa: E402

PLAIN_TIMEOUT_S = 60.0


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_plainly(recipe: Recipe, text: str, tools: dict[str, str | None]) -> tuple[bool | None, float]:
    """Whether the program passes, None when it runs too long; and the CPU seconds of compiling and running it."""
    started = children_cpu_s()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in {recipe.file: text.encode("utf-8", "replace"), **recipe.support_files(text)}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        bins = ":".join({os.path.dirname(path) for path in tools.values() if path} | {"/usr/bin", "/bin"})
        environment = {"PATH": bins, "HOME": folder, "LANG": "C.UTF-8"}
        environment |= {name: value.replace("{folder}", folder) for name, value in recipe.environment.items()}
        for command in filter(None, (recipe.compile, recipe.run)):
            passed = run_one(
                [tools.get(command[0]) or command[0], *command[1:]], folder, environment, recipe.failure_word
            )
            if not passed:
                break
    return passed, children_cpu_s() - started


def run_one(command: list[str], folder: str, environment: dict[str, str], failure_word: str) -> bool | None:
    """One command in a session of its own, which is ended as a whole."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **pipes) as popen:  # type: ignore[call-overload]
        try:
            output, _nothing = popen.communicate(timeout=PLAIN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            output = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
    if output is None:
        return None
    return popen.returncode == 0 and not (failure_word and failure_word.encode() in output)


def measure(language: str, path: pathlib.Path, problems: int, timeout_s: float) -> str:
    """One line about one language."""
    recipe = find_recipe(language)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()][:problems]
    verdicts: collections.Counter[str] = collections.Counter()
    ours_s = plain_s = 0.0
    different = []
    with open_toolchain(recipe) as toolchain:
        if missing := find_missing(recipe, toolchain):
            return f"{language:5} skipped: {missing}"
        for row in rows:
            problem = read_problem(row)
            code = extract_code(row["gpt_solution"], recipe.labels, problem.function) or ""
            program = make_program(recipe, problem, code)
            started = time.process_time()
            grade = run_program(toolchain, recipe, program, timeout_s)
            own_s = time.process_time() - started
            verdicts[grade.verdict.value] += 1
            if grade.verdict in (Verdict.TIMEOUT, Verdict.MEMORY):
                continue
            passed, cpu_s = run_plainly(recipe, program.text, dict(toolchain.paths))
            ours_s, plain_s = ours_s + grade.cpu_s + own_s, plain_s + cpu_s
            if passed is None or passed != grade.passed:
                different.append(row["name"])
    counts = ", ".join(f"{name} {count}" for name, count in verdicts.most_common())
    line = f"{language:5} {len(rows)} programs: {counts}; {len(different)} differ {' '.join(different)}"
    return f"{line}; CPU {ours_s:.2f} s, plain {plain_s:.2f} s, ratio {ours_s / max(plain_s, 1e-9):.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", default="js,ts,cpp,java,sh,pl")
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--timeout", type=float, default=15.0, help="CPU seconds of a program")
    parser.add_argument("--folder", default=os.path.join(os.environ.get("DATA_DIR", "data"), "breadth", "multipl-e"))
    given = parser.parse_args()
    for language in given.languages.split(","):
        path = pathlib.Path(given.folder, f"humaneval-{language}.jsonl")
        if path.is_file():
            print(measure(language, path, given.problems, given.timeout), flush=True)
        else:
            print(f"{language:5} skipped: there is no {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
