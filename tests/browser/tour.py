"""An hour with the page: `python tests/browser/tour.py FOLDER` leaves a picture of each stage, a figure and the zip.

Two measured films are uploaded and prepared, a run is started, steered and paused, the network fails and comes back,
candidates are compared, a figure and the session are exported, and another browser opens the session. It ends with an
error where a stage does not come about, where the page logged an error, or where it asked another host for anything.
The films are those of `ACGEN_SHARED_DATA`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

from page import Page
from playwright.sync_api import sync_playwright
from serving import FLAGS, ROOT, find_chromium, serve
from test_lost_connection import port_of
from wire import Wire

FILMS = ("RefFoil_AusSync_ref_over_photodiode.csv", "DLC_CKedge_SLRI_LG4X.csv")
#: Seconds without a network.
AWAY = 5


class Tour:
    """Pictures of one page, numbered."""

    def __init__(self, page: Page, folder: Path):
        self.page, self.folder, self._number = page, folder, 0

    def shoot(self, name: str, settle: float = 2.5) -> None:
        self._number += 1
        self.page.page.mouse.move(700, 20)
        self.page.page.wait_for_timeout(1000 * settle)
        self.page.page.screenshot(path=self.folder / f"{self._number}-{name}.png")
        print(f"{time.strftime('%T')} {self._number}-{name}.png", flush=True)

    def prepare(self, film: Path) -> None:
        """Upload a film and prepare it with automatic shift and slope."""
        page, browser = self.page.page, self.page
        browser.upload(film)
        page.get_by_role("combobox").filter(has_text=film.name).first.wait_for()
        browser.press("Prepare")
        page.get_by_role("dialog").get_by_text("Left over").first.wait_for()
        browser.press("Auto")
        browser.wait_for_text("Applied slope")
        self.shoot("prepared")
        browser.press("Use as target")
        page.get_by_role("dialog").wait_for(state="hidden")

    def run(self, wire: Wire) -> None:
        """Start, steer, lose the network and come back."""
        browser = self.page
        browser.press("Start")
        browser.wait_for_text(r"Candidate \d.*step \d+/")
        browser.slide("Guidance ξ", "ArrowRight", "ArrowRight")
        browser.press("Pause")
        browser.wait_for_text("paused")
        browser.wait_for_atoms()
        self.shoot("paused-and-steered")
        browser.press("Resume")
        browser.page.evaluate("window.before = true")
        wire.cut()
        browser.wait_for_text("Disconnected from the server")
        self.shoot("disconnected", 0.5)
        time.sleep(AWAY)
        wire.mend()
        browser.page.wait_for_function("window.before === undefined")
        browser.wait_for_text(r"Candidate \d+/\d+ .* left|Done")
        self.shoot("back")
        browser.wait_for_text("Done: 3 of 3")

    def compare(self) -> None:
        """All candidates, side by side."""
        page, browser = self.page.page, self.page
        browser.press("Candidates")
        boxes = page.locator(".tabulator-row input[type=checkbox]")
        boxes.nth(2).wait_for()
        for box in boxes.all():
            if not box.is_checked():
                box.click()
        browser.wait_for_text("mean of 3")
        self.shoot("candidates")
        browser.press("Side by side")
        page.get_by_role("dialog").locator("svg.atoms").nth(2).wait_for()
        self.shoot("side-by-side")
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")

    def export(self) -> Path:
        """A figure and the session, as files."""
        page = self.page.page
        with page.expect_download() as figure:
            card = page.locator(".acgen-card").filter(has_text="C K-edge spectrum")
            card.locator(".acgen-save button").locator("visible=true").first.click()
            page.get_by_role("menuitem", name=re.compile("^PNG")).first.click()
        figure.value.save_as(self.folder / "figure.png")
        with page.expect_download() as session:
            self.page.press("Download")
        archive = self.folder / session.value.suggested_filename
        session.value.save_as(archive)
        return archive


def check(page: Page, cut: bool) -> None:
    """Raise if the page logged an error (but for a connection that was cut) or asked another host."""
    errors = [error for error in page.errors if not (cut and re.search("WebSocket|ERR_|connection", error))]
    assert not errors, errors
    assert not page.foreign, page.foreign


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    shared = Path(os.environ.get("ACGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    films = [shared / "measured" / name for name in FILMS]
    wire = Wire()
    with (
        tempfile.TemporaryDirectory() as scratch,
        serve(Path(scratch) / "log.txt", {"BOKEH_ALLOW_WS_ORIGIN": f"localhost:{wire.own_port}"}) as address,
        sync_playwright() as tools,
    ):
        wire.port = int(port_of(address))
        browser = tools.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = Page(browser, f"http://localhost:{wire.own_port}/main?candidates=3")
        tour = Tour(page, folder)
        tour.shoot("ready")
        for film in films:
            tour.prepare(film)
        tour.run(wire)
        tour.compare()
        archive = tour.export()
        check(page, cut=True)
        page.context.close()
        other = Page(browser, address)
        other.page.locator(".acgen-session-file input[type=file]").set_input_files(archive)
        other.wait_for_text("Done: 3 of 3")
        other.wait_for_atoms()
        tour.page = other
        tour.shoot("opened-elsewhere")
        check(other, cut=False)
        browser.close()
        log = (Path(scratch) / "log.txt").read_text()
        # What Tornado says of the socket that was cut is no error of the dashboard.
        assert str(ROOT / "app") not in log, log
    wire.close()


if __name__ == "__main__":
    main()
