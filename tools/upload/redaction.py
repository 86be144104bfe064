"""What never leaves this machine: keys and tokens, in what a run recorded and in what a model wrote.

Records of ours (manifest, results) are cleaned. Texts are not changed: one that holds a secret of this environment is
refused, since a response that was altered is not the one that was graded.

>>> redact({"api_key": "none at all", "url": "http://me:pass@host/v1", "max_new_tokens": 16})
{'api_key': '(left out)', 'url': 'http://(left out)@host/v1', 'max_new_tokens': 16}
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.store.reading import BLOCK_BYTES, open_file

LEFT_OUT = "(left out)"
SECRET_WORDS = frozenset(
    ("token", "secret", "password", "passwd", "credential", "credentials", "authorization", "apikey")
)
# Shapes of keys as their makers document them: Hugging Face, OpenAI and others (sk-), GitHub, GitLab, AWS; bearer headers.
KEY_SHAPES = re.compile(
    r"\b(?:hf_|sk-|ghp_|gho_|github_pat_|glpat-)[A-Za-z0-9_-]{16,256}|\bAKIA[0-9A-Z]{16}\b|(?i:\bbearer +)[A-Za-z0-9._~+/=-]{8,512}"
)
USER_IN_URL = re.compile(r"(?<=://)[^/@\s]{1,256}(?=@)")
LEAST_SECRET = 12  # characters; what is shorter may be a word


def is_secret_name(name: str) -> bool:
    """Whether a field or variable of this name holds a secret.

    >>> [is_secret_name(name) for name in ("HF_TOKEN", "api-key", "max_new_tokens", "tokenizer")]
    [True, True, False, False]
    """
    words = re.split(r"[^a-z0-9]+", name.lower())
    return not SECRET_WORDS.isdisjoint(words) or ("api", "key") in itertools.pairwise(words) or words[-1:] == ["key"]


def own_secrets(environ: Mapping[str, str], *more: str | None) -> tuple[str, ...]:
    """Values of this environment that must not appear anywhere, the longest first."""
    values = {value.strip() for name, value in environ.items() if is_secret_name(name)} | {
        each for each in more if each
    }
    return tuple(sorted((value for value in values if len(value) >= LEAST_SECRET), key=len, reverse=True))


def redact(value: Any, secrets: Iterable[str] = (), home: str | None = None, *, by_name: bool = True) -> Any:
    """The same JSON without secrets; paths below the home folder begin with "~".

    `by_name`: also what stands under a name of a secret. Not where names are problems, of which one may be "token".
    """
    if isinstance(value, dict):
        return {
            redact(name, secrets, home): LEFT_OUT
            if by_name
            and isinstance(inner, str)
            and inner
            and is_secret_name(name)
            and not inner.startswith("<")  # <|eot|> is a mark
            else redact(inner, secrets, home, by_name=by_name)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [redact(inner, secrets, home, by_name=by_name) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, LEFT_OUT)
        value = USER_IN_URL.sub(LEFT_OUT, KEY_SHAPES.sub(LEFT_OUT, value))
        return value.replace(f"{home}{os.sep}", f"~{os.sep}") if home and len(home) > 1 else value
    return value


def holds_secret(path: Path, secrets: Iterable[str]) -> bool:
    """Whether a file holds one of these to the letter; read block by block. Raises OSError."""
    wanted = [secret.encode() for secret in secrets]
    overlap = max(map(len, wanted), default=0)
    if not wanted:
        return False
    with open_file(path) as file:
        before = b""
        while block := file.read(BLOCK_BYTES):
            if any(secret in before + block for secret in wanted):
                return True
            before = block[-overlap:]
    return False
