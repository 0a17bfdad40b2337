# The workshop. `make` alone prints this help. Everything is installed into .venv here, nothing elsewhere.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test lint coverage bench quality clean

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The tests that look at one part each; the others start whole services and would only make the figure rounder. Tracing
# makes them slower, so each may take longer than usual.
COVERED := tests/unit tests/contract tests/wire

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.run  ## set up, start the service, play the tutorial against it, draw its learning curve
	@$(BIN)/python -m sartor.lab.demo

serve: .venv/.run  ## set up and run the service in this folder (data in ./sartor-data)
	@$(BIN)/sartor serve

test: lint  ## set up and run every check that CI runs
	@$(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/.dev  ## style, formatting, types and the order of imports, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: .venv/.dev  ## measure which lines and branches the unit, contract and wire tests run; rewrites docs/coverage.md
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/coverage run -m pytest -q -n auto --dist loadfile --timeout 300 $(COVERED)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage json --quiet
	@$(BIN)/python -m tests.docs.coverage_page

bench: .venv/.bench  ## measure everything on this machine (needs wrk); a few minutes
	@$(BIN)/python -m benchmarks

quality: .venv/.run  ## compare how well it decides with other libraries; an hour or two, then only what changed
	@nice $(BIN)/python -m benchmarks.quality

clean:  ## remove what these commands made, except data
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# One stamp for each set of packages: written when its install has succeeded, stale when a pin or a range changes.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Sartor needs Python 3.11 or newer with its venv module; none was found." \
		"Install one (Debian: apt install python3-venv), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Sartor needs Python 3.11 or newer; $(PYTHON) is not." >&2; exit 1; }
	@echo "Making .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) could not make a virtual environment (Debian: apt install python3-venv)." >&2; exit 1; }

.venv/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Sartor into .venv ..."
	@$(PIP) --editable .
	@touch $@

.venv/.dev .venv/.bench: .venv/.%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Sartor and its $* tools into .venv ..."
	@$(PIP) --editable '.[$*]'
	@touch $@
