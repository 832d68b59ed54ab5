"""How fast the dashboard is: `python tests/browser/measure.py`. Prints, and asserts nothing."""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from serving import FLAGS, SPINNER, find_chromium, serve

#: Cell edges in Å that hold about 216, 1000 and 3000 atoms at 2.0 g/cm³.
EDGES = (12.93, 21.55, 31.05)


class Watch:
    """Counts the frames that the browser reports as drawn."""

    def __init__(self, page: Page):
        self.times: list[float] = []
        page.on("websocket", lambda socket: socket.on("framesent", self._sent))

    def _sent(self, payload: str | bytes) -> None:
        if "acgen_drawn" in (payload if isinstance(payload, str) else payload.decode("utf-8", "ignore")):
            self.times.append(time.perf_counter())

    def first(self, page: Page, since: float) -> float:
        """Wait for the next frame; seconds from `since`."""
        count = len(self.times)
        while len(self.times) == count:
            page.wait_for_timeout(5)
        return self.times[count] - since


def press(page: Page, name: str) -> None:
    page.get_by_role("button").filter(has_text=name).first.click()


def measure(browser, address: str, edge: float, seconds: float = 8.0) -> str:
    """One page, one run: a line of figures."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    watch, begin = Watch(page), time.perf_counter()
    page.goto(address)
    page.locator(".acgen-card canvas").first.wait_for()
    page.locator(SPINNER).wait_for(state="hidden")
    usable = time.perf_counter() - begin
    page.wait_for_timeout(1500)
    field = page.locator(".acgen-cell input[type=text]")
    field.fill(str(edge))
    field.press("Enter")
    page.wait_for_timeout(1500)
    atoms = page.get_by_text(re.compile(r"[\d,]+ atoms")).first.inner_text()
    since = time.perf_counter()
    press(page, "Start")
    first = watch.first(page, since)
    count, since = len(watch.times), time.perf_counter()
    page.wait_for_timeout(1000 * seconds)
    rate = (len(watch.times) - count) / (time.perf_counter() - since)
    progress = page.locator(".acgen-progress span").last.inner_text()
    press(page, "Stop")
    page.close()
    return (
        f"{atoms}: usable after {usable:.1f} s, first frame {first:.2f} s after Start, "
        f"{rate:.1f} frames/s shown; after {seconds:g} s: {progress}"
    )


def main() -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt") as address,
        sync_playwright() as tools,
    ):
        browser = tools.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for edge in EDGES:
            print(measure(browser, address, edge), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
