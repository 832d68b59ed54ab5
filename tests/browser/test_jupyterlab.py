"""The widgets in a real JupyterLab: their notebook runs from top to bottom, alive while a cell awaits the run."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from serving import ROOT
from waiting import LIMIT, until

from app.look import colours

NOTEBOOK = ROOT / "notebooks" / "widgets.ipynb"
SETTINGS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
LAB_SETTINGS = ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")


@contextmanager
def jupyterlab(folder):
    """Serve JupyterLab on a free port, with everything it keeps inside a folder; gives the address."""
    pytest.importorskip("jupyterlab", reason='needs JupyterLab: pip install "acgen[lab]"')
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    (folder / "work").mkdir()
    shutil.copy(NOTEBOOK, folder / "work")
    options = {
        "ServerApp.ip": "localhost",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder / "work",
        "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
        "IdentityProvider.token": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "LabApp.news_url": "None",
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    own = {name: str(folder / name) for name in (*SETTINGS, *LAB_SETTINGS)} | {"OMP_NUM_THREADS": "1"}
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | own, stdout=log, stderr=log)
        try:
            address = f"http://localhost:{port}"
            until(lambda: process.poll() is not None or answers(f"{address}/api"), "JupyterLab is served", every=0.3)
            assert process.poll() is None, (folder / "log.txt").read_text()
            yield address
        finally:
            process.terminate()
            process.wait(LIMIT)


def answers(address) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=LIMIT):
            return True
    except OSError:
        return False


def coloured(picture: bytes, colour: str) -> float:
    """Fraction of the pixels that have the hue of a colour, lit or in shade."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=float)
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
    vivid = pixels.max(2) - pixels.min(2) > 40
    cosine = (pixels @ wanted) / (np.linalg.norm(pixels, axis=2) * np.linalg.norm(wanted) + 1e-9)
    return float((vivid & (cosine > 0.985)).mean())


def drawn(canvas) -> bool:
    """Whether atoms are on it, whatever their coordination is so far."""
    picture = canvas.screenshot()
    return any(coloured(picture, colour) > 0.002 for colour in colours.CN.values())


def test_the_notebook_runs_and_shows_atoms(chromium, tmp_path):
    requests, errors = [], []
    with jupyterlab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1300, "height": 1000})
        context.set_default_timeout(1000 * LIMIT)
        context.on("request", lambda request: requests.append(request.url))
        context.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page = context.new_page()
        page.goto(f"{address}/lab/tree/{NOTEBOOK.name}")
        page.get_by_text(re.compile(r"Python 3.*\| Idle")).first.wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).first.click()

        sampler = page.locator(".jp-CodeCell", has_text="sampler = GuidedSampler")
        threefold = colours.CN[3]

        def show(cell) -> None:
            """JupyterLab draws the cells that are in sight: down and, where that was too far, up."""
            page.locator(".jp-Notebook").first.hover()
            ways = itertools.cycle(20 * [300] + 20 * [-300])

            def in_sight() -> bool:
                if cell.count() > 0 and cell.locator("canvas").count() > 0:
                    cell.scroll_into_view_if_needed()
                    return True
                page.mouse.wheel(0, next(ways))
                page.wait_for_timeout(200)
                return False

            until(in_sight, "the cell is drawn")

        show(sampler)
        line = sampler.get_by_text(re.compile(r"Candidate \d/2"))
        atoms = sampler.locator(".jupyter-widgets canvas").first
        until(lambda: drawn(atoms), "atoms while the next cell awaits the run", every=0.3)
        sampler.get_by_role("button", name="Pause").click()
        line.filter(has_text="paused").wait_for()
        paused = line.inner_text()
        page.wait_for_timeout(1500)
        assert line.inner_text() == paused
        sampler.get_by_role("button", name="Resume").click()
        sampler.get_by_text(re.compile("Done: 2 of 2")).wait_for()
        until(lambda: coloured(atoms.screenshot(), threefold) > 0.01, "the sampler shows atoms", every=0.5)
        plots = sampler.locator(".bk-Figure")
        until(lambda: plots.count() == 2, "two plots", every=0.2)
        for plot in plots.all():
            until(lambda plot=plot: coloured(plot.screenshot(), colours.PREDICTION) > 0.001, "a curve", every=0.5)
        page.screenshot(path=tmp_path / "sampler.png")

        spectrum = page.locator(".jp-CodeCell", has_text="SpectrumView(target, *sampler.results)")
        show(spectrum)
        figure = spectrum.locator(".bk-Figure")
        until(lambda: coloured(figure.screenshot(), colours.PREDICTION) > 0.001, "what the legend names", every=0.5)
        last = page.locator(".jp-CodeCell", has_text="StructureView(structures[0])")
        show(last)
        canvas = last.locator("canvas").first
        until(lambda: coloured(canvas.screenshot(), threefold) > 0.01, "atoms are drawn", every=0.5)
        page.screenshot(path=tmp_path / "last.png")

        show(sampler)
        sampler.get_by_role("button", name="Start").click()
        sampler.get_by_text(re.compile(r"Candidate \d/2")).wait_for()
        sampler.get_by_role("button", name="Stop").dispatch_event("click")  # a short run may have ended
        sampler.get_by_text(re.compile(r"(Stopped|Done): ")).wait_for()
        context.close()
    foreign = [url for url in requests if not re.match(rf"({address}/|data:|blob:)", url)]
    assert foreign == []
    assert not [text for text in errors if "Could not create a view" in text or "failed to load" in text]
