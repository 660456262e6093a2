# make demo   the main job, twice, on the embedded demo models
# make test   the tests that CI runs, on the built wheel
# make wheel  the source distribution and the wheel, into .venv/wheel/dist/, installed for the tests
# make check  ruff, mypy, the documentation, the tests and the audit
# make docs   the documentation site, into site/; a broken link fails
# make audit  whether a pinned package is known to be vulnerable; says so where that cannot be looked up
# make test-slow  the tests that take minutes
# make test-minimum  the tests on the oldest releases that pyproject.toml allows
# make test-browser  the tests of the HTML report in Chromium, installed first where apt can
# make mutants  whether the tests of grading and comparison notice small faults in them: most of an hour
# make bench MODEL=… STORIES=… DOMAIN=… WORK=… [NAMES="generation import"] [REPEATS=3]  speed beside other tools

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
# What a user installs, without the tools of those who change it.
RUNNABLE := $(VENV)/.runnable
# An environment with the built wheel, which sees the packages of the first one: tests see what users will install.
WHEEL := $(VENV)/wheel
# Two processes of one thread each: models in tests are too small for more. A file's fixtures are made in one of them.
# -P keeps the checkout from hiding the wheel.
TEST := OMP_NUM_THREADS=1 WHEEL_IS_TESTED=1 $(WHEEL)/bin/python -P -m pytest -n 2 --dist loadfile
# Where there is no NVIDIA GPU, Linux takes torch's CPU build: the default one brings gigabytes of CUDA libraries.
CPU_INDEX := https://download.pytorch.org/whl/cpu
# The folder of the first environment's packages.
SITE := $(BIN)/python -c 'import site; print(site.getsitepackages()[0])'
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: install demo wheel test test-slow test-minimum test-browser docs check audit bench mutants clean

install: $(READY)

$(RUNNABLE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv module is needed; on Debian: apt install python3-venv"; exit 1; }
	@echo "installing into $(VENV): a minute or more, over a gigabyte, most of it torch"
	@if [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null && ! $(BIN)/python -c 'import torch' 2>/dev/null; then \
		$(BIN)/pip install -q --retries 0 --timeout 15 --index-url $(CPU_INDEX) $(TORCH) 2>/dev/null \
			|| echo "torch's CPU index cannot be reached; taking torch from the usual one"; fi
	$(BIN)/pip install -q -c constraints.txt -e .
	@touch $@

$(READY): $(RUNNABLE)
	@echo "installing what tests and checks need"
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(RUNNABLE)
	$(BIN)/python -m pytest_forgetting.demo

# By way of the source distribution, which must hold what building needs. Anew each time: that takes seconds.
wheel: $(READY)
	$(BIN)/python -m venv --clear --without-pip $(WHEEL)
	$(BIN)/python -m build --no-isolation --outdir $(WHEEL)/dist . >$(WHEEL)/build.log 2>&1 \
		|| { cat $(WHEEL)/build.log; exit 1; }
	$(BIN)/pip --python $(WHEEL)/bin/python install -q --no-deps --ignore-installed $(WHEEL)/dist/*.whl
	@$(SITE) > $$($(WHEEL)/bin/python -c 'import site; print(site.getsitepackages()[0])')/first.pth

test: wheel
	$(TEST)

test-slow: wheel
	$(TEST) -m slow

# In an environment of its own. torch's CPU index has no releases as old for every system: the usual one has.
MINIMUM := $(VENV)/minimum
# pyarrow 17 brings a package of its own by the name of `benchmarks`, which must not hide ours.
test-minimum: $(MINIMUM)/.installed
	PYTHONPATH=$(CURDIR) OMP_NUM_THREADS=1 $(MINIMUM)/bin/python -m pytest -n 2 --dist loadfile

$(MINIMUM)/.installed: pyproject.toml constraints-minimum.txt
	$(PYTHON) -m venv $(MINIMUM)
	-$(MINIMUM)/bin/pip install -q --retries 0 --timeout 15 --index-url $(CPU_INDEX) \
		$$(grep '^torch==' constraints-minimum.txt) 2>/dev/null
	$(MINIMUM)/bin/pip install -q -c constraints-minimum.txt -e '.[test]'
	@touch $@

# `make test` runs them too where there is a Chromium; elsewhere they are skipped.
test-browser: wheel
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| { apt-get update -qq && apt-get install -y -qq chromium; } \
		|| { echo "Chromium is needed; install it from your system's packages"; exit 1; }
	$(TEST) -m browser

docs: $(READY)
	$(BIN)/python -m tests.docs.reference
	$(BIN)/zensical build --clean --strict

check: wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zensical build --clean --strict
	$(TEST)
	@$(MAKE) --no-print-directory audit

# pip-audit has an environment of its own: what it needs is no part of what was tested together.
AUDIT := $(VENV)/audit
audit:
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) \
		&& $(AUDIT)/bin/pip install -q --retries 0 --timeout 15 pip-audit >/dev/null 2>&1; } || true
	@$(PYTHON) tools/audit.py $(AUDIT)/bin/pip-audit constraints.txt

# The other tools have environments of their own; PEERS= leaves out the two that fewer people use.
BENCH := $(VENV)/bench
PEERS ?= pyrecall finetunecheck
REPEATS ?= 3
bench: $(READY) $(BENCH)/lm-eval/.installed $(PEERS:%=$(BENCH)/%/.installed)
	$(BIN)/python -m benchmarks.speed --python $(abspath $(BENCH))/lm-eval/bin/python --repeats $(REPEATS) \
		$(foreach peer,$(PEERS),--$(peer) $(abspath $(BENCH))/$(peer)/bin/python) \
		$(if $(MODEL),--model $(MODEL)) $(if $(STORIES),--stories $(STORIES)) \
		$(if $(DOMAIN),--domain $(DOMAIN)) $(if $(WORK),--work $(WORK)) $(NAMES)

$(BENCH)/%/.installed: benchmarks/requirements-%.txt constraints.txt
	$(PYTHON) -m venv $(@D)
	-$(@D)/bin/pip install -q --retries 0 --timeout 15 --index-url $(CPU_INDEX) $(TORCH) 2>/dev/null
	$(@D)/bin/pip install -q -r $< $(if $(filter lm-eval,$*),-e .)
	@touch $@

# mutmut's environment sees the packages of the first one, so that torch is not installed twice.
MUTMUT := $(VENV)/mutants
mutants: $(READY) $(MUTMUT)/.installed
	OMP_NUM_THREADS=1 $(MUTMUT)/bin/mutmut run --max-children 2
	$(MUTMUT)/bin/python -m tests.survivors

$(MUTMUT)/.installed: constraints.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install -q -c constraints.txt mutmut==3.8.1
	$(SITE) > $$($(@D)/bin/python -c 'import site; print(site.getsitepackages()[0])')/first.pth
	@touch $@

clean:
	rm -rf $(VENV) build dist site .cache mutants *.egg-info
