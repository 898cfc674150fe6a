# The door for people and for CI. `make demo` and `make check` set up all they need in .venv.
PYTHON ?= python3
UV_VERSION := 0.13.9
# test files that run side by side; each worker has a homeserver and a database of its own. They run in the order of
# their folders: the long stories first, thousands of short tests at the end, so that no worker waits for the other
WORKERS ?= 2
BIN := .venv/bin
export VIRTUAL_ENV := $(CURDIR)/.venv
.DEFAULT_GOAL := help
.PHONY: help setup demo check lint audit secrets test fuzz format catalogues bench clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

# One stamp for the environment: made again when the lock changes.
.venv/.ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dpobot needs Python 3.11 or newer: apt-get install python3 python3-venv, or make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "this Python has no venv: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --active --inexact --all-groups --locked --quiet
	@touch $@

setup: .venv/.ready ## make .venv with everything

demo: .venv/.ready ## a whole conversation on a throwaway homeserver, ending with an archive on disk
	@$(BIN)/dpobot demo

check: lint test ## format, lint, types, import contract, audit, secrets, all tests

lint: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m checks.audit
	$(BIN)/python -m checks.secrets

audit: .venv/.ready ## known vulnerabilities of what uv.lock pins
	$(BIN)/python -m checks.audit

secrets: .venv/.ready ## secrets in the repository's files
	$(BIN)/python -m checks.secrets

test: .venv/.ready
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

FUZZ_EXAMPLES ?= 5000

fuzz: .venv/.ready ## the fuzzing of `make test`, for long: FUZZ_EXAMPLES a test
	DPOBOT_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest -n $(WORKERS) --timeout 0 tests/fuzz

format: .venv/.ready ## let ruff format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCALE := dpobot/text/locale

catalogues: .venv/.ready ## collect the sentences to translate, and compile their translations
	$(BIN)/pybabel -q extract -F babel.cfg -k translatable --no-wrap --omit-header --add-location=file \
		--sort-by-file -o $(LOCALE)/dpobot.pot templates dpobot
	$(BIN)/pybabel -q update -D dpobot -d $(LOCALE) -i $(LOCALE)/dpobot.pot --no-wrap --no-fuzzy-matching \
		--ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -D dpobot -d $(LOCALE)

bench: .venv/.ready ## every benchmark, one after the other
	$(BIN)/python -m benchmarks.export
	$(BIN)/python -m benchmarks.upload
	$(BIN)/python -m benchmarks.commands
	$(BIN)/python -m benchmarks.staff_load
	$(BIN)/python -m benchmarks.redaction
	$(BIN)/python benchmarks/archive_memory.py
	$(BIN)/python -m benchmarks.viewer
	$(BIN)/python -m benchmarks.letters
	$(BIN)/python -m benchmarks.workers
	$(BIN)/python -m benchmarks.day --minutes 3

clean: ## remove what make made
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache tests/interop/node_modules
