# Every target does its own set-up: a .venv beside this file, pinned by constraints.txt, and nothing global.

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench client stop clean

VENV := .venv
BIN := $(VENV)/bin
# The stamp carries the pins' checksum, so that changed pins reinstall and unchanged ones cost nothing.
PINS := $(shell cat pyproject.toml constraints.txt | cksum | tr ' ' '-')
INSTALLED := $(VENV)/.installed-$(PINS)

NEUROBOTANICA_HOME ?= $(CURDIR)/.local
export NEUROBOTANICA_HOME
# Tests and lint never see the data of the demo.
TEST_HOME := $(NEUROBOTANICA_HOME)/test
LINT_HOME := $(NEUROBOTANICA_HOME)/lint

PORT ?= 8000
SERVE ?= 1
PYTEST_ARGS ?=
# A process for each core; the tests of a file stay together, because they share what is slow to make. Files keep the order of
# tests/conftest.py: by number of tests, the longest would come last.
PYTEST_PARALLEL ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PYTHONUNBUFFERED := 1

help: ## show these targets
	@echo "NeuroBotanica GenomePath. Usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 - \2/p' Makefile

# The stamp is written last: an interrupted installation is done again.
$(INSTALLED):
	@set -eu; \
	python=''; \
	for candidate in "$${PYTHON:-}" python3.11 python3 python; do \
	    if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
	        python="$$candidate"; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'error: Python 3.11 was not found. Install it, or name it: make demo PYTHON=/path/to/python3.11' >&2; exit 1; \
	fi; \
	rm -f $(VENV)/.installed-*; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$python"; \
	    "$$python" -m venv --clear $(VENV) || { \
	        echo 'error: Python cannot make environments; on Debian and Ubuntu: apt-get install python3.11-venv' >&2; exit 1; }; \
	fi; \
	echo 'Installing the pinned packages (large downloads the first time)'; \
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'; \
	touch $@

client: $(INSTALLED) ## write the Python client anew from the OpenAPI document
	@set -eu; file=clients/python/neurobotanica_client/api.py; \
	NEUROBOTANICA_HOME='$(LINT_HOME)' $(BIN)/python manage.py spectacular --format openapi-json > $$file.json; \
	$(BIN)/python clients/python/generate.py < $$file.json > $$file; rm $$file.json

demo: $(INSTALLED) ## data, training, evaluation, one prediction, then the site on 127.0.0.1:8000 (PORT=n, SERVE=0)
	@exec $(BIN)/python -m neurobotanica.demo --port $(PORT) $(if $(filter 0 no false,$(SERVE)),--no-serve)

# The services of the tests end with the tests, also after an interruption.
define run-pytest
	@NEUROBOTANICA_HOME='$(TEST_HOME)'; NEUROBOTANICA_FAST_TEST_DB=1; \
	export NEUROBOTANICA_HOME NEUROBOTANICA_FAST_TEST_DB; \
	trap '$(BIN)/python -m neurobotanica.embedded stop --home "$$NEUROBOTANICA_HOME" >/dev/null' EXIT; \
	trap 'exit 130' INT TERM HUP; \
	$(BIN)/python -m pytest $(PYTEST_PARALLEL) $(1) $(PYTEST_ARGS)
endef

test: $(INSTALLED) ## the test suite, against real PostgreSQL and Valkey (PYTEST_ARGS='-k word')
	$(call run-pytest,)

test-all: $(INSTALLED) ## the test suite with its slow tests
	$(call run-pytest,-m '')

lint: $(INSTALLED) ## formatting, style, types, import directions, migrations, Django's checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@NEUROBOTANICA_HOME='$(LINT_HOME)'; NEUROBOTANICA_FAST_TEST_DB=1; \
	export NEUROBOTANICA_HOME NEUROBOTANICA_FAST_TEST_DB; \
	trap '$(BIN)/python -m neurobotanica.embedded stop --home "$$NEUROBOTANICA_HOME" >/dev/null' EXIT; \
	trap 'exit 130' INT TERM HUP; \
	set -ex; \
	$(BIN)/python manage.py makemigrations --check --dry-run; \
	$(BIN)/python manage.py check

bench: $(INSTALLED) ## measure the audit log, serving, the desk and training; the figures go to bench*.json in NEUROBOTANICA_HOME
	$(BIN)/python manage.py bench_audit --json '$(NEUROBOTANICA_HOME)/bench-audit.json'
	$(BIN)/python manage.py bench_serving --json '$(NEUROBOTANICA_HOME)/bench.json' \
	    --plot '$(NEUROBOTANICA_HOME)/bench.svg'
	$(BIN)/python manage.py bench_audit_verification --json '$(NEUROBOTANICA_HOME)/bench-audit-verification.json'
	$(BIN)/python manage.py bench_desk --json '$(NEUROBOTANICA_HOME)/bench-desk.json'
	$(BIN)/python manage.py bench_training --json '$(NEUROBOTANICA_HOME)/bench-training.json'

stop: ## stop the embedded PostgreSQL and Valkey of the demo and of the tests
	@python=$(BIN)/python; [ -x "$$python" ] || python=python3; \
	for home in '$(NEUROBOTANICA_HOME)' '$(TEST_HOME)' '$(LINT_HOME)'; do \
	    "$$python" -m neurobotanica.embedded stop --home "$$home"; \
	done

clean: ## stop the services; remove .venv, .local (with its databases and models) and caches, without asking
	@python=$(BIN)/python; "$$python" -c '' 2>/dev/null || python=python3; \
	set -e; \
	for home in '$(CURDIR)/.local/lint' '$(CURDIR)/.local/test' '$(CURDIR)/.local'; do \
	    "$$python" -m neurobotanica.embedded remove --home "$$home"; \
	done; \
	rm -rf .local $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
