# What a newcomer types: `make demo` and `make test`. Every target makes .venv first if it is not there.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON3 ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip's own variable for a folder of wheels is handed on to uv; without one, uv takes torch's CPU build.
UV := UV_FIND_LINKS="$${UV_FIND_LINKS:-$${PIP_FIND_LINKS:-}}" $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode
TORCH_CPU := $(if $(UV_FIND_LINKS)$(PIP_FIND_LINKS),,--torch-backend cpu)
JOBS ?= 2
SHARED_OUT := -n $(JOBS) --dist loadfile
COMPILE := $(BIN)/python -m compileall -q tools

.PHONY: help install install-cpu install-grade install-dev install-test lint test test-fast test-light demo clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 24

$(BIN)/uv:
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed; set PYTHON3=/path/to/python3" >&2; exit 1; }
	$(PYTHON3) -m venv $(VENV) || { echo "python3 -m venv failed; install your system's python3-venv package" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet uv==0.13.9

install: $(BIN)/uv ## a GPU node: vLLM with CUDA
	$(UV) -r requirements.txt
	$(COMPILE)

install-cpu: $(VENV)/.installed-cpu ## a machine without GPU: vLLM's CPU build
$(VENV)/.installed-cpu: requirements-cpu.txt requirements-grade.txt requirements-cpu-overrides.txt | $(BIN)/uv
	$(UV) $(TORCH_CPU) --override requirements-cpu-overrides.txt -r requirements-cpu.txt
	$(COMPILE)
	touch $@

install-grade: $(BIN)/uv ## rescoring only: no torch, no vLLM
	$(UV) -r requirements-grade.txt
	$(COMPILE)

install-dev: $(VENV)/.installed-dev
$(VENV)/.installed-dev: requirements-dev.txt requirements-test.txt requirements-lm-eval.txt $(VENV)/.installed-cpu
	$(UV) -r requirements-dev.txt
	touch $@

install-test: $(VENV)/.installed-test
$(VENV)/.installed-test: requirements-test.txt requirements-grade.txt | $(BIN)/uv
	$(UV) -r requirements-grade.txt -r requirements-test.txt
	touch $@

lint: install-dev ## ruff, mypy, shellcheck
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck -x *.sh tools/*.sh .ci/run

# Short tests run in JOBS processes; the slow ones measure, kill and load engines, so each has the machine to itself.
# Commands that tests start as processes of their own are not measured.
test: lint ## everything: lint, types, all tests (vLLM on the CPU), coverage with a floor
	$(BIN)/python -m pytest -m "not slow" $(SHARED_OUT) --cov --cov-report= --cov-fail-under=0 --durations=10
	$(BIN)/python -m pytest -m slow --cov --cov-append --cov-report=term --durations=20

test-fast: install-dev ## the tests without those marked slow
	$(BIN)/python -m pytest -m "not slow" $(SHARED_OUT)

test-light: install-test ## the tests that need no vLLM, torch, browser or Ray, in under five minutes
	$(BIN)/python -m pytest -m "not slow and not vllm and not browser" $(SHARED_OUT) --durations=10 -ra

demo: install-cpu ## the whole job in minutes, with a tiny model on the CPU
	bash tools/demo.sh

clean: ## removes .venv and out
	rm -rf $(VENV) out
