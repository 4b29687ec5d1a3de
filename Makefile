# `make` says what there is. Needs Python 3.11 or later, and nothing else.

SHELL := /bin/sh
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo up check test release coverage mutants hooks bench lock clean environment check-environment

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: environment ## Watch customers being onboarded (ARGS="--json" for machines)
	@$(BIN)/perdure demo $(ARGS)

up: environment ## Run the whole stack in the foreground, until Ctrl-C
	@$(BIN)/perdure up $(ARGS)

test: check-environment ## The tests one runs all day: some of every kind, in three minutes (tests/all_day.txt)
	@$(BIN)/pytest @tests/all_day.txt -m "not slow" -n 3 --dist loadfile $(ARGS)

check: check-environment ## Everything that must hold before a change is kept
	@tests/browser/install_chromium.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --ignore=tests/browser -m "not alone" -n 3 --dist loadfile $(ARGS)
	$(BIN)/pytest tests/browser $(ARGS)
	$(BIN)/pytest --ignore=tests/browser -m "alone and not release" $(ARGS)

release: check-environment ## What takes too long for each change: a second demo, systems swapped one by one
	@$(BIN)/pytest --ignore=tests/browser -m release $(ARGS)

coverage: check-environment ## Which lines and branches no test without the stack runs
	@$(BIN)/pytest tests/unit tests/workflow tests/faults --cov $(ARGS)

mutants: check-environment ## Which change of our code no test notices (ARGS="once" for one target)
	@$(BIN)/python -m tests.mutants $(ARGS)

hooks: check-environment ## Look at each commit before it is made: format, lint, types, imports
	@$(BIN)/pre-commit install

bench: check-environment ## Measure what our mechanisms cost (ARGS="books --quick" for a look)
	@$(BIN)/python -m benchmarks $(ARGS)

lock: ## Choose versions anew, write them hashed into the locks (needs uv; UPGRADE= keeps pins)
	@command -v uv >/dev/null || { echo "This needs uv: https://docs.astral.sh/uv/"; exit 1; }
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --extra check pyproject.toml -o requirements-check.lock

clean: ## Remove the environment and caches; state in .perdure stays
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

UPGRADE = --upgrade
COMPILE = uv pip compile --universal --python-version 3.11 $(UPGRADE) --generate-hashes \
	--no-header --no-annotate --extra server --extra laptop --extra install

# What runs, or more: an environment that already has the test tools is left alone.
environment:
	@$(call installed,requirements-check.lock) || { $(call install,requirements.lock); }

check-environment:
	@$(call install,requirements-check.lock)

# A stamp holds the checksum of the lock and of pyproject.toml that an environment was made from.
stamp = .venv/made-from-$(1)
sum = cat $(1) pyproject.toml | cksum
installed = { $(BIN)/python -c '' 2>/dev/null && [ "$$($(call sum,$(1)))" = "$$(cat $(call stamp,$(1)) 2>/dev/null)" ]; }

define install
$(call installed,$(1)) || { set -e; \
	echo "Making .venv from $(1): it takes half a minute to three minutes, and up to 800 MB."; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
		for python in $(PYTHON) python3.13 python3.12 python3.11 python3 none; do \
			"$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		done; \
		if [ "$$python" = none ]; then \
			echo "No Python 3.11 or later with venv was found. Install one (Debian: apt-get install"; \
			echo "python3 python3-venv), or name it: make PYTHON=/path/to/python3"; \
			exit 1; \
		fi; \
		"$$python" -m venv --clear .venv; \
	fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	$(call sum,$(1)) > $(call stamp,$(1)); \
	echo "Made."; }
endef
