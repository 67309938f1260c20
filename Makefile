# Needs Python 3.11 or newer and make; everything else goes into .venv.
#
#   make demo      a month-end close with 52 clients; nothing is left (make demo DATA=FOLDER keeps the result)
#   make serve     the whole stack, until Ctrl-C (data: .atlas)
#   make ha        three PostgreSQL nodes under Patroni and everything before them, for trying (lab/ha/README.md)
#   make quick     the tests of rules, catalog, ops and facts; no Docker, no browser
#   make try FILE=sql/…   put one file into a database and run the tests that name its object
#   make test      everything that a change can break (some of it: make test TESTS=tests/rules ARGS=-x)
#   make test-all  the slow tests besides: fuzzing, simulated years, faults, failover
#   make check     linters, types, SQL
#   make audit     known vulnerabilities in the packages that we depend on; needs a network
#   make bench     what everything costs, as one table and a plot in lab/ (make bench ARGS=--long)

PYTHON ?= python3
DATA   ?= .atlas
TESTS  ?= tests
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin
# Stamps of what is installed. A changed pyproject.toml installs again.
RUN   := $(VENV)/installed
DEV   := $(VENV)/installed-dev
ALL   := $(VENV)/installed-dev-all
BENCH := $(VENV)/installed-bench
# Each worker has its own server.
PYTEST := $(BIN)/pytest --numprocesses auto
# The tests for which the version of PostgreSQL matters: all of them on the oldest; on the newest, what a host can do to
# a deploy by a few files.
BETWEEN   := tests/rules tests/catalog tests/migrations/test_applying.py
VERSIONED := $(BETWEEN) tests/security tests/guest --ignore=tests/guest/test_settings.py
NEWEST    := $(BETWEEN) tests/security $(addprefix tests/guest/test_, replication.py restores.py trial.py)
# The tests for which the gateway matters: with Caddy, and once more with nginx.
GATEWAY := $(addprefix tests/http/test_, board.py bodies.py headers.py paths.py queries.py tokens.py)
# Named tests run even if they are slow or rare.
FAST := $(if $(filter file,$(origin TESTS)),-m "not slow and not rare")
# An install generates modules from these.
SOURCES := pyproject.toml tools/generate.py atlas_stage/models.py atlas_stage/async_stage.py \
  atlas_stage/transports/async_http.py $(wildcard sql/api/*.sql)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Images of Python set it. Packages are installed without bytecode: unless the first import writes it, each process
# compiles all that it imports, and pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo serve ha quick try test test-all check audit bench clean
.DELETE_ON_ERROR:

demo: $(RUN)
	@$(BIN)/python demo/month_end.py $(if $(findstring command,$(origin DATA)),--data "$(DATA)")

serve: $(RUN)
	@$(BIN)/atlas-stage serve --data "$(DATA)"

ha: $(ALL)
	@$(BIN)/python lab/ha $(ARGS)

quick: $(DEV)
	ATLAS_TEST_POSTGRES=embedded-18 $(PYTEST) -m "not slow and not rare" tests/rules tests/catalog tests/ops tests/facts $(ARGS)

try: $(DEV)
	@$(BIN)/python tools/try.py "$(FILE)" $(ARGS)

# The embedded server starts in a second and is reached without Docker's proxy.
test: $(ALL)
	ATLAS_TEST_POSTGRES=$${ATLAS_TEST_POSTGRES:-embedded-18} $(PYTEST) $(FAST) $(TESTS) $(ARGS)

# Everything on the default server, then what depends on the PostgreSQL version on the others, then nginx. With CI=true,
# PostgreSQL 15 must be there.
test-all: $(ALL)
	@failed=; \
	ATLAS_TEST_FUZZ=$${ATLAS_TEST_FUZZ:-10} $(PYTEST) $(ARGS) || failed=1; \
	for server in debian-15 embedded-16 embedded-18; do \
	  [ $$server != debian-15 ] || [ -n "$$CI" ] || [ -x /usr/lib/postgresql/15/bin/postgres ] || continue; \
	  case $$server in *15) tests="$(VERSIONED)";; *16) tests="$(BETWEEN)";; *) tests="$(NEWEST)";; esac; \
	  ATLAS_TEST_POSTGRES=$$server $(PYTEST) -m "not slow" $$tests $(ARGS) || failed=1; \
	done; \
	ATLAS_SERVE_GATEWAY=nginx ATLAS_TEST_POSTGRES=embedded-18 $(PYTEST) -m "not slow" $(GATEWAY) $(ARGS) || failed=1; \
	[ -z "$$failed" ]

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar migrations sql
	$(BIN)/squawk $(filter-out %.rollback.sql, $(wildcard migrations/*.sql))
	$(BIN)/python tools/plpgsql_check.py
	$(BIN)/caddy fmt gateway/Caddyfile | diff gateway/Caddyfile -

# The secrets of an installation with docker compose: written once, never overwritten.
.env:
	@umask 077; for name in POSTGRES_PASSWORD ATLAS_AUTHENTICATOR_PASSWORD ATLAS_CRON_PASSWORD; do \
	  echo "$$name=$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; \
	done > $@.new && mv $@.new $@
	@echo "wrote $@"

audit:
	$(PYTHON) tools/audit.py

bench: $(BENCH)
	$(BIN)/python lab/bench/everything.py $(ARGS)

# Not the data: that is yours (rm -r .atlas).
clean:
	rm -rf $(VENV) dist .atlas-try .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call install,extra): without bytecode, which the first import writes for what is used.
define install
@echo "installing atlas-stage[$(1)] into $(VENV) …"
@$(BIN)/pip install --quiet --no-compile --editable '.[$(1)]'
@$(BIN)/python -m atlas_stage.local.serving >/dev/null
endef

$(RUN): $(SOURCES) | $(BIN)/pip
	$(call install,local)
	@touch $@

$(DEV): $(SOURCES) | $(BIN)/pip
	$(call install,dev)
	@touch $@ $(RUN)

$(ALL): $(SOURCES) | $(BIN)/pip
	$(call install,dev-all)
	@touch $@ $(RUN) $(DEV)

$(BENCH): $(SOURCES) | $(BIN)/pip
	$(call install,bench)
	@touch $@ $(RUN)

$(BIN)/pip:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or name it: make PYTHON=python3.12"; exit 1; } >&2
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1), and 3.11 is needed: make PYTHON=python3.12"; exit 1; } >&2
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)"; exit 1; } >&2
	@"$(PYTHON)" -m venv --clear $(VENV)
