"""Programs in other languages: found in answers, put together with their tests, compiled, run and judged."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest

from tests.support.language_programs import PROGRAMS
from tools.benchmarks.benchmark import list_benchmarks
from tools.errors import DataError, UsageError
from tools.grading.code.language_answers import extract_code, find_blocks, find_function, is_whole_function, join_tests
from tools.grading.code.language_program import (
    LanguageProgram,
    find_missing,
    grade_in_language,
    open_toolchain,
    read_problem,
    run_program,
)
from tools.grading.code.language_recipes import find_recipe, list_languages
from tools.records import Verdict


@pytest.mark.parametrize("language", sorted(PROGRAMS))
def test_every_language_passes_fails_and_completes(language):
    recipe, case = find_recipe(language), PROGRAMS[language]
    problem = read_problem({"prompt": case.prompt, "tests": case.tests})
    assert problem.function == "add"
    answer = f"Here it is:\n```{recipe.labels[-1]}\n{case.whole}\n```\nDone."
    whole = extract_code(answer, recipe.labels, "add")
    assert whole is not None
    assert is_whole_function(language, "add", whole)
    assert not is_whole_function(language, "add", case.completion)
    with open_toolchain(recipe) as toolchain:
        if missing := find_missing(recipe, toolchain):
            pytest.skip(missing)
        right = grade_in_language(toolchain, recipe, problem, whole, 15.0)
        assert (right.verdict, right.reason) == (Verdict.CORRECT, "")
        assert right.cpu_s > 0
        wrong = grade_in_language(toolchain, recipe, problem, whole.replace("+", "*"), 15.0)
        assert wrong.verdict in (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR)
        if language in ("js", "sh", "php", "lua", "rb", "pl", "cpp"):  # one more run is cheap
            assert grade_in_language(toolchain, recipe, problem, case.completion, 15.0).verdict is Verdict.CORRECT
        if recipe.compile and language in ("cpp", "rs"):
            broken = grade_in_language(toolchain, recipe, problem, whole + "\nthis is no program", 15.0)
            assert broken.verdict is Verdict.COMPILE_ERROR
            assert "error" in broken.reason


# How a program ends before its tests: at the end of the answer, or within the function that is tested.
EXITS = {
    "js": "process.exit(0);\n", "ts": "declare var process: any;\nprocess.exit(0);\n", "sh": "exit 0\n",
    "php": "exit(0);\n", "lua": "os.exit(0)\n", "rb": "exit!(0)\n", "pl": "exit(0);\n",
}  # fmt: skip
EXITS_WITHIN = {
    "cpp": ("return x + y;", "__builtin_exit(0);"), "java": ("return x + y;", "System.exit(0); return 1;"),
    "rs": ("x + y", "std::process::exit(0)"), "go": ("return x + y", "os.Exit(0); return 1"),
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(PROGRAMS))
def test_a_program_that_ends_before_its_tests_has_not_passed(language):
    recipe, case = find_recipe(language), PROGRAMS[language]
    code = case.whole + EXITS.get(language, "")
    code = code.replace(*EXITS_WITHIN[language]) if language in EXITS_WITHIN else code
    prompt = case.prompt.replace('"fmt"', '"fmt"\n    "os"')  # Go
    problem = read_problem({"prompt": prompt, "tests": case.tests})
    with open_toolchain(recipe) as toolchain:
        if missing := find_missing(recipe, toolchain):
            pytest.skip(missing)
        grade = grade_in_language(toolchain, recipe, problem, code, 15.0)
        assert grade.verdict is Verdict.RUNTIME_ERROR, grade
        assert grade.reason == "ended with status 0 before its tests had ended" or language == "go"


@pytest.mark.parametrize("language", sorted(PROGRAMS))
def test_a_completion_gets_the_prompt_and_the_whole_brace(language):
    case = PROGRAMS[language]
    joined = join_tests(language, case.prompt, "add", case.completion, case.tests)
    assert joined.startswith(case.prompt.rstrip())
    assert joined.endswith(case.tests)


def test_an_endless_program_is_a_timeout_and_a_greedy_one_is_memory():
    recipe = find_recipe("sh")
    with open_toolchain(recipe) as toolchain:
        assert run_program(toolchain, recipe, LanguageProgram("while :; do :; done"), 0.5).verdict is Verdict.TIMEOUT
        assert run_program(toolchain, recipe, LanguageProgram("sleep 60"), 0.5).verdict is Verdict.TIMEOUT
        assert run_program(toolchain, recipe, LanguageProgram("exit 7"), 5.0).reason == "exit status 7"
        assert run_program(toolchain, recipe, LanguageProgram("x" * (5 << 20)), 5.0).verdict is Verdict.COMPILE_ERROR


def test_a_missing_tool_is_the_machines_fault_and_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PROGRAM_PYTHON", raising=False)
    for language, recipe in list_languages().items():
        with open_toolchain(recipe) as toolchain:
            missing = find_missing(recipe, toolchain)
        assert "install" in missing, language
        assert (next(iter(recipe.tools)) or "PROGRAM_PYTHON") in missing


def test_a_main_that_shows_how_is_left_out_whatever_its_strings_hold():
    code = '#include <string>\nint add(int x, int y) {\n  return x + y;\n}\nint main() {\n  std::string s = "}{\\"{"; // {\n  return 0;\n}\n'
    joined = join_tests("cpp", "int add(int x, int y) {\n", "add", code, "}\nint main() { return add(1, 1) - 2; }\n")
    assert joined.count("main") == 1
    assert joined.index("add(int") < joined.index("main")


# Whole files as models write them: with imports, exports and tests of their own.
WHOLE_FILES = {
    "go": 'package main\n\nimport (\n\t"fmt"\n\t"math"\n\t"os"\n)\n\nfunc add(x int, y int) int {\n\treturn int(math.Round(float64(x + y)))\n}\n\n'
    "func main() {\n\tfmt.Fprintln(os.Stderr, add(1, 2))\n}\n",
    "js": "const assert = require('assert');\nexport function add(x, y) {\n  return x + y;\n}\nfunction test() {\n"
    "  assert.equal(add(1, 1), 2);\n}\ntest();\nexport default add;\n",
    "ts": "const assert = require('assert');\nexport function add(x: number, y: number): number {\n  return x + y;\n}\n"
    "function test(): void {\n  assert.equal(add(1, 1), 2);\n}\ntest();\n",
    "rs": "use std::collections::HashMap;\npub fn add(x: isize, y: isize) -> isize {\n  let mut m = HashMap::new();\n  m.insert('}', x + y);\n"
    "  m[&'}']\n}\n\nfn main() {\n  println!(\"{}\", add(1, 2));\n}\n",
    "php": "<?php\ndeclare(strict_types=1);\n\nfunction add($x, $y) {\n  return $x + $y;\n}\n\necho add(1, 2);\n",
    "lua": "local function add(x, y)\n  return x + y\nend\n\nprint(add(1, 2))\n",
    "rb": "# frozen_string_literal: true\n\ndef add(x, y) = x + y\n\nputs add(1, 2) if __FILE__ == $0\n",
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(WHOLE_FILES))
def test_a_whole_file_of_a_models_is_tested_as_a_function_is(language):
    recipe, case = find_recipe(language), PROGRAMS[language]
    problem = read_problem({"prompt": case.prompt, "tests": case.tests})
    with open_toolchain(recipe) as toolchain:
        if missing := find_missing(recipe, toolchain):
            pytest.skip(missing)
        right = grade_in_language(toolchain, recipe, problem, WHOLE_FILES[language], 15.0)
        assert (right.verdict, right.reason) == (Verdict.CORRECT, "")
        wrong = WHOLE_FILES[language].replace(" + ", " - ")
        assert grade_in_language(toolchain, recipe, problem, wrong, 15.0).verdict is Verdict.RUNTIME_ERROR


def test_a_java_class_of_another_name_and_a_class_behind_it_are_kept():
    prompt = "import java.util.*;\nclass Problem {\n    public static long add(long x, long y) {\n"
    tests = "    }\n    public static void main(String[] args) {\n    assert(add(1, 2) == 3);\n    }\n\n}\n"
    code = (
        "public class Main {\n    public static long add(long x, long y) {\n        return Helper.sum(x, y);\n    }\n"
        "    public static void main(String[] args) {\n        System.out.println(add(1, 1));\n    }\n}\n"
        "class Helper {\n    static long sum(long x, long y) { return x + y; }\n}\n"
    )
    joined = join_tests("java", prompt, "add", code, tests)
    assert joined.count("void main") == 1
    assert "class Problem" in joined
    assert "Main" not in joined
    assert joined.index("assert") < joined.index("class Helper")
    alone = join_tests("java", prompt, "add", "public static long add(long x, long y) {\n  return x + y;\n}", tests)
    assert alone.count("class Problem") == 1


def test_the_block_that_defines_the_function_is_the_program():
    answer = "```bash\nadd() {\n  echo 1\n}\n```\nUse it:\n```bash\nx=$(add 1 2)\n```\n```\n3\n```"
    assert extract_code(answer, ("sh", "bash"), "add") == "add() {\n  echo 1\n}\n"
    assert extract_code("no block", ("sh", "bash"), "add") is None
    assert extract_code("```python\nadd = 1\n```", ("sh",), "add") is None
    assert extract_code("```js\nlet x = 1", ("js",), "add") == "let x = 1"
    assert [label for label, _text in find_blocks("```js\n1\n```ts\n2\n```")] == ["js", "ts"]


def test_reading_an_answer_is_linear():
    import time

    started = time.process_time()
    for text in (
        "```js\n" * 100_000,
        "{" * 500_000,
        "/*" * 300_000,
        '"' * 500_000,
        "class A {\n" * 50_000,
        "int add(" * 60_000,
        "function add(" + "\nexport {" * 60_000,
        "func add(" + "\nimport (" * 60_000,
    ):
        code = extract_code(text, ("js",), "add") or text
        for language in ("cpp", "java", "js", "sh", "go"):
            join_tests(language, "int add(int x) {\n", "add", code, "}\n")
    assert time.process_time() - started < 10


def test_rows_without_tests_and_languages_without_a_recipe_are_one_line():
    with pytest.raises(DataError, match="problem x has no tests"):
        read_problem({"task_id": "x", "prompt": "p"})
    with pytest.raises(UsageError, match="no recipe for the language 'cobol'"):
        find_recipe("cobol")
    with pytest.raises(UsageError, match="no recipe"):
        find_recipe("../benchmarks/aime24")


def test_every_recipe_has_its_benchmark_and_names_what_it_needs():
    entries = list_benchmarks()
    for language, recipe in list_languages().items():
        if language == "unittest":
            continue
        entry = entries[f"multipl_e_{language}"]
        assert entry.grader_options == {"language": language}
        assert f"```{entry.question.split('```')[1].split(chr(10))[0]}" in entry.question
        assert entry.question.split("```")[1].partition("\n")[0].rstrip(".") in recipe.labels
        assert all(tool in entry.needs for tool in recipe.tools)
    assert find_function(PROGRAMS["cpp"].prompt) == "add"


def test_a_folder_of_responses_is_graded(tmp_path: pathlib.Path, run_script):
    case = PROGRAMS["sh"]
    row = {"task_id": "one", "prompt": case.prompt, "tests": case.tests}
    entry = {"grader": "language", "grader_options": {"language": "sh"}, "question": "{problem}", "samples_per_seed": 1}
    (tmp_path / "entries").mkdir()
    (tmp_path / "entries" / "little_sh.json").write_text(json.dumps(entry))
    (tmp_path / "entries" / "little_sh.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "out").mkdir()
    outputs = [f"```bash\n{case.whole}\n```", "```bash\nadd() {\n  echo 9\n}\n```", "no program"]
    for number, output in enumerate(outputs):
        (tmp_path / "out" / f"seed{number}.jsonl").write_text(json.dumps({"task_id": "one", "output": output}) + "\n")
    done = run_script(
        "python", "evaluate_aime.py", "-g", str(tmp_path / "out"), "-q", "little_sh", "--workers", "1",
        env={"BENCHMARKS_DIR": str(tmp_path / "entries")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "out" / "verdicts.jsonl").read_text().splitlines()]
    assert [line["verdict"] for line in sorted(lines, key=lambda line: line["seed"])] == [
        "correct",
        "runtime_error",
        "no_answer",
    ]
    assert "sandbox: holds" in done.stdout


UNITTEST = {
    "task_id": "B/1", "entry_point": "task_func", "code_prompt": "import json\ndef task_func(x):\n", "prompt": "import json\n",
    "test": "import unittest, tempfile, os\nclass TestCases(unittest.TestCase):\n    def test_one(self):\n"
    "        with tempfile.TemporaryDirectory() as folder:\n            open(os.path.join(folder, 'x'), 'w').write('1')\n"
    "        self.assertEqual(task_func(1), '1')\n",
}  # fmt: skip


def test_a_unittest_file_runs_in_an_environment_of_the_users(monkeypatch):
    for python in ("/usr/bin/python3", "/usr/local/bin/python3", sys.executable):
        monkeypatch.setenv("PROGRAM_PYTHON", python)
        recipe = find_recipe("unittest")
        with open_toolchain(recipe) as toolchain:
            missing = find_missing(recipe, toolchain)
            if missing:
                continue
            problem = read_problem(UNITTEST)
            right = "def task_func(x):\n    return json.dumps(x)\nif __name__ == '__main__':\n    raise SystemExit(3)\n"
            results = [
                grade_in_language(toolchain, recipe, problem, code, 20.0)
                for code in (right, "    return json.dumps(x)\n", "def task_func(x):\n    return x\n")
            ]
            assert [result.verdict for result in results] == [Verdict.CORRECT, Verdict.CORRECT, Verdict.RUNTIME_ERROR]
            assert "1 of 1 tests failed" in results[2].reason
            quiet = "import sys, io\nsys.stdout = io.StringIO()\n"
            assert grade_in_language(toolchain, recipe, problem, right + quiet, 20.0).verdict is Verdict.CORRECT
            for end in ("raise SystemExit\n", "import os\nos._exit(0)\n"):
                ended = grade_in_language(toolchain, recipe, problem, right + end, 20.0)
                assert ended.reason == "ended with status 0 before its tests had ended"
            thief = "import os\ndef task_func(x):\n    return open(f'/proc/{os.getppid()}/environ').read() and '1'\n"  # nothing of the launcher
            stolen = grade_in_language(toolchain, recipe, problem, thief, 20.0)
            assert "PermissionError" in stolen.reason
            free = thief.replace("{os.getppid()}", "self").replace("environ", "maps")
            assert grade_in_language(toolchain, recipe, problem, free, 20.0).verdict is Verdict.CORRECT
        return
    pytest.skip(missing)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["js", "sh", "pl", "cpp", "java"])
def test_stored_solutions_agree_with_plain_runs(language, data_dir):
    path = data_dir / "breadth" / "multipl-e" / f"humaneval-{language}.jsonl"
    if not path.is_file():
        pytest.skip(f"there is no {path.name}: real data cannot be committed here")
    from perf.code.languages import measure

    line = measure(language, path, 12 if language in ("js", "sh", "pl") else 2, 15.0)
    if "skipped" in line:
        pytest.skip(line)
    assert "; 0 differ" in line
