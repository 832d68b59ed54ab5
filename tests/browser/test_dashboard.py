"""The dashboard as a user meets it: a real server, a real browser, a spectrum file, a run, the result."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from page import Page, drawn

from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import builtin_targets

PLOTS = ("C K-edge spectrum", "Coordination", "Angles", "Misfit")


@pytest.fixture
def page(chromium, server, tmp_path):
    page = Page(chromium, server)
    yield page
    page.page.screenshot(path=tmp_path / "last.png")  # pytest keeps the folder: what a failure looked like
    page.context.close()


def write_spectrum(path: Path) -> Path:
    """A small measurement of what sp³ carbon looks like, as a German spreadsheet writes it."""
    values = builtin_targets()["sp3"].intensity
    lines = [f"{e:.1f};{v:.5f}".replace(".", ",") for e, v in zip(ENERGY, values, strict=True)]
    path.write_text("Energie;Intensität\n" + "\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def small_cell(page: Page) -> None:
    """An edge of 8 Å, which holds 51 atoms at the density of the start."""
    edge = page.page.locator(".acgen-cell input[type=text]")
    edge.fill("8")
    edge.press("Enter")
    page.wait_for_text("51 atoms")


def short_run(page: Page) -> None:
    """Two candidates of few steps."""
    page.slide("First-pass steps", "Home")
    page.slide("Restart cycles", "Home", "ArrowRight")
    page.slide("Candidates", "Home", "ArrowRight")


def test_from_a_spectrum_file_to_the_downloaded_structures(page, tmp_path):
    page.wait_for_text("press Start")
    page.upload(write_spectrum(tmp_path / "mein Diamant.csv"))
    page.wait_for_text("mein Diamant.csv")
    (tmp_path / "holiday.csv").write_text("no numbers in here")
    page.upload(tmp_path / "holiday.csv")
    page.wait_for_text("Not taken: .*The target stays")
    assert page.page.get_by_text("mein Diamant.csv").first.is_visible()

    small_cell(page)
    page.slide("Candidates", "End")
    assert drawn(page.atoms()) < 0.02
    before = {title: page.picture(title) for title in PLOTS}
    page.press("Start")
    page.wait_for_atoms()
    page.press("Pause")
    page.wait_for_text("paused")
    paused, line = page.wait_for_rest(page.atoms), page.page.get_by_text(re.compile(r"step \d+/"))
    for _ in range(64):  # nothing guides the first steps, which have neither spectrum nor misfit
        step = int(re.search(r"step (\d+)/", line.inner_text()).group(1))
        page.press("Step")
        page.wait_for_text(f"step {step + 1}/.*paused")
        if page.page.get_by_text(re.compile(r"· misfit \d")).first.is_visible():
            break
    page.wait_for_change(page.atoms, paused)
    for title, picture in before.items():
        page.wait_for_change(lambda title=title: page.picture(title), picture)

    page.slide("Guidance ξ", "ArrowRight")
    page.press("Resume")
    page.press("Log")
    page.wait_for_text(r"ξ \S+ → \S+ from step")

    page.press("Stop")
    page.wait_for_text("Stopped: .* of 32")
    short_run(page)
    page.press("Start")
    page.wait_for_text("Done: 2 of 2")
    page.wait_for_text("mean of 2")
    page.wait_for_atoms()
    with page.page.expect_download() as download:
        page.press("Download")
    with zipfile.ZipFile(download.value.path()) as file:
        assert {"candidates.extxyz", "spectra.csv", "summary.json", "report.html"} <= set(file.namelist())
        summary = json.loads(file.read("summary.json"))
        header = next(csv.reader(io.TextIOWrapper(file.open("spectra.csv"), encoding="utf-8")))
    assert [candidate["n_atoms"] for candidate in summary["candidates"]] == [51, 51]
    assert summary["settings"]["target"]["name"] == "mein Diamant.csv"
    assert summary["settings"]["instrument"] is True
    names = ["candidate_000", "candidate_001"]
    assert header == ["energy_eV", "target", *names, *(f"{name}_seen" for name in names)], "its instrument was fitted"

    light = page.wait_for_rest(page.atoms)
    page.page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_change(page.atoms, light)
    dark = page.wait_for_rest(page.atoms)
    assert dark[2, 2].max() < 60 < 200 < light[2, 2].min()
    assert page.foreign == []
    assert page.errors == []


def test_a_measured_film_drives_a_run(page, shared_data):
    page.upload(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv")
    page.wait_for_text("DLC_CKedge_SLRI_LG4X.csv")
    small_cell(page)
    short_run(page)
    page.press("Start")
    page.wait_for_text("Done: 2 of 2")
    page.wait_for_text("mean of 2")
    page.wait_for_atoms()
    assert page.foreign == []


def test_frames_candidates_and_branches(page, tmp_path):
    small_cell(page)
    short_run(page)
    page.press("Start")
    page.wait_for_text("mean of 2")
    rows = page.page.locator(".tabulator-row")
    assert rows.count() == 2
    rows.nth(1).locator("input[type=checkbox]").click()
    page.wait_for_text("± model error")

    slider = page.page.locator(".acgen-frame").get_by_role("slider")
    slider.press("Home")
    page.wait_for_text(r"no\. 1 · step 1 ")
    slider.press("ArrowRight")
    page.wait_for_text(r"no\. 1 · step 2 ")
    page.press("Branch")
    page.page.get_by_role("menuitem").filter(has_text="t = 0.3").click()
    page.page.locator(".tabulator-row").nth(3).wait_for()  # the end of a run brings its candidates to the front
    page.press("Log")
    page.wait_for_text("Run 2 started from step 2 of candidate 1.1, noised to t = 0.3")

    for kind, begin in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"energy_eV,target,")):
        page.page.locator(".acgen-save button").locator("visible=true").first.click()
        with page.page.expect_download() as download:
            page.page.get_by_role("menuitem").filter(has_text=kind).click()
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(begin)
        assert download.value.suggested_filename == f"acgen_c_k-edge_spectrum.{kind.lower()}"
        assert kind != "SVG" or content.count(b"<path") > 10, "curves, no picture"
    for title in ("g(r)", "Misfit"):
        page.press(title)
    page.press("Live")
    assert page.foreign == []
    assert page.errors == []


def test_a_link_sets_the_page_up_and_a_bad_one_says_so(chromium, server):
    page = Page(chromium, f"{server}?density=2.5&xi=600&target_name=sp3&seed=oops")
    page.wait_for_text("271 atoms")
    page.wait_for_text("The link's Seed .oops. cannot be used")
    assert page.page.get_by_role("slider", name="Guidance ξ").get_attribute("aria-valuenow") == "600"
    assert page.foreign == []
    page.context.close()
