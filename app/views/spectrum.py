"""The target against the predicted spectrum of the structure on display."""

from __future__ import annotations

import holoviews as hv
import numpy as np

from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import Target
from app import colours
from app.views.plot import FRAME, LIVE, LivePlot, swatch

AXES = ("Photon energy (eV)", "Absorption (arb. units)")
NOTHING = np.full(ENERGY.size, np.nan)


class SpectrumView(LivePlot):
    """Two curves over photon energy; the target is missing where it was not measured."""

    title = "C K-edge spectrum"

    def source(self):
        shown = self.state.shown
        return self._target(), None if shown is None else shown.prediction

    def draw(self, data):
        target, prediction = data
        measured = NOTHING if target is None else np.where(target.mask, target.intensity, np.nan)
        predicted = NOTHING if prediction is None else prediction
        curves = [
            hv.Curve((ENERGY, values), *AXES, label=label).opts(color=colour, line_width=width, tools=["hover"], **LIVE)
            for values, label, colour, width in (
                (measured, "target", colours.TARGET, 4),
                (predicted, "prediction", colours.PREDICTION, 2),
            )
        ]
        return hv.Overlay(curves).opts(**FRAME, xlim=(ENERGY[0], ENERGY[-1]))

    def empty(self):
        target, prediction = self.source()
        if target is not None or prediction is not None:
            return ""
        if self.state.shown is None:
            return "Choose a target spectrum, or press Start for structures without guidance"
        return "Nothing guides this run: each finished candidate gets its predicted spectrum"

    def legend(self):
        target, prediction = self.source()
        entries = [] if target is None else [swatch(colours.TARGET, "target")]
        return "".join(entries if prediction is None else [*entries, swatch(colours.PREDICTION, "prediction")])

    def _target(self) -> Target | None:
        """The target of the structure on display; before the first, the one that is chosen."""
        settings = self.state.snapshot.settings
        if self.state.shown is None or settings is None or not self.state.snapshot.status.active:
            return self.state.target
        return settings.target
