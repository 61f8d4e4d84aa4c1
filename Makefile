# What a fresh clone needs: Python 3.11 or newer with venv, git and make.
# Every target may be repeated: stamps remember what is done, and nothing asks a question.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_VENV := .venv-demo
BENCH_VENV := .venv-bench
CODE := $(wildcard esflow projections tests examples benchmarks)

# Suites that kill processes, start interpreters or run mutants say nothing more under coverage,
# laws take twice as long under it, and the reference has nothing of esflow in it; every other folder
# of tests is measured.
UNMEASURED := $(wildcard tests/laws tests/reference tests/house tests/simulation tests/tampering tests/mutants)
ALONE := $(filter-out tests/mutants,$(UNMEASURED))

# The pure core and the codec, where every branch is covered; elsewhere it is 90 %.
empty :=
comma := ,
CORE_MODULES := codec commands consequences decider errors events/ fold holds ids items json_values merge moments parts payloads \
	reducers state structures transitions upcasters values waves wires
CORE := $(subst $(empty) $(empty),$(comma),$(patsubst %,esflow/%*,$(CORE_MODULES)))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help:  ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(if $(wildcard $(READY)),$(READY),$(DEMO_VENV)/.ready)  ## Watch a job pause on one host and end on another.
	@$(patsubst %/.ready,%,$<)/bin/esflow demo
	@echo '  # esflow is on the PATH after: export PATH="$$PWD/$(patsubst %/.ready,%,$<)/bin:$$PATH"'

# The mutants come last, because they keep two cores busy by themselves.
.PHONY: test
test: lint  ## Check everything, two things at a time; pytest has the last word.
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line types imports gates $(ALONE)
	$(BIN)/python -m pytest tests/mutants

.PHONY: lint
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(READY)
	$(BIN)/mypy $(CODE)
	$(BIN)/pyright --pythonpath $(BIN)/python $(CODE)

.PHONY: imports
imports: $(READY)
	$(BIN)/lint-imports

.PHONY: measured
measured: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(addprefix --ignore=,$(UNMEASURED)) tests

.PHONY: gates
gates: measured
	$(BIN)/coverage report --include='$(CORE)' --fail-under=100
	$(BIN)/coverage report --omit='$(CORE)' --fail-under=90

.PHONY: $(ALONE)
$(ALONE): $(READY)
	$(BIN)/python -m pytest $@

.PHONY: test-long
test-long: $(READY)  ## Try the laws for longer, from a seed that is printed (SEED=… repeats a run).
	@seed=$${SEED:-$$($(BIN)/python -c 'import secrets; print(secrets.randbits(32))')}; \
	echo "SEED=$$seed"; \
	$(BIN)/python -m pytest --hypothesis-profile=long --hypothesis-seed="$$seed" tests

.PHONY: test-faults
test-faults: $(READY)  ## Spoil files, disks and power; needs a C compiler (FAULTS=full tries everything).
	$(BIN)/python -m pytest tests/faults

.PHONY: bench
bench: $(BENCH_VENV)/.ready  ## Measure what a step costs against plain sqlite3 and other tools (SUITES=… ROUNDS=… SIZES=large).
	$(BENCH_VENV)/bin/python -m benchmarks $(SUITES)

.PHONY: format
format: $(READY)  ## Let ruff rewrite what it can.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(READY)  ## Write the generated blocks of the documents anew, and their pictures.
	$(BIN)/python -m tests.house.generated
	$(BIN)/python -m benchmarks.report

.PHONY: lock
lock: $(READY)  ## Choose the newest versions that fit; write requirements.lock.
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
		--output-file requirements.lock pyproject.toml

.PHONY: clean
clean:  ## Remove what the targets made.
	rm -rf $(VENV) $(DEMO_VENV) $(BENCH_VENV) $(wildcard .venv-3.*) build dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything for development, at the locked versions.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "esflow needs Python 3.11 or newer: make PYTHON=python3.x" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# What a service would install, and no more.
$(DEMO_VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python -m pip install --quiet -c requirements.lock -e .
	@touch $@

# What is measured beside esflow, which never depends on it.
$(BENCH_VENV)/.ready: benchmarks/requirements.txt requirements.lock pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet -r benchmarks/requirements.txt -e .
	@touch $@
