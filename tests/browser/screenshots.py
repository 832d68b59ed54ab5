"""Pictures of every state of the dashboard: `python tests/browser/screenshots.py [FOLDER]`, or `make screenshots`.

The measured film is one of `ACGEN_SHARED_DATA`; its check by FEFF takes minutes.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from serving import FLAGS, ROOT, SPINNER, find_chromium, serve

SIZE = {"width": 1440, "height": 900}
SMALL = {"width": 1280, "height": 720}
#: What is prepared, compared and checked.
FILM = "DLC_CKedge_SLRI_LG4X.csv"


class Camera:
    """Takes pictures of one page into a folder, and says where the page would have to be scrolled."""

    def __init__(self, page: Page, folder: Path):
        self.page, self.folder = page, folder

    def shoot(self, name: str, settle: float = 2.5) -> None:
        """Save `name.png` once the page has come to rest."""
        self.page.mouse.move(700, 20)
        self.page.wait_for_timeout(1000 * settle)
        self.page.screenshot(path=self.folder / f"{name}.png")
        over = self.page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
        print(f"{name}.png" + (f" (has to be scrolled by {over} px)" if over > 0 else ""), flush=True)

    def both(self, name: str) -> None:
        """In light and in dark."""
        self.shoot(name)
        self.toggle()
        self.shoot(f"{name}-dark", 4.0)
        self.toggle()

    def toggle(self) -> None:
        self.page.get_by_role("button", name="Toggle theme").click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button").filter(has_text=name).first.click()

    def see(self, text: str, seconds: float = 120.0) -> None:
        self.page.get_by_text(re.compile(text)).first.wait_for(timeout=1000 * seconds)


def open_page(browser, address: str, size: dict[str, int], query: str = "") -> Page:
    """The dashboard, ready to be used."""
    page = browser.new_page(viewport=size)
    page.set_default_timeout(60_000)
    page.goto(f"{address}{query}")
    page.locator(".acgen-card canvas").first.wait_for()
    page.locator(SPINNER).wait_for(state="hidden")
    return page


def story(camera: Camera) -> None:
    """Every state of a run, one after the other, on one page."""
    camera.both("ready")
    camera.press("Start")
    camera.see(r"step [1-9]\d/")
    camera.shoot("running", 0.0)
    camera.see(r"step [3-9]\d/")
    camera.press("Pause")
    camera.see("paused")
    pick(camera)
    camera.both("picked")
    camera.page.locator(".acgen-colour button").click()
    camera.page.get_by_role("menuitem", name="Coordination").click()
    camera.page.locator(".acgen-card canvas").first.click(position={"x": 8, "y": 8})  # no atom is there
    camera.press("Resume")
    camera.see("Done: ")
    camera.shoot("dashboard", 4.0)
    slider = camera.page.locator(".acgen-frame").get_by_role("slider")
    slider.press("Home")
    camera.see(r"step 1 ")
    slider.press("PageUp")
    slider.press("PageUp")
    camera.see(r"step 21 ")
    camera.press("g(r)")
    camera.press("Log")
    camera.see("Done with 3 of 3")
    camera.shoot("earlier-frame")
    camera.press("Live")
    camera.press("Candidates")
    for row in (1, 2):
        camera.page.locator(".tabulator-row input[type=checkbox]").nth(row).click()
    camera.see("mean of")
    camera.press("Angles")
    camera.both("compared")


def pick(camera: Camera) -> None:
    """Drag over the pi* peak, and click atoms until one is hit."""
    spectrum = camera.page.locator(".acgen-card").filter(has_text="C K-edge spectrum").locator("canvas").first
    box = spectrum.bounding_box()
    camera.page.mouse.move(box["x"] + 0.35 * box["width"], box["y"] + 60)
    camera.page.mouse.down()
    camera.page.mouse.move(box["x"] + 0.41 * box["width"], box["y"] + 80, steps=5)
    camera.page.mouse.up()
    box = camera.page.locator(".acgen-card canvas").first.bounding_box()
    for place in range(12):
        camera.page.mouse.click(box["x"] + (0.4 + 0.02 * place) * box["width"], box["y"] + 0.5 * box["height"])
        camera.page.wait_for_timeout(500)
        if camera.page.get_by_text(re.compile(r"Atom \d+ · CN")).first.is_visible():
            return


def film(camera: Camera, path: Path) -> None:
    """A measured film: prepared, compared with candidates, and the best of them checked by FEFF."""
    page = camera.page
    page.locator(".acgen-spectrum-file input[type=file]").set_input_files(path)
    page.get_by_role("combobox").filter(has_text=path.name).first.wait_for()
    camera.press("Prepare")
    page.get_by_role("dialog").get_by_text("Left over").first.wait_for()
    camera.shoot("prepare")
    camera.press("Use as target")
    page.get_by_role("dialog").wait_for(state="hidden")
    camera.press("Start")
    camera.see("Done: 3 of 3")
    camera.press("Candidates")
    page.locator(".acgen-check button").click()
    camera.see("Candidate .* by FEFF: ", 600.0)
    camera.shoot("film")


def troubles(camera: Camera, folder: Path) -> None:
    """A file that is no spectrum, and a link that cannot be used."""
    bad = folder / "holiday.csv"
    bad.write_text("no numbers in here")
    camera.see("cannot be used")
    camera.page.locator(".acgen-spectrum-file input[type=file]").set_input_files(bad)
    camera.see("Not taken")
    camera.shoot("refused")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "assets" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    shared = Path(os.environ.get("ACGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    with (
        tempfile.TemporaryDirectory() as scratch,
        serve(Path(scratch) / "log.txt") as address,
        sync_playwright() as tools,
    ):
        browser = tools.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        query = "?candidates=3&restarts=4"
        camera = Camera(open_page(browser, address, SIZE, query), folder)
        story(camera)
        camera.page.close()
        camera = Camera(open_page(browser, address, SIZE, "?density=9"), folder)
        troubles(camera, Path(scratch))
        camera.page.close()
        camera = Camera(open_page(browser, address, SIZE, "?target_name=sp3&density=1.5"), folder)
        camera.see("Out of reach")
        camera.shoot("out-of-reach")
        camera.page.close()
        camera = Camera(open_page(browser, address, SIZE, "?candidates=3&density=2.6"), folder)
        film(camera, shared / "measured" / FILM)
        camera.page.close()
        Camera(open_page(browser, address, SMALL), folder).shoot("small-window")
        browser.close()


if __name__ == "__main__":
    main()
