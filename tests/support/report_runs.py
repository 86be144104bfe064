"""Makes run folders of any size for the tests of report and page: no model, but files exactly as a run leaves them.

    python -m tests.support.report_runs /tmp/run --size small      # 12 problems x 8 seeds of each kind
    python -m tests.support.report_runs /tmp/run --size aime       # 60 problems x 64 seeds x 30 kB (115 MB)
    python -m tests.support.report_runs /tmp/run --size code       # 1055 problems x 8 seeds

Whether a sample is right is drawn from a fixed ability per problem, so figures differ between problems as in life.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import json
import pickle
import random
import zlib
from pathlib import Path
from typing import Any

from tools.records import Grade, Verdict
from tools.results.build import build_results, write_results
from tools.results.published import Published
from tools.store.files import sha256_of_file

MATH_SENTENCES = (
    "Let \\(x = \\frac{a+b}{2}\\) and note that $x^2 \\ge ab$ by the inequality of means.",
    "So we have\n\\[\n\\sum_{k=1}^{n} k^2 = \\frac{n(n+1)(2n+1)}{6}.\n\\]\nThat looks right.",
    "Wait, I should check the case $n = 7$ again, because 7 < 8 & 8 > 7.",
    "Hmm, the condition modulo 11 gives $a \\equiv 3 \\pmod{11}$, hence $a \\in \\{3, 14, 25\\}$.",
    "Alternatively, use coordinates: $A = (0, 0)$, $B = (13, 0)$ and $C = (x, y)$ with $y > 0$.",
    "By symmetry $P(X = k) = \\binom{10}{k} 2^{-10}$, which I can sum directly.",
)
PROGRAM = '''import sys

def solve(values):
    """Longest run without a repeat."""
    best, start, seen = 0, 0, {}
    for index, value in enumerate(values):
        if seen.get(value, -1) >= start:
            start = seen[value] + 1
        seen[value] = index
        best = max(best, index - start + 1)
    return best

if __name__ == "__main__":
    data = sys.stdin.read().split()
    print(solve(list(map(int, data[1:]))))
'''
MONTHS = ("2024-08", "2024-09", "2024-10", "2024-11", "2024-12", "2025-01", "2025-02", "2025-03", "2025-04")


@dataclasses.dataclass(frozen=True)
class RunShape:
    """What to make. `chars` is the length of one response; `kind` is "math" or "code"."""

    kind: str = "math"
    dataset: str = "aime24"
    problems: int = 12
    seeds: int = 8
    chars: int = 3000
    model: str = "example/Reasoner-7B"
    cap: int = 32768
    skill: float = 0.6
    draw: int = 1


def make_run(folder: Path, shape: RunShape = RunShape(), *, is_graded: bool = True) -> Path:
    """Writes `<folder>/<dataset>/` and its problem file beside it; returns the data set's folder."""
    rng = random.Random(f"{shape.dataset} {shape.draw}")
    target = folder / shape.dataset
    target.mkdir(parents=True, exist_ok=True)
    problems = make_problems(shape)
    problem_file = folder / f"problems_{shape.dataset}.jsonl"
    problem_file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in problems), encoding="utf-8")
    ability = problem_abilities(shape)
    seeds = make_seeds(shape)
    grades = []
    for seed in seeds:
        lines = []
        for row, share in zip(problems, ability, strict=True):
            grade = draw_grade(rng, shape, row, seed, share)
            grades.append(grade)
            lines.append(json.dumps(make_generation(rng, shape, grade), ensure_ascii=False))
        (target / f"seed{seed}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = make_manifest(shape, problem_file, seeds, [task_id_of(row) for row in problems])
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    if is_graded:
        write_grades(target, shape, problems, grades, manifest)
    return target


def write_grades(
    target: Path, shape: RunShape, problems: list[dict[str, Any]], grades: list[Grade], manifest: dict[str, Any]
) -> None:
    """verdicts.jsonl and accuracy_results.json, the latter by the real code."""
    (target / "verdicts.jsonl").write_text("".join(grade.to_json() + "\n" for grade in grades), encoding="utf-8")
    classes = None
    if shape.kind == "math":
        classes = {(g.task_id, g.seed): int(g.answer) if g.answer else None for g in grades}
    published = Published(0.726, "https://huggingface.co/example/Reasoner-7B") if shape.kind == "math" else None
    results = build_results(
        model=shape.model,
        dataset=shape.dataset,
        grades=grades,
        task_ids=[task_id_of(row) for row in problems],
        seeds=make_seeds(shape),
        labels=make_labels(shape, problems),
        answer_classes=classes,
        set_name=shape.dataset,
        settings=manifest["settings"],
        published=published,
        grader={"name": shape.kind, "version": "1", "answer_from": "answer"},
        allow_incomplete=True,
    )
    write_results(target, results)


def make_seeds(shape: RunShape) -> list[int]:
    """As of the model profile: 100..107, 200..207, ... up to the number wanted."""
    return [100 * (1 + index // 8) + index % 8 for index in range(shape.seeds)]


def task_id_of(row: dict[str, Any]) -> str:
    return str(row.get("question_id", row.get("id")))


def problem_abilities(shape: RunShape) -> list[float]:
    """Share of right answers per problem: a few hopeless, a few certain, the rest between."""
    rng = random.Random(f"ability {shape.dataset}")
    return [min(0.99, max(0.01, rng.betavariate(1.2, 0.9) * 2 * shape.skill - 0.02)) for _ in range(shape.problems)]


def make_problems(shape: RunShape) -> list[dict[str, Any]]:
    if shape.kind == "code":
        return [
            {
                "question_title": f"Problem {number}",
                "question_content": f"Given $n$ integers, print the longest run without a repeat (variant {number}).",
                "platform": ("atcoder", "leetcode", "codeforces")[number % 3],
                "question_id": f"abc{300 + number // 7}_{'abcdefg'[number % 7]}",
                "contest_date": f"{MONTHS[number * len(MONTHS) // shape.problems]}-1{number % 10}T00:00:00",
                "starter_code": "",
                "difficulty": ("easy", "medium", "hard")[number % 7 // 3],
                "public_test_cases": json.dumps([{"input": "3\n1 2 1\n", "output": "2\n", "testtype": "stdin"}]),
                "private_test_cases": pack_tests([{"input": "5\n3 1 3 2 1\n", "output": "3\n", "testtype": "stdin"}]),
            }
            for number in range(shape.problems)
        ]
    return [
        {"id": str(60 + number), "problem": f"Find the remainder when $7^{{{number}}}$ is divided by $1000$.",
         "answer": str(7**number % 1000), "year": 2024 + number * 2 // shape.problems}
        for number in range(shape.problems)
    ]  # fmt: skip


def pack_tests(tests: list[dict[str, str]]) -> str:
    """As in LiveCodeBench's files: base64 of zlib of a pickled JSON text."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)))).decode()


def make_labels(shape: RunShape, problems: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    if shape.kind == "math":
        return {"year": {row["id"]: str(row["year"]) for row in problems}}
    return {
        "month": {row["question_id"]: row["contest_date"][:7] for row in problems},
        "difficulty": {row["question_id"]: row["difficulty"] for row in problems},
        "platform": {row["question_id"]: row["platform"] for row in problems},
    }


def draw_grade(rng: random.Random, shape: RunShape, row: dict[str, Any], seed: int, share: float) -> Grade:
    """One verdict with the fields a grader would fill."""
    task_id = task_id_of(row)
    tokens = min(shape.cap, int(rng.lognormvariate(9.3 - share, 0.5)))
    if tokens >= shape.cap or rng.random() < 0.02:
        return Grade(task_id, seed, Verdict.TRUNCATED, reason=f"cut off at {shape.cap} tokens",
                            output_tokens=shape.cap, reasoning_chars=shape.chars, is_cut_off=True,
                            closes_reasoning=False, is_correct_in_reasoning=rng.random() < 0.3)  # fmt: skip
    is_correct = rng.random() < share
    common: dict[str, Any] = {"output_tokens": tokens, "reasoning_chars": shape.chars, "closes_reasoning": True}
    if shape.kind == "code":
        return draw_code_grade(rng, task_id, seed, is_correct, common)
    if is_correct:
        return Grade(task_id, seed, Verdict.CORRECT, row["answer"], "integer", "", **common)
    if rng.random() < 0.04:
        return Grade(task_id, seed, Verdict.NO_ANSWER, None, "", "nothing boxed after the reasoning", **common)
    wrong = str((int(row["answer"]) + rng.choice((1, 7, 7, 7, 100))) % 1000)
    differs = rng.random() < 0.02
    return Grade(task_id, seed, Verdict.WRONG, wrong, "integer", f"{wrong} is not {row['answer']}",
                        differs_from_original=differs, **common)  # fmt: skip


def draw_code_grade(rng: random.Random, task_id: str, seed: int, is_correct: bool, common: dict[str, Any]) -> Grade:
    seconds = min(5.2, round(rng.expovariate(2.0), 3))
    details: dict[str, Any] = {"tests_total": 25, "tests_run": 25, "max_cpu_s": seconds, "hangs_on_time": seconds > 4.8}
    if is_correct:
        return Grade(task_id, seed, Verdict.CORRECT, PROGRAM, "25 tests", details=details, **common)
    verdict = rng.choices(
        (Verdict.WRONG, Verdict.TIMEOUT, Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR, Verdict.INFRA_ERROR),
        (70, 14, 12, 3, 0.3),
    )[0]
    number = rng.randint(1, 2)
    details |= {"first_failing_test": number, "tests_run": number}
    if verdict is Verdict.TIMEOUT:
        seconds = round(rng.uniform(6.0, 12.0), 2)
        details |= {"max_cpu_s": seconds, "hangs_on_time": seconds < 7, "is_near_timeout": seconds < 7}
    reason = "answered '4', expected '3'" if verdict is Verdict.WRONG else f"{verdict.value} in test {number}"
    return Grade(task_id, seed, verdict, PROGRAM, f"test {number}", reason, details=details, **common)


def make_generation(rng: random.Random, shape: RunShape, grade: Grade) -> dict[str, Any]:
    """One line of seed<N>.jsonl whose text fits the verdict."""
    parts, length = [], 0
    while length < shape.chars:
        parts.append(
            rng.choice(MATH_SENTENCES).replace("7", str(rng.randrange(10**6))) + f" Call this {rng.random():.8f}."
        )
        length += len(parts[-1]) + 2
    reasoning = "\n\n".join(parts)
    if grade.verdict is Verdict.TRUNCATED:
        output = reasoning
    elif shape.kind == "code":
        output = f"{reasoning}\n</think>\nA window without repeats is enough.\n\n```python\n{PROGRAM}```\n"
    elif grade.answer is None:
        output = f"{reasoning}\n</think>\nI could not find the answer."
    else:
        output = f"{reasoning}\n</think>\n**Answer.** Adding up,\n\\[\nS = \\boxed{{{grade.answer}}}\n\\]\n"
    return {"task_id": grade.task_id, "output": output, "seed": grade.seed,
            "finish_reason": "length" if grade.is_cut_off else "stop", "prompt_tokens": 131,
            "output_tokens": grade.output_tokens, "elapsed_s": round((grade.output_tokens or 0) / 55, 1),
            "finished_at": "2026-11-23T06:00:00Z"}  # fmt: skip


def make_manifest(shape: RunShape, problem_file: Path, seeds: list[int], task_ids: list[str]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "model": shape.model,
        "model_revision": "0f2a9c1",
        "model_type": "qwen",
        "dataset": shape.dataset,
        "settings": {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": shape.cap, "dtype": "bfloat16",
                     "prompt_type": "qwen", "template_sha256": "d2a8" * 16},
        "data": {"path": str(problem_file), "sha256": sha256_of_file(problem_file), "problems": shape.problems},
        "plan": {"seeds": seeds, "task_ids": task_ids},
        "engine": {"name": "vllm", "version": "0.32.0"},
        "versions": {"python": "3.11.7", "torch": "2.13.0", "transformers": "5.19.0"},
        "hardware_info": {"gpu": "8 x NVIDIA H100 80GB HBM3", "cpus": 192, "memory_gib": 2014},
        "git_hash": "2fdc07c",
        "start_time": "2026-11-23T02:10:00Z",
        "end_time": "2026-11-23T05:41:13Z",
        "total_evaluation_time_seconds": 12673.0,
        "first_prompt_token_ids": [151644, 8948, 198, 2610, 525],
        "is_reasoning_opened_by_prompt": True,
    }  # fmt: skip


SIZES = {
    "small": (RunShape(), RunShape("code", "livecodebench", 40, 8)),
    "aime": (RunShape("math", "aime", 60, 64, 30_000),),
    "code": (RunShape("code", "livecodebench", 1055, 8, 12_000),),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--skill", type=float, default=0.6)
    parser.add_argument("--draw", type=int, default=1)
    arguments = parser.parse_args()
    for shape in SIZES[arguments.size]:
        print(make_run(arguments.folder, dataclasses.replace(shape, skill=arguments.skill, draw=arguments.draw)))


if __name__ == "__main__":
    main()
