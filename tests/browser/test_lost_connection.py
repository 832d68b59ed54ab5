"""Nothing is lost: the network fails, the page is loaded again, the server dies, another tab is opened."""

from __future__ import annotations

import os
import re
import signal
import time

import numpy as np
import pytest
from page import Page
from serving import serve
from waiting import until
from wire import Wire

from acgen.spectra.targets import builtin_targets

SMALL = "?cell=8&restarts=1&steps=16&seed=7"

#: A run that no machine finishes before a test stops it.
LONG = "?cell=8&restarts=8&steps=256&seed=7&candidates=32"


@pytest.fixture(scope="module")
def wire():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def far(wire, tmp_path_factory):
    """Address of a dashboard behind a wire, which can be cut."""
    folder = tmp_path_factory.mktemp("far")
    with serve(folder / "log.txt", {"BOKEH_ALLOW_WS_ORIGIN": f"localhost:{wire.own_port}"}) as address:
        wire.port = port_of(address)
        yield f"http://localhost:{wire.own_port}/main"


@pytest.fixture
def page(chromium, far):
    page = Page(chromium, f"{far}{LONG}")
    yield page
    page.context.close()


def port_of(address: str) -> int:
    return int(re.search(r":(\d+)/", address).group(1))


def begin(page: Page) -> None:
    """Start, and wait for a finished candidate."""
    page.press("Start")
    page.wait_for_text("Candidate [2-9]/")
    page.page.evaluate("window.before = true")


def wait_for_a_new_page(page: Page) -> None:
    page.page.wait_for_function("window.before === undefined")


AXES = """() => {
  const find = (root) => [...root.querySelectorAll("*")].flatMap((e) => [
    ...(e.matches("svg[aria-hidden] line[stroke-linecap]") ? [e] : []), ...(e.shadowRoot ? find(e.shadowRoot) : [])]);
  return find(document).map((line) => ["x", "y"].map((d) => line.getAttribute(`${d}2`) - line.getAttribute(`${d}1`)));
}"""


def axes(page: Page) -> np.ndarray:
    """Where the axes of the cell point in the view, in pixels."""
    return np.array(page.page.evaluate(AXES))


def turn(page: Page) -> np.ndarray:
    """Drag over the structure; where its axes point then."""
    page.wait_for_atoms()
    before = axes(page)
    box = page.page.locator(".acgen-card canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + 90, y + 60, steps=6)
    page.page.mouse.up()
    until(lambda: np.abs(axes(page) - before).max() > 5, "another view")
    return page.wait_for_rest(lambda: axes(page))


@pytest.mark.parametrize("seconds", [3, *(pytest.param(each, marks=pytest.mark.slow) for each in (12, 30))])
def test_a_run_goes_on_while_the_network_is_away_and_the_page_comes_back_to_it(page, wire, seconds):
    page.page.get_by_role("button", name="Toggle theme").click()
    begin(page)
    wire.cut()
    page.wait_for_text("Disconnected from the server … reconnecting")
    time.sleep(seconds)
    wire.mend()
    wait_for_a_new_page(page)
    page.wait_for_text(r"Candidate \d+/32 .* left")
    assert page.page.locator(".acgen-connection").count() == 0
    assert page.page.get_by_role("slider", name="Candidates").get_attribute("aria-valuenow") == "32"
    page.wait_for_atoms()
    assert page.picture("Misfit")[2, 2].max() < 60, "it is dark again"
    page.press("Log")
    page.wait_for_text("Run 1 started")
    assert page.page.get_by_text(re.compile(r"Run \d started")).count() == 1
    page.press("Stop")
    page.wait_for_text(r"Stopped: \d+ of 32")
    assert page.foreign == []


def test_a_page_that_is_loaded_again_is_where_it_was_and_another_browser_sees_nothing(page, far, chromium, tmp_path):
    file = tmp_path / "film.csv"
    values = builtin_targets()["sp3"].intensity
    file.write_text("energy,mu\n" + "".join(f"{275 + 0.4 * i:.1f},{value:.5f}\n" for i, value in enumerate(values)))
    page.upload(file)
    page.wait_for_text("film.csv")
    begin(page)
    seen = turn(page)
    page.press("Log")
    page.wait_for_text("Run 1 started")
    asked = []
    page.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.page.reload()
    wait_for_a_new_page(page)
    assert asked == ["beforeunload"]
    page.wait_for_text(r"Candidate \d+/32 .* left")
    page.wait_for_text("film.csv")
    page.wait_for_text("Run 1 started")
    page.wait_for_atoms()
    until(lambda: axes(page).shape == seen.shape and np.abs(axes(page) - seen).max() < 0.5, "the same view")

    second = page.context.new_page()
    second.goto(far)
    second.get_by_text(re.compile("Your last session goes on: 1 target, .* 1 run")).wait_for()
    second.get_by_role("button").filter(has_text="Resume last session").click()
    second.get_by_text(re.compile(r"Candidate \d+/32 .* left|Done")).first.wait_for()
    page.wait_for_text("This session goes on in another tab")
    page.press("Go on here")
    second.get_by_text("This session goes on in another tab").wait_for()

    stranger = Page(chromium, far)
    stranger.wait_for_text("Ready")
    assert not stranger.page.get_by_text("Resume last session").is_visible()
    stranger.context.close()


@pytest.mark.slow
def test_back_leaves_the_page_and_forward_comes_back_to_the_session(chromium, far):
    page = Page(chromium, f"{far}{SMALL}&candidates=2", before="data:text/html,the page before")
    page.slide("Guidance ξ", "ArrowRight")
    page.press("Start")
    page.wait_for_text("Done: 2 of 2")
    until(lambda: "xi=1550" in page.page.url, "the address of the settings")
    page.page.go_back()
    page.wait_for_text("the page before")
    page.page.go_forward()
    page.wait_for_text("Done: 2 of 2")
    page.context.close()


@pytest.mark.slow
def test_a_server_that_was_killed_brings_back_what_was_done(chromium, tmp_path):
    wire = Wire()
    origin = {"BOKEH_ALLOW_WS_ORIGIN": f"localhost:{wire.own_port}"}
    with serve(tmp_path / "log.txt", origin) as address:
        wire.port = port_of(address)
        page = Page(chromium, f"http://localhost:{wire.own_port}/main{SMALL}&candidates=32")
        begin(page)
        folder = tmp_path / "sessions"
        until(lambda: len(list(folder.glob("*/candidate-*"))) > 1, "two candidates on disk", every=0.5)
        os.kill(int(re.search(r"process id: (\d+)", (tmp_path / "log.txt").read_text()).group(1)), signal.SIGKILL)
        page.wait_for_text("Disconnected from the server … reconnecting")
    with serve(tmp_path / "log.txt", origin) as address:
        wire.port = port_of(address)
        wait_for_a_new_page(page)
        page.wait_for_text(r"Stopped: \d+ of 32")
        page.wait_for_text("The server had ended after step .*continues the run")
        page.wait_for_atoms()
        page.press("Candidates")
        page.page.locator(".tabulator-row").nth(1).wait_for()
        page.press("Branch")
        page.page.get_by_role("menuitem").filter(has_text="Go on from here").click()
        page.wait_for_text(r"Candidate \d+/32 .* left")
        page.context.close()
    wire.close()
