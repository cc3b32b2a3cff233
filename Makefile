# Every target does its own set-up: a virtual environment with the pinned requirements, renewed when they change.
# PYTHON=python3.12 make demo    uses another interpreter (3.11 or newer).
PYTHON ?= python3
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -p no:cacheprovider
JOBS ?= auto
# What checks need to load the settings; no server is asked.
OFFLINE := READ_DOTENV=0 DEBUG=1 DATABASE_URL=postgres://nobody@127.0.0.1:9/none LOG_LEVEL=ERROR

.PHONY: demo codes test test-fast fault-matrix bench bench-pages eval soak lint run clean prepare

demo: prepare           ## the product with pretended vendors playing a clinic day; ONCE=1 stops after it
	@$(PY) -m deploy.demo $(if $(ONCE),--once)

codes:                  ## current second-factor codes of a running demo
	@$(PY) -m deploy.codes

test: prepare           ## every test, real browser and real processes included
	@$(PY) -m deploy.chromium || [ -z "$$CI" ]
	@$(PYTEST) -n $(JOBS) --dist loadgroup -m "not soak" $(ARGS)

test-fast: prepare      ## what a developer runs at every change
	@$(PYTEST) -n $(JOBS) -m "not browser and not service and not slow and not soak" $(ARGS)

soak: prepare           ## the long runs with random seeds
	@$(PYTEST) -m soak $(ARGS)

fault-matrix: prepare   ## every fault of the network at every message and kill point; SEEDS=20 of each fault
	@$(PYTEST) -p no:xdist -q -s -m soak tests/flows/test_fault_matrix.py $(ARGS)

bench-pages: prepare    ## the pages with 10,000 open items and 200,000 decided
	@$(PY) -m tests.bench.run --only pages $(ARGS)

bench: prepare          ## the published figures, measured on this machine
	@$(PY) -m tests.bench.run $(ARGS)

eval: prepare           ## how patients' words are read: the labelled set and seeded misspellings
	@$(PY) -m tests.intake_eval.run $(ARGS)

lint: prepare           ## ruff, mypy, migrations, Django's checks
	@$(PY) -m ruff check .
	@$(OFFLINE) $(PY) -m mypy
	@$(OFFLINE) $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(OFFLINE) $(PY) manage.py check

run: prepare            ## web, worker and beat against the configured servers and vendors
	@$(PY) -m deploy.run

prepare:
	@$(PYTHON) deploy/prepare.py

clean:                  ## everything made here: environment, embedded data, caches
	@[ ! -x $(PY) ] || $(PY) -m deploy.embedded clean
	@rm -rf .venv .run staticfiles artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
