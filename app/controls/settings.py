"""The sidebar: presets, target, structure and run settings, each a widget of a parameter of the state."""

from __future__ import annotations

import html

import panel as pn
import panel_material_ui as pmui
import param
from ase import Atoms

from acgen.errors import AcgenError
from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import HYBRIDS, Settings
from app.controls.pdf import PairUpload
from app.controls.shares import SharesInput
from app.look.card import row
from app.look.css import STYLE
from app.look.notice import Notice
from app.preparation.choices import Preparation
from app.preparation.chooser import spectrum_input
from app.preparation.dialog import PreparationDialog
from app.preparation.intake import Intake
from app.preparation.targets import TargetsDialog
from app.session.presets import COUNTS, PRESETS, apply_plan, apply_preset, plan_of
from app.session.state import State
from app.session.uploaded import Uploads
from app.session.uploads import BoundedInput, structure_from_upload
from app.views.progress import clock
from app.workers.background import Background
from app.workers.models import shared_models
from app.workers.pace import SERVER_PACE, Pace

WIDE = {"size": "small", "sizing_mode": "stretch_width"}
SLIDER = {
    **WIDE,
    "inline_layout": True,
    "margin": (0, 16),
    # The arrow keys step the number; its buttons would leave no room for it. Tight, for small windows.
    "sx": {
        "& .MuiInputAdornment-root": {"display": "none"},
        "& .MuiFormLabel-root": {"fontSize": "14px", "lineHeight": 1.3},
        "& .MuiInputBase-input": {"py": 0, "fontSize": "14px"},
    },
}
UPLOAD = {**WIDE, "variant": "outlined"}


class Controls(pn.viewable.Viewer):
    """Everything that is chosen before a run; greyed out while one is active, but for xi."""

    def __init__(
        self, state: State, background: Background | None = None, load=shared_models, pace: Pace = SERVER_PACE, **params
    ):
        super().__init__(**params)
        self.state, self.pace = state, pace
        self._choose_target(background)
        self._choose_structure(load)
        self._choose_run()
        self._connect(state)

    def _choose_target(self, background: Background | None) -> None:
        """Presets, targets, uploads of spectra and their preparation."""
        state = self.state
        self.presets = pmui.MenuButton(
            label="Presets",
            items=[{"label": name} for name in PRESETS],
            description="Settings worth starting from",
            variant="text",
            size="small",
            margin=(6, 12, 0, 0),
            on_click=lambda item: apply_preset(state, item["label"]),
        )
        self.target = pmui.Select.from_param(state.param.target_name, margin=(8, 2, 4, 16), **WIDE)
        self.upload = spectrum_input(
            "Upload a spectrum",
            margin=(4, 8, 4, 16),
            description="Text, CSV, XDI, Athena, HDF5 or NeXus, SPEC, Igor, EELS, up to 8 MB, one or several. Each is "
            "prepared with the defaults; where there is something to choose, you are asked.",
            css_classes=["acgen-spectrum-file"],
            multiple=True,
        )
        self.message, self.warning = Notice(margin=(4, 16)), Notice(margin=(4, 16))
        self.preparation = Preparation(background)
        self.prepare = PreparationDialog(state, self.preparation)
        self.targets = TargetsDialog(state, self.preparation)
        self.intake = Intake(state, self.preparation, self.prepare, self._complain)
        self.history = pn.pane.HTML("", margin=(0, 18), stylesheets=[STYLE], css_classes=["acgen-small"])
        self.pdf = PairUpload(state, self.preparation.background, _slider(state.param.xi_pdf))
        self.shares = SharesInput(state, _slider(state.param.xi_cn))

    def _choose_structure(self, load) -> None:
        """Density and cell, or a structure from a file, whose spectrum the networks that `load` gives predict."""
        state, parameters = self.state, self.state.param
        self.density, self.cell = (_slider(parameters[name]) for name in ("density", "cell"))
        self.cubic = pmui.Checkbox.from_param(parameters.cubic, size="small", margin=(0, 14))
        self.edges = pn.Row(
            *(
                pmui.FloatInput.from_param(
                    parameters[name], margin=(4, 4), css_classes=[f"acgen-{name}"], **WIDE
                )
                for name in ("cell_b", "cell_c")
            ),
            margin=(0, 12),
            sizing_mode="stretch_width",
        )
        self.structure = BoundedInput(
            label="Upload a structure",
            uploaded_label="Upload a structure",
            margin=(4, 8, 4, 16),
            description="A structure to see beside the target: carbon with a periodic cell, extxyz, CIF, POSCAR, … "
            "Its predicted spectrum, coordination, angles and g(r) are shown, and it joins the candidates.",
            css_classes=["acgen-structure-file"],
            **UPLOAD,
        )
        self.start_t = _slider(parameters.start_t)
        self.uploads = Uploads(state, self.preparation.background, load, self._structure_listed)
        self._latest: Atoms | None = None  # the structure that was uploaded last
        self.random = pmui.Button(
            label="", variant="text", size="small", margin=(0, 16), on_click=lambda _event: self._turn_start(),
            css_classes=["acgen-start"],
            description="An uploaded structure is noised to time t and denoised again, instead of random atoms, and "
            "sets cell and density",
        )

    def _choose_run(self) -> None:
        """Guidance, plan and number of candidates."""
        state, parameters = self.state, self.state.param
        self.xi = _slider(parameters.xi)
        self.instrument = pmui.Checkbox.from_param(parameters.instrument, size="small", margin=(0, 14))
        self.joint = pmui.Checkbox.from_param(parameters.joint, size="small", margin=(0, 0))
        anneals = {name: f", {plan.refine:g} ps" if plan.refine else "" for name, plan in PLANS.items()}
        evaluations = {name: f"{name}: {plan.total} evaluations{anneals[name]}" for name, plan in PLANS.items()}
        self.plans = pmui.MenuButton(
            label="Plan",
            items=[{"label": label} for label in evaluations.values()],
            description="Steps, restarts and the ξ that they bear: quick for a look, thorough heals more bonds, "
            "refined takes out strain",
            variant="text",
            size="small",
            margin=(0, 12, -12, 0),
            css_classes=["acgen-plan"],
            on_click=lambda item: apply_plan(state, item["label"].partition(":")[0]),
        )
        self.counts = [_slider(parameters[name]) for name in ("restarts", "steps", "candidates")]
        self.refine = pmui.FloatInput.from_param(
            parameters.refine, margin=(6, 4, 2, 16), css_classes=["acgen-refine"], **WIDE
        )
        self.seed = pmui.IntInput.from_param(
            parameters.seed, margin=(6, 16, 2, 4), css_classes=["acgen-seed"], **WIDE
        )
        self.atoms = pn.pane.HTML(
            "", margin=(0, 18), stylesheets=[STYLE], css_classes=["acgen-small", "acgen-atoms"]
        )

    def _connect(self, state: State) -> None:
        """Follow what is uploaded and what is set."""
        self.upload.param.watch(self._uploaded, "value")
        self.structure.param.watch(self._structure_uploaded, "value")
        self.upload.param.watch(lambda event: event.new and self.intake.refuse(event.new), "refused")
        self.structure.param.watch(lambda event: event.new and self._complain(event.new), "refused")
        state.param.watch(self._describe_target, ["target_name", "targets"])
        state.param.watch(self._lock, "snapshot")
        work = ["xi", *COUNTS, "candidates", "target_name", "pdf", *HYBRIDS.values()]
        sizes = ["density", "cell", "cubic", "cell_b", "cell_c", "start"]
        state.param.watch(self._arrange, ["cubic", "start"])
        state.param.watch(self._estimate, [*sizes, *work])
        self._describe_target()
        self._arrange()
        self._estimate()

    def _uploaded(self, event: param.parameterized.Event) -> None:
        if event.new is None:
            return
        files = list(zip(event.new, self.upload.filename or [], strict=False))
        # The same file can be chosen again, and its bytes need not be kept.
        self.upload.param.update(value=None, filename=None, mime_type=None)
        self.intake.take(files)

    def _structure_uploaded(self, event: param.parameterized.Event) -> None:
        if event.new is None:
            return
        try:
            self._latest = structure_from_upload(event.new, self.structure.filename or "")
        except AcgenError as error:
            self.message.say(f"Not taken: {error}. The structures stay as they were.")
        else:
            self.message.hide()
            self.structure.loading = True
            self.uploads.take(self._latest)
            self._arrange()
        self.structure.param.update(value=None, filename=None, mime_type=None)

    def _structure_listed(self, problem: str) -> None:
        self.structure.loading = False
        if problem:
            self.message.say(f"No spectrum of the structure: {problem}")

    def _turn_start(self) -> None:
        """Start from the uploaded structure, or from random atoms again."""
        self.state.start = self._latest if self.state.start is None else None

    def _complain(self, reason: str) -> None:
        if reason:
            self.message.say(f"Not taken: {reason}. The target stays as it was.")
        else:
            self.message.hide()

    def _describe_target(self, *_events) -> None:
        """Say where the target comes from, and what to know before believing results."""
        target = self.state.target
        said = ("No spectrum guides the atoms.",) if target is None else target.history
        self.history.object = html.escape(" ".join(said))
        if target is not None and target.warnings:
            self.warning.say(" ".join(target.warnings), "warning")
        else:
            self.warning.hide()

    def _arrange(self, *_events) -> None:
        """Show what can be set: a structure to start from has its own cell and density."""
        random = self.state.start is None
        for widget in (self.density, self.cell, self.cubic):
            widget.visible = random
        self.edges.visible = random and not self.state.cubic
        self.start_t.visible = not random
        name = "" if self._latest is None else self._latest.info["name"]
        self.random.param.update(
            label=f"Start from {name}" if random else "Use random atoms instead", visible=bool(name) or not random
        )

    def _estimate(self, *_events) -> None:
        """Say how large the structures will be, how long they will take, and by which plan."""
        self.plans.label = f"Plan: {plan_of(self.state) or 'own'}"
        try:
            settings = self.state.settings
        except AcgenError as error:
            self.atoms.object = html.escape(str(error))
        else:
            self.atoms.object = size_text(settings, self.pace.seconds(settings))

    def _lock(self, event: param.parameterized.Event) -> None:
        active = event.new.status.active
        if active != self.seed.disabled:
            for widget in self.locked:
                widget.disabled = active
            self._estimate()

    @property
    def locked(self) -> list[pn.widgets.Widget]:
        """What cannot be changed while a run is active."""
        cell = [self.density, self.cell, self.cubic, *self.edges]
        start = [self.structure, self.start_t, self.random]
        target = [self.presets, self.target, self.targets.button, self.upload, self.prepare.button]
        run = [self.plans, self.instrument, self.joint, *self.counts, self.refine, self.seed]
        return [*target, *self.pdf.locked, *self.shares.locked, *cell, *start, *run]

    def __panel__(self):
        return pmui.Column(
            row(_section("Target"), pn.Spacer(sizing_mode="stretch_width"), self.presets),
            row(self.target, self.targets.button),
            row(self.upload, self.prepare.button),
            self.message,
            self.warning,
            self.history,
            # Of fixed height, for what a closed dialog holds would stretch the sidebar.
            self.prepare,
            row(self.targets, height=1),
            row(_section("Structure"), pn.Spacer(sizing_mode="stretch_width"), self.shares.button),
            self.density,
            self.cell,
            self.cubic,
            self.edges,
            row(self.structure, self.pdf.upload),
            self.pdf,
            self.shares,
            self.start_t,
            self.random,
            row(_section("Run"), pn.Spacer(sizing_mode="stretch_width"), self.plans),
            self.xi,
            self.pdf.slider,
            self.shares.slider,
            row(self.instrument, self.joint),
            *self.counts,
            row(self.refine, self.seed),
            self.atoms,
            margin=0,
            sizing_mode="stretch_width",
        )


def size_text(settings: Settings, seconds: float) -> str:
    """How large the structures will be and how long all of them will take."""
    what = f"from {html.escape(settings.start.info.get('name', 'a structure'))}" if settings.start is not None else ""
    return f"<b>{settings.n_atoms:,} atoms</b> {what} · about <b>{clock(max(seconds, 1))}</b> for all candidates"


def _slider(parameter: param.Parameter) -> pn.widgets.Widget:
    kind = pmui.EditableIntSlider if isinstance(parameter, param.Integer) else pmui.EditableFloatSlider
    low, high = parameter.bounds
    limits = {"start": low, "end": high, "fixed_start": low, "fixed_end": high, "step": parameter.step}
    form = "0" if parameter.step >= 1 else "0.00"
    return kind.from_param(parameter, format=form, css_classes=[f"acgen-{parameter.name}"], **limits, **SLIDER)


def _section(title: str) -> pn.pane.HTML:
    return pn.pane.HTML(f"<h2>{title}</h2>", margin=(6, 18, 0, 16), stylesheets=[STYLE], css_classes=["acgen-section"])
