"""The page for whoever has no mouse, no eyes for small print, or a small window."""

from __future__ import annotations

import re

import pytest
from page import Page
from waiting import until

pytestmark = pytest.mark.slow  # minutes of a browser

#: Two candidates of 51 atoms, made in seconds.
SHORT = "?cell=8&candidates=2&restarts=1&steps=16&seed=7"
TABS = ("Reach", "Misfit", "Candidates", "Series", "Log", "g(r)", "Angles")


@pytest.fixture(scope="module")
def done(chromium, server) -> Page:
    """A page after a run."""
    page = Page(chromium, server + SHORT)
    page.press("Start")
    page.wait_for_text("mean of 2")
    yield page
    assert page.foreign == []
    assert page.errors == []
    page.context.close()


@pytest.fixture(scope="module")
def axe():
    """What looks for violations; its script is in the package."""
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason='pip install "acgen[test]"').Axe()


def violations(page: Page, axe) -> list[str]:
    """Every rule that is broken, and where."""
    page.page.mouse.move(700, 4)
    found = axe.run(page.page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def check(page: Page, axe, where: str) -> None:
    """Nothing is broken, once names that are given as the page goes are there."""
    seen: list[str] = []

    def clean() -> bool:
        seen[:] = violations(page, axe)
        return not seen

    for _ in range(4):
        if clean():
            return
        page.page.wait_for_timeout(1500)
    pytest.fail(f"{where}: {seen}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_tab_or_dialog(done, axe, theme):
    page = done.page
    if theme == "dark":
        page.get_by_role("button", name="Toggle theme").click()
        page.locator(".mui-dark").first.wait_for(state="attached")
    for tab in TABS:
        page.get_by_role("button", name=tab, exact=True).click()
        page.locator("button[aria-pressed=true]").filter(has_text=tab).wait_for()
        check(done, axe, tab)
    for opens in ("Side by side", "Prepare"):
        page.get_by_role("button", name="Candidates", exact=True).click()
        done.press(opens)
        page.get_by_role("dialog").wait_for()
        check(done, axe, opens)
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
    headings = [heading.inner_text() for heading in page.get_by_role("heading").all()]
    assert headings[0] == "acgen"
    assert {"Structure", "C K-edge spectrum", "Coordination", "Target", "Run"} <= set(headings)


def test_keys_step_through_frames_and_take_settings_back(done):
    page = done.page
    page.get_by_role("heading", name="Structure").nth(0).click()  # nothing has the focus
    page.keyboard.press("ArrowLeft")
    done.wait_for_text(r"no\. 2 · step 2\d ")
    last = page.get_by_text(re.compile(r"no\. 2 · step \d+ ")).first.inner_text()
    page.keyboard.press("ArrowLeft")
    until(lambda: page.get_by_text(re.compile(r"no\. 2 · step \d+ ")).first.inner_text() != last, "a frame back", 0.2)
    field = page.locator(".acgen-density input[type=text]")
    before = field.input_value()
    done.slide("Density", "ArrowRight")
    until(lambda: field.input_value() != before, "the slider keeps its keys", 0.2)
    page.get_by_role("heading", name="Coordination").click()
    page.keyboard.press("Control+z")
    until(lambda: field.input_value() == before, "the setting is back", 0.2)


def test_space_pauses_a_run_unless_a_field_has_the_focus(chromium, server):
    page = Page(chromium, server + "?cell=8&candidates=32&seed=7")
    page.press("Start")
    page.wait_for_text(r"step \d+/")
    page.page.locator(".acgen-xi input[type=text]").click()
    page.page.keyboard.press(" ")
    page.page.get_by_role("heading", name="Coordination").click()
    page.page.keyboard.press(" ")
    page.wait_for_text("paused")
    page.page.keyboard.press(" ")
    page.wait_for_text(r"step \d+/.* left")
    page.press("Stop")
    page.wait_for_text("Stopped: ")
    assert page.errors == []
    page.context.close()


def overlap(one: dict, other: dict) -> bool:
    """Whether two parts of the page share more than a rim."""
    along = (("x", "width"), ("y", "height"))
    return all(min(one[k] + one[n], other[k] + other[n]) - max(one[k], other[k]) > 1 for k, n in along)


@pytest.mark.parametrize(("width", "height"), [(853, 600), (390, 844)])
def test_a_small_window_has_one_column_that_can_be_read(chromium, server, width, height):
    page = Page(chromium, server, {"width": width, "height": height})
    cards = page.page.locator(".acgen-place")
    boxes: list[dict] = []

    def laid_out() -> bool:
        boxes[:] = [box for box in (card.bounding_box() for card in cards.all()) if box]
        return len(boxes) == 5 and not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])

    until(laid_out, "five parts, none of which lies over another", 0.3)
    assert all(box["height"] >= 250 for box in boxes)
    assert all(box["width"] >= (340 if width < 600 else 230) for box in boxes)
    assert max(box["x"] + box["width"] for box in boxes) <= width, "nothing is beyond the right edge"
    page.context.close()
