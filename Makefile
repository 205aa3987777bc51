# Needs Python 3.11 to 3.13, make and the package registries; a C++ compiler only for speed.
PYTHON ?= python3
VENV ?= .venv
PIP_AUDIT ?= pip-audit
BIN := $(VENV)/bin
SOURCES := pyproject.toml CMakeLists.txt host/api/edgeinfer.py $(wildcard device/preprocess/native/* device/preprocess/native/include/*/*)

# Tests run in a process for each core; `make test PROCESSES=0` runs them in one.
PROCESSES ?= auto
PYTEST := $(BIN)/python -m pytest --numprocesses $(PROCESSES) --durations 15

# It reads files of Keras 2 in tests. It asks for the whole tensorflow, so it comes without
# dependencies; users get it when they first need it.
TF_KERAS := tf_keras==2.21.0

# Images of containers set it, and then each process compiles what it imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-long test-system test-system-long lint docs fuzz benchmark wheel wheels board-lock sbom audit clean
.DELETE_ON_ERROR:

demo: $(VENV)/host.stamp  ## trains, quantizes, verifies and runs on embedded data
	$(BIN)/edgeinfer demo

test: $(VENV)/dev.stamp  ## every test that needs no separate system
	$(PYTEST) -m "not system and not long"

test-long: $(VENV)/dev.stamp  ## the same with other random inputs each time, and what takes long
	$(PYTEST) -m "not system" --hypothesis-profile long

test-system: $(VENV)/wheels.stamp  ## virtual environments, ARM userlands, cross-compiled programs
	$(PYTEST) -m "system and not long"

test-system-long: $(VENV)/wheels.stamp  ## the same with what takes long on a virtual board
	$(PYTEST) -m system

lint: $(VENV)/dev.stamp docs  ## style, types, the import rule, plain words and the pages' links
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.words

# With --quiet, MkDocs would not count warnings, and so refuse nothing. The variable keeps away
# what Material for MkDocs says of its successor.
docs: export NO_MKDOCS_2_WARNING := 1
docs: $(VENV)/dev.stamp  ## the documentation as a site, in build/site
	$(BIN)/mkdocs build --strict --config-file .ci/mkdocs.yml

FUZZ_ATTEMPTS ?= 100000
FUZZ_SEED ?= 0

fuzz: $(VENV)/dev.stamp  ## every reader with what an attacker might send, by coverage where atheris is
	$(BIN)/python -m tests.fuzz --guided --attempts $(FUZZ_ATTEMPTS) --seed $(FUZZ_SEED)
	$(BIN)/python -m tests.fuzz.models one-operator --attempts $(FUZZ_ATTEMPTS) --seed $(FUZZ_SEED)
	$(BIN)/python -m tests.fuzz.models mutated --attempts $(FUZZ_ATTEMPTS) --seed $(FUZZ_SEED)

benchmark: $(VENV)/dev.stamp  ## edgeinfer compared with what others do, as one table
	$(BIN)/python -m tests.benchmarks

wheel: $(VENV)/dev.stamp  ## a wheel for this architecture, in dist/
	$(BIN)/python -m build --wheel

board-lock: $(VENV)/dev.stamp  ## the packages that boards get, newest versions, with their hashes
	$(BIN)/python -P -m edgeinfer.host.board_wheels.make_lock

wheels: $(VENV)/wheels.stamp  ## wheels for x86-64, 64-bit and 32-bit ARM, in dist/
	$(BIN)/python boards/toolchains/build_wheels.py

sbom: $(VENV)/dev.stamp  ## for each wheel in dist/, a list of what it is made of and needs
	$(BIN)/python -P -m edgeinfer.host.board_wheels.sbom dist/*.whl

audit: $(VENV)/dev.stamp  ## known faults of what boards get; needs pip-audit and its service
	rm -rf build/audit
	$(BIN)/python -P -m edgeinfer.host.board_wheels.supported build/audit
	for file in build/audit/*.txt; do \
	  $(PIP_AUDIT) --strict --disable-pip --require-hashes --requirement $$file || exit 1; done

clean:
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	"error: %s is Python %d.%d, expected 3.11 to 3.13; name another: make PYTHON=python3.11 ..." % (sys.executable, *v))'
	$(PYTHON) -m venv $(VENV)

$(VENV)/host.stamp: $(SOURCES) | $(VENV)/bin/python
	@echo "installing edgeinfer and TensorFlow into $(VENV): about 2 GB, some minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[host]'
	@touch $@

$(VENV)/dev.stamp: $(SOURCES) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[host,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps '$(TF_KERAS)'
	@touch $@ $(VENV)/host.stamp

$(VENV)/wheels.stamp: $(SOURCES) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[host,dev,wheels]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps '$(TF_KERAS)'
	@touch $@ $(VENV)/host.stamp $(VENV)/dev.stamp
