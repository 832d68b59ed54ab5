# `make app` opens the dashboard, `make test` runs the tests, `make screenshots` takes the pictures of the dashboard again;
# each builds what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test lint screenshots clean
app: $(VENV)/app.stamp
	$(BIN)/panel serve app/main.py --address localhost --show

test: $(VENV)/test.stamp lint
	$(BIN)/pytest

lint: $(VENV)/test.stamp
	$(BIN)/ruff check acgen app tests
	$(BIN)/mypy

screenshots: $(VENV)/test.stamp
	$(BIN)/python tests/browser/screenshots.py

$(VENV)/app.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[app]'
	touch $@

$(VENV)/test.stamp: pyproject.toml tests/install_browser.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test]'
	$(BIN)/pip install --quiet --editable '.[md]' || echo "No C++ compiler? Tests of energies and dynamics will be skipped."
	sh tests/install_browser.sh
	touch $@

clean:
	rm -rf $(VENV) build dist
