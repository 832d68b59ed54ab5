"""The target against the predicted spectra of the structures on display, and what is left between them."""

from __future__ import annotations

import html

import numpy as np
from bokeh.events import DoubleTap, SelectionGeometry
from bokeh.models import BoxAnnotation, BoxSelectTool

from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import Target
from acgen.statistics import mean_and_spread
from app.look import colours
from app.look.card import swatch
from app.session.shown import Shown, bare
from app.views.plot import LivePlot, between

AXES = ("Photon energy (eV)", "Absorption (arb. units)")
NOTHING = np.full(ENERGY.size, np.nan)
BORDER = 70
RANGE = (ENERGY[0], ENERGY[-1])


class SpectrumView(LivePlot):
    """Target and prediction over photon energy; the target is missing where it was not measured.

    The band is the standard deviation over the candidates that are compared, or over the atoms of a single one.
    """

    title = "C K-edge spectrum"
    axes = AXES
    limits = (RANGE, (None, None))
    border = BORDER

    def refresh(self) -> bool:
        """As of every plot, and the range of energies that was chosen."""
        self._mark()
        return super().refresh()

    def source(self):
        shown, atom = self.state.shown, self.state.atom
        known = atom is not None and shown is not None and shown.site_spectra is not None
        return target_of(self.state), self.state.compared, atom if known else None, self.state.plain

    def build(self):
        self.band("band", colours.PREDICTION)
        self.curve("curves", "target", color=colours.TARGET, line_width=4, hover=True)
        self.curves("each", color=colours.PREDICTION, alpha=0.35, line_width=1)
        self.curve("curves", "mean", color=colours.PREDICTION, line_width=2, hover=True)
        self.curve("curves", "atom", color=colours.MARK, line_width=1.5)
        self._choose()

    def _choose(self) -> None:
        """Let a drag over the plot choose energies, unless it is to move them, and a double click no longer."""
        drag = BoxSelectTool(dimensions="width", renderers=[], description="Choose energies: colour the atoms by them")
        self.figure.add_tools(drag)
        self.figure.toolbar.active_drag = drag
        self.figure.on_event(SelectionGeometry, self._drag)
        self.figure.on_event(DoubleTap, lambda _event: setattr(self.state, "energies", None))
        self._chosen = BoxAnnotation(
            fill_color=colours.MARK, fill_alpha=0.15, line_color=None, visible=False, level="underlay"
        )
        self.figure.add_layout(self._chosen)
        self._mark()

    def _drag(self, event: SelectionGeometry) -> None:
        low, high = (float(np.clip(event.geometry[end], *RANGE)) for end in ("x0", "x1"))
        if event.final and event.geometry["type"] == "rect" and high > low:
            self.state.energies = (low, high)

    def _mark(self) -> None:
        energies = self.state.energies
        if energies is None:
            self._chosen.visible = False
        else:
            self._chosen.update(left=energies[0], right=energies[1], visible=True)

    def columns(self, data):
        target, compared, atom = drawn(data)
        site = NOTHING if atom is None or atom >= len(compared[0].seen_sites) else compared[0].seen_sites[atom]
        measured = NOTHING if target is None else measured_of(target)
        mean, spread = predicted(compared)
        lines = [shown.prediction for shown in compared if shown.prediction is not None]
        lines = lines if len(lines) > 1 else []
        return {
            "band": between(ENERGY, mean - spread, mean + spread),
            "each": {"xs": [ENERGY] * len(lines), "ys": lines},
            "curves": {"x": ENERGY, "target": measured, "mean": mean, "atom": site},
        }

    def table(self):
        target, compared, atom = drawn(self.source())
        mean, spread = predicted(compared)
        columns = {"energy_eV": ENERGY, "target": NOTHING if target is None else measured_of(target)}
        columns |= {"prediction_mean": mean, "prediction_std": spread, "residual": residual(target, mean)}
        if atom is not None:
            columns[f"atom {atom + 1}"] = compared[0].seen_sites[atom]
        return columns | {f"prediction {s.name}": s.prediction for s in compared if s.prediction is not None}

    def empty(self):
        target, compared, _atom = drawn(self.source())
        if target is not None or any(shown.prediction is not None for shown in compared):
            return ""
        if not compared:
            return "Choose a target spectrum, or press Start for structures without guidance"
        return "Nothing guides this run: each finished candidate gets its predicted spectrum"

    def legend(self):
        target, compared, atom = drawn(self.source())
        parts = [] if target is None else [swatch(colours.TARGET, "target")]
        known = [shown for shown in compared if shown.prediction is not None]
        if len(known) > 1:
            parts += [swatch(colours.PREDICTION, f"mean of {len(known)}"), swatch(colours.PREDICTION, "± std", "band")]
        elif known:
            name = "" if atom is not None else f" {html.escape(known[0].name)}"
            plain = ", plain" if self.state.plain and known[0].prediction is known[0].spectrum else ""
            parts.append(swatch(colours.PREDICTION, f"prediction{name}{plain}"))
            if known[0].site_spectra is not None:
                parts.append(swatch(colours.PREDICTION, "± std of atoms", "band"))
        if atom is not None:
            parts.append(swatch(colours.MARK, f"atom {atom + 1}"))
        return "".join(parts)


class ResidualView(LivePlot):
    """Target minus mean prediction, with the same band, on the same energies."""

    title = "Residual spectrum"
    axes = (AXES[0], "Residual")
    limits = (RANGE, (None, None))
    ticks = (None, 3)
    border = BORDER

    def source(self):
        return target_of(self.state), self.state.compared, self.state.plain

    def build(self):
        self.band("band", colours.PREDICTION)
        self.curve("zero", color=colours.TARGET, line_width=2)  # a curve, so that there are axes before a residual
        self.curve("curves", "residual", color=colours.PREDICTION, line_width=1.5, hover=True)

    def columns(self, data):
        target, compared = drawn(data)
        mean, spread = predicted(compared)
        left = residual(target, mean)
        return {
            "band": between(ENERGY, left - spread, left + spread),
            "zero": {"x": ENERGY, "y": np.zeros(ENERGY.size)},
            "curves": {"x": ENERGY, "residual": left},
        }

    def table(self):
        target, compared = drawn(self.source())
        mean, spread = predicted(compared)
        return {"energy_eV": ENERGY, "residual": residual(target, mean), "prediction_std": spread}


def drawn(source: tuple) -> tuple:
    """What a source means: its predictions as they are wanted, through the instrument, or plain if its end says so."""
    target, compared, *atom, plain = source
    return target, tuple(bare(shown) for shown in compared) if plain else compared, *atom


def target_of(state) -> Target | None:
    """The target of the structures on display; before the first, the one that is chosen."""
    settings = state.snapshot.settings
    chosen = state.chosen
    if chosen:
        return chosen[0].settings.target
    if state.shown is None or settings is None or not state.snapshot.status.active:
        return state.target
    return settings.target


def predicted(compared: tuple[Shown, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean prediction and its standard deviation over structures or, of a single one, over its atoms; (100,) each."""
    known = [shown for shown in compared if shown.prediction is not None]
    if not known:
        return NOTHING, NOTHING
    if len(known) > 1:
        return mean_and_spread([shown.prediction for shown in known])
    sites = known[0].seen_sites
    return known[0].prediction, np.zeros(ENERGY.size) if sites is None else sites.std(axis=0)


def measured_of(target: Target) -> np.ndarray:
    """The target where it was measured, NaN elsewhere."""
    return np.where(target.mask, target.intensity, np.nan)


def residual(target: Target | None, mean: np.ndarray) -> np.ndarray:
    """Target minus prediction, NaN where either is missing."""
    return NOTHING if target is None else measured_of(target) - mean
