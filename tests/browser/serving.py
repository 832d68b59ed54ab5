"""Serving the real dashboard on a free port of localhost, and the Chromium to look at it with."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    # WebGL in software where there is no graphics card.
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Blocks every other host, so that a request that gets away fails as well as being recorded.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
)
#: The spinner over a page that is not set up yet.
SPINNER = "#loader"


def find_chromium() -> str | None:
    """Path of an installed Chromium."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def serve(log: Path) -> Iterator[str]:
    """Serve `app/main.py`, its output in a file; gives the address of the page."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "app/main.py", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        try:
            address = f"http://localhost:{port}/main"
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(60)  # for what works beside the page


def _wait_for(address: str, process: subprocess.Popen, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=seconds):
                return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the dashboard does not answer, see its log") from error
            time.sleep(0.3)
