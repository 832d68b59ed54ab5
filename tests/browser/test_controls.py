"""Controls do what their tooltips say: tooltips, a session as a file, candidates, energies, the structure."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from page import Page, drawn, share
from PIL import Image
from waiting import until

from app.look import colours

#: Two candidates of 51 atoms, made in seconds.
SHORT = "?cell=8&candidates=2&restarts=1&steps=16&xi=1000&seed=7"
SMALL = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def downloaded(chromium, server, tmp_path_factory) -> Path:
    """What Download gave after a short run."""
    page = Page(chromium, server + SHORT)
    page.press("Start")
    page.wait_for_text("mean of 2")
    with page.page.expect_download() as download:
        page.press("Download")
    path = tmp_path_factory.mktemp("session") / download.value.suggested_filename
    download.value.save_as(path)
    assert page.errors == []
    page.context.close()
    return path


@pytest.fixture(scope="module")
def opened(chromium, server, downloaded) -> Page:
    """A fresh page with that session."""
    page = Page(chromium, server)
    open_session(page, downloaded)
    yield page
    assert page.foreign == []
    assert page.errors == []
    page.context.close()


def open_session(page: Page, path: Path) -> None:
    page.page.locator(".acgen-session-file input[type=file]").set_input_files(path)
    page.wait_for_text("Done: 2 of 2")


def look_at(locator) -> np.ndarray:
    """A picture of a part of the page, shape (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), dtype=int)


def coloured(picture: np.ndarray, colour: str) -> float:
    """Fraction of the pixels that have a colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float((np.abs(picture - wanted).max(axis=2) < 12).mean())


def test_a_tooltip_takes_no_click(chromium, server):
    page = Page(chromium, server, SMALL)
    buttons = page.page.locator(".acgen-card").filter(has_text="Structure").first
    page.page.locator(".acgen-colour button").hover()
    tooltip = page.page.get_by_role("tooltip")
    tooltip.wait_for()
    box = tooltip.bounding_box()
    assert box["width"] > 150, "as wide as its text"
    assert tooltip.evaluate("e => getComputedStyle(e).pointerEvents") == "none"
    spin = buttons.locator("input[type=checkbox]").first
    spin.click()
    assert spin.is_checked()
    sidebar = page.page.locator("nav .MuiDrawer-paper")
    assert sidebar.evaluate("e => e.scrollHeight - e.clientHeight") == 0, "no scrolling at 1280 x 720"
    page.context.close()


def test_candidates_are_sorted_and_put_side_by_side(opened):
    page = opened.page
    opened.press("Candidates")
    rows = page.locator(".tabulator-row")
    rows.nth(1).wait_for()
    table = page.locator(".tabulator-tableholder")
    headings = " ".join(page.locator(".tabulator-col").all_inner_texts())
    if "CN0" not in headings and "CN5" not in headings:  # which some candidates have, and then there is a column more
        until(lambda: table.evaluate("e => e.scrollWidth - e.clientWidth") == 0)
    heading = page.locator(".tabulator-col").filter(has_text="Misfit").first
    found = []
    for order in ("ascending", "descending"):
        heading.click()
        page.locator(f".tabulator-col[aria-sort={order}]").wait_for()
        found.append([float(row.locator("[tabulator-field=misfit]").inner_text()) for row in rows.all()])
    assert found[0] == sorted(found[0]) == found[1][::-1]
    for row in rows.all():
        assert drawn(look_at(row.locator("svg.atoms"))) > 0.05, "a thumbnail"
        if "tabulator-selected" not in row.get_attribute("class"):
            row.locator("input[type=checkbox]").click()
    opened.press("Side by side")
    pictures = page.get_by_role("dialog").locator("svg.atoms")
    pictures.nth(1).wait_for()
    opened.wait_for_rest(lambda: look_at(page.get_by_role("dialog")))
    one, other = (look_at(pictures.nth(i)) for i in range(2))
    assert coloured(one, colours.CN[3]) > 0.005 < coloured(other, colours.CN[3])
    assert one.shape != other.shape or share(one, other) > 0.02, "two structures"
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


@pytest.mark.parametrize("ends", [(0.25, 0.35), (0.62, 0.5)], ids=["to the right", "to the left"])
def test_a_drag_over_energies_colours_the_atoms(opened, ends):
    page = opened.page
    spectrum = page.locator(".acgen-card").filter(has_text="C K-edge spectrum").locator("canvas").first
    before = opened.wait_for_rest(opened.atoms)
    box = spectrum.bounding_box()  # once nothing moves any more
    start, end = (box["x"] + share * box["width"] for share in ends)
    page.mouse.move(start, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(end, box["y"] + 80, steps=5)
    page.mouse.up()
    opened.wait_for_text(r"2\d\d\.\d-(2\d\d|30\d)\.\d eV.*average")
    opened.wait_for_change(opened.atoms, before)
    page.mouse.dblclick(end, box["y"] + 60)
    opened.wait_for_text(r"^CN.*sp³")


def test_spin_full_screen_and_picture(opened):
    page, look = opened.page, opened.atoms
    before = opened.wait_for_rest(look)
    spin = page.locator(".acgen-card").filter(has_text="Structure").first.locator("input[type=checkbox]").first
    spin.click()
    opened.wait_for_change(look, before)
    spin.click()
    opened.wait_for_rest(look)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save a picture").click()
    picture = np.asarray(Image.open(download.value.path()).convert("RGB"), dtype=int)
    assert picture.shape[1] > 800
    assert drawn(picture) > 0.02
    canvas = page.locator(".acgen-card canvas").first
    page.get_by_role("button", name="Full screen").click()
    until(lambda: canvas.bounding_box()["width"] == page.viewport_size["width"])
    page.evaluate("document.exitFullscreen()")
    until(lambda: canvas.bounding_box()["width"] < page.viewport_size["width"] / 2)


#: How bright the words of elements are, from 0 to 255.
BRIGHTNESS = """all => all.map((one) => {
  const parts = getComputedStyle(one).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
  return (parts[0] + parts[1] + parts[2]) / 3;
})"""


def check_words(place, least: int, theme: str) -> None:
    """That words of boxes, at least so many, can be read before the background of a theme."""
    words = place.locator(".MuiFormControlLabel-label").locator("visible=true")
    words.nth(least - 1).wait_for()
    for brightness in words.evaluate_all(BRIGHTNESS):
        assert (brightness > 180) if theme == "dark" else (brightness < 80)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tab_menu_and_dialog_without_another_host(opened, theme):
    page = opened.page
    if theme == "dark":
        page.get_by_role("button", name="Toggle theme").click()
        page.locator(".mui-dark").first.wait_for(state="attached")
    check_words(page, 3, theme)
    for tab in ("Reach", "Misfit", "Candidates", "Log", "g(r)", "Angles"):
        opened.press(tab)
        page.locator("button[aria-pressed=true]").filter(has_text=tab).wait_for()
    choices = page.locator("li[role=menuitem], li[role=option]")
    menus = [page.locator(".acgen-colour button"), page.get_by_role("combobox").first]
    menus += [page.locator(".acgen-save button").locator("visible=true").first]
    menus += [page.get_by_role("button").filter(has_text=name).first for name in ("Presets", "Branch")]
    for menu in menus:
        menu.click()
        choices.first.wait_for()
        page.keyboard.press("Escape")
        choices.first.wait_for(state="hidden")
    dialog = page.get_by_role("dialog")
    opened.press("Prepare")
    dialog.get_by_text("Measurement").first.wait_for()
    check_words(dialog, 2, theme)
    background = opened.wait_for_rest(lambda: look_at(dialog))[12, 12]
    assert (background.max() < 90) if theme == "dark" else (background.min() > 220)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert opened.foreign == []
    assert opened.errors == []
