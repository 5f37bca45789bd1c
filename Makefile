# make demo, make test, make check and make docs each set up what they need in .venv, once.
# The Python to build it with: make demo PYTHON=python3.12

PYTHON ?= python3
VENV   ?= .venv
OUT    ?= out
PYTEST ?= -n 2
MINUTES ?= 10
SECONDS ?= 60
CALLS  ?= 10000
MOMENTS ?= 200
SEED   ?= 0

BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test audit faults kills fuzz fuzz-api matrix sanitize aarch64 release mac browser test-browser check lint types package page docs links clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    set up and train the LTC and the CfC on handwritten digits; pictures in $(OUT)/"
	@echo "make test    set up and run the tests (PYTEST='-n 0 -k plan' passes other options)"
	@echo "make test-browser  the editor in a real browser: standalone, JupyterLab, marimo (needs chromium)"
	@echo "make audit   compare drawn networks with references of their own for MINUTES=10, from SEED=0"
	@echo "make aarch64   kernels for AArch64, cross-compiled and run under qemu-user"
	@echo "make mac     whether the kernels compute and how fast, as a report: for owners of a Mac"
	@echo "make sanitize  kernels, threads and exported C under the sanitizers of GCC"
	@echo "make fuzz    spoilt files and messages for every reader, for SECONDS=60 each, from SEED=0"
	@echo "make fuzz-api  CALLS=10000 wrong calls of every public name, from SEED=0"
	@echo "make faults  what cannot be served, and what is said of it: a table, in $(OUT)/faults.md"
	@echo "make kills   kill processes at MOMENTS=200 moments, from SEED=0, and look what is lost"
	@echo "make matrix  the tests on the lowest versions that are promised and on the newest (ROWS='lowest')"
	@echo "make check   lint, format, types, and the wheel in an empty environment"
	@echo "make release  build a release and check it; with VERSION=0.2.0, write that down first"
	@echo "make page    build and test the editor's page (needs Node 20; nothing else here does)"
	@echo "make docs    build the documentation in docs/_build/html"
	@echo "make clean   remove everything the commands above made"

demo: $(VENV)/ready-cpu,demo
	$(BIN)/ganglion demo --out $(OUT)

test: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m pytest $(PYTEST)

# What the browser tests need: JupyterLab, marimo and Playwright, and a Chromium that starts.
browser: $(VENV)/ready-cpu,demo,dev,browser
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || test -n "$$GANGLION_CHROMIUM" \
	|| { apt-get update -q && apt-get install -y -q chromium; } || true
	@$(BIN)/python -m tests.browser.start

test-browser: browser
	$(BIN)/python -m pytest $(PYTEST) --dist loadfile tests/browser

audit: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.audit.run --minutes $(MINUTES) --seed $(SEED) --report $(OUT)/audit-$(SEED).md

fuzz: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.fuzz.readers --seconds $(SECONDS) --seed $(SEED)

fuzz-api: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.fuzz.api --calls $(CALLS) --seed $(SEED)

faults: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.faults.table.page $(OUT)/faults.md

kills: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.kills.run --moments $(MOMENTS) --seed $(SEED)
	$(BIN)/python -m tests.kills.workers --backend loky --seed $(SEED)
	$(BIN)/python -m tests.kills.workers --backend dask --seed $(SEED)

matrix: $(VENV)/bin/python
	$(BIN)/python tests/matrix.py $(ROWS)

aarch64: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.aarch64

mac: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python -m tests.mac

sanitize: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python tests/sanitize.py

release: $(VENV)/ready-cpu,demo,dev,release
	$(BIN)/python -m tests.release $(if $(VERSION),--version $(VERSION))

check: lint types package

lint: $(VENV)/ready-cpu,demo,dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell

types: $(VENV)/ready-cpu,demo,dev
	$(BIN)/mypy

package: $(VENV)/ready-cpu,demo,dev
	$(BIN)/python tests/package_check.py

PAGE := viz/editor/page

page: $(PAGE)/node_modules/ready
	npm --prefix $(PAGE) run types
	npm --prefix $(PAGE) run build
	npm --prefix $(PAGE) test

NODE20 := node -e 'const [a, b] = process.versions.node.split("."); process.exit(+(a < 20 || (a == 20 && b < 19)))'

$(PAGE)/node_modules/ready: $(PAGE)/package-lock.json
	@$(NODE20) 2>/dev/null && command -v npm >/dev/null \
	|| { apt-get update -q && apt-get install -y -q nodejs npm && $(NODE20); } \
	|| { echo "building the page needs Node 20.19 or newer with npm: https://nodejs.org" >&2; exit 1; }
	npm --prefix $(PAGE) ci --no-audit --no-fund
	@touch $@

docs: $(VENV)/ready-cpu,docs
	$(BIN)/sphinx-build -EaW --keep-going -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

# Every address outside of the pages, with a network; those inside are checked by make docs and the tests.
links: $(VENV)/ready-cpu,docs
	$(BIN)/sphinx-build -q -b linkcheck -D plot_gallery=0 docs docs/_build/links

clean:
	rm -rf $(VENV) .matrix $(OUT) build dist docs/_build docs/gallery src/*.egg-info
	rm -rf $(PAGE)/node_modules
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A stamp per set of extras: set-up runs again only when pyproject.toml changes.
$(VENV)/ready-%: pyproject.toml | $(VENV)/bin/python
	$(PIP) install -q -e ".[$*]"
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "Ganglion needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	|| { rm -rf $(VENV); echo "no virtual environment: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
