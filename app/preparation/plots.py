"""The two plots of the preparation panel: what was measured, and the target that comes of it."""

from __future__ import annotations

import numpy as np
import panel as pn
import param

from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.instrument import Instrument
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets
from app.look import colours
from app.look.card import swatch
from app.look.css import STYLE
from app.preparation.choices import Preparation
from app.views.plot import LivePlot, between
from app.views.save import Saver
from app.views.spectra import measured_of
from app.views.spectrum import AXES

#: Energies around the carbon edge that are drawn, eV, if the measurement has any there.
WINDOW = (264.0, 330.0)
NEAREST, NOTHING = "nearest reference", "nothing"
HOLLOW = (np.array([np.nan]), np.array([np.nan]))


class Note(pn.pane.HTML):
    """A note that is seen as far as it says something: what a closed dialog holds cannot be made visible."""

    _rename = {"visible": None}
    _stylesheets = [*pn.pane.HTML._stylesheets, "div:empty { display: none; }"]


class Comparison(param.Parameterized):
    """The reference that is drawn with the target, as an instrument would see it."""

    against = param.Selector(
        default=NEAREST,
        objects=[NEAREST, *builtin_targets(), NOTHING],
        label="Compare with",
        doc="A shipped spectrum to draw beside the target; the target does not depend on it.",
    )
    sigma = param.Number(
        0.0,
        bounds=(0.0, 0.5),
        step=0.01,
        label="Its broadening σ (eV)",
        doc="Gaussian broadening of the reference that is drawn, beyond the 0.2 eV of the model spectra. Resolution "
        "belongs on what is predicted; the measurement is never sharpened.",
    )

    def found(self, target: Target) -> tuple[str, np.ndarray | None]:
        """Name and spectrum, (100,), of what to compare with."""
        if self.against == NOTHING:
            return "", None
        names = list(builtin_targets()) if self.against == NEAREST else [self.against]
        seen = Instrument(sigma=self.sigma)
        spectra = {name: seen.apply(builtin_targets()[name].intensity) for name in names}
        name = min(spectra, key=lambda name: target.misfit(spectra[name]))
        return name, spectra[name]


class _Plot(LivePlot):
    """A plot of the panel."""

    def __init__(self, preparation: Preparation, saver: Saver, **params):
        super().__init__(preparation, saver, **params)
        self.note = Note(self.empty(), margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])


class BeforePlot(_Plot):
    """The measured curve with its background and the ranges that decide about background and scale."""

    title = "Measured"
    axes = ("Photon energy as measured (eV)", "Signal as measured")
    border = 62

    def source(self):
        return self.state.prepared, self.state.problem

    def build(self):
        self.band("pre_range", colours.CN[3])
        self.band("post_range", colours.CN[4])
        self.curve("curve", color=colours.TARGET, line_width=2, hover=True)
        self.curve("background", color=colours.PREDICTION, line_width=2, line_dash="dashed")

    def columns(self, data):
        prepared = data[0]
        measured = None if prepared is None else prepared.measured
        if measured is None:
            nothing: dict[str, list[float]] = {"x": [], "y": []}
            bands = {name: {"xs": [], "ys": []} for name in ("pre_range", "post_range")}
            return bands | {"curve": nothing, "background": nothing}
        energy, signal = measured.energy, measured.intensity
        seen = (energy >= WINDOW[0]) & (energy <= WINDOW[1])
        if seen.any():
            energy, signal = energy[seen], signal[seen]
        bands = {}
        for name in ("pre_range", "post_range"):
            ends = PI_STAR - prepared.shift + np.array(getattr(prepared.job.recipe, name))
            ends = np.clip(ends, energy[0], energy[-1])
            bands[name] = between(ends, np.full(2, signal.min()), np.full(2, signal.max()))
        points, values = prepared.pre_edge() or HOLLOW
        inside = (points >= energy[0]) & (points <= energy[-1])
        background = {"x": points[inside], "y": values[inside]}
        return bands | {"curve": {"x": energy, "y": signal}, "background": background}

    def table(self):
        prepared = self.state.prepared
        measured = None if prepared is None else prepared.measured
        return {} if measured is None else {"energy_eV": measured.energy, "signal": measured.intensity}

    def empty(self):
        if self.state.prepared is None or self.state.prepared.measured is None:
            return self.state.problem or "choose a file"
        return ""

    def legend(self):
        prepared = self.state.prepared
        if prepared is None or prepared.measured is None:
            return ""
        parts = [swatch(colours.CN[3], "pre-edge", "band"), swatch(colours.CN[4], "post-edge", "band")]
        if prepared.pre_edge() is not None:
            parts.insert(0, swatch(colours.PREDICTION, "background"))
        return "".join(parts)


class AfterPlot(_Plot):
    """The target on the grid where it was measured, its noise, what the other scale would make of it, a reference."""

    title = "Target"
    axes = AXES
    limits = ((ENERGY[0], ENERGY[-1]), (None, None))
    border = 52

    def __init__(self, preparation: Preparation, comparison: Comparison, saver: Saver, **params):
        self.comparison = comparison
        super().__init__(preparation, saver, **params)

    @property
    def target(self) -> Target | None:
        """What is drawn."""
        return None if self.state.prepared is None else self.state.prepared.target

    def source(self):
        return self.target, self.comparison.against, float(self.comparison.sigma)

    def build(self):
        self.band("missing", colours.TARGET)
        self.curve("curves", "other", color=colours.CN[4], line_width=1)
        self.curve("curves", "known", color=colours.PREDICTION, line_width=1.5, hover=True)
        self.curve("curves", "target", color=colours.TARGET, line_width=3, hover=True)
        self.band("noise", colours.CN[3])

    def columns(self, data):
        target = data[0]
        nothing = np.full(ENERGY.size, np.nan)
        if target is None:
            empty: dict[str, list[float]] = {"xs": [], "ys": []}
            curves = {name: nothing for name in ("other", "known", "target")}
            return {"missing": empty, "noise": empty, "curves": {"x": ENERGY} | curves}
        values = measured_of(target)
        noise = nothing if target.noise is None else 2 * target.noise
        other = nothing if target.sensitivity is None else values * (1 + target.sensitivity)
        known = self.comparison.found(target)[1]
        first, last = ENERGY[target.mask][[0, -1]]
        missing = np.array([ENERGY[0], first, np.nan, last, ENERGY[-1]])
        top = np.full(missing.size, float(target.intensity.max()))
        curves = {"other": other, "known": nothing if known is None else known, "target": values}
        return {
            "missing": between(missing, 0 * top, top),
            "noise": between(ENERGY, values - noise, values + noise),
            "curves": {"x": ENERGY} | curves,
        }

    def table(self):
        target = self.target
        if target is None:
            return {}
        columns = {"energy_eV": ENERGY, "target": measured_of(target)}
        columns |= {} if target.noise is None else {"noise": np.where(target.mask, target.noise, np.nan)}
        name, known = self.comparison.found(target)
        return columns if known is None else columns | {name: known}

    def empty(self):
        return "" if self.target is not None else "no target yet"

    def legend(self):
        target = self.target
        if target is None:
            return ""
        parts = [swatch(colours.TARGET, "target")]
        if target.noise is not None:
            parts.append(swatch(colours.CN[3], "± 2σ", "band"))
        if target.sensitivity is not None:
            by = "area" if self.state.prepared.job.recipe.normalisation == "edge" else "edge step"
            parts.append(swatch(colours.CN[4], f"by {by}"))
        name, known = self.comparison.found(target)
        if known is not None:
            parts.append(swatch(colours.PREDICTION, f"{name}, off by {target.misfit(known):.2f}"))
        return "".join(parts)
