"""A model of the hub: its commit, looked up before anything is recorded, and its files, fetched before a worker starts.

For the launcher and for Ray's actors. A name and a revision become a commit once; from then on the commit alone is used,
so that all workers, nodes and sessions have the same weights. A fetch that was killed goes on where it was. HF_ENDPOINT
(mirrors), HF_HUB_OFFLINE, HF_HOME and HF_TOKEN are read by huggingface_hub, at its import.

>>> is_hub_name("nvidia/AceReason-Nemotron-7B"), is_hub_name("data/demo_model"), is_hub_name("./local")
(True, False, False)
>>> hub_name("/cache/hub/models--org--tiny/snapshots/0123abc")
'org/tiny'
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import pathlib
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tools.errors import ModelError
from tools.models.folder import check_folder
from tools.store.hub_guard import guard_downloads

COMMIT = re.compile(r"[0-9a-f]{40}")
PROGRESS_EVERY_S = 10.0
REQUEST_TIMEOUT_S = 30.0
GIB = 1 << 30
# Other forms of the same weights, and what no engine reads.
NEVER_NEEDED = (
    "original/*", "metal/*", "onnx/*", "consolidated*", "*.pth", "*.gguf", "*.h5", "*.msgpack", "*.ot", "*.onnx",
    "*.png", "*.jpg", "*.jpeg", "*.gif", "*.pdf", "*.mp4",
)  # fmt: skip
OLD_WEIGHTS = ("*.bin", "*.pt")  # where there are safetensors as well
OF_A_TOKENIZER = ("*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "*.py")
NOT_OF_A_TOKENIZER = ("*.index.json",)


def is_hub_name(model: str) -> bool:
    """True for org/name, unless there is such a folder or the first part is one here."""
    path = pathlib.Path(model)
    if path.is_dir() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        return False
    return not path.parent.is_dir()


def hub_name(model: str) -> str:
    """The model's name on the hub where a folder of the hub's cache is given; anything else as it is."""
    for part in reversed(pathlib.PurePath(model).parts):
        if part.startswith("models--"):
            return part.removeprefix("models--").replace("--", "/", 1)
    return model


@dataclasses.dataclass(frozen=True)
class HubFile:
    """A file of a repository, and its size where the hub tells it."""

    path: str
    size: int


def find_commit(model: str, revision: str | None = None) -> str:
    """The commit that a revision stands for now; where the hub cannot be reached, in the cache. Raises ModelError."""
    if revision and COMMIT.fullmatch(revision):
        return revision
    hub = import_hub()
    cached = _cached_commit(hub, model, revision)
    if hub.constants.HF_HUB_OFFLINE:
        if cached is None:
            raise ModelError(
                f"{model}: not in the hub's cache {hub.constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE is set; unset it once to fetch the model, "
                "or set HF_HOME to where it is"
            )
        return cached
    try:
        with _as_model_error(hub, model, revision):
            return _ask_for_commit(hub, model, revision)
    except HubUnreachable as error:
        if cached is None:
            raise
        print(f"note: {error}; going on with commit {cached[:12]} of the cache", file=sys.stderr)
        return cached


def _ask_for_commit(hub: Any, model: str, revision: str | None) -> str:
    """By the hub's interface; by the headers of a file, where a mirror has only files."""
    commit = None
    with contextlib.suppress(hub.errors.EntryNotFoundError, ValueError, KeyError):
        commit = hub.HfApi().model_info(model, revision=revision, timeout=REQUEST_TIMEOUT_S).sha
    if not commit:
        url = hub.hf_hub_url(model, "config.json", revision=revision)
        commit = hub.get_hf_file_metadata(url, timeout=REQUEST_TIMEOUT_S).commit_hash
    if not commit:
        raise HubUnreachable(f"{model}: {hub.constants.ENDPOINT} does not tell its commit; give REVISION=<commit>")
    return str(commit)


def fetch_model(model: str, commit: str, *, weights: bool = True) -> pathlib.Path:
    """The folder with a model's files at a commit, fetched where they are missing. Raises ModelError.

    Without `weights` only what a tokenizer and a config are made of.
    """
    hub = import_hub()
    chosen = {"allow_patterns": None if weights else list(OF_A_TOKENIZER)}
    try:
        if hub.constants.HF_HUB_OFFLINE:
            raise HubUnreachable("HF_HUB_OFFLINE is set")
        with _as_model_error(hub, model, commit):
            files = _choose_files(hub, model, commit, weights)
            chosen = {"allow_patterns": [re.sub(r"([*?[])", r"[\1]", file.path) for file in files]}
            with _shown_progress(hub, model, commit, files):
                folder = pathlib.Path(hub.snapshot_download(model, revision=commit, **chosen))
    except HubUnreachable as error:
        folder = _fetched_before(hub, model, commit, chosen["allow_patterns"], error)
    if weights:
        check_folder(folder, has_tokenizer=False, shown=model)
    return folder


def fetch_files(name: str, commit: str, patterns: Sequence[str]) -> pathlib.Path:
    """The folder with those files of a repository at a commit, for what is no whole model. Raises ModelError."""
    hub = import_hub()
    try:
        if hub.constants.HF_HUB_OFFLINE:
            raise HubUnreachable("HF_HUB_OFFLINE is set")
        with _as_model_error(hub, name, commit):
            return pathlib.Path(hub.snapshot_download(name, revision=commit, allow_patterns=list(patterns)))
    except HubUnreachable as error:
        return _fetched_before(hub, name, commit, patterns, error)


def find_snapshot(model: str, commit: str | None) -> str:
    """Where the files of a fetched model are; the name as it is for a folder, or where nothing is fetched."""
    if commit is None or not COMMIT.fullmatch(commit) or not is_hub_name(model):
        return model
    hub = import_hub()
    folder = _repo_folder(hub, model) / "snapshots" / commit
    return str(folder) if (folder / "config.json").is_file() or (folder / "tokenizer_config.json").is_file() else model


class HubUnreachable(ModelError):
    """The hub does not answer; what is in the cache may do."""


def import_hub() -> Any:
    """huggingface_hub, quiet, and kept from writing outside its cache. Raises ModelError."""
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise ModelError("huggingface_hub is not installed; run `make install` or `make install-cpu`") from error
    huggingface_hub.logging.set_verbosity_error()
    guard_downloads()
    return huggingface_hub


def _repo_folder(hub: Any, model: str) -> pathlib.Path:
    return pathlib.Path(hub.constants.HF_HUB_CACHE) / f"models--{model.replace('/', '--')}"


def _cached_commit(hub: Any, model: str, revision: str | None) -> str | None:
    """What the revision stood for when the cache last heard of it."""
    reference = _repo_folder(hub, model) / "refs" / (revision or "main")
    try:
        commit = reference.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return commit if COMMIT.fullmatch(commit) else None


def _fetched_before(
    hub: Any, model: str, commit: str, patterns: Sequence[str] | None, reason: HubUnreachable
) -> pathlib.Path:
    """The snapshot that an earlier fetch left, without asking the hub."""
    ignored = None if patterns else [*NEVER_NEEDED, *OLD_WEIGHTS]
    try:
        options = {"allow_patterns": patterns, "ignore_patterns": ignored}
        folder = hub.snapshot_download(model, revision=commit, local_files_only=True, **options)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{model}: commit {commit[:12]} is not whole in the hub's cache {hub.constants.HF_HUB_CACHE} and cannot be fetched ({reason}); "
            "check the network, HF_ENDPOINT and HF_HOME"
        ) from error
    return pathlib.Path(folder)


def _choose_files(hub: Any, model: str, commit: str, weights: bool) -> list[HubFile]:
    listed = hub.HfApi().list_repo_tree(model, revision=commit, recursive=True)
    files = [HubFile(entry.path, entry.size or 0) for entry in listed if hasattr(entry, "size")]
    if not weights:
        return [file for file in files if _matches(file, OF_A_TOKENIZER) and not _matches(file, NOT_OF_A_TOKENIZER)]
    unwanted: tuple[str, ...] = NEVER_NEEDED
    if any("/" not in file.path and file.path.endswith(".safetensors") for file in files):
        is_only_consolidated = all(
            _matches(file, ("consolidated*",)) for file in files if file.path.endswith(".safetensors")
        )
        unwanted = tuple(name for name in unwanted if name != "consolidated*" or not is_only_consolidated)
        unwanted += OLD_WEIGHTS
    return [file for file in files if not _matches(file, unwanted)]


def _matches(file: HubFile, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(file.path, pattern) for pattern in patterns)


@contextlib.contextmanager
def _shown_progress(hub: Any, model: str, commit: str, files: Sequence[HubFile]) -> Iterator[None]:
    """Says what is fetched, every ten seconds how far it is, and at the end how long it took. Quiet when all is there."""
    repo = _repo_folder(hub, model)
    there = [file for file in files if (repo / "snapshots" / commit / file.path).exists()]
    total, had = sum(file.size for file in files), sum(file.size for file in there)
    if len(there) == len(files):
        yield
        return
    _check_room(repo, model, total - had)
    print(f"fetching {model} at commit {commit[:12]}, {_size(total - had)}, into {repo}", file=sys.stderr, flush=True)
    finished = [path for path in _blobs(repo) if path.suffix != ".incomplete"]
    before, started, ended = _bytes_of(finished), time.monotonic(), threading.Event()

    def show() -> None:
        while not ended.wait(PROGRESS_EVERY_S):
            got, seconds = max(0, _bytes_of(_blobs(repo)) - before), time.monotonic() - started
            rate = got / seconds
            left = f", about {(total - had - got) / rate / 60:.0f} min left" if got and total > had + got else ""
            print(
                f"{model}: {_size(had + got)} of {_size(total)}, {rate / 1e6:.1f} MB/s{left}",
                file=sys.stderr,
                flush=True,
            )

    hub.utils.disable_progress_bars()  # one line for the whole instead of one bar a file
    threading.Thread(target=show, daemon=True).start()
    try:
        yield
        print(f"{model}: fetched in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    finally:
        ended.set()


def _check_room(repo: pathlib.Path, model: str, wanted: int) -> None:
    place = next(parent for parent in repo.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if wanted > free:
        raise ModelError(
            f"{model}: {_size(wanted)} are to be fetched and {place} has room for {_size(free)}; free some, or set HF_HOME"
        )


def _blobs(repo: pathlib.Path) -> list[pathlib.Path]:
    return [path for path in (repo / "blobs").rglob("*") if path.is_file()]


def _bytes_of(paths: Sequence[pathlib.Path]) -> int:
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):  # it was finished and renamed meanwhile
            total += path.stat().st_size
    return total


def _size(count: int) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / (1 << 20):.1f} MiB"


@contextlib.contextmanager
def _as_model_error(hub: Any, model: str, revision: str | None) -> Iterator[None]:
    """What the hub or the network says, as one line with the remedy."""
    errors, constants = hub.errors, hub.constants
    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{model} is gated: accept its terms at {constants.ENDPOINT}/{model}, then set HF_TOKEN to a token of that account "
            "(or run `hf auth login`)"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"{model} has no revision {revision!r}; check REVISION") from error
    except errors.RepositoryNotFoundError as error:
        has_token = hub.get_token() is not None
        remedy = (
            "your HF_TOKEN may not see it" if has_token else "set HF_TOKEN (or run `hf auth login`) if it is private"
        )
        raise ModelError(
            f"{model}: {constants.ENDPOINT} has no such model that it shows us; check the name, {remedy}; for gated models accept the terms there"
        ) from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403):
            raise ModelError(
                f"{model}: {constants.ENDPOINT} refuses access ({status}); set HF_TOKEN to a valid token (or run `hf auth login`) and accept the "
                "model's terms there"
            ) from error
        raise HubUnreachable(f"{model}: {constants.ENDPOINT} answers with {status or _first_line(error)}") from error
    except errors.LocalEntryNotFoundError as error:
        raise HubUnreachable(
            f"{model}: {constants.ENDPOINT} cannot be reached; check the network and HF_ENDPOINT"
        ) from error
    except ModelError:
        raise
    except (OSError, ValueError) as error:
        raise ModelError(f"{model}: cannot be fetched ({_first_line(error)}); check the disk and HF_HOME") from error
    except Exception as error:
        if not type(error).__module__.startswith(("httpx", "requests", "urllib3", "hf_xet", "huggingface_hub")):
            raise
        raise HubUnreachable(
            f"{model}: {constants.ENDPOINT} cannot be reached ({_first_line(error)}); check the network and HF_ENDPOINT"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.split("\n")[0][:200] if text else type(error).__name__
