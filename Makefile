# Everything a contributor runs; CI calls the same targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d%d" % sys.version_info[:2])')
LOCK := requirements/py$(VERSION).txt
INSTALLED := $(VENV)/.installed-py$(VERSION)
DOCS_LOCK := requirements/docs-py$(VERSION).txt
# The interpreter whose snstdp the site is about; CI names one in which the wheel is installed.
DOCS_PYTHON ?= $(BIN)/python
SITE := build/site

.DEFAULT_GOAL := help
.PHONY: help install demo study results test slow check format bench docs lock clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(LOCK):
	@echo "snstdp needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."
	@exit 1

$(INSTALLED): $(LOCK) pyproject.toml
	@echo "installing into $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

install: $(INSTALLED) ## Create the environment from the locked requirements

demo: $(INSTALLED) ## Train a small network on the bundled digits and score it
	@$(BIN)/snstdp run --config configs/demo.yaml --force

study: $(INSTALLED) ## Compare three rules and two sizes over three seeds on the bundled digits
	@$(BIN)/snstdp study run configs/studies/rules.yaml
	@$(BIN)/snstdp study table configs/studies/rules.yaml --against rule=triplet
	@$(BIN)/snstdp study plot configs/studies/rules.yaml

results: $(INSTALLED) ## Repeat a small version of every table of docs/results.md on the bundled digits
	@$(BIN)/python tools/results.py small

test: $(INSTALLED) ## Run the tests
	@$(BIN)/python -m pytest -m "not slow"

slow: $(INSTALLED) ## Run the tests that kill, interrupt, fill disks and damage files
	@SNSTDP_FUZZ=1 $(BIN)/python -m pytest -m "slow or fuzz"

check: $(INSTALLED) ## Lint, check the format and the types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(INSTALLED) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(INSTALLED) ## Measure time and memory of a presentation (let the machine be idle)
	@$(BIN)/snstdp bench

docs: $(INSTALLED) ## Build the documentation into build/site, running its notebooks
	@$(DOCS_PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(DOCS_LOCK)
	@$(DOCS_PYTHON) -P -m sphinx -E -W --keep-going -q -d build/doctrees docs $(SITE)
	@$(DOCS_PYTHON) -P tools/check_site.py $(SITE)

lock: ## Lock the requirements again (needs uv)
	@for v in 11 12 13; do \
		pip_compile="uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.$$v"; \
		$$pip_compile --upgrade --extra dev pyproject.toml -o requirements/py3$$v.txt && \
		$$pip_compile --upgrade --extra docs --constraint requirements/py3$$v.txt pyproject.toml -o requirements/docs-py3$$v.txt && \
		sed -i "1i # Everything that running, testing and building snstdp on Python 3.$$v needs, locked with hashes. Made by: make lock" \
			requirements/py3$$v.txt && \
		sed -i "1i # The same for building the documentation, at the versions of py3$$v.txt where both need a library. Made by: make lock" \
			requirements/docs-py3$$v.txt; \
	done

clean: ## Remove the environment and what tools left
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
