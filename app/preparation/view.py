"""What the preparation dialog holds: choices that make a target of a measured file, with plots before and after."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from acgen.inference.density import estimate_density
from acgen.spectra.beamline import MAX_JSON
from acgen.spectra.io.export import target_csv, target_xdi
from acgen.spectra.spectrum import SpectrumError
from app.look.card import card, heading
from app.look.css import STYLE
from app.look.notice import Notice
from app.preparation import words
from app.preparation.beamlines import BeamlineMenu
from app.preparation.choices import Preparation
from app.preparation.chooser import BOX, FIELD, Chooser
from app.preparation.history import History
from app.preparation.jobs import named
from app.preparation.plots import AfterPlot, BeforePlot, Comparison
from app.session.state import State
from app.session.uploads import BoundedInput, label_of
from app.views.save import Saver
from app.workers.explain import explain
from app.workers.models import shared_models

SHEETS = [STYLE, Path(__file__).with_name("preparation.css").read_text(encoding="utf-8")]
BUTTON = {"size": "small", "margin": (4, 4)}
SLIDER = {"size": "small", "sizing_mode": "stretch_width", "margin": (0, 10, 0, 4)}
#: The arrow keys step a number; its buttons would leave no room for it.
NUMBER = {"inline_layout": True, "sx": {"& .MuiInputAdornment-root": {"display": "none"}}}


class PreparationView(pn.viewable.Viewer):
    """The contents of the dialog.

    Parameters
    ----------
    state
        Gets the target, and the density if the user wants it.
    preparation
        What is chosen and what came of it.
    close
        Called when the user is done.
    """

    def __init__(self, state: State, preparation: Preparation, close: Callable[[], None], **params):
        super().__init__(**params)
        self.state, self.preparation, self.close = state, preparation, close
        self.saver, self.comparison = Saver(), Comparison()
        self.before = BeforePlot(preparation, self.saver)
        self.after = AfterPlot(preparation, self.comparison, self.saver)
        self.beamlines = BeamlineMenu(state, preparation, self.saver)
        self.estimate: Any = None
        self.history = History(preparation)
        self.message = Notice(margin=(2, 4))
        text = {"margin": 0, "stylesheets": SHEETS, "css_classes": ["acgen-found"]}
        self.detected, self.numbers = (pn.pane.HTML("", sizing_mode="stretch_both", **text) for _ in range(2))
        self.quick, self.density = (pn.pane.HTML("", sizing_mode="stretch_width", **text) for _ in range(2))
        self.ask_density = pmui.Button(
            label="Estimate density", variant="text", size="small", margin=0,
            on_click=lambda _event: self._ask_density(),
            description="Weighs structures of every density by how close their predicted spectra come",
        )
        self.set_density = pmui.Button(
            label="Set density to this", variant="text", visible=False,
            on_click=lambda _event: self._set_density(), **BUTTON,
        )
        self.use = pmui.Button(
            label="Use as target", variant="contained", on_click=lambda _event: self._use(), **BUTTON
        )
        self.undo = pmui.Button(
            label="Undo", icon="undo", variant="text", disabled=True, on_click=lambda _event: self._undo(), **BUTTON,
            description="Choose what was chosen before the last change",
        )
        self.cancel = pmui.Button(label="Cancel", variant="text", on_click=lambda _event: close(), **BUTTON)
        self.download = pmui.MenuButton(
            label="Download", icon="download", variant="outlined", on_click=lambda item: self.save(item["label"]),
            items=[{"label": kind} for kind in ("XDI", "CSV", "Recipe (JSON)")], **BUTTON,
            description="The target with everything that was done, as a table, or how it was made for `acgen prepare`",
        )
        self.recipe = BoundedInput(
            label="Load a recipe", uploaded_label="Load a recipe", most=MAX_JSON, variant="outlined",
            css_classes=["acgen-recipe-file"], description="Settings of a target or a beamline that were "
            "downloaded here, or saved by `acgen prepare --save-recipe` or `acgen calibrate`", **BUTTON,
        )
        self.parts = self._layout()
        self.recipe.param.watch(self._load, "value")
        self.recipe.param.watch(lambda event: event.new and self.message.say(f"Not taken: {event.new}."), "refused")
        preparation.param.watch(lambda *_events: self._refresh(), ["prepared", "answers", "unanswered", "problem"])
        self.comparison.param.watch(lambda *_events: self._refresh(), ["against", "sigma"])
        preparation.param.watch(self._turned, "watched")
        self._refresh()

    def _turned(self, event: param.parameterized.Event) -> None:
        """Whether anybody looks has changed."""
        self._refresh()
        if event.new:
            self.message.hide()

    def _choices(self) -> pn.Column:
        """The left side."""
        parameters = self.preparation.param
        automatic = pmui.Button(
            label="Auto", variant="contained", on_click=lambda _event: self.preparation.auto(), **BUTTON,
            description="Energies as the reference scan says, or else as the shipped spectra fit best; slope likewise; "
            "mean of the pre-edge as background; scale by area",
        )
        self.sliders = [
            pmui.EditableFloatSlider.from_param(
                parameters[name], format=form, start=start, end=end, fixed_start=low, fixed_end=high,
                css_classes=[f"acgen-{name}"], **NUMBER, **SLIDER,
            )
            for name, form in (("shift", "0.00"), ("slope", "0.000"))
            for low, high in [parameters[name].bounds]
            for start, end in [parameters[name].get_soft_bounds()]
        ]
        autos = [
            pmui.Checkbox.from_param(parameters[name], margin=0, width=70, description="", **BOX)
            for name in ("shift_auto", "slope_auto")
        ]
        ranges = [
            pmui.RangeSlider.from_param(parameters[name], format="0.0", css_classes=[f"acgen-{name}"], **SLIDER)
            for name in ("pre_range", "post_range")
        ]
        broadening = pmui.FloatSlider.from_param(self.comparison.param.sigma, format="0.00", **SLIDER)
        ways = [pmui.Select.from_param(parameters[name], **FIELD) for name in ("pre_edge", "normalisation")]
        self.reference_energy = pmui.FloatInput.from_param(
            parameters.reference_energy, css_classes=["acgen-reference_energy"], **FIELD
        )
        self.like = pmui.Button(
            label="", variant="outlined", visible=False, on_click=lambda _event: self._prepare_alike(), **BUTTON,
            description="The same columns, I0, reference scan and settings, for the next scan of a series",
        )
        sample, i0, reference = (
            Chooser(self.preparation, "sample", "Choose a file", "Text, CSV, XDI, Athena, HDF5 or NeXus, SPEC, Igor, "
                    "EELS; told by the content"),
            Chooser(self.preparation, "i0", "I0 file", "A scan of the beam or of a photodiode to divide by"),
            Chooser(self.preparation, "reference", "Reference scan", "A scan of graphite, say, taken with the sample: "
                    "its π* calibrates the energies"),
        )
        self.choosers = {"sample": sample, "i0": i0, "reference": reference}
        adjusted = [
            pn.Row(slider, auto, margin=0, sizing_mode="stretch_width", styles={"align-items": "end"})
            for slider, auto in zip(self.sliders, autos, strict=True)
        ]
        return pn.Column(
            pn.Row(_section("Measurement"), pn.Spacer(sizing_mode="stretch_width"), automatic, margin=0,
                   sizing_mode="stretch_width", styles={"align-items": "center"}),
            sample,
            self.like,
            self.beamlines,
            pmui.TextInput.from_param(parameters.name_of_target, **FIELD),
            _section("Energies"),
            *adjusted,
            _section("Background and scale"),
            pn.Row(*ways, margin=0, sizing_mode="stretch_width"),
            *ranges,
            _section("Other scans"),
            i0,
            reference,
            self.reference_energy,
            _section("In the plot"),
            pmui.Select.from_param(self.comparison.param.against, **FIELD),
            broadening,
            width=300, sizing_mode="stretch_height", margin=0, stylesheets=SHEETS, css_classes=["acgen-choices"],
        )

    def _layout(self) -> tuple[pn.Row, pn.Row]:
        """Choices beside plots and texts, and what can be done below them."""
        plots = _part(pn.Row, "plots", self.before, self.after)
        answers = pn.Column(
            self.density, self.set_density, self.quick,
            margin=0, sizing_mode="stretch_both", css_classes=["acgen-answers"], stylesheets=SHEETS,
        )
        spacer = pn.Spacer(sizing_mode="stretch_width")
        texts = _part(
            pn.Row, "texts",
            _box(card(heading("What was found and done"), self.detected)),
            _box(card(heading("Quick answers", spacer, self.ask_density), answers), 1.1),
            _box(card(heading("Numbers"), self.numbers), 0.85),
        )
        done = pn.Row(self.cancel, self.use, margin=0, css_classes=["acgen-done"], stylesheets=SHEETS)
        actions = pn.Row(
            self.recipe, self.download, self.undo, self.message, self.saver, done,
            margin=(4, 0, 0, 0), sizing_mode="stretch_width", css_classes=["acgen-actions"], stylesheets=SHEETS,
        )
        return _part(pn.Row, "prepare", self._choices(), plots, texts), actions

    def _refresh(self) -> None:
        """Show what is new."""
        preparation, prepared = self.preparation, self.preparation.prepared
        with pn.io.hold():
            calibrated = preparation.reference.source is not None
            for slider, auto in zip(self.sliders, (preparation.shift_auto, preparation.slope_auto), strict=True):
                slider.disabled = auto
            self.reference_energy.visible = calibrated
            self.undo.disabled = self.history.empty
            alike = preparation.alike() if preparation.sample.missing else []
            self.like.param.update(visible=bool(alike), label=f"As for {alike[0]}" if alike else "")
            ready = prepared is not None and prepared.target is not None and not preparation.problem
            self.use.disabled = self.download.disabled = self.ask_density.disabled = not ready
            if not preparation.watched:
                return
            self.detected.object = words.detected(prepared, preparation.problem)
            self.numbers.object = words.numbers(prepared)
            if self.estimate is None or prepared is None or self.estimate[0] is not prepared.target:
                self.density.object, self.set_density.visible = "", False
                self.quick.object = words.quick(prepared, preparation.answers, preparation.unanswered)
            for plot in (self.before, self.after):
                plot.refresh()

    def _undo(self) -> None:
        self.history.back()
        self._refresh()

    def _prepare_alike(self) -> None:
        alike = self.preparation.alike()
        if alike:
            self.preparation.like(alike[0])

    def _use(self) -> None:
        if not self.use.disabled:  # whatever the client claims
            target = named(self.preparation.prepared.recorded(), State.builtin_names())
            self.state.add_target(target)
            self.preparation.keep(target.name)
            self.state.keep_files(target.name, self.preparation.files)
            self.close()

    def save(self, kind: str) -> None:
        """Hand a file to the browser."""
        prepared = self.preparation.prepared
        if prepared is None or prepared.target is None:
            return
        recipe = prepared.job.recipe
        stem = label_of(prepared.target.name).rsplit(".", 1)[0] or "target"
        if kind == "XDI":
            self.saver.text(f"{stem}.xdi", target_xdi(prepared.target, recipe))
        elif kind == "CSV":
            self.saver.text(f"{stem}.csv", target_csv(prepared.target))
        else:
            self.saver.text(f"{stem}.recipe.json", json.dumps(recipe.to_dict(), indent=1) + "\n")

    def _load(self, event: param.parameterized.Event) -> None:
        if event.new is None:
            return
        data = event.new
        self.recipe.param.update(value=None, filename=None, mime_type=None)
        try:
            self.preparation.load(data)
        except SpectrumError as error:
            self.message.say(f"Not taken: {error}.")
        else:
            self.message.hide()
            if (new := self.preparation.beamline) is not None:
                self.state.beamlines = {new.name: new} | self.state.beamlines

    def _ask_density(self) -> None:
        if self.ask_density.disabled:
            return
        target = self.preparation.prepared.target
        self.ask_density.param.update(loading=True, disabled=True)
        self.preparation.background.do(
            "density", lambda: (target, estimate_density(target, shared_models().forward)), self._answered
        )

    def _answered(self, found: Any, error: Exception | None) -> None:
        self.ask_density.param.update(loading=False, disabled=False)
        prepared = self.preparation.prepared
        if found is not None and (prepared is None or prepared.target is not found[0]):
            return  # the target is another one by now
        self.estimate = found
        reason = "" if error is None else f"No density: {explain(error)}"
        self.density.object = words.density(None if found is None else found[1], reason)
        self.set_density.visible = found is not None
        if found is not None:
            self.quick.object = ""  # one answer: the better one
            self.set_density.label = f"Set density to {found[1].density:.2f} g/cm³"

    def _set_density(self) -> None:
        low, high = self.state.param.density.bounds
        self.state.density = min(max(round(self.estimate[1].density, 2), low), high)

    def __panel__(self):
        return pn.Column(*self.parts, margin=0, sizing_mode="stretch_both")


def _box(part: pn.viewable.Viewable, share: float = 1.0) -> pn.Column:
    """A share of the width of its row."""
    return _part(pn.Column, "box", part, styles={"flex": str(share)})


def _part(kind: type, name: str, *parts: Any, **options: Any) -> Any:
    """A part of the panel, which the style sheet arranges."""
    names = [f"acgen-{name}"]
    return kind(*parts, margin=0, sizing_mode="stretch_both", css_classes=names, stylesheets=SHEETS, **options)


def _section(title: str) -> pn.pane.HTML:
    return pn.pane.HTML(title, margin=(6, 4, 0, 4), stylesheets=[STYLE], css_classes=["acgen-section"])
