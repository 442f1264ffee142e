# The daily commands; `make help` lists them. Paths are relative, so that a folder with spaces in its name works.
.DEFAULT_GOAL := help
.NOTPARALLEL:
JOBS ?= 2
# Of tests with real parts, which wait for much of their time.
WAITING_AT_ONCE ?= $$(( $(JOBS) + 1 ))
BASE ?= main
PARALLEL = --dist worksteal --numprocesses
# For tests with real parts, the nearest to a change first.
QUICK_S ?= 45
IN_TURN = -p tools.within --within $(QUICK_S) --dist load --maxschedchunk 1 --numprocesses
NOT_QUICK = --ignore tests/unit/benchmarks --ignore-glob 'tests/unit/test_docs*'
.PHONY: help setup demo test test-quick test-docker coverage image up down logs lint format types check bench soak chaos load constraints clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv, install the pinned requirements and a Chromium; quick when nothing changed
	@bash tools/setup.sh

demo: setup ## Validate a practice catalogue from end to end (ARGS='--products 1000')
	@.venv/bin/python -m pagemill demo $(ARGS)

test: setup ## Run all tests that this machine can run, the unit tests with coverage (ARGS='tests/unit -k pool' for a part)
ifdef ARGS
	.venv/bin/python -m pytest $(ARGS)
else
	@bash tools/test.sh $(PARALLEL) $(JOBS) --cov --cov-report= tests/unit
	.venv/bin/python -m coverage report --skip-covered --fail-under=80
	@bash tools/test.sh $(PARALLEL) $(WAITING_AT_ONCE) tests/redis tests/postgres
	@bash tools/test.sh $(PARALLEL) $(WAITING_AT_ONCE) tests/browser
	@bash tools/test.sh $(PARALLEL) $(WAITING_AT_ONCE) tests/e2e
endif

test-quick: setup ## Run the unit tests, and 45 s of those with real parts that a change touches (BASE=HEAD~3; else since main)
	@bash tools/test.sh $(PARALLEL) $(JOBS) $(NOT_QUICK) tests/unit
	@tests=$$(.venv/bin/python tools/tests_of_change.py $(BASE)) || exit; \
	if [ -n "$$tests" ]; then bash tools/test.sh $(IN_TURN) $(JOBS) $$tests; fi

coverage: setup ## Run all tests but whole runs and tell which lines they reach; 85 % is wanted; twice as slow as without
	@bash tools/test.sh $(PARALLEL) $(JOBS) --cov --cov-report= tests/unit tests/redis tests/postgres tests/browser
	.venv/bin/python -m coverage report --skip-covered --fail-under=85

test-docker: setup ## Build the image and test the containers on a real engine, which is started where there is none
	@bash tools/with_engine.sh .venv/bin/python -m pytest tests/docker $(ARGS)

image: ## Build the container image
	docker compose build worker

up: ## Start a worker, the scheduler, the control API and Redis in containers
	docker compose up --detach --build worker scheduler api
	@echo "the dashboard: http://127.0.0.1:8003; a token for it: docker compose exec api pagemill token --role admin"

down: ## Stop them; what is queued and stored stays
	docker compose down

logs: ## Follow the workers' log
	docker compose logs --follow --tail 100 worker

lint: setup ## Check style and formatting
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --check --quiet .

format: setup ## Correct style and formatting where that is safe
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format --quiet .

types: setup ## Check types
	.venv/bin/mypy

check: lint types test ## lint, types and test

bench: setup ## Compare with the peers and the floor, an hour; they are installed below ~/.cache (ARGS='--no-polite' for less)
	.venv/bin/python -m benchmarks.bench $(ARGS)

soak: setup ## Show that memory and speed stay flat over 10,000 products (ARGS='--products 1500', or --compare)
	.venv/bin/python -m benchmarks.soak $(ARGS)

chaos: setup ## Break things while a worker works, and count what was lost (ARGS are passed on)
	.venv/bin/python -m benchmarks.chaos $(ARGS)

load: setup ## Hold a filled control API to its criteria under load (ARGS='--seconds 20'; a page in benchmarks/results)
	.venv/bin/python -m benchmarks.load $(ARGS)

# async-timeout: redis needs it on Python before 3.11.3, such as Debian 12's. setuptools: a bare .venv brings an old one.
constraints: setup ## Renew constraints.txt: the newest versions that pyproject.toml allows
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	.venv/bin/python -m venv "$$fresh" && \
	"$$fresh/bin/python" -m pip install --quiet --upgrade -e '.[api,dev,load,postgres]' async-timeout setuptools && \
	"$$fresh/bin/python" -m pip freeze --all --exclude pip --exclude-editable > "$$fresh/pins" && \
	cp "$$fresh/pins" constraints.txt && echo "constraints.txt: $$(wc -l < constraints.txt) pins"

clean: ## Remove caches and build leftovers; .venv and data/ stay
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
	@find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
