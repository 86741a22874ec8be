# The users' commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PYTHON ?= python3.11
PRODUCT ?= customer_transactions
FORMAT ?= table
VENV := .local/venv
UV := $(VENV)/uv/bin/uv
BIN := $(VENV)/pipeline/bin
comma := ,

# A switch that is taken for none would delete, publish or deploy what was only to be looked at.
$(foreach name,DRY_RUN KEEP APPLY,$(if $(filter-out 0 1,$(value $(name)))$(word 2,$(value $(name))),\
  $(error $(name): expected 1, got $(value $(name)). Next: $(name)=1, or leave it out)))

# What a person types goes to the programs by the environment, as it is: neither make nor the shell reads it.
TYPED := PRODUCT INPUT FILES WHERE FROM TO MODEL ENV SQL FORMAT KEY CUSTOMER COLUMN REPORT
$(foreach name,$(TYPED),$(eval override export $(name) := $$(value $(name))))

export MEDALLION_ENVIRONMENT := local
# The local cloud is on loopback, to which no proxy knows a way.
export NO_PROXY := $(or $(no_proxy),$(NO_PROXY))$(if $(no_proxy)$(NO_PROXY),$(comma))localhost,127.0.0.1
export no_proxy := $(NO_PROXY)
# Google's clients count down the last year of Python 3.11 in every process.
export PYTHONWARNINGS := ignore::FutureWarning

# An environment that is whole is not made anew under the cloud that runs in it: nothing could stop that then.
define unless_up
@[ ! -e $@ ] || [ ! -e "$${MEDALLION_LOCAL:-.local}/ports.json" ] || {
  echo 'The local cloud is up, and the locked requirements have changed. Next: make down, then try again.' >&2; exit 2; }
endef

.PHONY: help
help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.PHONY: setup
setup: $(VENV)/pipeline/.ready $(VENV)/pipeline/.classes $(VENV)/emulators/.ready  ## make the virtual environments from the locked requirements

$(VENV)/uv/.ready: requirements/uv.txt
	@echo "[1/3] the installer"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear $(VENV)/uv
	$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/pipeline/.ready: requirements/pipeline.txt $(VENV)/uv/.ready
	$(unless_up)
	echo "[2/3] Airflow, Spark and Keras (about 3 GB on disk)"
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)/pipeline
	$(UV) pip install --quiet --compile-bytecode --require-hashes --python $(BIN)/python -r requirements/pipeline.txt
	@touch $@

# Of its own, so that an environment that was made without one gets it, and is not made anew for it.
$(VENV)/pipeline/.classes: $(VENV)/pipeline/.ready
	@$(BIN)/python -m local.class_archive
	@touch $@

$(VENV)/emulators/.ready: requirements/emulators.txt local/setup_emulators.py $(VENV)/uv/.ready
	$(unless_up)
	echo "[3/3] the BigQuery emulator"
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)/emulators
	$(UV) pip install --quiet --compile-bytecode --require-hashes --python $(VENV)/emulators/bin/python -r requirements/emulators.txt
	$(VENV)/emulators/bin/python local/setup_emulators.py
	@touch $@

$(VENV)/infra/.ready: requirements/infra.txt $(VENV)/uv/.ready
	@echo "what checks infra/ (about 360 MB on disk)"
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)/infra
	$(UV) pip install --quiet --require-hashes --python $(VENV)/infra/bin/python -r requirements/infra.txt
	@touch $@

$(VENV)/checkov/.ready: requirements/checkov.txt $(VENV)/uv/.ready
	@echo "checkov (about 260 MB on disk)"
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)/checkov
	$(UV) pip install --quiet --compile-bytecode --require-hashes --python $(VENV)/checkov/bin/python -r requirements/checkov.txt
	@touch $@

$(VENV)/bench/.ready: requirements/bench.txt $(VENV)/uv/.ready
	@echo "the ways of cleaning to compare (about 1 GB on disk)"
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)/bench
	$(UV) pip install --quiet --compile-bytecode --require-hashes --python $(VENV)/bench/bin/python -r requirements/bench.txt
	@touch $@

$(VENV)/velox/.ready: requirements/velox.txt $(VENV)/uv/.ready
	@echo "Spark with a native engine (about 600 MB on disk)"
	$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)/velox
	# Where it can't be installed, the benchmark's table says that it did not run.
	$(UV) pip install --quiet --compile-bytecode --require-hashes --python $(VENV)/velox/bin/python -r requirements/velox.txt || { rm -rf $(VENV)/velox; exit 0; }
	@touch $@

$(VENV)/dag_factory/.ready: requirements/dag_factory.txt $(VENV)/pipeline/.ready
	@rm -rf $(VENV)/dag_factory
	$(UV) pip install --quiet --no-deps --require-hashes --python $(BIN)/python --target $(VENV)/dag_factory -r requirements/dag_factory.txt
	@touch $@

.PHONY: run
run: setup  ## run a product end to end: [PRODUCT=…] [INPUT=file or folder] [KEEP=1]
	@$(BIN)/python -m local.run --product="$$PRODUCT" $${INPUT:+--input="$$INPUT"} $(if $(filter 1,$(KEEP)),--keep)

.PHONY: up
up: setup  ## start the local cloud and Airflow's page, and leave them up
	@$(BIN)/python -m local.up up

# Without setup, which would make the environment anew under what still runs in it.
.PHONY: down
down:  ## stop what make up started
	@state="$${MEDALLION_LOCAL:-.local}/services.json"
	[ -e $(VENV)/pipeline/.ready ] || [ ! -e "$$state" ] || {
	  echo "What $$state names is up, and the environment that stops it is not whole. Next: make setup, then make down." >&2; exit 2; }
	[ -e $(VENV)/pipeline/.ready ] || { echo 'Nothing was set up here, so there is nothing to stop.' >&2; exit 2; }
	$(BIN)/python -m local.up down

# FILES are words and patterns, of which a?b.csv finds a name with a space.
.PHONY: land
land: setup  ## put files into bronze and start a run: PRODUCT=… FILES="…"
	@$(BIN)/python -m local.land -- "$$PRODUCT" $$FILES

.PHONY: replay
replay: setup  ## rejected rows through the mended contract again: [PRODUCT=…] [WHERE="…"] [DRY_RUN=1]
	@$(BIN)/python -m local.replay --where="$$WHERE" $(if $(filter 1,$(DRY_RUN)),--dry-run) -- "$$PRODUCT"

.PHONY: backfill
backfill: setup  ## files of business dates through today's contract again: FROM=… TO=… [PRODUCT=…] [APPLY=1]
	@[ -n "$$FROM" ] && [ -n "$$TO" ] || { echo 'Give business dates: make backfill FROM=2017-01-01 TO=2017-01-31' >&2; exit 2; }
	$(BIN)/python -m local.backfill $(if $(filter 1,$(APPLY)),--apply) -- "$$PRODUCT" "$$FROM" "$$TO"

.PHONY: rollback
rollback: setup  ## point a model back to the version before: MODEL=… [ENV=dev]
	@[ -n "$$MODEL" ] || { echo 'Name the model: make rollback MODEL=customer_churn' >&2; exit 2; }
	$(BIN)/python -m local.rollback --environment="$${ENV:-local}" -- "$$MODEL"

.PHONY: query
query: setup  ## GoogleSQL on the local warehouse: SQL="SELECT …" [FORMAT=csv|json]
	@[ -n "$$SQL" ] || { echo 'Give the query: make query SQL="SELECT …"' >&2; exit 2; }
	$(BIN)/python -m local.query --format="$$FORMAT" -- "$$SQL"

.PHONY: status
status: setup  ## every product: last runs, rows, rejected by rule, deadline, open incidents, and what to type next
	@$(BIN)/python -m local.status

.PHONY: explain
explain: setup  ## a row's passport: KEY="values of the key, with commas between" [PRODUCT=…]
	@[ -n "$$KEY" ] || { echo 'Give the key: make explain KEY="31198570044,1095275"' >&2; exit 2; }
	$(BIN)/python -m local.explain -- "$$PRODUCT" "$$KEY"

.PHONY: forget
forget: setup  ## take a customer out of all that a product holds: CUSTOMER=… [PRODUCT=…] [COLUMN=…]
	@[ -n "$$CUSTOMER" ] || { echo 'Say whom: make forget CUSTOMER=1071' >&2; exit 2; }
	$(BIN)/python -m local.forget $${COLUMN:+--column="$$COLUMN"} -- "$$PRODUCT" "$$CUSTOMER"

.PHONY: dashboard
dashboard: setup  ## where a product's gold is looked at: PRODUCT=… ENV=dev|prod [REPORT=id of a report to copy]
	@[ -n "$$ENV" ] || { echo 'Give the environment: make dashboard PRODUCT=sales ENV=dev' >&2; exit 2; }
	$(BIN)/python -m deploy.dashboard $${REPORT:+--report="$$REPORT"} -- "$$PRODUCT" "$$ENV"

.PHONY: deploy
deploy: setup  ## ship this checkout to a Composer environment: ENV=dev|prod [DRY_RUN=1]
	@[ -n "$$ENV" ] || { echo 'Give the environment: make deploy ENV=dev' >&2; exit 2; }
	$(BIN)/python -m deploy $(if $(filter 1,$(DRY_RUN)),--dry-run) -- "$$ENV"

.PHONY: test
test: setup $(VENV)/infra/.ready  ## run the tests, three files at a time
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: certify
certify: setup $(VENV)/infra/.ready  ## run the tests that take long: [FAULTS=60] of the crash certificate [FIRST_SEED=1]
	@FAULTS=$(or $(FAULTS),60) FIRST_SEED=$(or $(FIRST_SEED),1) $(BIN)/python -m pytest -m slow

.PHONY: fuzz
fuzz: setup  ## what is hostile, many cases a target: [CASES=10000]
	@FUZZ_CASES=$(or $(CASES),10000) $(BIN)/python -m pytest -k hostile

.PHONY: bench
bench: $(VENV)/bench/.ready $(VENV)/velox/.ready  ## measure cleaning beside other ways of it: [SCALES="1 8 32"] [ROUNDS=5] [ONLY="copy clean"]
	@$(VENV)/bench/bin/python -m bench.cleaning.run $(if $(SCALES),--scales $(SCALES)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

.PHONY: bench-model
bench-model: setup $(VENV)/bench/.ready  ## measure the model on five test snapshots, beside other predictions
	@$(BIN)/python -m bench.model.run

.PHONY: bench-parsing
bench-parsing: setup $(VENV)/dag_factory/.ready  ## measure how long Airflow takes to parse 500 products, beside dag-factory
	@PYTHONPATH=.:dags $(BIN)/python -m bench.dag_parsing.run

.PHONY: bench-growth
bench-growth: setup  ## measure what growth costs: [ONLY="scale days files products arrivals late"] [SIZES="--days 7"]
	@MEDALLION_LOCAL="$(CURDIR)/.local/bench/growth" PYTHONPATH=.:dags $(BIN)/python -m bench.growth.run $(if $(ONLY),--only $(ONLY)) $(SIZES)

.PHONY: check
check: setup $(VENV)/infra/.ready $(VENV)/checkov/.ready  ## lint, types, import rule, contracts, product files, SQL, infrastructure
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy medallion spark_jobs ml deploy infra local dags bench
	PYTHONPATH=.:dags $(BIN)/lint-imports
	PYTHONPATH=.:dags $(BIN)/python -m local.check
	$(VENV)/infra/bin/sqlfluff lint --disable-progress-bar --processes 2 sql/gold sql/report
	$(VENV)/infra/bin/python -m infra.checks

.PHONY: lock
lock: $(VENV)/uv/.ready  ## lock the requirements anew
	@for name in uv pipeline emulators infra checkov bench velox dag_factory; do
	  $(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 --python-platform linux \
	    --exclude-newer "$$(sed -n 's/^# exclude-newer: //p' requirements/$$name.in)" \
	    $$(sed -n 's/^# options: //p' requirements/$$name.in) \
	    requirements/$$name.in -o requirements/$$name.txt
	done

.PHONY: clean
clean:  ## remove the data of the local cloud and of the benchmark; the virtual environments stay
	@local/clean.sh
