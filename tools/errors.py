"""Every error that the toolkit raises on purpose, as one tree.

    EvaluationError                 exit 1: the work failed or is incomplete
    ├── UsageError                  exit 2: the command line is wrong
    ├── DataError                   a problem file is missing, damaged or not what its name says
    │   └── FetchError              the hub or the network did not give the file
    ├── ModelError                  the model or its tokenizer cannot be loaded
    ├── EngineError                 the engine broke while it generated
    │   ├── EngineUnavailable       it cannot work at all, a server that is down for example; a restart does not help
    │   ├── EngineOutOfMemory       the batch was too large; a smaller one may pass
    │   └── RequestFailed           one request was answered with an error, by a server for example
    ├── StorageError                a file cannot be written: permissions, disk full, a damaged file
    │   ├── RunLocked               another run writes to this folder
    │   └── SettingsMismatch        the folder was made with other settings
    ├── UploadError                 the hub did not take a run, or may not have it
    ├── IncompleteRun               samples are missing, so there is no score
    ├── GradingError                an answer could not be graded; never the same as "wrong"
    │   └── LatexError              text that our LaTeX grammar does not read; carries the position
    └── SandboxError                a program could not be run under the promised protection

A message says what happened, where, and how to mend it, in one sentence on one line. Libraries raise; commands print
the line to stderr and exit with the class's `exit_code`:

>>> raise DataError("data/aime24.jsonl, line 7: not JSON; restore the line or delete the file to fetch it again")
Traceback (most recent call last):
tools.errors.DataError: data/aime24.jsonl, line 7: not JSON; restore the line or delete the file to fetch it again
"""

from __future__ import annotations

import sys
from collections.abc import Callable


class EvaluationError(Exception):
    """Root of the tree. `exit_code` is what a command exits with when this reaches it."""

    exit_code = 1


class UsageError(EvaluationError):
    """The command line cannot be meant as it stands."""

    exit_code = 2


class DataError(EvaluationError):
    """A problem file is missing, damaged or not what its name says."""


class FetchError(DataError):
    """The hub or the network did not give the file."""


class ModelError(EvaluationError):
    """The model or its tokenizer cannot be loaded."""


class EngineError(EvaluationError):
    """The engine broke while it generated."""


class EngineUnavailable(EngineError):
    """The engine cannot work at all, a server that is down for example; starting it again does not help."""


class EngineOutOfMemory(EngineError):
    """The batch was too large for the device's memory; a smaller one may pass."""


class RequestFailed(EngineError):
    """One request was answered with an error. It stays missing; it is never an empty answer."""


class StorageError(EvaluationError):
    """A file cannot be written or read back."""


class RunLocked(StorageError):
    """Another run writes to this folder."""


class SettingsMismatch(StorageError):
    """The folder was made with other settings than those asked for now."""


class UploadError(EvaluationError):
    """The hub did not take a run, or may not have it."""


class IncompleteRun(EvaluationError):
    """Samples are missing, so there is no score."""


class GradingError(EvaluationError):
    """An answer could not be graded; that is never the same as "wrong"."""


class LatexError(GradingError):
    """Text that our LaTeX grammar does not read. `position` is the offset in characters, -1 when unknown."""

    def __init__(self, message: str, position: int = -1) -> None:
        super().__init__(message)
        self.position = position


class SandboxError(EvaluationError):
    """A program could not be run under the promised protection."""


def printable(text: str, most: int | None = None) -> str:
    """One line without control characters: what others wrote may stand in it, and a terminal would obey.

    >>> printable("no such\\x1b[2J\\n file")
    'no such [2J file'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:most]).split())


def run_command(main: Callable[[], int]) -> int:
    """Runs a command's `main` and turns an EvaluationError into its one line on stderr and its exit code.

    Ctrl-C gives 130, a closed pipe (`| head`) 0, as shells expect.
    """
    try:
        return main()
    except EvaluationError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command continues where it was", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
