# make demo, make test and make check each set up their own virtual environment.
#
#   PYTHON    the Python to build it with (3.11 or newer)
#   PIP_ARGS  extra arguments for pip, for example an index with a CPU build of torch
#   VENV      where it lives

PYTHON ?= python3
PIP_ARGS ?=
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml

.PHONY: demo test parity lint format types check benchmarks clean

demo: $(VENV)/.demo-installed
	$(BIN)/ovrisis-bench demo --to demo

test: $(VENV)/.dev-installed
	$(BIN)/pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

parity: $(VENV)/.dev-installed
	$(BIN)/pytest tests/parity -rP -n 2 --all-parity-cases $(if $(CASES),--parity-cases $(CASES)) $(PYTEST_ARGS)

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev-installed
	$(BIN)/mypy

check: test lint types

benchmarks: $(VENV)/.dev-installed
	set -e; for script in confusion label_map prepared_reading rskt_speed baseline_speed device_counts; do \
	  $(BIN)/python benchmarks/$$script.py; done

clean:
	rm -rf $(VENV) demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.demo-installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --editable ".[fast]"
	@touch $@

$(VENV)/.dev-installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --editable ".[all,dev]"
	@touch $@
