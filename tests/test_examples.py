"""Every example in a docstring of tools/ is run, so that none can tell a lie."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.test_architecture import MODULES

# Scripts that are run by their path in a process of their own.
NOT_IMPORTED = {"__main__", "sampling.guardian", "grading.math.symbolic_worker"}
# Of the process in which lm_eval lives.
NEEDS_LM_EVAL = {"lm_eval_tasks.tasks", "lm_eval_tasks.planning", "lm_eval_tasks.judging"}


@pytest.mark.parametrize("name", sorted(set(MODULES) - NOT_IMPORTED))
def test_the_examples_of_a_module_are_true(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in NEEDS_LM_EVAL:
        pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")
    module = importlib.import_module(f"tools.{name}" if name else "tools")
    failed = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL).failed
    assert failed == 0


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name for name, path in MODULES.items() if not path.read_text(encoding="utf-8").lstrip("r").startswith('"""')
    ]
    assert silent == []
