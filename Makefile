# `make ladder` and `make test` do all the set-up they need: a virtual environment in .venv with what pyproject.toml asks
# for, made again only when pyproject.toml changes. They need GNU make, git and Python 3.10 or newer with venv.
#   make ladder ARGS="with smoke"      arguments for python -m experiments.ladder
#   make setup PYTHON=python3.12       the Python that .venv is made from

.DEFAULT_GOAL := help
.PHONY: help ladder test setup clean

VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
INSTALLING := $(VENV)/.installing
CANDIDATES := $(or $(PYTHON),python3 python python3.14 python3.13 python3.12 python3.11 python3.10)

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

ladder: $(INSTALLED)  ## train, evaluate and report the ladder A-F; ARGS="with smoke" for a minute's run
	$(RUN) -m experiments.ladder $(ARGS)

test: $(INSTALLED)  ## style, format, types and tests
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile

setup: $(INSTALLED)  ## only the virtual environment

clean:  ## remove the virtual environment and caches; runs/ and reports/ stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find ablations core experiments tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An install that was interrupted leaves .installing behind: it starts afresh, because half a package can look whole.
$(INSTALLED): pyproject.toml
	@set -e; \
	python=; \
	for candidate in $(CANDIDATES); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; \
	  then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Python 3.10 or newer is needed, and none of these is: $(CANDIDATES)." >&2; \
	  echo "Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$python lacks its venv module. Install it (Debian, Ubuntu: sudo apt-get install python3-venv)," >&2; \
	  echo "or name another Python: make setup PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$python" --version): once, some minutes and about 6 GB, most of it torch."; \
	if [ -e $(INSTALLING) ] || ! $(RUN) -m pip --version >/dev/null 2>&1; \
	then "$$python" -m venv --clear $(VENV); fi; \
	touch $(INSTALLING); \
	$(RUN) -m pip install -e '.[dev]'; \
	rm -f $(INSTALLING); \
	touch $(INSTALLED)
