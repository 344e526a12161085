# Every target sets up what it needs: `make demo` and `make test` are each enough on a fresh machine.
PYTHON ?= python3
EXTRAS ?=
VENV := .venv
BIN := $(VENV)/bin
LOCK = requirements/py$(shell $(PYTHON) -c 'import sys; print("%d%d" % sys.version_info[:2])').txt
UV := $(shell command -v uv 2>/dev/null)
STAMP := $(VENV)/.stamp$(if $(EXTRAS),-$(EXTRAS))

.PHONY: setup demo test check lock clean
setup: $(STAMP)

# uv where it is on PATH (seconds), else venv + pip (minutes). A Python without a lock file takes setup.cfg's ranges.
$(STAMP): setup.cfg pyproject.toml $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit("DeSLM needs Python 3.11 or newer; this is %d.%d. Run: make PYTHON=python3.11 ..." % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
ifdef UV
	@test -x $(BIN)/python || uv venv -q --python $(PYTHON) $(VENV)
	@if test -f $(LOCK); then uv pip install -q --python $(BIN)/python -r $(LOCK); fi
	@uv pip install -q --python $(BIN)/python -e '.[dev]'
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if test -f $(LOCK); then $(BIN)/python -m pip install -q --disable-pip-version-check -r $(LOCK); fi
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
endif
ifneq ($(EXTRAS),)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[$(EXTRAS)]'
endif
	@touch $@

demo: setup
	@$(BIN)/deslm demo

test: setup
	@$(BIN)/python -m pytest -n auto

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n auto -m "not slow"

lock:
	for v in 3.11 3.12; do uv pip compile -q setup.cfg --extra dev --python-version $$v --no-header \
		-o requirements/py$$(echo $$v | tr -d .).txt; done

clean:
	rm -rf $(VENV) build dist *.egg-info
