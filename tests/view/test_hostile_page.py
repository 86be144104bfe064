"""What a stranger's run may not do to the page: read files elsewhere, or hang it with code that no highlighter ends."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from tests.support.browser import start_browser
from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import serve
from tools.store.files import sha256_of_file
from tools.view.opened import open_runs

TEXTS = {
    "python": [
        'f"{' * 3000,
        'f"{' * 20_000,
        "(" * 60_000,
        "@a(" * 20_000,
        "def f(" * 9000,
        "1_" * 14_000,
        "a." * 14_000,
    ],
    "json": ['[{"a":' * 4900, '[{"a":' * 20_000],
    "cpp": ["template<" * 3000, 'R"x(' * 7000, "a a(" * 7000, "a<" * 14_000, "a::" * 9000, "#include <" * 2900],
    "bash": ["$(" * 14_000, '"$(' * 9000, "`" * 29_000],
}


def poisoned(out: pathlib.Path, path: str) -> pathlib.Path:
    make_run(out, RunShape(problems=2, seeds=1, chars=50))
    [folder] = [child for child in out.iterdir() if child.is_dir()]
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["data"] = {"path": path, "sha256": "0"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize("way", ["absolute", "link inside the run", "climbing", "zero byte", "device"])
def test_a_manifests_path_is_not_opened_elsewhere(tmp_path: pathlib.Path, way: str) -> None:
    secret, out = tmp_path / "secret.jsonl", tmp_path / "out"
    secret.write_text('{"id": "60", "problem": "private"}\n')
    paths = {
        "absolute": str(secret),
        "link inside the run": str(out / "link.jsonl"),
        "climbing": str(out / ".." / "secret.jsonl"),
        "zero byte": "a\0.jsonl",
        "device": "/dev/zero.jsonl",
    }
    folder = poisoned(out, paths[way])
    os.symlink(secret, out / "link.jsonl")
    [run] = open_runs([out])
    dataset = run.datasets[folder.name]
    dataset.refresh()
    assert dataset.problems().path != pathlib.Path(paths[way])
    assert (dataset.problems().read("60") or {}).get("statement") != "private"


def test_a_file_beside_the_run_or_in_the_data_folder_is_shown(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (tmp_path / "out", tmp_path / "data"):
        place.mkdir()
        (place / "mine.jsonl").write_text('{"id": "60", "problem": "shown"}\n')
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    for place in (tmp_path / "out", tmp_path / "data"):
        folder = poisoned(tmp_path / "out" / place.name, str(place / "mine.jsonl"))
        [run] = open_runs([tmp_path / "out" / place.name]) if place.name == "data" else open_runs([folder.parent])
        dataset = run.datasets[folder.name]
        dataset.refresh()
        is_inside = place.name == "data"
        assert (dataset.problems().path == place / "mine.jsonl") is is_inside


def test_the_file_that_a_run_was_made_from_is_shown_wherever_it_lies(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "elsewhere.jsonl"
    file.write_text('{"id": "60", "problem": "shown"}\n')
    folder = poisoned(tmp_path / "out", str(file))
    for sha256, is_shown in ((sha256_of_file(file), True), ("0" * 64, False)):
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["data"]["sha256"] = sha256
        (folder / "manifest.json").write_text(json.dumps(manifest))
        [run] = open_runs([tmp_path / "out"])
        dataset = run.datasets[folder.name]
        dataset.refresh()
        assert (dataset.problems().path == file) is is_shown


@pytest.mark.browser
def test_no_code_block_takes_the_page_down(tmp_path: pathlib.Path) -> None:
    make_run(tmp_path / "run", RunShape(problems=2, seeds=1, chars=50))
    blocks = [(language, text) for language, texts in TEXTS.items() for text in texts]
    script = """
        const done = arguments[arguments.length - 1], blocks = arguments[0];
        import('./static/text.js').then((text) => {
          const faults = [];
          for (const [language, code] of blocks) {
            const block = text.codeBlock(code, language);
            document.body.append(block);
            if (block.textContent !== code) faults.push('text of ' + code.slice(0, 9));
            let depth = 0;
            for (let node = block; node; node = node.lastElementChild) depth += 1;
            if (depth > 60 || block.querySelectorAll('*').length > 20002) faults.push('tree of ' + code.slice(0, 9));
            block.remove();
          }
          const many = document.createElement('div');
          text.renderText(many, '```\\n'.repeat(50000));
          if (many.children.length > 5000) faults.push('blocks: ' + many.children.length);
          const honest = text.codeBlock('def f(x):\\n    return x + 1\\n', 'python');
          if (!honest.querySelector('.hl-keyword')) faults.push('no colours');
          done(faults);
        }).catch((error) => done([String(error)]));
    """
    with serve(tmp_path / "run") as served, start_browser(tmp_path / "profile") as browser:
        browser.open(served.url)
        browser.driver.set_script_timeout(100)
        assert browser.driver.execute_async_script(script, blocks) == []
