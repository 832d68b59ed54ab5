"""How fast the dashboard is: `python tests/browser/measure.py`. Prints, and asserts nothing."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright
from serving import FLAGS, SPINNER, find_chromium, serve

from acgen.networks.models import load_models
from acgen.sampling.settings import LiveXi, Settings
from acgen.spectra.targets import load_target
from app.session.state import NO_TARGET
from app.workers.pool import Processes

#: Cell edges in Å that hold about 216, 1000 and 3000 atoms at 2.0 g/cm³.
EDGES = (12.93, 21.55, 31.05)
#: So many that a run lasts as long as it is looked at.
CANDIDATES = 20


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


def step_of(page: Page) -> int:
    """How many steps the line of progress says have been made."""
    text = page.locator(".acgen-progress span").last.inner_text()
    candidate, step, steps = map(int, re.search(r"Candidate (\d+)/.*step (\d+)/(\d+)", text).groups())
    return (candidate - 1) * steps + step


def press(page: Page, name: str) -> None:
    page.get_by_role("button").filter(has_text=name).first.click()


def longest_block(browser) -> str:
    """How long the server's event loop is held up at most during a run, as its debug mode tells: a line of figures."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        os.environ["PYTHONASYNCIODEBUG"] = "1"
        try:
            with serve(log) as address:
                marks: list[int] = []
                measure(browser, address, EDGES[0], started=lambda: marks.append(log.stat().st_size))
        finally:
            del os.environ["PYTHONASYNCIODEBUG"]
        told = log.read_bytes()[marks[0] :].decode()
    blocks = [float(seconds) for seconds in re.findall(r"Executing .* took ([\d.]+) seconds", told)]
    return f"event loop during a run: {len(blocks)} blocks of more than 0.1 s, the longest {max(blocks, default=0)} s"


def measure(
    browser, address: str, edge: float, guided: bool = True, seconds: float = 8.0, started=lambda: None
) -> str:
    """One page, one run: a line of figures."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    watch, begin = Watch(page), time.perf_counter()
    query = {"candidates": CANDIDATES} | ({} if guided else {"target_name": NO_TARGET})
    page.goto(f"{address}?{urlencode(query)}")
    page.locator(".acgen-card canvas").first.wait_for()
    page.locator(SPINNER).wait_for(state="hidden")
    usable = time.perf_counter() - begin
    page.locator(".acgen-card").filter(has_text="Structure").locator("canvas").first.wait_for()
    whole = time.perf_counter() - begin
    page.wait_for_timeout(1500)
    field = page.locator(".acgen-cell input[type=text]")
    field.fill(str(edge))
    field.press("Enter")
    page.wait_for_timeout(1500)
    atoms = page.get_by_text(re.compile(r"[\d,]+ atoms")).first.inner_text()
    page.wait_for_timeout(4000)  # as somebody who looks at the settings
    started()
    since = time.perf_counter()
    press(page, "Start")
    first = watch.first(page, since)
    count, steps, since = len(watch.times), step_of(page), time.perf_counter()
    page.wait_for_timeout(1000 * seconds)
    rate = (len(watch.times) - count) / (time.perf_counter() - since)
    steps = step_of(page) - steps
    made = steps / (time.perf_counter() - since)
    press(page, "Stop")
    page.get_by_text(re.compile("Stopped|Done")).first.wait_for()  # or the next run would share the cores with it
    page.close()
    kind = "guided" if guided else "unguided"
    return (
        f"{atoms}, {kind}: usable after {usable:.1f} s, all there after {whole:.1f} s, first frame {first:.2f} s after "
        f"Start, {rate:.1f} frames/s shown of {made:.1f} steps/s made"
    )


def unwatched(edge: float, guided: bool, seconds: float = 8.0) -> str:
    """How fast the sampler is when nobody looks: a line of figures."""
    processes = Processes(1)
    settings = Settings(cell=edge, candidates=CANDIDATES, target=load_target("a-C-2.0") if guided else None)
    events = processes.generate(settings, load_models(), LiveXi(settings.xi))
    next(events)
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        next(events)
        steps += 1
    rate = steps / (time.perf_counter() - begin)
    events.close()
    processes.close()
    return f"{settings.n_atoms} atoms, {'guided' if guided else 'unguided'}, nobody looks: {rate:.1f} steps/s"


def main() -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt") as address,
        sync_playwright() as tools,
    ):
        begin = time.perf_counter()
        urllib.request.urlopen(address).read()
        print(f"the server's first page: {time.perf_counter() - begin:.1f} s, before the browser sees it")
        browser = tools.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for guided, edge in itertools.product((True, False), EDGES):
            print(measure(browser, address, edge, guided), flush=True)
        print(longest_block(browser), flush=True)
        browser.close()
    for guided, edge in itertools.product((True, False), EDGES):
        print(unwatched(edge, guided), flush=True)


if __name__ == "__main__":
    main()
