"""The two plots of the preparation panel: what was measured, and the target that comes of it."""

from __future__ import annotations

import holoviews as hv
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
from app.views.plot import FRAME, LIVE, LivePlot, band
from app.views.save import Saver
from app.views.spectrum import AXES, measured_of

RAW_AXES = ("Photon energy as measured (eV)", "Signal as measured")
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
    border = 62

    def source(self):
        return self.state.prepared, self.state.problem

    def draw(self, data):
        prepared = data[0]
        measured = None if prepared is None else prepared.measured
        energy, signal = HOLLOW if measured is None else (measured.energy, measured.intensity)
        seen = (energy >= WINDOW[0]) & (energy <= WINDOW[1])
        if seen.any():
            energy, signal = energy[seen], signal[seen]
        line = None if measured is None else prepared.pre_edge()
        parts = []
        for limits, colour in (("pre_range", colours.CN[3]), ("post_range", colours.CN[4])):
            ends, low, high = (np.full(2, np.nan) for _ in range(3))
            if measured is not None:
                ends = PI_STAR - prepared.shift + np.array(getattr(prepared.job.recipe, limits))
                ends = np.clip(ends, energy[0], energy[-1])
                low, high = np.full(2, signal.min()), np.full(2, signal.max())
            parts.append(band(ends, low, high, RAW_AXES, colour))
        curve = hv.Curve((energy, signal), *RAW_AXES).opts(
            color=colours.TARGET, line_width=2, tools=["hover"], **LIVE
        )
        ends, values = HOLLOW if line is None else line
        inside = np.clip(ends, energy[0], energy[-1])
        background = hv.Curve((inside, np.interp(inside, ends, values)), *RAW_AXES).opts(
            color=colours.PREDICTION, line_width=2, line_dash="dashed", **LIVE
        )
        return hv.Overlay([*parts, curve, background]).opts(**FRAME)

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

    def draw(self, data):
        target = data[0]
        nothing = np.full(ENERGY.size, np.nan)
        values = nothing if target is None else measured_of(target)
        noise = nothing if target is None or target.noise is None else 2 * target.noise
        other = nothing if target is None or target.sensitivity is None else values * (1 + target.sensitivity)
        known = None if target is None else self.comparison.found(target)[1]
        limits = [] if target is None else [(ENERGY[0], ENERGY[target.mask][0]), (ENERGY[target.mask][-1], ENERGY[-1])]
        top = 0.0 if target is None else float(target.intensity.max())
        missing = [
            band(np.array(ends), np.zeros(2), np.full(2, top), AXES, colours.TARGET)
            for ends in limits or [(np.nan, np.nan)] * 2
        ]
        curves = [
            hv.Curve((ENERGY, other), *AXES).opts(color=colours.CN[4], line_width=1, **LIVE),
            hv.Curve((ENERGY, nothing if known is None else known), *AXES).opts(
                color=colours.PREDICTION, line_width=1.5, tools=["hover"], **LIVE
            ),
            hv.Curve((ENERGY, values), *AXES).opts(color=colours.TARGET, line_width=3, tools=["hover"], **LIVE),
        ]
        uncertain = band(ENERGY, values - noise, values + noise, AXES, colours.CN[3])
        return hv.Overlay([*missing, *curves, uncertain]).opts(**FRAME, xlim=(ENERGY[0], ENERGY[-1]))

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
