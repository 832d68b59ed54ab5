"""A frame of a run that rests is kept: as a structure file, and as a candidate."""

from __future__ import annotations

import re
from pathlib import Path

from ase.io import read
from page import Page


def test_the_frame_of_a_paused_run_is_saved_and_kept(chromium, server):
    page = Page(chromium, f"{server}?cell=8&candidates=32&restarts=1&steps=16&seed=7")
    page.press("Start")
    page.wait_for_text(r"step \d+/")
    page.press("Pause")
    page.wait_for_text("paused")
    line = page.page.get_by_text(re.compile(r"Candidate \d+/32 .*paused")).first.inner_text()
    candidate, step = re.search(r"Candidate (\d+)/32 .* step (\d+)/", line).groups()
    page.page.locator(".acgen-keep button").first.click()
    with page.page.expect_download() as download:
        page.page.get_by_role("menuitem").filter(has_text="extxyz").click()
    assert f"_candidate-{candidate}_step-{step}." in download.value.suggested_filename
    assert len(read(Path(download.value.path()), format="extxyz")) == 51
    page.page.locator(".acgen-keep button").first.click()
    page.page.get_by_role("menuitem").filter(has_text="as a candidate").click()
    page.press("Log")
    page.wait_for_text(f"Step {step} of candidate {candidate} kept as candidate 33, unfinished")
    page.press("Candidates")
    page.page.locator(".tabulator-row").filter(has_text="1.33").wait_for()
    page.press("Stop")
    page.wait_for_text(f"Stopped: {int(candidate) - 1} of 32")
    assert page.foreign == []
    page.context.close()
