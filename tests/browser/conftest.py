"""The real dashboard on localhost and a headless Chromium that can reach nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Blocks every other host, so that a request that gets away fails as well as being recorded.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)


@pytest.fixture(scope="session")
def chromium():
    """A headless browser with WebGL in software."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs Chromium: install it (Debian: sudo apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> str:
    """Address of the dashboard, served as the README says."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    command = [sys.executable, "-m", "panel", "serve", "app/main.py", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, env=os.environ | {"MPLBACKEND": "agg"}
        )
    address = f"http://localhost:{port}/main"
    try:
        end = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(address, timeout=60):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"the dashboard does not answer:\n{log.read_text()}")
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(10)
    assert str(ROOT / "app") not in log.read_text(), f"an error in the dashboard:\n{log.read_text()}"
