"""The structure in three dimensions: it fills its place, says what is under the pointer, and measures."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page import Page, share
from waiting import until

pytestmark = pytest.mark.slow  # minutes of a browser

#: Two candidates of 51 atoms, made in seconds.
SHORT = "?cell=8&candidates=2&restarts=1&steps=16&seed=7"

#: Circles of the rings, texts and lines of what lies over the picture.
OVER = """() => {
  const found = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot);
      if (element.tagName === "svg" && element.style.pointerEvents === "none") found.push(element);
    }
  };
  walk(document);
  return found.map((svg) => ({rings: svg.querySelectorAll("circle").length / 2,
                              texts: [...svg.querySelectorAll("text")].map((text) => text.textContent)}))[0];
}"""


@pytest.fixture(scope="module")
def done(chromium, server) -> Page:
    """A page after a run."""
    page = Page(chromium, server + SHORT)
    page.press("Start")
    page.wait_for_text("mean of 2")
    page.wait_for_atoms()
    yield page
    assert page.errors == []
    page.context.close()


def look(page: Page, item: str) -> None:
    """Choose something in the menu of the view."""
    page.page.locator(".acgen-view button").click()
    page.page.get_by_role("menuitem").filter(has_text=item).click()


def extent(picture: np.ndarray) -> float:
    """How much of the height of a picture has something other than background in the middle half of its width."""
    middle = picture[:, picture.shape[1] // 4 : -picture.shape[1] // 4]
    rows = np.flatnonzero((np.abs(middle - picture[2, 2]).max(axis=2) > 24).any(axis=1))
    return (rows[-1] - rows[0]) / len(picture)


def canvas(page: Page) -> np.ndarray:
    """The picture without what stands above and below it."""
    return page.atoms()[10:-70]


def click_atoms(page: Page, wanted: int) -> None:
    """Click over the canvas, from the second hit on with Shift, until so many atoms have a ring."""
    box = page.page.locator(".acgen-card canvas").first.bounding_box()
    rings = 0
    for place in range(400):
        x, y = 0.25 + 0.5 * ((place * 0.618) % 1), 0.25 + 0.5 * ((place * 0.414) % 1)
        at = box["x"] + x * box["width"], box["y"] + y * box["height"]
        page.page.mouse.move(*at)
        page.page.wait_for_timeout(160)
        if not any("Atom" in text for text in page.page.evaluate(OVER)["texts"]):
            continue
        if rings:
            page.page.keyboard.down("Shift")
        page.page.mouse.click(*at)
        page.page.keyboard.up("Shift")
        page.page.wait_for_timeout(400)
        rings = page.page.evaluate(OVER)["rings"]
        if rings >= wanted:
            return
    pytest.fail(f"{rings} rings")


def test_a_small_cell_fills_its_place(done):
    assert extent(done.wait_for_rest(lambda: canvas(done))) > 0.7


def test_atoms_are_named_under_the_pointer_and_three_of_them_measured(done):
    click_atoms(done, 3)
    done.wait_for_text(r"\d+–\d+ \d\.\d\d Å · \d+–\d+ \d\.\d\d Å · angle \d+–\d+–\d+ \d+\.\d°")
    over = done.page.evaluate(OVER)
    assert sum(bool(re.fullmatch(r"\d+\.\d\d Å", text)) for text in over["texts"]) == 2
    assert {"a", "b", "c"} <= set(over["texts"]), "axes"


def test_images_projection_and_slab_change_the_picture(done):
    before = done.wait_for_rest(lambda: canvas(done))
    for item in ("2 × 2 × 2", "Orthographic"):
        look(done, item)
        done.wait_for_change(lambda: canvas(done), before)
        before = done.wait_for_rest(lambda: canvas(done))
    look(done, "Slab")
    slider = done.page.locator(".acgen-slab").get_by_role("slider").last
    slider.wait_for()
    whole = done.wait_for_rest(lambda: canvas(done))
    slider.focus()
    for _ in range(6):
        slider.press("PageDown")
    until(lambda: share(canvas(done), whole) > 0.05 if canvas(done).shape == whole.shape else True, "fewer atoms", 0.3)
    look(done, "Slab")
    look(done, "One cell")
    look(done, "Perspective")
    done.wait_for_rest(lambda: canvas(done))
