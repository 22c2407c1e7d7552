# Gatehouse: `make serve` from a bare checkout, `make test` to know that it works. `make help` lists the rest.

PYTHON ?= python3
PYTEST_ARGS ?=

VENV := .venv
STAMPS := $(VENV)/stamps
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-input --require-hashes

# Programs that the targets start find the virtual environment's Python and Node first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export npm_config_update_notifier := false

# Each folder with a package-lock.json is a front-end or client project of its own.
NODE_PROJECTS := $(patsubst %/package-lock.json,%,$(wildcard playground/package-lock.json tests/*/package-lock.json))
NODE_MODULES := $(patsubst %,%/node_modules/.package-lock.json,$(NODE_PROJECTS))
PLAYGROUND := playground/dist/.built
PLAYGROUND_SOURCES := $(shell find playground -type f ! -path '*/node_modules/*' ! -path '*/dist/*')

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup serve test check fix schema migration lock bench audit browser clients picture clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# --- What people run

serve: $(STAMPS)/runtime $(PLAYGROUND) ## set up what is missing and serve on http://localhost:8000
	@exec $(BIN)/python server.py serve

setup: $(STAMPS)/dev $(PLAYGROUND) $(NODE_MODULES) ## set up everything that tests and checks need

test: setup ## run the whole test suite, on SQLite and on a real PostgreSQL and Redis
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMPS)/dev ## check format, lint, types, layers, the schema's diff and the migrations' diff
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python server.py schema | diff -u schema/schema.graphql -
	$(BIN)/python -m pytest -q tests/contracts $(PYTEST_ARGS)

fix: $(STAMPS)/dev ## format, and mend what lint can mend by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

schema: $(STAMPS)/dev ## write schema/schema.graphql anew
	$(BIN)/python server.py schema > schema/schema.graphql.new
	mv schema/schema.graphql.new schema/schema.graphql

migration: $(STAMPS)/dev ## write the migration that the models need; NAME=what_changes names it
	$(BIN)/python -c 'import json, models.database as d; print(json.dumps(d.orm_config("sqlite://:memory:")))' > $(VENV)/orm.json
	PYTHONPATH=. $(BIN)/tortoise --config-file $(VENV)/orm.json makemigrations $(if $(NAME),--name $(NAME))

bench: setup $(STAMPS)/deployed ## measure the gateway under load
	$(BIN)/python -m benchmarks $(ARGS)

audit: setup ## run the GraphQL-over-HTTP audit suite against the gateway
	$(BIN)/python -m pytest tests/audit $(PYTEST_ARGS)

browser: setup ## drive the playground in a real Chromium
	$(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

clients: setup ## try the client libraries of other languages against the gateway
	$(BIN)/python -m pytest tests/clients $(PYTEST_ARGS)

picture: setup ## take the README's picture of the playground anew
	$(BIN)/python -m tests.browser.picture

clean: ## remove what was set up and built, and keep the data
	rm -rf $(VENV) playground/dist $(patsubst %,%/node_modules,$(NODE_PROJECTS)) .mypy_cache .ruff_cache .pytest_cache
	rm -rf .import_linter_cache .hypothesis .coverage

# --- Locked dependencies: versions and hashes, for every platform, and no address to fetch them from

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-annotate --no-header

lock: $(STAMPS)/dev ## choose newest allowed versions of all dependencies and lock them by hash
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) --group build --output-file requirements-build.lock
	$(COMPILE) pyproject.toml --group dev --constraint requirements.lock --constraint requirements-build.lock \
		--output-file requirements-dev.lock

# --- Set-up: each step leaves a stamp, so that the next run starts at once

$(STAMPS)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Gatehouse needs Python 3.11 or newer, which $(PYTHON) is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/runtime: requirements.lock requirements-build.lock | $(STAMPS)/python
	@echo "Installing locked packages; the first time takes about half a minute"
	@$(PIP) --requirement requirements.lock --requirement requirements-build.lock
	@touch $@

$(STAMPS)/dev: requirements-dev.lock | $(STAMPS)/runtime
	@echo "Installing locked packages for tests and checks; the first time takes about a minute"
	@$(PIP) --requirement requirements-dev.lock
	@touch $@

# What a deployment has, and nothing beside it.
$(STAMPS)/deployed: requirements.lock | $(STAMPS)/python
	@$(PYTHON) -m venv --clear $(VENV)/deployed
	@$(subst $(BIN)/python,$(VENV)/deployed/bin/python,$(PIP)) --requirement requirements.lock
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json | $(STAMPS)/runtime
	@echo "Installing the locked packages of $*"
	@cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(PLAYGROUND): playground/node_modules/.package-lock.json $(PLAYGROUND_SOURCES)
	@echo "Building the playground"
	@cd playground && npm run --silent build -- --logLevel error
	@touch $@
