# Tangga. `make help` lists what there is; each target does its own set-up on a machine with Python 3.11.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)/plugins:$(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

# The variables a user gives, as in `make run AS_OF=2026-03-31 CONFIG=my/tangga.yml`.
ifdef SCALE
export TANGGA_DEMO_SCALE := $(SCALE)
endif
PORT ?= 8080
OPTIONS := $(if $(CONFIG),--config "$(CONFIG)") $(if $(TANGGA_HOME),--home "$(TANGGA_HOME)")

.DEFAULT_GOAL := help
.PHONY: help setup doctor run up down rules-diff test bench check docs lock clean

help: ## this list
	@echo "Tangga: from customer data to campaigns, every morning."
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1|/' | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
	@echo "  Variables:   CONFIG=<a tangga.yml> AS_OF=YYYY-MM-DD TANGGA_HOME=<directory> PORT=8080 SCALE=<size of the demo>"

setup: .venv/.installed ## Python packages into .venv (the other targets do it by themselves)

run: .venv/.installed ## the whole pipeline once, through Airflow, without a server
	@$(BIN)/python -m tangga.local.run $(OPTIONS) $(if $(AS_OF),--as-of "$(AS_OF)")

doctor: .venv/.installed ## look at settings, connections and a few rows of every source; write nothing
	@$(BIN)/python -m tangga.local.doctor $(OPTIONS) $(if $(AS_OF),--as-of "$(AS_OF)")

up: .venv/.installed ## Airflow with its UI, until Ctrl-C (DETACH=1: in the background)
	@$(BIN)/python -m tangga.local.up up --port "$(PORT)" $(OPTIONS) $(if $(DETACH),--detach)

down: .venv/.installed ## stop what 'make up' started
	@$(BIN)/python -m tangga.local.up down $(OPTIONS)

rules-diff: .venv/.installed ## who would move where by the rules of the working tree (BASE=<a git ref>)
	@$(BIN)/python -m tangga.local.rules_diff --base "$(or $(BASE),HEAD)" $(OPTIONS)

test: .venv/.installed ## all tests (ARGS=... for pytest)
	@$(BIN)/pytest $(ARGS)

bench: .venv/.installed ## measurements (NAME=identity, postgres or warehouse; the first two unless said)
	@for name in $(or $(NAME),identity postgres); do $(BIN)/python bench/$$name.py $(ARGS) || exit 1; done

check: .venv/.installed ## linters: Python and SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python tests/dbt/lint_sql.py

docs: .venv/.installed ## the pages of docs/ that are written from the code
	@$(BIN)/python -m tangga.docs

lock: .venv/.installed ## requirements.in -> requirements.txt
	@$(BIN)/uv pip compile --universal --quiet --python-version 3.11 --output-file requirements.txt requirements.in

clean: ## remove .venv and caches; what runs have written (var/) stays
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs

# Bytecode is compiled once here: some images forbid Python to write it later, and then every start of
# Airflow and dbt takes twice as long.
.venv/.installed: requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tangga needs Python 3.11 or newer: install it, or name it with PYTHON=<a python>." >&2; exit 1; }
	@echo "Setting up .venv with $$("$(PYTHON)" --version): once, and again when requirements.txt changes."
	@test -x $(BIN)/uv || { "$(PYTHON)" -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip sync --quiet --compile-bytecode requirements.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@
