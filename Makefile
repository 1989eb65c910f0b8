# staging-sync: `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV := .venv
AWS_VENV := .venv-aws
# Node.js (for CDK) and all tools come from the virtual environment. Only these recipes have it on
# their PATH, so that it does not hide the programs of your shell.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
PIP_VERSION := 26.3
# The only place that has the version: sandbox/deploy.py reads it here. npm's "latest" is too old for
# the library in constraints.txt.
CDK := npx --yes aws-cdk@2.1148.1
# RDS's certificates for all Regions. China, GovCloud and private authorities have other URLs.
CA_BUNDLE_URL := https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
# RDS Proxy's certificates.
AMAZON_ROOTS_URL := https://www.amazontrust.com/repository

# The first interpreter of 3.12 or newer that works. A pyenv shim can exist and
# fail, so each candidate is run.
define FIND_PYTHON
usable() { "$$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }; \
python=; \
for candidate in python3.13 python3.12 python3 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/*/bin/python3; do \
  if usable "$$candidate"; then python=$$candidate; break; fi; \
done; \
if [ -z "$$python" ] && command -v uv >/dev/null; then \
  uv python install --quiet 3.13 && python=$$(uv python find 3.13); \
fi; \
if [ -z "$$python" ]; then \
  echo "staging-sync needs Python 3.12 or newer and found none: install one (or uv, which can) and run make again." >&2; \
  exit 1; \
fi
endef

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: install
install: $(VENV)/.installed $(AWS_VENV)/.installed ## Create the virtual environments from pinned versions

# It does not depend on pyproject.toml, which also has the tools' settings: a new dependency has a
# new pin.
$(VENV)/.installed: constraints.txt
	@$(FIND_PYTHON); \
	echo "Installing into $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet "pip==$(PIP_VERSION)"
	@$(VENV)/bin/python -m pip install --quiet -c constraints.txt --group dev
	@# The project itself, in place: its packages are found from everywhere, and `db-sync` is a command.
	@$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(AWS_VENV)/.installed: $(VENV)/.installed
	@echo "Installing the local AWS into $(AWS_VENV)"
	@$(VENV)/bin/python -m venv --clear $(AWS_VENV)
	@$(VENV)/bin/python -m pip --python $(AWS_VENV)/bin/python install --quiet -c constraints.txt --group aws
	@touch $@

.PHONY: demo
demo: install ## Run the complete workflow on real servers, and show what it does
	@python -m sandbox.demo

.PHONY: up
up: install ## Start a staging account on this machine and keep it running
	@python -m sandbox.up

# The environment, which is a block of cdk.json, and an execution's input. A deployment asks before
# it adds permissions; CI sets CDK_OPTIONS='--require-approval never'.
bootstrap deploy destroy diff drift start: export ENV ?= staging
start: export INPUT ?= {}

# In a folder without a cdk.json, so that CDK does not synthesize the app first.
.PHONY: bootstrap
bootstrap: install ## Prepare the account and Region for CDK, once: make bootstrap ENV=staging
	@place=$$(python -m cdk.steps place "$$ENV"); cd / && $(CDK) bootstrap "$$place" $(CDK_OPTIONS)

.PHONY: deploy
deploy: install ## Deploy an environment: make deploy ENV=staging
	@$(CDK) deploy --context "environment=$$ENV" $(CDK_OPTIONS)

.PHONY: diff
diff: install ## Show what a deployment would change: make diff ENV=staging
	@$(CDK) diff --context "environment=$$ENV" $(CDK_OPTIONS)

.PHONY: drift
drift: install ## Show what was changed by hand since the last deployment: make drift ENV=staging
	@$(CDK) drift --context "environment=$$ENV" $(CDK_OPTIONS)

.PHONY: destroy
destroy: install ## Delete an environment's stack, after a confirmation: make destroy ENV=staging
	@python -m cdk.steps removal "$$ENV"
	@$(CDK) destroy --context "environment=$$ENV" $(CDK_OPTIONS)

.PHONY: start
start: install ## Start an execution and follow it: make start ENV=staging INPUT='{"sync_cognito": true}'
	@python -m statemachine.start "$$ENV" "$$INPUT"

.PHONY: ca-bundle
ca-bundle: install ## Fetch the certificate authorities of RDS and RDS Proxy, for the setting ca_bundle
	@python -m cdk.compute.fetch_ca_bundle $(CA_BUNDLE_URL) $(AMAZON_ROOTS_URL) build/ca-bundle.pem

.PHONY: tables
tables: install ## Write the tables of settings and permissions in docs/ from their sources
	@python -m cdk.tables

.PHONY: test
test: install ## Lint, types and every test
	@# At the same time: the tests mostly wait in the end, and mypy's first run takes a minute.
	@$(MAKE) --no-print-directory --jobs=2 lint pytest

.PHONY: pytest
pytest: install ## Every test, without lint and types
	@# One process runs the end-to-end tests, which mostly wait; two others run the rest meanwhile,
	@# the shortest tests last.
	pytest -n 3 --no-loadscope-reorder \
	  tests/e2e tests/infra tests/integration tests/statemachine tests/unit

.PHONY: check
check: lint ## Lint, types and the unit tests: under a minute when warm
	pytest -q tests/unit

.PHONY: bench
bench: install ## Compare a sync with pg_dump and pg_restore; options: make bench BENCH="--scale 0.1 --runs 1"
	@python -m tests.bench $(BENCH)

.PHONY: bench-cognito
bench-cognito: install ## Measure listing a pool and remapping, up to a million users; options: make bench-cognito BENCH="--largest 100000"
	@python -m tests.bench.cognito $(BENCH)

.PHONY: bench-masks
bench-masks: install ## Measure what each kind of mask takes for a value; options: make bench-masks BENCH="--rows 20000"
	@python -m tests.bench.masks $(BENCH)

.PHONY: bench-followers
bench-followers: install ## Measure what it costs to compare a table by person; options: make bench-followers BENCH="--scale 0.1 --runs 1"
	@python -m tests.bench.followers $(BENCH)

.PHONY: bench-scale
bench-scale: install ## Compare db-sync --jobs with other tools, and simulate up to 10 TB; options: make bench-scale BENCH="--scale 0.2 --runs 1"
	@python -m tests.bench.simulation
	@python -m tests.bench.scale $(BENCH)

.PHONY: bench-growth
bench-growth: install ## Measure how a sync grows with rows, changes and tables; draws docs/growth.svg
	@python -m tests.bench.growth

.PHONY: pictures
pictures: install ## Make the README's pictures, of the demo and of a report; needs Chromium
	@python -m sandbox.pictures

.PHONY: fuzz
fuzz: install ## Sync random schemas and rows for five minutes and check the results; longer: make fuzz FUZZ="--minutes 60"
	@python -m tests.fuzz $(FUZZ)

.PHONY: lint
lint: install ## Lint and types
	ruff check .
	ruff format --check .
	mypy

.PHONY: format
format: install ## Format the code
	ruff check --fix .
	ruff format .

.PHONY: clean
clean: ## Remove what the other targets created
	rm -rf $(VENV) $(AWS_VENV) build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis
