# The lock holds hashes and no index address; bytecode is compiled on first import, which makes the
# first install a third faster.
PYTHON ?= python3
# Without what it compiled, each process that starts takes ten times as long to import everything.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PAGES := app/web/static/.built
COMMAND := $(BIN)/classifaily

.PHONY: serve test check contract benchmark lock format pages clean
serve:
	@$(MAKE) --silent --jobs 2 $(RUNTIME) $(PAGES) $(COMMAND)
	@$(BIN)/python -m app serve

test: $(DEV) $(PAGES) $(COMMAND)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m app export schema | diff -u schema.graphql -
	$(BIN)/python -m pytest --quiet tests/test_architecture.py tests/storage/test_migrations.py
	$(BIN)/python -m tests.contract check

contract: $(DEV)
	$(BIN)/python -m tests.contract write

format: $(DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(DEV)
	$(BIN)/python -m benchmarks

# uv writes one lock for every platform and Python version; pip installs from it.
lock: $(DEV)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra image --extra audio --extra video pyproject.toml --output-file requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --extra image --extra audio --extra video --constraint requirements/runtime.txt pyproject.toml --output-file requirements/dev.txt

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What installing the package would write, without what building it takes.
$(COMMAND): | $(BIN)/python
	@printf '#!%s\nimport sys\n\nsys.path.insert(0, "%s")\n\nfrom app.cli.main import main\n\nif __name__ == "__main__":\n    main()\n' \
		"$(CURDIR)/$(BIN)/python" "$(CURDIR)" > $@
	@chmod +x $@

$(RUNTIME): requirements/runtime.txt | $(BIN)/python
	@echo "Installing packages into $(VENV) ..."
	$(PIP) --requirement requirements/runtime.txt
	@touch $@

$(DEV): requirements/dev.txt | $(BIN)/python
	$(PIP) --requirement requirements/dev.txt
	@touch $@ $(RUNTIME)

# Everything under web/ but what npm puts there.
WEB := $(shell find web -name node_modules -prune -o -type f -print)
NODE_MODULES := web/node_modules/.package-lock.json

pages: $(PAGES)

$(NODE_MODULES): web/package.json web/package-lock.json web/.npmrc | $(BIN)/python
	@echo "Installing what the pages are built of ..."
	@web/npm.sh ci --prefer-offline
	@touch $@

$(PAGES): $(WEB) $(NODE_MODULES)
	@web/npm.sh run --silent build

clean:
	rm -rf $(VENV) app/web/static web/node_modules
