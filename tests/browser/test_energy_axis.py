"""The energy that one reads off an axis is that of the curve above it, to the pixel, whatever was done to the plots."""

from __future__ import annotations

import pytest
from page import Page
from test_dashboard import write_spectrum
from waiting import until

NAMES = ("acgen_c_k-edge_spectrum", "acgen_residual_spectrum")
#: Photon energies that are seen, eV, around π* and σ*.
ENERGIES = (285.4, 286.0, 292.0)

#: Where an energy is on the screen, in pixels, by: its place on the axis of each plot that has one, its place in the
#: curve of each plot; and the labels of the ticks.
LOOK = """(names) => {
  const views = names.map((name) => [...Bokeh.index.query((found) => found.model.name === name)][0]);
  return views.map((view) => {
    const left = view.canvas.el.getBoundingClientRect().left;
    const axes = view.axis_views.filter((axis) => axis.dimension === 0 && axis.model.visible);
    const axis = axes.map((axis) => ({
      where: axis.tick_coords.major[0].map((at, i) => [at, left + axis.coordinates.map_to_screen(
        axis.tick_coords.major[0], axis.tick_coords.major[1])[0][i]]),
      title: axis.model.axis_label,
    }));
    const curve = [...view.renderer_views.values()].find((one) => ["target", "residual"].includes(one.model.name));
    const data = [...curve.glyph.x].map((at, i) => [at, left + curve.glyph.sx[i]]);
    const frame = view.frame.bbox;
    return {axis, data, left: left + frame.left, right: left + frame.right, start: view.frame.x_range.start,
            end: view.frame.x_range.end, y: view.canvas.el.getBoundingClientRect().top + frame.top + frame.height / 2};
  });
}"""
SET = """([name, low, high]) => {
  const [view] = [...Bokeh.index.query((found) => found.model.name === name)];
  view.frame.y_range.setv({start: low, end: high});
}"""

LABEL = """(name) => {
  const [view] = [...Bokeh.index.query((found) => found.model.name === name)];
  return view.model.left[0].axis_label;
}"""
LINES = """(name) => {
  const [view] = [...Bokeh.index.query((found) => found.model.name === name)];
  return view.model.renderers.find((one) => one.name === "each").data_source.data.xs.length;
}"""


@pytest.fixture
def page(chromium, server):
    page = Page(chromium, server)
    yield page
    page.context.close()


def look(page: Page) -> list[dict]:
    """Both plots at rest."""
    seen: list = []
    for _ in range(20):
        page.page.wait_for_timeout(150)
        seen.append(page.page.evaluate(LOOK, list(NAMES)))
        if len(seen) > 2 and seen[-1] == seen[-2]:
            break
    return seen[-1]


def read(places: list[list[float]], energy: float) -> float:
    """The pixel of an energy by two places whose energies are known."""
    (a, x), (b, u) = places[0], places[-1]
    return x + (u - x) * (energy - a) / (b - a)


def check(page: Page, what: str) -> list[dict]:
    """The axes and the curves of both plots have every energy at the same pixel."""
    both = look(page)
    for plot in both:
        assert plot["axis"], f"{what}: a plot without an energy axis"
    assert all("eV" in axis["title"] for axis in both[1]["axis"]), what
    places = [axis["where"] for plot in both for axis in plot["axis"]] + [plot["data"] for plot in both]
    for energy in ENERGIES:
        at = [read(place, energy) for place in places]
        assert max(at) - min(at) <= 1, f"{what}: {energy} eV is at {at} px"
    return both


def drag(page: Page, plot: dict, by: float) -> None:
    """Move the mouse over a plot with its button down."""
    mouse, middle = page.page.mouse, (plot["left"] + plot["right"]) / 2
    mouse.move(middle, plot["y"])
    mouse.down()
    mouse.move(middle + by / 2, plot["y"], steps=3)
    mouse.move(middle + by, plot["y"], steps=3)
    mouse.up()


def wheel(page: Page, plot: dict, share: float, by: float) -> None:
    page.page.mouse.move(plot["left"] + share * (plot["right"] - plot["left"]), plot["y"])
    page.page.mouse.wheel(0, by)


def test_energy_read_off_the_axis_is_that_of_the_data_to_the_pixel(page, tmp_path):
    page.upload(write_spectrum(tmp_path / "film.csv"))
    page.wait_for_text("film.csv")
    first = check(page, "untouched")
    for low, high in ((-0.05, 0.05), (-0.00001234, 0.00001234), (-1e7, 1e6), (-123456, 10)):
        page.page.evaluate(SET, [NAMES[1], low, high])
        check(page, f"labels from {low:g} to {high:g}")
    page.page.evaluate(SET, [NAMES[0], -0.00001234, 0.00001234])
    check(page, "long labels of the spectrum")

    moved = check(page, "before a move")
    for plot, by, share in ((0, -400, 0.2), (1, -300, 0.7), (1, 400, 0.1), (0, 200, 0.9)):
        wheel(page, moved[plot], share, by)
        now = check(page, f"wheel {by} over plot {plot}")
        assert (now[0]["start"], now[0]["end"]) == (now[1]["start"], now[1]["end"])
    wheel(page, moved[1], 0.3, -400)
    before = check(page, "near")
    for by in (-60, 90, -200, 40):
        drag(page, before[1], by)
        now = check(page, f"a drag of {by} px")
        assert now[0]["start"] != before[0]["start"], "a drag over the residual moves both"
        assert first[0]["start"] <= now[0]["start"] < now[0]["end"] <= first[0]["end"], "nobody gets into nowhere"
        before = now
    page.page.get_by_role("button", name="Toggle theme").click()
    check(page, "dark")
    for width, height in ((1280, 720), (1920, 1080), (1440, 900)):
        page.page.set_viewport_size({"width": width, "height": height})
        check(page, f"a window of {width} x {height}")
    now = check(page, "at last")
    page.page.mouse.dblclick((now[1]["left"] + now[1]["right"]) / 2, now[1]["y"])
    back = check(page, "after a double click")
    assert (back[0]["start"], back[0]["end"]) == (first[0]["start"], first[0]["end"])
    assert page.foreign == []
    assert page.errors == []


@pytest.mark.slow
def test_overlay_derivative_zoom_and_legend_keep_the_axis_of_both_plots(page):
    first = check(page, "untouched")
    page.page.locator(".acgen-tools").click()
    page.page.locator(".acgen-overlay").get_by_role("combobox").click()
    page.page.locator("li").filter(has_text="diamond").first.click()
    page.page.mouse.click(5, 400)  # beside the list, which closes it
    page.page.get_by_role("listbox").wait_for(state="hidden")
    entry = page.page.get_by_role("button", name="diamond")
    entry.wait_for()
    check(page, "a target over it")
    page.page.get_by_role("checkbox", name="d/dE").click()
    until(lambda: "dA/dE" in page.page.evaluate(LABEL, NAMES[0]), "the derivative", every=0.2)
    plots = check(page, "derivatives")
    page.page.locator(".acgen-tools").click()
    page.page.locator(".acgen-overlay").wait_for(state="hidden")
    page.page.mouse.move(plots[0]["left"] + 40, plots[0]["y"])
    page.page.locator("[title^='Zoom: drag']").first.click()
    drag(page, plots[0], 80)
    near = check(page, "zoomed")
    assert first[0]["start"] < near[0]["start"] < near[0]["end"] < first[0]["end"]
    page.page.mouse.dblclick(near[1]["left"] + 60, near[1]["y"])
    back = check(page, "after a double click on the residual")
    assert (back[0]["start"], back[0]["end"]) == (first[0]["start"], first[0]["end"])
    entry.click()
    page.page.locator("button[aria-pressed=false]").filter(has_text="diamond").wait_for()
    until(lambda: page.page.evaluate(LINES, NAMES[0]) == 0, "the target is gone from the plot", every=0.2)
    check(page, "a hidden curve")
    assert page.foreign == []
    assert page.errors == []
