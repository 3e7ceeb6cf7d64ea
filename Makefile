# Every target does its own set-up, which takes a moment when it is done already.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down test check storm bench fuzz cuts clean

PYTHON := .venv/bin/python
CASES ?= 1000
MINUTES ?= 5
SEED ?= 1
PLANTED ?=

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## check this machine, install everything once (needs the network the first time)
	@bin/setup

demo: setup ## play two cases from the hospital's submission to the delivered report
	@.venv/bin/overread demo

up: setup ## start everything and leave it running; prints the addresses
	@.venv/bin/overread up

down: setup ## stop everything; data stay
	@.venv/bin/overread down

test: setup ## run all tests (under 10 minutes on two cores)
	@.venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup ## the whole gate: format, lint, types, import rules, tests
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy .
	@.venv/bin/lint-imports
	@$(MAKE) --no-print-directory test

storm: setup ## cases through services that are killed: CASES= MINUTES= SEED= PLANTED=all
	@$(PYTHON) -m shared.testing.storm --cases $(CASES) --minutes $(MINUTES) --seed $(SEED) \
		$(if $(PLANTED),--planted $(PLANTED))

bench: setup ## measure: each figure beside a peer or a limit from the same run
	@$(PYTHON) -m benchmarks.pipeline
	@$(PYTHON) -m benchmarks.matching

fuzz: setup ## throw bytes at the DICOM walker and the cleaner: MINUTES=10
	@$(PYTHON) -m tests.fuzz.run --minutes $(if $(filter file,$(origin MINUTES)),10,$(MINUTES))

cuts: setup ## cut ten scanners' files at each offset: all are held, soon, in little memory
	@.venv/bin/pytest -m slow tests/unit/deid/test_hostile.py

clean: setup ## stop everything and remove data, keys and logs; downloads stay
	@.venv/bin/overread down
	@find .overread -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +
