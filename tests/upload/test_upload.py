"""A run goes up whole, once, without secrets and without gated texts; what cannot go up is one line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ROOT
from tests.support.fake_runs import grades_from_rows, write_run
from tests.support.hub_uploads import TOKEN, UploadHub, serve_uploads
from tests.support.report_runs import RunShape, make_run
from tools.errors import run_command
from tools.upload.__main__ import main
from tools.upload.redaction import is_secret_name, redact
from tools.upload.selection import is_gated

pytest.importorskip("huggingface_hub", reason="uploads need huggingface_hub")
yaml = pytest.importorskip("yaml", reason="the card is read with PyYAML")

# huggingface_hub hands bodies to httpx in a way that httpx would have otherwise; not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
SECRET = "sk-proj-" + "a1B2" * 8
SHAPE = RunShape(problems=4, seeds=4, chars=300)


@pytest.fixture
def hub() -> Iterator[UploadHub]:
    with serve_uploads() as served:
        yield served


@pytest.fixture
def out(tmp_path: pathlib.Path) -> pathlib.Path:
    make_run(tmp_path / "out", SHAPE)
    return tmp_path / "out"


def start(out: pathlib.Path, endpoint: str) -> subprocess.Popen[str]:
    """The command as a user runs it."""
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    clean |= {"HOME": str(out.parent), "HF_HOME": str(out.parent / "hf"), "HF_ENDPOINT": endpoint}
    clean |= {"HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}
    command = [sys.executable, "-m", "tools", "upload", str(out), "--repo", "org/runs"]
    return subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def upload(
    out: pathlib.Path, endpoint: str, *words: str, token: str | None = TOKEN, **environ: str
) -> tuple[int, str, str]:
    """The command in this process, with huggingface_hub set as those variables would set it at its import."""
    from huggingface_hub import constants

    printed, errors = io.StringIO(), io.StringIO()
    repo = () if "--repo" in words else ("--repo", "org/runs")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if is_secret_name(name):
                patch.delenv(name)
        for name, value in {"HF_TOKEN": token, "HOME": str(out.parent), **environ}.items():
            if value:
                patch.setenv(name, value)
        patch.setattr(constants, "ENDPOINT", environ.get("HF_ENDPOINT", endpoint))
        patch.setattr(constants, "HF_HUB_OFFLINE", "HF_HUB_OFFLINE" in environ)
        patch.setattr(constants, "HF_TOKEN_PATH", str(out.parent / "token"))
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            code = run_command(lambda: main([str(out), *repo, *words]))
    return code, printed.getvalue(), errors.getvalue()


def front_matter(hub: UploadHub) -> dict[str, object]:
    card = hub.repositories["org/runs"].files["README.md"].decode()
    row: dict[str, object] = yaml.safe_load(card.split("---\n")[1])
    return row


def test_a_run_goes_up_with_everything_and_a_card(hub: UploadHub, out: pathlib.Path) -> None:
    code, printed, errors = upload(out, hub.endpoint)
    assert code == 0, errors
    assert printed.startswith(f"{hub.endpoint}/datasets/org/runs/commit/")
    files = hub.repositories["org/runs"].files
    names = {f"aime24/{name}" for name in ("verdicts.jsonl", "accuracy_results.json", "manifest.json")}
    names |= {f"aime24/seed{seed}.jsonl" for seed in range(100, 104)}
    assert set(files) == names | {"README.md", "report.html"}
    for name in ("verdicts.jsonl", "seed100.jsonl"):
        assert files[f"aime24/{name}"] == (out / "aime24" / name).read_bytes()
    assert not hub.repositories["org/runs"].is_private
    saved = json.loads((out / "aime24" / "accuracy_results.json").read_text())
    (index,) = front_matter(hub)["model-index"]  # type: ignore[misc,attr-defined]
    metric = index["results"][0]["metrics"][0]
    assert metric["value"] == pytest.approx(100 * saved["avg_at_k"], abs=0.005)
    for name in ("sampling_error", "total_error"):
        assert metric["args"][name] == pytest.approx(100 * saved[name], abs=0.005)
    card = files["README.md"].decode()
    for part in (
        "git checkout 2fdc07c",
        "hf download org/runs",
        "python evaluate.py run",
        "| temperature | 0.6 |",
        "32768",
    ):
        assert part in card


def test_the_hub_reads_the_scores_of_the_card(hub: UploadHub, out: pathlib.Path) -> None:
    from huggingface_hub.repocard_data import model_index_to_eval_results

    assert upload(out, hub.endpoint)[0] == 0
    name, results = model_index_to_eval_results(front_matter(hub)["model-index"])  # type: ignore[arg-type]
    assert name == "Reasoner-7B"
    assert [each.metric_type for each in results] == ["avg@4", "pass@4", "maj@4"]
    assert results[0].dataset_type == "HuggingFaceH4/aime_2024"
    assert results[0].source_url == f"{hub.endpoint}/datasets/org/runs"


def test_what_is_there_can_be_graded_again_as_the_card_says(
    hub: UploadHub, tmp_path: pathlib.Path, run_script: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    folder = tmp_path / "out" / "aime_sample"
    folder.mkdir(parents=True)
    rows = [json.loads(line) for line in (ROOT / "data" / "aime_sample.jsonl").read_text().splitlines()]
    for seed in (100, 101):
        texts = [
            f"So \\boxed{{{int(row['answer']) + (seed == 101 and place % 3 == 0)}}}." for place, row in enumerate(rows)
        ]
        lines = [
            json.dumps({"task_id": row["id"], "output": text, "seed": seed})
            for row, text in zip(rows, texts, strict=True)
        ]
        (folder / f"seed{seed}.jsonl").write_text("\n".join(lines) + "\n")
    assert run_script("python", "evaluate.py", str(tmp_path / "out")).returncode == 0
    assert upload(tmp_path / "out", hub.endpoint)[0] == 0
    for name, body in hub.repositories["org/runs"].files.items():
        path = tmp_path / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    for name in ("verdicts.jsonl", "accuracy_results.json"):
        (tmp_path / "run" / "aime_sample" / name).unlink()
    again = run_script("python", "evaluate.py", str(tmp_path / "run"))
    assert again.returncode == 0, again.stderr
    scores = [
        json.loads((tmp_path / out / "aime_sample/accuracy_results.json").read_text())["avg_at_k"]
        for out in ("out", "run")
    ]
    assert scores[0] == scores[1]
    assert 0 < scores[0] < 1


def test_repeating_changes_nothing_and_what_is_gone_goes(hub: UploadHub, out: pathlib.Path) -> None:
    assert upload(out, hub.endpoint)[0] == 0
    repo = hub.repositories["org/runs"]
    before = dict(repo.files)
    assert upload(out, hub.endpoint)[0] == 0
    assert (repo.files, len(repo.commits)) == (before, 1)
    repo.files |= {"aime24/seed999.jsonl": b"{}\n", "aime24/notes.md": b"of somebody", "other/seed1.jsonl": b""}
    assert upload(out, hub.endpoint)[0] == 0
    assert repo.files == {**before, "aime24/notes.md": b"of somebody", "other/seed1.jsonl": b""}


def test_an_upload_that_is_killed_leaves_nothing_half_and_goes_on(out: pathlib.Path) -> None:
    """Killed while large files are on their way; then the same command gives what one in peace gives."""
    with serve_uploads() as peaceful:
        assert upload(out, peaceful.endpoint)[0] == 0
        wanted = {name: body.replace(peaceful.endpoint.encode(), b"") for name, body in peaceful.repositories["org/runs"].files.items()}  # fmt: skip
    with serve_uploads(large_bytes=2000, bytes_per_s=60_000) as slow:
        run = start(out, slow.endpoint)
        end = time.monotonic() + 30
        while time.monotonic() < end and not any(line.startswith("PUT /lfs/") for line in slow.requested):
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert any(line.startswith("PUT /lfs/") for line in slow.requested)
        assert slow.repositories["org/runs"].files == {}
        slow.bytes_per_s = None
        again = start(out, slow.endpoint)
        assert again.communicate(timeout=60)[1].startswith("uploading 9 files")
        assert again.returncode == 0
        files = {name: body.replace(slow.endpoint.encode(), b"") for name, body in slow.repositories["org/runs"].files.items()}  # fmt: skip
    assert files == wanted


@pytest.mark.parametrize(("name", "is_private"), [((), False), (("--private",), True)])
def test_private_is_private(hub: UploadHub, out: pathlib.Path, name: tuple[str, ...], is_private: bool) -> None:
    assert upload(out, hub.endpoint, *name)[0] == 0
    assert hub.repositories["org/runs"].is_private is is_private


def test_private_into_a_public_repository_is_refused(hub: UploadHub, out: pathlib.Path) -> None:
    assert upload(out, hub.endpoint)[0] == 0
    before = dict(hub.repositories["org/runs"].files)
    (out / "aime24" / "verdicts.jsonl").write_text((out / "aime24" / "verdicts.jsonl").read_text() + "\n")
    code, _, errors = upload(out, hub.endpoint, "--private")
    assert code == 1
    assert "is public" in one_error(errors)
    assert hub.repositories["org/runs"].files == before


def one_error(errors: str) -> str:
    """The line of the error, which is the last one and the only one of its kind; no traceback, no secret."""
    lines = errors.rstrip("\n").split("\n")
    assert lines[-1].startswith("error: "), errors
    assert "Traceback" not in errors
    assert TOKEN not in errors
    assert SECRET not in errors
    return lines[-1]


def test_without_a_token_it_is_one_line(hub: UploadHub, out: pathlib.Path) -> None:
    code, _, errors = upload(out, hub.endpoint, token=None)
    assert code == 1
    assert "HF_TOKEN" in one_error(errors)
    assert hub.requested == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"token": "hf_wrong" + "0" * 20}, "refuses (401)"),
        ({"fail": 500}, "answers with 500"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "check the network and HF_ENDPOINT"),
    ],
)
def test_a_hub_that_does_not_take_it_is_one_line(
    hub: UploadHub, out: pathlib.Path, change: dict[str, object], said: str
) -> None:
    hub.fail_with = change.pop("fail", None)  # type: ignore[assignment]
    code, _, errors = upload(out, hub.endpoint, **change)  # type: ignore[arg-type]
    assert code == 1
    assert said in one_error(errors)
    assert hub.repositories == {}


@pytest.mark.parametrize(
    "words", [("--repo", "norepo"), ("--repo", "a/b/c"), ("--repo", "a/../b"), ("--include-gated",)]
)
def test_a_wrong_command_is_exit_2(out: pathlib.Path, words: tuple[str, ...]) -> None:
    code, _, errors = upload(out, "http://127.0.0.1:9", *words)
    assert code == 2
    one_error(errors)


def test_an_incomplete_run_is_refused_unless_allowed(hub: UploadHub, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out"
    grades = grades_from_rows({"1": [1, 0], "2": [1]}, [100, 101])
    texts = {grade.key: "So 204." for grade in grades}
    write_run(out / "aime24", grades, texts=texts, seeds=[100, 101], allow_incomplete=True)
    code, _, errors = upload(out, hub.endpoint)
    assert code == 1
    assert "1 samples are missing; complete the run, or give --allow-incomplete" in one_error(errors)
    assert hub.repositories == {}
    assert upload(out, hub.endpoint, "--allow-incomplete")[0] == 0
    card = hub.repositories["org/runs"].files["README.md"].decode()
    assert "aime24 is incomplete: 1 samples are missing, so it has no score" in card
    assert "model-index" not in front_matter(hub)


def test_ungraded_and_torn_apart_runs_are_refused(hub: UploadHub, tmp_path: pathlib.Path) -> None:
    make_run(tmp_path / "out", SHAPE, is_graded=False)
    assert "not graded" in one_error(upload(tmp_path / "out", hub.endpoint)[2])
    make_run(tmp_path / "half", SHAPE)
    (tmp_path / "half" / "aime24" / "seed101.jsonl").unlink()
    assert "no responses of seed 101" in one_error(upload(tmp_path / "half", hub.endpoint)[2])
    make_run(tmp_path / "two", SHAPE)
    path = tmp_path / "two" / "aime24" / "verdicts.jsonl"
    path.write_text(path.read_text().replace('"verdict": "correct", "score": 1.0', '"verdict": "wrong", "score": 0.0'))
    assert "two gradings" in one_error(upload(tmp_path / "two", hub.endpoint)[2])
    assert hub.repositories == {}


def test_gated_texts_stay_here(hub: UploadHub, tmp_path: pathlib.Path) -> None:
    """Question, response, answer and reason are marked; not one byte of a mark is sent, to any address."""
    out = tmp_path / "out"
    make_run(out, SHAPE)
    mark = "MARKED-TEXT"
    grades = grades_from_rows({"1": [1, 0], "2": [1, 1]}, [100, 101])
    for grade in grades:
        object.__setattr__(grade, "answer", mark)
        object.__setattr__(grade, "reason", mark)
        object.__setattr__(grade, "details", {"excerpt": mark})
    manifest = {"model": "some/model", "first_prompt": mark, "questions": [mark], "settings": {"system_prompt": mark * 40, "temperature": 0.6}}  # fmt: skip
    for name in ("gpqa_diamond", "lm__gpqa_main"):
        write_run(
            out / name, grades, dataset=name, set_name=name, texts={grade.key: mark for grade in grades}, manifest=manifest,
            sections={"samples": [mark]},
        )  # fmt: skip
        (out / name / "judgments.jsonl").write_text(json.dumps({"messages": mark}) + "\n")
    code, _, errors = upload(out, hub.endpoint)
    assert code == 0, errors
    assert "gpqa_diamond: its authors give it out on conditions" in errors
    files = hub.repositories["org/runs"].files
    assert {name for name in files if "gpqa" in name} == {
        f"{folder}/{name}"
        for folder in ("gpqa_diamond", "lm__gpqa_main")
        for name in ("verdicts.jsonl", "accuracy_results.json", "manifest.json")
    }
    assert [name for name, body in files.items() if mark.encode() in body] == []
    assert b"gpqa_diamond" not in files["report.html"]
    verdicts = [json.loads(line) for line in files["gpqa_diamond/verdicts.jsonl"].splitlines()]
    assert [row["verdict"] for row in verdicts] == [grade.verdict.value for grade in grades]
    card = files["README.md"].decode()
    assert "- gpqa\\_diamond" in card or "- gpqa_diamond: its authors give it out on conditions" in card
    assert {row["config_name"] for row in front_matter(hub)["configs"]} == {"aime24"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "gated"),
    [("gpqa_diamond", True), ("GPQADiamond", True), ("lm__gpqa_main_n_shot", True), ("hle_choice", True), ("HLE", True),
     ("aime24", False), ("livecodebench", False), ("my_hleborad", False), ("aggregated_set", False)],
)  # fmt: skip
def test_gated_benchmarks_are_known_by_entry_and_by_name(name: str, gated: bool) -> None:
    assert is_gated(name) is gated


def test_records_lose_their_secrets(hub: UploadHub, out: pathlib.Path) -> None:
    path = out / "aime24" / "manifest.json"
    row = json.loads(path.read_text())
    row["settings"] |= {"base_url": "http://me:hunter2@host/v1", "extra": f"x {SECRET} y", "api_key": "anything"}
    row["hub"] = {"HF_TOKEN": TOKEN, "header": "Bearer abcdefghijklmnop"}
    path.write_text(json.dumps(row))
    code, _, errors = upload(out, hub.endpoint, OPENAI_API_KEY=SECRET)
    assert code == 0, errors
    whole = b"\n".join(hub.repositories["org/runs"].files.values())
    for secret in (SECRET, TOKEN, "hunter2", "anything", "abcdefghijklmnop"):
        assert secret.encode() not in whole
    assert json.loads(hub.repositories["org/runs"].files["aime24/manifest.json"])["settings"]["temperature"] == 0.6
    assert hub.repositories["org/runs"].files["aime24/accuracy_results.json"].strip() == (out / "aime24" / "accuracy_results.json").read_bytes().strip()  # fmt: skip


def test_a_problem_may_be_called_token() -> None:
    labels = {"labels": {"year": {"token_key": "2024"}}}
    assert redact(labels, by_name=False) == labels
    assert redact({"api_key": "short"}) == {"api_key": "(left out)"}


@pytest.mark.parametrize("name", ["seed101.jsonl", "verdicts.jsonl"])
def test_a_text_with_a_secret_of_this_machine_is_refused(hub: UploadHub, out: pathlib.Path, name: str) -> None:
    path = out / "aime24" / name
    lines = path.read_text().splitlines()
    row = json.loads(lines[1])
    row["output" if "output" in row else "reason"] = f"my key is {SECRET}"
    path.write_text("\n".join([lines[0], json.dumps(row), *lines[2:]]) + "\n")
    code, _, errors = upload(out, hub.endpoint, OPENAI_API_KEY=SECRET)
    assert code == 1
    assert f"{name} holds a key or token" in one_error(errors)
    assert hub.repositories == {}


def test_a_link_is_not_followed(hub: UploadHub, out: pathlib.Path) -> None:
    path = out / "aime24" / "seed100.jsonl"
    path.rename(out / "elsewhere")
    path.symlink_to(out / "elsewhere")
    code, _, errors = upload(out, hub.endpoint)
    assert code == 1
    assert "a link" in one_error(errors)
    assert hub.repositories == {}


def test_a_dry_run_asks_nobody_and_shows_the_card(hub: UploadHub, out: pathlib.Path) -> None:
    code, printed, errors = upload(out, hub.endpoint, "--dry-run", token=None)
    assert code == 0, errors
    assert hub.requested == []
    assert "aime24/seed103.jsonl" in printed
    assert "nothing was sent" in printed
    assert "model-index:" in printed


def test_hostile_names_stay_names(hub: UploadHub, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out"
    name = 'x"\n---\ntags: [evil]\n<script>|\x1b[31m\u2028'
    grades = grades_from_rows({"1": [1, 0], "2": [1, 1]}, [100, 101])
    write_run(out / "aime24", grades, model=name, texts={grade.key: "So 204." for grade in grades})
    code, _, errors = upload(out, hub.endpoint)
    assert code == 0, errors
    assert front_matter(hub)["tags"] == ["evaluation", "reasoning", "responses"]
    card = hub.repositories["org/runs"].files["README.md"].decode()
    assert "<script>" not in card.split("---\n", 2)[2]
