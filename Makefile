# A make target per thing a developer does; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup run test thorough faults lint type fmt check example bench bench-gc clean

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes, and what was compiled for one of them is there for the next.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: .venv/installed ## Make the environment: .venv with everything Berth runs on, and .venv/bin/berth

run: setup ## Serve on 127.0.0.1:5000 with data in ./berth-data (ARGS="--listen 0.0.0.0:5000")
	@exec $(BIN)/berth serve --log-format text $(ARGS)

# More processes than small machines have cores: a quarter of the time a test waits, for a disk or for a clock. Files stay
# whole, as what is made for one is used by all of its tests, and those with the slowest tests come first.
test: .venv/installed-dev ## Run the whole test suite (ARGS="tests/unit" for a part)
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

thorough: .venv/installed-dev ## Run it with what is left out there for its time: more stores, more mutants
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not faults" $(ARGS)

faults: .venv/installed-dev ## Break everything on purpose, for some minutes, and count what is lost (ARGS="FILE" for a part)
	FAULTS_SECONDS=$${FAULTS_SECONDS:-120} $(BIN)/pytest -n 2 --dist loadfile -m "" $(or $(ARGS),tests/faults)

lint: .venv/installed-dev ## Check style and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

type: .venv/installed-dev ## Check types
	$(BIN)/mypy

fmt: .venv/installed-dev ## Format the code and repair what can be repaired by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint type test ## All that a change has to pass: lint, type, test

example: setup ## Write config.example.toml from the code
	$(BIN)/python -c 'from registry.config import render_example; print(render_example(), end="")' > config.example.toml

bench: setup ## Measure Berth and, where installed, its peers (ARGS="--help" lists the options)
	$(BIN)/python -m bench $(ARGS)

bench-gc: setup ## Measure the collector on a million blobs, and what requests notice of it
	$(BIN)/python -m bench.collecting $(ARGS)

clean: ## Remove the environment and all caches; data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: requirements.txt pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "Berth needs $(PYTHON), version 3.11 or newer (Debian and Ubuntu: apt-get install python3 python3-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Berth needs Python 3.11 or newer; this is $$($(PYTHON) --version). Another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) lacks the venv module: install the package python3-venv (Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	@touch $@
