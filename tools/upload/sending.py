"""Sends files to a dataset repository of the hub in one commit, through huggingface_hub.

One commit: a repository has all of a run or nothing new of it. What was sent before a kill is found by its hash and not
sent again, and files that a run no longer has are removed in the same commit, so that repeating it gives the same content.
HF_ENDPOINT, HF_TOKEN and HF_HOME are read by huggingface_hub.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.errors import UploadError, UsageError
from tools.models.hub import import_hub
from tools.upload.selection import UploadFile

REPO_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
# Files below a benchmark's folder that an earlier upload of ours may have left.
OURS = re.compile(
    r"(?:[0-9]+to[0-9]+_)?seed[0-9]+\.jsonl|verdicts\.jsonl|judgments\.jsonl|accuracy_results\w*\.json|manifest\.json"
)


def check_repo(repo: str) -> str:
    """The name, if it is one. Raises UsageError.

    >>> check_repo("org/my-runs")
    'org/my-runs'
    """
    if not REPO_NAME.fullmatch(repo):
        raise UsageError(f"--repo {repo!r} is no name of a repository; give organisation/name")
    return repo


def address_of(repo: str) -> str:
    return f"{import_hub().constants.ENDPOINT}/datasets/{repo}"


def find_token() -> str | None:
    """HF_TOKEN, or what `hf auth login` keeps."""
    token = import_hub().get_token()
    return str(token) if token else None


def send(files: Sequence[UploadFile], repo: str, token: str, *, message: str, is_private: bool = False) -> str:
    """Creates the repository if need be and commits the files; returns the commit's address. Raises UploadError."""
    hub = import_hub()
    hub.utils.disable_progress_bars()
    api = hub.HfApi(token=token)
    with _as_upload_error(hub, repo):
        api.create_repo(repo, repo_type="dataset", private=is_private or None, exist_ok=True)
        if is_private and not api.repo_info(repo, repo_type="dataset").private:
            raise UploadError(
                f"{repo} is there already and is public; make it private on the hub, or give another name"
            )
        old = stale_files(api.list_repo_files(repo, repo_type="dataset"), files)
        operations: list[Any] = [hub.CommitOperationDelete(name) for name in old]
        for file in files:
            content = str(file.content) if isinstance(file.content, Path) else file.content.encode()
            operations.append(hub.CommitOperationAdd(file.name, content))
        commit = api.create_commit(repo, operations, commit_message=message, repo_type="dataset")
    return str(commit.commit_url)


def stale_files(there: Sequence[str], files: Sequence[UploadFile]) -> list[str]:
    """Files of an earlier upload that this run does not have; what others put beside them stays.

    >>> stale_files(["a/seed1.jsonl", "a/seed2.jsonl", "a/notes.md", "README.md"], [UploadFile("a/seed1.jsonl", "")])
    ['a/seed2.jsonl']
    """
    names = {file.name for file in files}
    folders = {name.split("/")[0] for name in names if "/" in name}
    return [
        name
        for name in there
        if name not in names
        and name.count("/") == 1
        and name.split("/")[0] in folders
        and OURS.fullmatch(name.split("/")[1])
    ]


@contextlib.contextmanager
def _as_upload_error(hub: Any, repo: str) -> Iterator[None]:
    """What the hub or the network says, as one line with the remedy."""
    errors, endpoint = hub.errors, hub.constants.ENDPOINT
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise UploadError(f"{repo}: HF_HUB_OFFLINE is set; unset it to upload") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403, 404):
            raise UploadError(
                f"{repo}: {endpoint} refuses ({status}); check that HF_TOKEN may write to {repo.split('/')[0]}"
            ) from error
        raise UploadError(
            f"{repo}: {endpoint} answers with {status} ({_first_line(error)}); the same command goes on later"
        ) from error
    except UploadError:
        raise
    except Exception as error:
        if not isinstance(error, (OSError, ValueError, RuntimeError)) and not type(error).__module__.startswith(
            ("httpx", "requests", "urllib3", "hf_xet", "huggingface_hub")
        ):
            raise
        raise UploadError(
            f"{repo}: not uploaded to {endpoint} ({_first_line(error)}); check the network and HF_ENDPOINT, the same command goes on"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.split("\n")[0][:200] if text else type(error).__name__
