"""The preparation panel as a user meets it: every measured file through the real page, with pictures."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from page import share
from PIL import Image
from serving import SPINNER
from waiting import LIMIT, until

from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import builtin_targets

SMALL = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}

#: By file: columns to choose (none where the file leaves no choice), and what has to be said about it.
FILES = {
    "DLC_CKedge_SLRI_LG4X.csv": ((), "more than detectors have"),
    "RefFoil_AusSync_ref_over_photodiode.csv": ((), "oriented sample in polarised light"),
    "AusSync_SXR_129577_photodiode_reffoil_CK.asc": (
        ("4 calculated", "7 SR14", "8 SR14"),
        "oriented sample in polarised light",
    ),
    "AusSync_SXR_129578_sampleZ1_CK.asc": (("4 calculated", "5 SR14", "8 SR14"), "Out of domain"),
    "polystyrene_STXM_kkcalc.txt": ((), "Out of domain"),
}


class Panel:
    """One page with the dashboard; remembers errors and requests to other hosts."""

    def __init__(self, browser, address: str, size: dict[str, int] = SMALL):
        self.context = browser.new_context(viewport=size, accept_downloads=True)
        self.context.set_default_timeout(1000 * LIMIT)
        self.errors: list[str] = []
        self.foreign: list[str] = []
        own = re.compile(r"(https?|wss?)://localhost:\d+/|data:|blob:")
        self.context.on("request", lambda request: own.match(request.url) or self.foreign.append(request.url))
        self.context.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.page.locator(".acgen-card canvas").first.wait_for()
        self.page.locator(SPINNER).wait_for(state="hidden")
        self.dialog = self.page.get_by_role("dialog")

    def press(self, name: str) -> None:
        self.page.get_by_role("button").filter(has_text=name).first.click()

    def press_inside(self, name: str) -> None:
        """Press a button of the open panel: the page behind it has some of the same names."""
        self.dialog.get_by_role("button").filter(has_text=name).first.click()

    def upload(self, path, button: str = "spectrum") -> None:
        self.page.locator(f".acgen-{button}-file input[type=file]").set_input_files(path)

    def see(self, text: str) -> None:
        self.page.get_by_text(re.compile(text)).locator("visible=true").first.wait_for()

    def choose(self, field: str, option: str) -> None:
        self.page.locator(f".acgen-sample-{field}").get_by_role("combobox").click()
        self.page.locator("li.MuiMenuItem-root").filter(has_text=option).first.click()

    def picture(self, path) -> np.ndarray:
        data = self.page.screenshot(path=path)
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)

    def download(self, kind: str) -> bytes:
        self.press("Download")
        with self.page.expect_download() as found:
            self.page.get_by_role("menuitem").filter(has_text=kind).click()
        with open(found.value.path(), "rb") as file:
            return file.read()


@pytest.fixture
def panel(chromium, server):
    panel = Panel(chromium, server)
    yield panel
    panel.context.close()


def test_every_measured_file_becomes_a_target_with_the_right_choices_and_warnings(panel, shared_data, tmp_path):
    chosen = panel.page.get_by_role("combobox")
    for number, (name, (columns, warning)) in enumerate(FILES.items()):
        panel.upload(shared_data / "measured" / name)
        raw = None
        if columns:
            panel.see("18 columns: choose the column of energy and signal")
            assert panel.page.get_by_role("button", name="Use as target").is_disabled()
            raw = panel.picture(tmp_path / f"{number}-asked.png")
            for field, option in zip(("energy", "numerator", "denominator"), columns, strict=True):
                panel.choose(field, option)
        else:
            chosen.filter(has_text=name).wait_for()
            panel.press("Prepare")
        panel.see(warning)
        panel.see("Left over")
        picture = tmp_path / f"{number}-prepared.png"
        if raw is not None:
            until(lambda raw=raw, path=picture: share(panel.picture(path), raw) > 0.01, "the plots are drawn")
        panel.press("Use as target")
        panel.dialog.wait_for(state="hidden")
        chosen.filter(has_text=name).wait_for()
    assert panel.foreign == []
    assert panel.errors == []


def test_auto_density_downloads_and_recipes(panel, shared_data, tmp_path):
    panel.upload(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv")
    panel.see("Read 251 points")
    panel.press("Prepare")
    panel.press_inside("Auto")
    panel.see(r"Applied energy shift: \+0\.25 eV")
    panel.press("Estimate density")
    panel.see(r"Density \d\.\d\d ± ")
    recipe = panel.download("Recipe")
    assert json.loads(recipe)["slope"] == "auto"
    assert panel.download("XDI").startswith(b"# XDI/1.0 acgen")
    assert panel.download("CSV").startswith(b"energy_eV,target")
    panel.press("Set density to")
    panel.press("Cancel")
    panel.dialog.wait_for(state="hidden")
    panel.press("Prepare")
    shift = panel.page.locator(".acgen-shift input[type=text]")
    until(lambda: shift.input_value() == "0.25", "the number is there when the panel opens again")
    (tmp_path / "bad.csv").write_text("no numbers in here")
    panel.upload(tmp_path / "bad.csv", "sample")
    panel.see("Not taken: .* All stays as it was")
    panel.page.keyboard.press("Escape")
    panel.dialog.wait_for(state="hidden")
    assert panel.errors == []


def test_prepare_opens_the_target_that_is_selected_with_its_own_columns(panel, tmp_path):
    for name, target in (("one.txt", "sp3"), ("two.txt", "sp2")):
        rows = zip(ENERGY, builtin_targets()[target].intensity, strict=True)
        (tmp_path / name).write_text("".join(f"{e:.3f} {v:.6f}\n" for e, v in rows))
        panel.upload(tmp_path / name)
        panel.page.get_by_role("combobox").filter(has_text=name).wait_for()
    panel.page.get_by_role("combobox").filter(has_text="two.txt").first.click()
    panel.page.locator("li.MuiMenuItem-root").filter(has_text="one.txt").first.click()
    panel.page.get_by_role("combobox").filter(has_text="one.txt").first.wait_for()
    panel.press("Prepare")
    panel.dialog.wait_for()
    name = panel.dialog.get_by_label("Name of the target")
    until(lambda: name.input_value() == "one.txt", "the panel has the files of the target that is selected")
    assert panel.errors == []


#: Where energies are on the screen in the plot of the measurement, half way up.
PIXELS = """(energies) => {
  const [view] = [...Bokeh.index.query((found) => found.model.name === "acgen_measured")];
  const {left, top} = view.canvas.el.getBoundingClientRect();
  const {x_scale, bbox} = view.frame;
  return energies.map((energy) => [left + x_scale.compute(energy), top + bbox.top + bbox.height / 2]);
}"""


def test_a_range_is_dragged_in_the_plot(panel, shared_data):
    panel.upload(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv")
    panel.see("Read 251 points")
    panel.press("Prepare")
    panel.see(r"-14\.0 \.\. -4\.0")
    start, end = panel.page.evaluate(PIXELS, [285.4 - 4.0, 285.4 - 6.0])
    panel.page.mouse.move(*start)
    panel.page.mouse.down()
    panel.page.mouse.move(*end, steps=4)
    panel.page.mouse.up()
    panel.see(r"-14\.0 \.\. -(5\.9|6\.0|6\.1)")
    panel.see(r"points in 271\.\d+-279\.\d+ eV")
    assert panel.errors == []


@pytest.mark.slow
def test_on_a_phone_the_panel_is_one_column_as_wide_as_its_window(chromium, server, shared_data):
    panel = Panel(chromium, server, PHONE)
    panel.upload(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv")
    panel.see("Read 251 points")
    panel.press("Prepare")
    panel.see("Left over")
    column = panel.page.locator(".acgen-prepare")
    assert column.evaluate("(column) => column.scrollWidth - column.clientWidth") == 0
    first, second = (card.bounding_box() for card in panel.page.locator(".acgen-plots > .acgen-card").all())
    assert min(first["width"], second["width"]) > 250
    assert second["y"] >= first["y"] + first["height"]
    below = panel.page.locator(".acgen-actions")
    assert below.evaluate("(row) => row.scrollWidth - row.clientWidth") == 0
    last = panel.page.get_by_role("button", name="Use as target").bounding_box()
    assert last["x"] + last["width"] < PHONE["width"]
    assert last["y"] + last["height"] < PHONE["height"]
    assert panel.errors == []
    panel.context.close()
