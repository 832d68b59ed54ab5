"""The sidebar: target, structure and run settings, each a widget of a parameter of the state."""

from __future__ import annotations

import html

import panel as pn
import panel_material_ui as pmui
import param

from acgen.spectra.spectrum import SpectrumError
from acgen.structure import cell_matrix, n_atoms
from app.state import State
from app.style import STYLE
from app.uploads import SpectrumInput, target_from_upload
from app.views.notice import Notice

SLIDER = {
    "size": "small",
    "inline_layout": True,
    "sizing_mode": "stretch_width",
    "margin": (0, 16),
    # The arrow keys step the number; its buttons would leave no room for it.
    "sx": {"& .MuiInputAdornment-root": {"display": "none"}},
}


class Controls(pn.viewable.Viewer):
    """Everything that is chosen before a run; greyed out while one is active."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        parameters = state.param
        self.target = pmui.Select.from_param(
            parameters.target_name, size="small", sizing_mode="stretch_width", margin=(8, 16, 4, 16)
        )
        self.upload = SpectrumInput(
            label="Upload a spectrum",
            accept=".csv,.txt,.dat,.xdi,.asc,.xy,.xmu,.nor",
            variant="outlined",
            uploaded_label="Upload a spectrum",
            sizing_mode="stretch_width",
            margin=(4, 16),
            size="small",
            description="Two columns, energy in eV and intensity: text, CSV or XDI, up to 2 MB.",
        )
        self.message = Notice(margin=(4, 16))
        self.history = pn.pane.HTML("", margin=(0, 18), stylesheets=[STYLE], css_classes=["acgen-small"])
        self.sliders = [
            *(_slider(pmui.EditableFloatSlider, parameters[name], "0.00") for name in ("density", "cell")),
            _slider(pmui.EditableFloatSlider, parameters.xi, "0"),
            *(_slider(pmui.EditableIntSlider, parameters[name], "0") for name in ("restarts", "steps", "candidates")),
        ]
        self.seed = pmui.IntInput.from_param(
            parameters.seed, size="small", sizing_mode="stretch_width", margin=(10, 16, 8, 16)
        )
        self.atoms = pn.pane.HTML(
            pn.bind(atoms_text, state.param.density, state.param.cell),
            margin=(0, 18),
            stylesheets=[STYLE],
            css_classes=["acgen-small", "acgen-atoms"],
        )
        self.upload.param.watch(self._uploaded, "value")
        self.upload.param.watch(self._refused, "refused")
        state.param.watch(self._describe_target, "target_name")
        state.param.watch(self._lock, "snapshot")
        self._describe_target()

    def _uploaded(self, event: param.parameterized.Event) -> None:
        if event.new is None:
            return
        try:
            target = target_from_upload(event.new, self.upload.filename or "")
        except SpectrumError as error:
            self._complain(str(error))
        else:
            self.message.hide()
            self.state.add_target(target)
        # The same file can be chosen again, and its bytes need not be kept.
        self.upload.param.update(value=None, filename=None, mime_type=None)

    def _refused(self, event: param.parameterized.Event) -> None:
        if event.new:
            self._complain(event.new)

    def _complain(self, reason: str) -> None:
        self.message.say(f"Not taken: {reason}. The target stays as it was.")

    def _describe_target(self, *_events) -> None:
        """Say where the target comes from, and what to know before believing results."""
        target = self.state.target
        history = "No spectrum guides the atoms." if target is None else " ".join(target.history)
        self.history.object = html.escape(history)
        if target is not None and target.warnings:
            self.message.say(" ".join(target.warnings), "warning")
        elif self.message.severity == "warning":
            self.message.hide()

    def _lock(self, event: param.parameterized.Event) -> None:
        active = event.new.status.active
        if active != self.seed.disabled:
            for widget in (self.target, self.upload, self.seed, *self.sliders):
                widget.disabled = active

    def __panel__(self):
        density, cell, *rest = self.sliders
        return pmui.Column(
            _section("Target"),
            self.target,
            self.upload,
            self.message,
            self.history,
            _section("Structure"),
            density,
            cell,
            self.atoms,
            _section("Run"),
            *rest,
            self.seed,
            margin=0,
            sizing_mode="stretch_width",
        )


def atoms_text(density: float, cell: float) -> str:
    """How large the structure will be."""
    count = n_atoms(density, cell_matrix(cell))
    warning = " Large: expect minutes per candidate." if count > 1500 else ""
    return f"<b>{count:,} atoms</b> in a cube of {cell:.2f} Å.{warning}"


def _slider(kind: type, parameter: param.Parameter, form: str) -> pn.widgets.Widget:
    low, high = parameter.bounds
    limits = {"start": low, "end": high, "fixed_start": low, "fixed_end": high, "step": parameter.step or 1}
    return kind.from_param(parameter, format=form, css_classes=[f"acgen-{parameter.name}"], **limits, **SLIDER)


def _section(title: str) -> pn.pane.HTML:
    return pn.pane.HTML(title, margin=(12, 18, 2, 16), stylesheets=[STYLE], css_classes=["acgen-section"])
