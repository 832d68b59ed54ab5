"""The curve that is drawn is the one that its misfit belongs to, and what stands between them is said."""

from __future__ import annotations

import numpy as np
import pytest
from page import Page
from test_energy_axis import NAMES
from waiting import until

from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.targets import builtin_targets

pytestmark = pytest.mark.slow  # minutes of a browser

SHORT = "?cell=8&candidates=2&restarts=1&steps=16&seed=7"
#: The column of a renderer of a figure, by name.
DATA = """([figure, renderer, column]) => {
  const [view] = [...Bokeh.index.query((found) => found.model.name === figure)];
  const [found] = view.model.renderers.filter((one) => one.name === renderer);
  return Array.from(found.data_source.data[column], (part) => typeof part === "number" ? part : Array.from(part));
}"""

VIEW = "[...Bokeh.index.query((found) => found.model.name === 'acgen_candidate_map')][0]"
SOURCE = f"{VIEW}.model.renderers.find((one) => one.name === 'points').data_source"
#: The points of the map on the screen; the misfit is along x.
POINTS = f"""() => {{
  const view = {VIEW};
  if (!view || !view.frame) return null;
  const data = {SOURCE}.data, at = view.canvas.el.getBoundingClientRect();
  const x = (i) => at.left + view.frame.x_scale.compute(data.x[i]);
  const y = (i) => at.top + view.frame.y_scale.compute(data.y[i]);
  return Array.from(data.name, (name, i) => ({{name, misfit: data.x[i], x: x(i), y: y(i)}}));
}}"""
PICKED = f"() => {SOURCE}.selected.indices"


@pytest.fixture(scope="module")
def page(chromium, server, tmp_path_factory):
    """A short run on a film that an instrument has shifted, scaled and tilted."""
    film = tmp_path_factory.mktemp("film") / "film.txt"
    seen = Instrument(shift=0.4, scale=1.2, slope=0.01).apply(builtin_targets()["sp2"].intensity)
    film.write_text("".join(f"{e:.3f} {v:.6f}\n" for e, v in zip(ENERGY, seen, strict=True)))
    page = Page(chromium, server + SHORT)
    page.upload(film)
    page.wait_for_text("film.txt")
    page.press("Start")
    page.wait_for_text("Done: 2 of 2")
    yield page
    assert page.errors == []
    page.context.close()


def data(page: Page, renderer: str, column: str) -> list:
    found = page.page.evaluate(DATA, [NAMES[0], renderer, column])
    return [np.array(each, dtype=float) for each in found] if isinstance(found[0], list) else found


def distances(page: Page) -> list[float]:
    """Of every candidate that is drawn from the target that is drawn."""
    target = np.array(data(page, "target", "target"), dtype=float)
    return sorted(float(np.sqrt(np.nansum((target - curve) ** 2))) for curve in data(page, "each", "ys"))


def misfits(page: Page) -> list[float]:
    """What the table says."""
    cells = page.page.locator(".tabulator-row [tabulator-field=misfit]").all_inner_texts()
    return sorted(float(text) for text in cells)


def plain(page: Page) -> None:
    page.page.get_by_role("checkbox", name="Plain").locator("visible=true").first.click()


def menu(page: Page, entry: str) -> None:
    """Choose of the menu of the spectrum."""
    page.page.locator(".acgen-save button").locator("visible=true").first.click()
    page.page.get_by_role("menuitem").filter(has_text=entry).first.click()


def test_the_curves_are_those_of_the_misfits_and_plain_changes_the_curves_alone(page):
    until(lambda: len(data(page, "each", "ys")) == 2, "both candidates are drawn", every=0.2)
    told = misfits(page)
    assert distances(page) == pytest.approx(told, abs=6e-4), "to what is rounded in the table"
    page.wait_for_text(r"Instrument of 1\.\d: shift .* ± .* scale .* slope .* %/eV .* broadening .* eV")
    headings = " ".join(page.page.locator(".tabulator-col").all_inner_texts())
    for heading in ("Shift eV", "Scale", "Slope %/eV", "Broadening eV"):
        assert heading in headings
    plain(page)
    until(lambda: max(np.abs(np.subtract(distances(page), told))) > 0.01, "the plain curves", every=0.2)
    assert misfits(page) == told
    page.press("Side by side")
    dialog = page.page.get_by_role("dialog")
    dialog.get_by_text("Plain spectrum; the misfit is of the fitted one").first.wait_for()
    dialog.get_by_role("checkbox", name="Plain").click()
    dialog.get_by_text("Spectrum through the fitted instrument").first.wait_for()
    page.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    until(lambda: distances(page) == pytest.approx(told, abs=6e-4), "the curves of the misfits again", every=0.2)


def test_a_frame_of_the_run_has_an_instrument_of_its_own_and_a_plain_curve(page):
    slider = page.page.locator(".acgen-frame").get_by_role("slider")
    slider.press("Home")
    page.wait_for_text("Instrument: fitted as soon as the spectrum guides")
    slider.press("End")
    page.wait_for_text(r"Instrument of step \d+: shift .* scale .* slope .* broadening")
    seen = data(page, "mean", "mean")
    plain(page)
    until(lambda: data(page, "mean", "mean") != seen, "the plain prediction of the frame", every=0.2)
    plain(page)
    until(lambda: data(page, "mean", "mean") == seen, "the prediction through the instrument", every=0.2)


def at_rest(page: Page) -> list[dict]:
    """The points of the map, once its parts have found their places."""
    seen = [None, page.page.evaluate(POINTS)]

    def still() -> bool:
        seen[:] = [seen[1], page.page.evaluate(POINTS)]
        return bool(seen[1]) and seen[0] == seen[1]

    until(still, "points at rest", every=1.0)
    return seen[1]


def test_the_map_draws_the_candidates_of_the_table_and_a_click_picks(page):
    told = misfits(page)
    page.page.get_by_role("button").filter(has_text="Map").first.click()
    points = at_rest(page)
    assert sorted(point["misfit"] for point in points) == pytest.approx(told, abs=6e-4)
    page.page.mouse.click(points[1]["x"], points[1]["y"])
    until(lambda: page.page.evaluate(PICKED) == [1], "one is picked", every=0.2)
    page.wait_for_text(f"candidate {points[1]['name']}")
    page.page.get_by_role("button").filter(has_text="Table").first.click()
    page.page.locator(".tabulator-row.tabulator-selected").filter(has_text=points[1]["name"]).wait_for()


def test_what_is_drawn_is_saved_for_a_journal_and_copied(page, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for kind, begin in (("PDF", b"%PDF"), ("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.page.expect_download() as download:
            menu(page, kind)
        download.value.save_as(tmp_path / "figure")
        assert (tmp_path / "figure").read_bytes().startswith(begin)
    menu(page, "Copy numbers")
    copied = "navigator.clipboard.readText()"
    until(lambda: page.page.evaluate(copied).startswith("energy_eV\ttarget\tprediction_mean"), "the numbers", every=0.3)
    menu(page, "Copy picture")
    kinds = "navigator.clipboard.read().then((items) => items.flatMap((item) => item.types))"
    until(lambda: "image/png" in page.page.evaluate(kinds), "the picture", every=0.3)
