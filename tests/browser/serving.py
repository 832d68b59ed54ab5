"""Serving the real dashboard on a free port of localhost, and the Chromium to look at it with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiting import LIMIT, until

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
def serve(log: Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Serve `app/main.py`, its output in a file and its sessions beside it; gives the address of the page."""
    command = [sys.executable, "-m", "panel", "serve", "app/main.py", "--port", "0"]  # one that is free
    with log.open("w") as output:
        own = os.environ | {"ACGEN_SESSIONS": str(log.parent / "sessions")} | (environment or {})
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=own)
        try:
            until(lambda: process.poll() is not None or _listens(log), "the dashboard is served", every=0.1)
            if process.poll() is not None:
                raise RuntimeError(f"the dashboard ended: {log.read_text()}")
            yield f"http://localhost:{_listens(log)}/main"
        finally:
            process.terminate()
            process.wait(LIMIT)


def _listens(log: Path) -> str:
    """The port that the server says it listens to; empty before."""
    found = re.search(r"running at: http://localhost:(\d+)/main", log.read_text())
    return "" if found is None else found.group(1)
