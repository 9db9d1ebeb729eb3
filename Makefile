# Recoup's two commands are `make demo` and `make test`. Needs Python 3.11 to 3.13 with pip and venv, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

VENV := .venv
RUN := $(VENV)/bin
UV := uv
ARGS ?=

# What runs here talks to itself on 127.0.0.1, which no proxy can reach. Installing keeps the proxy settings.
LOCAL := env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY FLASK_SKIP_DOTENV=1

.PHONY: help
help: ## List what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(VENV)/.runtime ## Run all of Recoup here against stand-ins for Amazon, Slack and e-mail; ARGS=--check walks the way once
	@exec $(LOCAL) $(RUN)/flask demo $(ARGS)

.PHONY: test
test: $(VENV)/.tools ## Run every test this machine can run; ARGS="-k words" picks some
	@exec $(LOCAL) $(RUN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: lint
lint: $(VENV)/.tools ## Check style, types and the direction of imports
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy .
	$(RUN)/lint-imports

.PHONY: golden
golden: $(VENV)/.tools ## Rewrite the expected results of the golden cases; read the diff before committing it
	@exec $(LOCAL) RECOUP_REWRITE_GOLDEN=1 $(RUN)/python -m pytest tests -k golden $(ARGS)

.PHONY: bench
bench: $(VENV)/.runtime ## Measure an audit of three million ledger rows
	@exec $(LOCAL) $(RUN)/python -m benchmarks.audit $(ARGS)

.PHONY: lock
lock: ## Pin requirements.in and requirements-dev.in anew; needs uv. ARGS=--upgrade takes newer versions
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet $(ARGS) requirements.in -o requirements.txt
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet $(ARGS) requirements-dev.in -o requirements-dev.txt

.PHONY: install
install: $(VENV)/.runtime ## Make .venv with what is pinned in requirements.txt

$(VENV)/bin/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
			exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 with pip and venv was found. Install one (Debian: apt-get install python3-venv)" \
		"or name it: make PYTHON=/path/to/python" >&2; exit 1

# The stamps are newer than the requirement files as long as nothing is to be installed.
$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@$(call install_pinned,requirements.txt)
	@touch $@

$(VENV)/.tools: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@$(call install_pinned,requirements-dev.txt)
	@touch $(VENV)/.runtime $@

# uv is several times faster where it is installed and reaches the packages; pip is always there.
define install_pinned
echo "Installing $(1) into $(VENV)" >&2; \
{ command -v $(UV) >/dev/null && $(UV) pip install --quiet --python $(RUN)/python --require-hashes -r $(1); } || \
$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
endef
