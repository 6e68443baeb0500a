# make run     the studio, at http://127.0.0.1:8501
# make test    every check and every test
# make fuzz    the same properties with every member of a kind and new examples, for half an hour or so; before a hand-over
# make toy-weights   trains the models of data/weights again, a night on two cores; goes on where it was stopped
# make lint    the checks alone;  make format  puts the code in shape
#
# Each makes .venv where it is missing and installs packages only when their list has changed.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run test fuzz toy-weights lint format venv packages test-packages chromium

VENV := .venv
PY := $(VENV)/bin/python
# Compiling all of torch takes as long as installing it. What is imported is compiled then, once: here also where the
# environment asks Python to keep nothing, as images of containers do.
PIP := $(PY) -m pip install --disable-pip-version-check --no-compile
unexport PYTHONDONTWRITEBYTECODE
PORT ?= 8501
# Arguments for pytest, for example: make test ARGS="tests/jobs -k cancel"
ARGS ?=

say = @printf '\033[1m==> %s\033[0m\n' "$(1)"
APT = DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

run: packages
	$(call say,Mask R-CNN Studio: open http://127.0.0.1:$(PORT) in a browser. Ctrl-C stops it; a training goes on.)
	@exec $(PY) -m maskrcnn.studio --server.address 127.0.0.1 --server.port $(PORT)

# Each test computes with one thread, so every core runs some of them; those of a file stay together, for what they
# share. A browser and its server wait for each other half of the time: two of these at a time, on any machine.
test: lint chromium
	$(call say,Running the tests)
ifeq ($(strip $(ARGS)),)
	@$(PY) -m pytest -n logical --dist loadfile --no-loadscope-reorder --ignore tests/browser
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/browser
else
	@exec $(PY) -m pytest $(ARGS)
endif

fuzz: chromium
	$(call say,Trying every member of each kind, and examples that nobody has seen)
	@MASKRCNN_FUZZ=1 $(PY) -m pytest -n logical -m "hypothesis or sweep or wider" --ignore tests/browser $(ARGS)
	@MASKRCNN_FUZZ=1 $(PY) -m pytest -n 2 -m "hypothesis or sweep or wider" tests/browser $(ARGS)

toy-weights: packages
	$(call say,Training the models that ship; Ctrl-C stops it and the same command goes on)
	@exec $(PY) -m maskrcnn.toys.weights

lint: test-packages
	$(call say,Checking style and types)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy -n auto

format: test-packages
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

# The copy of a list inside .venv says what is installed. Contents are compared, not dates, which git changes.
packages: venv
	@if ! cmp -s requirements.txt $(VENV)/requirements.txt; then \
	    printf '\033[1m==> %s\033[0m\n' "Installing requirements.txt (torch is some gigabytes: this takes minutes, once)"; \
	    $(PIP) -r requirements.txt && cp requirements.txt $(VENV)/requirements.txt; \
	fi

test-packages: packages
	@if ! cmp -s requirements-test.txt $(VENV)/requirements-test.txt; then \
	    printf '\033[1m==> %s\033[0m\n' "Installing requirements-test.txt"; \
	    $(PIP) -r requirements-test.txt && cp requirements-test.txt $(VENV)/requirements-test.txt; \
	fi

# A bare Debian has a venv module without ensurepip, which is in a package of its own.
venv:
	@if $(PY) -m pip --version >/dev/null 2>&1; then exit 0; fi; \
	for name in $$PYTHON python3 python3.14 python3.13 python3.12 python3.11; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "No Python 3.11 or newer in PATH; install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; \
	fi; \
	printf '\033[1m==> %s\033[0m\n' "Making $(VENV) with $$("$$python" --version)"; \
	if "$$python" -m venv --clear $(VENV); then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "This Python lacks its venv package; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "Installing Debian's python3-venv, which this Python lacks"; \
	apt-get update -qq && $(APT) python3-venv >/dev/null && "$$python" -m venv --clear $(VENV)

# Found the same way by tests/browser/conftest.py. Some systems have a chromium that only says where to get one.
chromium: test-packages
	$(call say,Looking for a Chromium for the browser tests)
	@found() { for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	    if "$$name" --version 2>/dev/null; then return 0; fi; done; return 1; }; \
	found && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "None in PATH; installing Debian's package"; \
	    apt-get update -qq && $(APT) chromium >/dev/null; found && exit 0; \
	fi; \
	echo "None in PATH; asking Playwright for its own"; \
	$(PY) -m playwright install chromium || echo "That did not work, so the browser tests cannot run"
