"""The real dashboard and a headless Chromium that can reach nothing else."""

from __future__ import annotations

import os

import pytest
from serving import FLAGS, ROOT, find_chromium, serve


@pytest.fixture(scope="module")
def chromium():
    """A headless browser with WebGL in software; closed with its module, for its loop keeps others from running."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    found = find_chromium()
    if found is None:
        reason = "needs Chromium: install it (Debian: sudo apt-get install chromium)"
        (pytest.fail if os.environ.get("ACGEN_TEST_BROWSER") == "required" else pytest.skip)(reason)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of the dashboard, served as the README says; one for all tests."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serve(log) as address:
        yield address
    assert str(ROOT / "app") not in log.read_text(), f"an error in the dashboard:\n{log.read_text()}"
