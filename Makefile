# Needs Python 3.11 or newer and make; everything else goes into .venv.
#
#   make demo    a month-end close with 52 clients; nothing is left (make demo DATA=FOLDER keeps the result)
#   make serve   the whole stack, until Ctrl-C (data: .atlas)
#   make ha      three PostgreSQL nodes under Patroni and everything before them, for trying (ha/README.md)
#   make test    all tests        (make test TESTS=tests/rules ARGS=-x)
#   make check   linters, types, SQL
#   make audit   what is known against the packages we depend on; needs a network
#   make bench   what everything costs, as one table and a plot in bench/results (make bench ARGS=--long)

PYTHON ?= python3
DATA   ?= .atlas
TESTS  ?= tests
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin
# The stamps say what is installed; a changed pyproject.toml installs again.
RUN  := $(VENV)/installed
DEV  := $(VENV)/installed-dev
BENCH := $(VENV)/installed-bench
# An install generates modules from these.
SOURCES := pyproject.toml tools/make_sync.py atlas_stage/async_stage.py atlas_stage/transports/async_http.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo serve ha test check audit bench clean
.DELETE_ON_ERROR:

demo: $(RUN)
	@$(BIN)/python demo/month_end.py $(if $(findstring command,$(origin DATA)),--data "$(DATA)")

serve: $(RUN)
	@$(BIN)/atlas-stage serve --data "$(DATA)"

ha: $(DEV)
	@$(BIN)/python ha $(ARGS)

test: $(DEV)
	$(BIN)/pytest $(TESTS) $(ARGS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar migrations sql
	$(BIN)/squawk $(filter-out %.rollback.sql, $(wildcard migrations/*.sql))
	$(BIN)/python tools/plpgsql_check.py
	$(BIN)/caddy fmt gateway/Caddyfile | diff gateway/Caddyfile -

# The secrets of an installation with docker compose, made once and never overwritten.
.env:
	@umask 077; for name in POSTGRES_PASSWORD ATLAS_AUTHENTICATOR_PASSWORD ATLAS_CRON_PASSWORD; do \
	  echo "$$name=$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; \
	done > $@.new && mv $@.new $@
	@echo "wrote $@"

audit:
	$(PYTHON) tools/audit.py

bench: $(BENCH)
	$(BIN)/python bench/everything.py $(ARGS)

# Not the data: that is yours (rm -r .atlas).
clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): $(SOURCES) | $(BIN)/pip
	@echo "installing atlas-stage into $(VENV) …"
	@$(BIN)/pip install --quiet --editable '.[local]'
	@$(BIN)/python -m atlas_stage.local.serving >/dev/null
	@touch $@

$(DEV): $(SOURCES) | $(BIN)/pip
	@echo "installing atlas-stage and its tools into $(VENV) …"
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@$(BIN)/python -m atlas_stage.local.serving >/dev/null
	@touch $@ $(RUN)

$(BENCH): $(SOURCES) | $(BIN)/pip
	@echo "installing atlas-stage and what its benches take into $(VENV) …"
	@$(BIN)/pip install --quiet --editable '.[bench]'
	@$(BIN)/python -m atlas_stage.local.serving >/dev/null
	@touch $@ $(RUN)

$(BIN)/pip:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or name it: make PYTHON=python3.12"; exit 1; } >&2
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1), and 3.11 is needed: make PYTHON=python3.12"; exit 1; } >&2
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)"; exit 1; } >&2
	@"$(PYTHON)" -m venv --clear $(VENV)
