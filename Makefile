# `make app` opens the dashboard, `make test` runs the tests, `make docs` makes the book, `make screenshots`
# takes the pictures of the dashboard again; each builds what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LARCH := .venv-larch

.PHONY: app test lint docs screenshots clean
app: $(VENV)/app.stamp
	$(BIN)/panel serve app/main.py --address localhost --show

# A test that needs the browser fails without it. Tests of one file, and all that open a browser, run one after the other.
test: $(VENV)/test.stamp lint
	ACGEN_TEST_BROWSER=required $(BIN)/pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

lint: $(VENV)/test.stamp
	$(BIN)/ruff check acgen app tests
	$(BIN)/mypy

# The tests build the same book (tests/test_book.py).
docs: $(VENV)/docs.stamp
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --builder html notebooks build/book
	@echo "open build/book/index.html"

screenshots: $(VENV)/test.stamp
	$(BIN)/python tests/browser/screenshots.py

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[app]'
	touch $@

$(VENV)/docs.stamp: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

$(VENV)/test.stamp: pyproject.toml tests/install_browser.sh $(LARCH)/larch.stamp | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[test]'
	$(BIN)/pip install --quiet --editable '.[md]' || echo "No C++ compiler? Tests of energies and dynamics will be skipped."
	sh tests/install_browser.sh
	touch $@

# xraylarch is only compared with, so it has an environment of its own; without it those tests skip and say so.
$(LARCH)/larch.stamp: tests/larch-requirements.txt | $(BIN)/pip
	rm -rf $(LARCH)
	$(PYTHON) -m venv --without-pip $(LARCH)
	$(BIN)/pip --python $(LARCH)/bin/python install --quiet --no-compile --no-deps --requirement $< && touch $@ \
	  || { rm -rf $(LARCH); echo "xraylarch could not be installed: the two tests that compare with it will skip." >&2; }

clean:
	rm -rf $(VENV) $(LARCH) build dist
