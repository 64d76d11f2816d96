# Everything works on a fresh clone with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.installed
LOCALSTACK := .venv-localstack/.installed
PACKAGE := build/dev/deployment.zip
PACKAGED := $(shell find app.py chalicelib .chalice dev/aws requirements.txt $(wildcard vendor) -type f -not -name '*.pyc')
ARGS ?=
WORKERS ?= 3
PORT ?= 8000
AWS_PORT ?= 4566
ROLE ?= operator
NAME ?= $(ROLE)
STAGE ?= dev
PARAMETERS ?=
CONFIRM ?=
KILLS ?= 20
ROWS ?= 200000
PEERS ?=
SEED ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run local token psql test test-aws bench bench-fanout bench-scale faults package deploy destroy doctor lint audit format clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile
	@echo "More arguments: make run ARGS=--help. Another Python: make run PYTHON=python3.13"

run: $(READY) ## Run the pipeline of config.yaml on sample data, into a PostgreSQL of its own
	@$(RUN) -m dev run $(ARGS)

local: $(READY) ## Serve the API on PORT (8000), with emulated AWS on AWS_PORT (4566)
	@$(RUN) -m dev local $(PORT) $(AWS_PORT)

token: $(READY) ## Print a new token for the API of make local: ROLE=viewer, operator or admin; NAME=
	@ELT_STATE_DIR=.local/state $(RUN) -m chalicelib token --role $(ROLE) --name "$(NAME)"

psql: $(READY) ## Look at the rows: psql on the database of make run
	@$(RUN) -m dev psql $(ARGS)

test: $(READY) ## Run the tests
	@$(RUN) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-aws: $(PACKAGE) $(LOCALSTACK) ## Deploy the package of make package into LocalStack, and test it there
	@ELT_TEST_AWS=1 $(RUN) -m pytest tests/aws $(ARGS)

bench: $(READY) ## Measure beside psql's \copy, for about a quarter of an hour; PEERS=1: other loaders too
	@$(RUN) -m dev.bench $(if $(PEERS),--peers) $(ARGS)

bench-fanout: $(PACKAGE) $(LOCALSTACK) ## Load 1,000 objects by many functions in LocalStack, some of which are killed
	@$(RUN) -m dev.bench.fanout $(ARGS)

bench-scale: $(READY) ## Measure a part of a large run and its publication, and write dev/bench/scale.md
	@$(RUN) -m dev.bench.scale $(ARGS)

faults: $(READY) ## Provoke every fault and count the rows: KILLS=20 ROWS=200000, SEED= of an earlier time
	@FAULTS_KILLS=$(KILLS) FAULTS_ROWS=$(ROWS) FAULTS_SEED=$(SEED) $(RUN) -m pytest tests/faults $(ARGS)

package: $(READY) ## Build what runs on AWS into build/STAGE (dev)
	@$(RUN) -m dev.aws package --stage $(STAGE)

deploy: $(READY) ## Package it and bring it to AWS: STAGE=dev or prod, PARAMETERS="AlarmEmail=me@example.com …"
	@$(RUN) -m dev.aws deploy --stage $(STAGE) --parameters "$(PARAMETERS)"

destroy: $(READY) ## Delete what make deploy made, but no rows and no secrets: STAGE=dev CONFIRM=dev
	@$(RUN) -m dev.aws destroy --stage $(STAGE) --confirm "$(CONFIRM)"

doctor: $(READY) ## Tell what a deployed stage cannot reach: STAGE=dev, prod or local
	@$(RUN) -m dev.aws doctor --stage $(STAGE)

lint: $(READY) ## Check format, style, types and security
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m mypy
	@$(RUN) -m bandit --quiet --configfile pyproject.toml --recursive app.py chalicelib

audit: $(READY) ## Look up known weaknesses of the pinned requirements
	@$(RUN) -m dev.audit

format: $(READY) ## Format the code and mend what can be mended
	@$(RUN) -m ruff check --quiet --fix --exit-zero .
	@$(RUN) -m ruff format --quiet .

clean: ## Remove the local database, the sample data, runs' output and caches
	@rm -rf .local .elt .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(READY): requirements.txt requirements-dev.txt $(RUN)
	@echo "Installing requirements (once, about a minute) …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(PACKAGE): $(PACKAGED) | $(READY)
	@$(RUN) -m dev.aws package --stage dev

$(LOCALSTACK): dev/localstack/requirements.txt | $(READY)
	@$(RUN) -m dev.localstack.install

$(RUN):
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not there. Install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, $(PYTHON) is %d.%d. Name another: make PYTHON=python3.13" % sys.version_info[:2])'
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Creating $(VENV) …"
	@"$(PYTHON)" -m venv $(VENV)
