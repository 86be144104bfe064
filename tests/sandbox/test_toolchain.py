"""Programs in other languages are contained: files, network, processes, memory, output, time."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

import pytest

from tests.support.language_attacks import FORBIDDEN, GREEDY, write_program
from tools.errors import SandboxError
from tools.grading.code.language_recipes import find_recipe
from tools.sandbox import tree
from tools.sandbox.outcome import End
from tools.sandbox.toolchain import JobResult, LostJob, Toolchain, find_tool, folders_of_tool
from tools.sandbox.toolchain_filter import build_tree_filter
from tools.sandbox.tree import TreeLimits, find_tree

QUICK = TreeLimits(cpu_s=1.0, idle_s=1.5, data_bytes=512 << 20, folder_bytes=64 << 20)
LANGUAGES = ("js", "cpp", "sh")


@pytest.fixture(scope="module")
def toolchain() -> Iterator[Toolchain]:
    with Toolchain(["node", "g++", "bash", "sleep"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def outside() -> Iterator[dict[str, object]]:
    """What a program could reach: a file, a port, a process."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="victims-"))
    folder.chmod(0o755)
    (folder / "victim").write_text("expected output")
    with socket.create_server(("127.0.0.1", 0)) as server, subprocess.Popen(["sleep", "300"]) as bystander:
        port = server.getsockname()[1]
        yield {"victim": folder / "victim", "folder": folder, "port": port, "bystander": bystander.pid}
        bystander.kill()
    shutil.rmtree(folder)


def launch(toolchain: Toolchain, language: str, text: str, limits: TreeLimits = QUICK) -> JobResult:
    recipe = find_recipe(language)
    if any(toolchain.paths[tool] is None for tool in recipe.tools):
        pytest.skip(f"{' or '.join(recipe.tools)} is not on PATH: {', '.join(recipe.tools.values())}")
    toolchain.clear()
    toolchain.put(recipe.file, text.encode())
    if recipe.compile:
        compiled = toolchain.run(recipe.compile, recipe.limits_of_compiling())
        assert compiled.end is End.FINISHED, compiled.stderr.decode()
        toolchain.make_executable(recipe.compiled)
    return toolchain.run(recipe.run, limits)


def bodies(language: str) -> list[tuple[str, str]]:
    """Every program alone; those of C++ in one, since compiling takes a second."""
    if language != "cpp":
        return list(FORBIDDEN[language].items())
    forks = "\n".join(f"if (fork() == 0) {{ {body} exit(0); }}" for body in FORBIDDEN["cpp"].values())
    return [("all", forks + "\nwhile (wait(0) > 0) {}")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_forbidden_fails_and_changes_nothing(toolchain, outside, language):
    victim = pathlib.Path(str(outside["victim"]))
    before = (victim.read_text(), victim.stat(), sorted(os.listdir(victim.parent)))
    for name, body in bodies(language):
        text = write_program(language, body, launcher=toolchain.launcher_pid, **outside)
        result = launch(toolchain, language, text, TreeLimits(cpu_s=5.0, idle_s=5.0, writes=language == "sh"))
        assert b"YES" not in result.stdout, (name, result)
    after = (victim.read_text(), victim.stat(), sorted(os.listdir(victim.parent)))
    assert after[0] == before[0]
    for fact in ("st_mode", "st_uid", "st_mtime_ns"):
        assert getattr(after[1], fact) == getattr(before[1], fact)
    assert after[2] == before[2]
    assert pathlib.Path(f"/proc/{outside['bystander']}/stat").read_text().split()[2] == "S"


def test_a_compiler_shows_no_file_of_others(toolchain, outside):
    toolchain.clear()
    toolchain.put("a.cpp", f'#include "{outside["victim"]}"\n'.encode())
    result = toolchain.run(["g++", "a.cpp"], TreeLimits(writes=True))
    assert result.code == 1
    assert b"expected output" not in result.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_attacks_do_succeed_without_protection(outside, language):
    """They are attacks: what they try works where nothing holds it back."""
    body = {"js": FORBIDDEN["js"]["read"], "cpp": FORBIDDEN["cpp"]["udp"], "sh": FORBIDDEN["sh"]["tcp"]}[language]
    with Toolchain(["node", "g++", "bash"], without=["landlock", "seccomp"], is_unsafe_allowed=True) as unsafe:
        assert b"YES" in launch(unsafe, language, write_program(language, body, **outside)).stdout


ENDS = {
    "compute": {End.CPU_LIMIT}, "sleep": {End.IDLE_LIMIT}, "memory": {End.MEMORY, End.FAILED, End.CPU_LIMIT},
    "output": {End.FAILED, End.CPU_LIMIT, End.FINISHED}, "fork bomb": {End.CPU_LIMIT, End.FAILED, End.FINISHED, End.MEMORY},
    "survivor": {End.FINISHED}, "orphans that compute": {End.CPU_LIMIT}, "memory of many": {End.MEMORY},
    "threads": {End.FAILED}, "disk": {End.MEMORY}, "disk without names": {End.MEMORY},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "kind"), [(language, kind) for language in LANGUAGES for kind in GREEDY[language]]
)
def test_what_is_greedy_is_ended_with_all_that_it_started(toolchain, language, kind):
    started = time.monotonic()
    text = write_program(language, GREEDY[language][kind])
    limits = TreeLimits(**{**QUICK.__dict__, "writes": language == "sh"})
    result = launch(toolchain, language, text, limits)
    assert result.end in ENDS[kind], result
    assert len(result.stdout) <= limits.file_bytes
    assert result.cpu_s < 10 * limits.cpu_s
    assert time.monotonic() - started < 120
    assert find_tree(toolchain.launcher_pid) == []
    assert toolchain.run(["bash", "-c", "exit 5"]).code == 5  # the next one runs as if nothing had been


def test_a_job_finds_nothing_of_the_one_before(toolchain):
    writing = TreeLimits(writes=True)
    toolchain.run(["bash", "-c", "mkdir -p a/b; echo secret > a/b/c; echo secret; echo secret >&2"], writing)
    toolchain.clear()
    result = toolchain.run(["bash", "-c", "shopt -s globstar dotglob; echo **; cat <&1 <&2"], writing)
    assert result.stdout.split() == [b"**"] or b"secret" not in result.stdout + result.stderr
    assert os.listdir(toolchain.folder) == []


def test_a_deep_folder_and_links_to_outside_are_removed_without_following_them(toolchain, outside):
    nest = f"for i in {{1..300}}; do mkdir d && cd d; done; ln -s '{outside['folder']}' out"
    toolchain.run(["bash", "-c", nest], TreeLimits(writes=True))
    toolchain.clear()
    assert os.listdir(toolchain.folder) == []
    assert pathlib.Path(str(outside["victim"])).exists()


def test_input_exit_status_and_reason_arrive(toolchain):
    result = toolchain.run(["bash", "-c", "read x; echo got $x; echo why >&2; exit 3"], stdin=b"42\n")
    assert (result.end, result.code, result.stdout, result.reason) == (End.FAILED, 3, b"got 42\n", "exit status 3: why")


def test_a_command_that_is_absent_is_an_error_of_the_machine(toolchain):
    with pytest.raises(SandboxError, match="is not on PATH"):
        toolchain.run(["no-such-compiler"])
    with pytest.raises(SandboxError, match="cannot be started"):
        toolchain.run(["./nothing"])
    assert toolchain.run(["bash", "-c", "exit 0"]).end is End.FINISHED


def test_a_program_that_kills_the_launcher_is_lost_and_the_next_one_runs(toolchain):
    os.kill(toolchain.launcher_pid, 9)
    with contextlib.suppress(LostJob):
        toolchain.run(["bash", "-c", "exit 4"])
    assert toolchain.run(["bash", "-c", "exit 4"]).code == 4


def test_an_older_kernel_gets_narrower_signals(outside):
    assert build_tree_filter(has_scope=False) != build_tree_filter(has_scope=True)
    os.environ["SANDBOX_LANDLOCK_ABI"] = "3"
    try:
        with Toolchain(["bash", "g++"]) as old:
            assert old.protection.landlock_abi == 3
            kill = f"kill -9 {outside['bystander']} && echo YES; kill -STOP $PPID && echo YES; setsid true && echo YES; exit 6"
            result = old.run(["bash", "-c", kill])
            assert (result.code, result.stdout) == (6, b"")
            result = launch(old, "cpp", write_program("cpp", GREEDY["cpp"]["survivor"]))
            assert result.end is End.FINISHED
            assert find_tree(old.launcher_pid) == []
    finally:
        del os.environ["SANDBOX_LANDLOCK_ABI"]


def test_without_a_layer_nothing_is_run():
    with pytest.raises(SandboxError, match="no program is run without its protection"):
        Toolchain(without=["seccomp"])


def test_tools_below_folders_that_others_cannot_enter_are_passed_over(tmp_path, monkeypatch):
    if os.getuid() != 0:
        pytest.skip("as root only: others run as themselves")
    closed = tmp_path / "closed" / "bin"
    closed.mkdir(parents=True)
    (closed / "tool").write_text("#!/bin/sh\n")
    (closed / "tool").chmod(0o755)
    closed.parent.chmod(0o700)
    monkeypatch.setenv("PATH", str(closed))
    assert find_tool("tool") is None
    assert folders_of_tool("/opt/go/bin/go") == ["/opt/go"]
    assert folders_of_tool("/bin/x") == []


def test_a_tree_is_counted_with_its_deleted_files(tmp_path):
    (tmp_path / "kept").write_bytes(b"x" * 8192)
    assert tree.count_bytes(str(tmp_path), [], 1 << 20) >= 8192
    with (tmp_path / "gone").open("wb") as file:
        file.write(b"x" * 65536)
        file.flush()
        (tmp_path / "gone").unlink()
        assert tree.count_bytes(str(tmp_path), [os.getpid()], 1 << 30) >= 65536 + 8192
    assert tree.count_bytes(str(tmp_path), [], 100) == 101
