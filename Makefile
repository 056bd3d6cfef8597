# Tangga. `make help` lists what there is; each target does its own set-up on a machine with Python 3.11.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)/plugins:$(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

# The variables a user gives, as in `make run AS_OF=2026-03-31 CONFIG=my/tangga.yml`.
ifdef SCALE
export TANGGA_DEMO_SCALE := $(SCALE)
endif
# `make up DEMO_TOOLS=1`: lists go to e-mail tools on this machine, in place of real ones.
ifdef DEMO_TOOLS
export TANGGA_DEMO_TOOLS := $(DEMO_TOOLS)
endif
PORT ?= 8080

# The extra that is installed beside the rest; unless said, the one that is there. `EXTRAS=` removes it.
EXTRAS ?= $(patsubst .venv/.installed-%,%,$(wildcard .venv/.installed-*))
LOCKS := requirements.txt $(EXTRAS:%=requirements-%.txt)
INSTALLED := .venv/.installed$(EXTRAS:%=-%)
OPTIONS := $(if $(CONFIG),--config "$(CONFIG)") $(if $(TANGGA_HOME),--home "$(TANGGA_HOME)")

.DEFAULT_GOAL := help
.PHONY: help setup doctor run plan sql up down erase erasures erase-lift rules-diff audience test soak bench check campaigns docs screenshots lock clean

help: ## this list
	@echo "Tangga: from customer data to campaigns, every morning."
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1|/' | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
	@echo "  Variables:   CONFIG=<a tangga.yml> AS_OF=YYYY-MM-DD TANGGA_HOME=<directory> PORT=8080 SCALE=<size of the demo>"
	@echo "  Extras:      make setup EXTRAS=value   expected customer value (docs/value.md); make setup EXTRAS=  without it"

setup: $(INSTALLED) ## Python packages into .venv (the other targets do it by themselves)

run: $(INSTALLED) ## the whole pipeline once, through Airflow, without a server
	@$(BIN)/python -m tangga.local.run $(OPTIONS) $(if $(AS_OF),--as-of "$(AS_OF)")

doctor: $(INSTALLED) ## look at settings, connections and a few rows of every source; write nothing
	@$(BIN)/python -m tangga.local.doctor $(OPTIONS) $(if $(AS_OF),--as-of "$(AS_OF)")

up: $(INSTALLED) ## Airflow with its UI, until Ctrl-C (DETACH=1: in the background; DEMO_TOOLS=1: with e-mail tools to play with)
	@$(BIN)/python -m tangga.local.up up --port "$(PORT)" $(OPTIONS) $(if $(DETACH),--detach)

down: $(INSTALLED) ## stop what 'make up' started
	@$(BIN)/python -m tangga.local.up down $(OPTIONS)

plan: $(INSTALLED) ## what would be sent, and whether somebody would have to agree; send nothing
	@$(BIN)/python -m tangga.local.plan $(OPTIONS) $(if $(AS_OF),--as-of "$(AS_OF)")

sql: $(INSTALLED) ## a shell on the published warehouse, read-only (Q=<question of analyses/> or FILE=<a .sql>: its answer; OUT=<a .csv>)
	@$(BIN)/python -m tangga.local.sql $(OPTIONS) $(if $(Q),--question "$(Q)") $(if $(FILE),--file "$(FILE)") $(if $(OUT),--out "$(OUT)")

erase: $(INSTALLED) ## forget a person everywhere; asks whom (REQUEST=<number>: go on with that request)
	@$(BIN)/python -m tangga.local.erase ask $(OPTIONS) $(if $(REQUEST),--request "$(REQUEST)")

erasures: $(INSTALLED) ## the requests to be forgotten, and which of them are overdue
	@$(BIN)/python -m tangga.local.erase list $(OPTIONS)

erase-lift: $(INSTALLED) ## let somebody who was forgotten come back, as they asked for; asks whom
	@$(BIN)/python -m tangga.local.erase lift $(OPTIONS)

rules-diff: $(INSTALLED) ## who would move where by the rules of the working tree (BASE=<a git ref>)
	@$(BIN)/python -m tangga.local.rules_diff --base "$(or $(BASE),HEAD)" $(OPTIONS)

audience: $(INSTALLED) ## a new audience to begin with (NAME=big_spenders)
	@$(BIN)/python -m tangga.local.new_audience --name "$(NAME)"

test: $(INSTALLED) ## all tests (ARGS=... for pytest)
	@$(BIN)/pytest $(ARGS)

soak: $(INSTALLED) ## bad days with the e-mail tools, drawn at random (RUNS=100)
	@TANGGA_SOAK="$(or $(RUNS),100)" $(BIN)/pytest tests/e2e/test_soak.py --dist load -q -rA

bench: $(INSTALLED) ## measurements (NAME=identity, postgres, activation, warehouse or page; all but the last two unless said)
	@for name in $(or $(NAME),identity postgres activation); do $(BIN)/python bench/$$name.py $(ARGS) || exit 1; done

check: $(INSTALLED) ## linters: Python, SQL and campaigns
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python tests/dbt/lint_sql.py
	@$(BIN)/python -m tangga.local.campaigns check $(OPTIONS)

campaigns: $(INSTALLED) ## every message of campaigns/ as HTML and text (TOOL=mailchimp or hubspot: with its merge tags)
	@$(BIN)/python -m tangga.local.campaigns write $(OPTIONS) $(if $(TOOL),--tool "$(TOOL)")

docs: $(INSTALLED) ## the pages of docs/ that are written from the code
	@$(BIN)/python -m tangga.docs

screenshots: $(INSTALLED) ## the pictures of the page in docs/images, of what 'make up' is showing
	@$(BIN)/python -m tests.web.screenshots $(if $(TANGGA_HOME),--home "$(TANGGA_HOME)")

lock: $(INSTALLED) ## requirements*.in -> requirements*.txt
	@for name in requirements requirements-value; do \
	  $(BIN)/uv pip compile --universal --quiet --python-version 3.11 --output-file $$name.txt $$name.in || exit 1; done

clean: ## remove .venv and caches; what runs have written (var/) stays
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs

# Bytecode is compiled once here: some images forbid Python to write it later, and then every start of
# Airflow and dbt takes twice as long.
$(INSTALLED): $(LOCKS)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tangga needs Python 3.11 or newer: install it, or name it with PYTHON=<a python>." >&2; exit 1; }
	@echo "Setting up .venv with $$("$(PYTHON)" --version): once, and again when what it needs changes ($(LOCKS))."
	@test -x $(BIN)/uv || { "$(PYTHON)" -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip sync --quiet --compile-bytecode $(LOCKS)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@rm -f .venv/.installed* && touch $@
