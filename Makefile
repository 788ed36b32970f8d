# Four commands, each from a bare clone: make demo, make test, make check, make bench.
# They need Python 3.11 or newer (another one: make PYTHON=python3.13 test) and the network,
# once, for the packages that pyproject.toml names. Everything lands in .venv.

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11 python,\
            $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN      := .venv/bin
READY    := .venv/ready
EXAMPLES := build/examples

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    scan a made-up database dump, chat export and JS bundle"
	@echo "make test    the whole test suite"
	@echo "make check   lint, format, types, import contracts, and a proof of every rule"
	@echo "make bench   time this program's stages, whole runs and messages"
	@echo "make clean   remove .venv, build results and caches"

setup: $(READY)

# Anew only when what is to be installed has changed: the code itself is used where it lies.
$(READY): pyproject.toml
	$(if $(PYTHON),,$(error no Python 3.11 or newer was found; name one: make PYTHON=...))
	@echo "== setting up .venv with $(PYTHON): a minute, once"
	@$(PYTHON) -m venv .venv || { echo "venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY)
	@echo "== making up a dump, a chat export and a JS bundle, with keys that open nothing"
	@$(BIN)/python examples/make_examples.py $(EXAMPLES)
	@echo "== detector scan $(EXAMPLES)"
	@$(BIN)/detector scan --stats $(EXAMPLES) || test $$? -eq 1
	@echo "== done; exit status 1 of the scan means that it found something"

test: $(READY)
	@echo "== running the test suite, a worker a core"
	@$(BIN)/python -m pytest -n auto --maxprocesses 8

check: $(READY)
	@echo "== lint"
	@$(BIN)/ruff check .
	@echo "== format"
	@$(BIN)/ruff format --check .
	@echo "== types"
	@$(BIN)/mypy
	@echo "== import contracts"
	@$(BIN)/lint-imports
	@echo "== rules: samples match, counter-examples do not, time grows linearly"
	@$(BIN)/detector rules check

bench: $(READY)
	@echo "== benches: found first, then timed"
	@$(BIN)/python -m pytest bench --benchmark-only
	@echo "== records of earlier runs lie in bench/record/; how to compare with others: bench/README.md"

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	  .import_linter_cache .benchmarks
