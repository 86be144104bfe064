"""Tasks of lm-eval through the front doors: planned, sampled and graded as any benchmark, refused in one line."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.lm_eval_runs import TaskFolder, make_folder, read_rows, write_made_up
from tests.support.openai_server import serve_openai
from tests.support.real_runs import SCRIPTED

pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")

SIX = ("made_sums", "made_more_sums", "made_votes", "made_translation", "made_group", "made_even_group")
DEMO_MODEL = ROOT / "data" / "demo_model"
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> TaskFolder:
    made = make_folder(tmp_path_factory.mktemp("lm_eval"))
    write_made_up(made)
    facts = made.path.parent / "facts.jsonl"
    made.write_task("made_facts_generative", facts, output_type="generate_until", test_split="test", doc_to_text="fact")
    return made


def sample(
    run: Run, folder: TaskFolder, out: pathlib.Path, names: str, *, model: pathlib.Path = DEMO_MODEL, **options: str
) -> Any:
    settings = {"ENGINE": SCRIPTED, "SEEDS": "100", "OUT_SEQ_LEN": "64", "GPUS": "1"}
    command = ("python", "inference.py", "--model", model, "--out", out, "--benchmarks", names)
    return run(*command, env={**folder.environment, **settings, **options})


@pytest.mark.slow
def test_six_tasks_in_one_command_load_the_model_once(
    run_script: Run, folder: TaskFolder, tmp_path: pathlib.Path
) -> None:
    out, loads = tmp_path / "out", tmp_path / "loads"
    options = {"SCRIPT_LOADS": str(loads), "SCRIPT_ANSWER": "Q: so</think>\nThe answer is 7. Q: The answer is 8."}
    done = sample(run_script, folder, out, ",".join(f"lm:{name}" for name in SIX), **options)
    assert done.returncode == 0, done.stderr
    assert len(loads.read_text().split()) == 1
    for name in SIX:
        place = out / f"lm__{name}"
        planned = json.loads((place / "manifest.json").read_text())["planned"]
        assert planned["version"] == "0.4.13"
        assert planned["name"] == name
        assert all("config" in task for task in planned["tasks"].values())
        assert len(read_rows(place / "seed100.jsonl")) == len(read_rows(place / "problems.jsonl"))
    assert (out / "lm__made_votes" / "seed101.jsonl").is_file()  # its two repeats are two samples

    # The run's own copy of the plan is what is graded, whatever lies elsewhere.
    shutil.rmtree(folder.path.parent / "plans")
    (folder.path.parent / "plans").mkdir()
    place = out / "lm__made_sums"
    graded = run_script(
        "python", "evaluate_aime.py", "-g", place, "--lm-metric", "exact_match,last", env=folder.environment
    )
    assert graded.returncode == 0, graded.stderr
    figures = json.loads((place / "accuracy_results.json").read_text())["lm_eval"]["by_seed"]["100"]["made_sums"]
    sevens = sum(row["answer"] == "7" for row in read_rows(place / "problems.jsonl"))
    assert 0 < sevens < 15
    assert figures["exact_match,last"] == sevens / 15  # 8 stands behind a text that stops the answer
    assert not (folder.path.parent / "plans" / "lm__made_sums.jsonl").exists()

    rows = read_rows(place / "problems.jsonl")
    rows[3]["doc_hash"] = "0" * 64
    stranger = tmp_path / "lm__made_sums"
    stranger.mkdir()
    shutil.copy(place / "seed100.jsonl", stranger)
    (stranger / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    shutil.copy(place / "problems.plan.json", stranger)
    refused = run_script("python", "evaluate_aime.py", "-g", stranger, env=folder.environment)
    assert refused.returncode == 1
    assert "its document 3 is not the one that was asked" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lm:humaneval", "runs a model's code without a sandbox, so it is not run; use this toolkit's humaneval"),
        ("lm:mbpp_instruct", "use this toolkit's mbpp"),
        ("lm:gsm8k_cot_zerosho", "did you mean lm:gsm8k_cot_zeroshot"),
        ("lm:made/sums", "is no name of a task"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    run_script: Run, folder: TaskFolder, tmp_path: pathlib.Path, name: str, words: str
) -> None:
    done = sample(run_script, folder, tmp_path / "out", name)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_server_is_told_the_generative_form_of_a_scored_task(
    run_script: Run, folder: TaskFolder, tmp_path: pathlib.Path
) -> None:
    with serve_openai() as (url, _):
        options = {"ENGINE": "openai", "OPENAI_BASE_URL": url, "CHECK_MODEL": "0"}
        done = sample(run_script, folder, tmp_path / "out", "lm:made_facts", **options)
    assert done.returncode == 2
    assert "choose its generative form lm:made_facts_generative" in done.stderr
    assert done.stderr.count("\n") == 1


def test_where_lm_eval_is_not_installed_one_line_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.errors import UsageError
    from tools.lm_eval_tasks.process import check_installed

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install -r requirements-lm-eval\.txt"):
        check_installed("lm:gsm8k")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["transformers", pytest.param("vllm", marks=pytest.mark.vllm)])
def test_choices_are_scored(run_script: Run, folder: TaskFolder, tmp_path: pathlib.Path, engine: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip(engine)
    out = tmp_path / "out"
    names = "lm:made_facts,lm:made_last_words"
    done = sample(run_script, folder, out, names, ENGINE=engine, DTYPE="float32", SEEDS="")
    assert done.returncode == 0, done.stderr
    for name in ("made_facts", "made_last_words"):
        place = out / f"lm__{name}"
        lines = {row["task_id"]: row for row in read_rows(next(place.glob("seed*.jsonl")))}
        assert len(list(place.glob("seed*.jsonl"))) == 1  # another seed would score the same
        for row in read_rows(place / "problems.jsonl"):
            wanted = plain_scores(torch, row["problem"], row["choices"])
            found = lines[row["id"]]["loglikelihoods"]
            assert [value for value, _ in found] == pytest.approx([value for value, _ in wanted], abs=2e-3)
            assert [is_greedy for _, is_greedy in found] == [is_greedy for _, is_greedy in wanted]
        graded = run_script("python", "evaluate_aime.py", "-g", place, env=folder.environment)
        assert graded.returncode == 0, graded.stderr


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["transformers", pytest.param("vllm", marks=pytest.mark.vllm)])
def test_whole_texts_are_scored_in_windows(
    run_script: Run, folder: TaskFolder, tmp_path: pathlib.Path, engine: str
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip(engine)
    model, out = tmp_path / "model", tmp_path / "out"
    shutil.copytree(DEMO_MODEL, model)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 8}))
    done = sample(run_script, folder, out, "lm:made_pages", model=model, ENGINE=engine, DTYPE="float32", SEEDS="")
    assert done.returncode == 0, done.stderr
    place = out / "lm__made_pages"
    lines = {row["task_id"]: row for row in read_rows(next(place.glob("seed*.jsonl")))}
    for row in read_rows(place / "problems.jsonl"):
        wanted = plain_windows(torch, row["problem"], 8)
        assert len(wanted) > 1
        assert [value for value, _ in lines[row["id"]]["loglikelihoods"]] == pytest.approx(wanted, abs=2e-3)
    graded = run_script("python", "evaluate_aime.py", "-g", place, env=folder.environment)
    assert graded.returncode == 0, graded.stderr
    mean = json.loads((place / "accuracy_results.json").read_text())["lm_eval"]["mean"]["made_pages"]
    assert mean["word_perplexity,none"] > 1


def plain_windows(torch: Any, text: str, limit: int) -> list[float]:
    """By the model alone, in the windows that lm-eval gives vLLM."""
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(DEMO_MODEL)
    model = AutoModelForCausalLM.from_pretrained(DEMO_MODEL, dtype=torch.float32)
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    tokens = tokenizer.encode(text, add_special_tokens=False)
    found = []
    for before, wanted in map(make_disjoint_window, get_rolling_token_windows(tokens, first, limit - 2, 1)):
        whole = [*before, *wanted]
        with torch.inference_mode():
            logs = model(torch.tensor([whole])).logits[0].log_softmax(-1)
        found.append(float(sum(logs[at - 1, whole[at]] for at in range(len(before), len(whole)))))
    return found


def plain_scores(torch: Any, context: str, choices: list[str]) -> list[tuple[float, bool]]:
    """By the model alone, as lm-eval describes it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(DEMO_MODEL)
    model = AutoModelForCausalLM.from_pretrained(DEMO_MODEL, dtype=torch.float32)
    found = []
    for choice in choices:
        whole, before = tokenizer.encode(context + choice), tokenizer.encode(context)
        with torch.inference_mode():
            logs = model(torch.tensor([whole])).logits[0].log_softmax(-1)
        places = range(len(before), len(whole))
        is_greedy = all(int(logs[at - 1].argmax()) == whole[at] for at in places)
        found.append((float(sum(logs[at - 1, whole[at]] for at in places)), is_greedy))
    return found
