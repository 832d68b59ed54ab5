"""Bond angles and g(r) of the structures on display against the reference cells of their density."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np

from acgen.results.sheet import Curve, Sheet, sheet_figure
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import ANGLE_EDGES
from acgen.structures.reference import Figures, reference_at
from app.look import colours
from app.look.card import swatch
from app.session.shown import Shown
from app.views.plot import LivePlot, between


class DistributionView(LivePlot):
    """A distribution: of one structure with its area filled, of several their mean with a band of one deviation."""

    #: Names of the columns that are exported.
    headings: ClassVar[tuple[str, str]]

    def values(self, shown: Shown) -> np.ndarray:
        """The distribution of one structure."""
        raise NotImplementedError

    def reference(self, figures: Figures) -> tuple[np.ndarray, np.ndarray]:
        """Abscissa and distribution of the reference."""
        raise NotImplementedError

    def source(self):
        compared = self.state.compared
        return compared, compared[0].density if compared else float(self.state.density)

    def _curves(self, data) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        compared, density = data
        x, known = self.reference(reference_at(density))
        if not compared:
            return x, known, np.full(x.size, np.nan), np.full(x.size, np.nan)
        return x, known, *mean_and_spread([self.values(shown) for shown in compared])

    def build(self):
        self.band("band", colours.PREDICTION)
        self.curve("curves", "reference", color=colours.REFERENCE, line_width=3)
        self.curve("curves", "mean", color=colours.PREDICTION, line_width=2, hover=True)

    def columns(self, data):
        x, known, mean, spread = self._curves(data)
        several = len(data[0]) > 1
        low, high = (np.maximum(mean - spread, 0), mean + spread) if several else (0 * mean, mean)
        return {"band": between(x, low, high), "curves": {"x": x, "reference": known, "mean": mean}}

    def table(self):
        x, known, mean, spread = self._curves(self.source())
        name, value = self.headings
        columns = {name: x, f"reference_{value}": known, f"mean_{value}": mean, f"std_{value}": spread}
        return columns | {f"{value} {shown.name}": self.values(shown) for shown in self.state.compared}

    def paper(self):
        x, known, mean, spread = self._curves(self.source())
        curves = [Curve("reference", x, known, colours.REFERENCE, 3)]
        if compared := self.state.compared:
            several = len(compared) > 1
            name = f"mean of {len(compared)}" if several else compared[0].name
            curves.append(Curve(name, x, mean, colours.PREDICTION, 2, spread=spread if several else None))
        return functools.partial(sheet_figure, Sheet(curves, self.axes, *self.limits))

    def legend(self):
        known = swatch(colours.REFERENCE, "reference")
        return swatch(colours.PREDICTION, "± std", "band") + known if len(self.state.compared) > 1 else known


class AnglesView(DistributionView):
    """Angles between the bonds of an atom."""

    title = "Angles"
    axes = ("Bond angle (°)", "Share (% per °)")
    headings = ("angle_deg", "percent_per_deg")
    limits = ((50, 180), (0, None))
    ticks = ((60, 90, 120, 150, 180), None)

    def values(self, shown):
        return 100 * shown.angles

    def reference(self, figures):
        return 0.5 * (ANGLE_EDGES[1:] + ANGLE_EDGES[:-1]), 100 * figures.angle_distribution


class RadialView(DistributionView):
    """The radial distribution function, 1 for a random gas."""

    title = "g(r)"
    axes = ("Distance r (Å)", "g(r)")
    headings = ("r_A", "g")
    limits = ((0.8, 6.0), (0, None))
    ticks = ((1, 2, 3, 4, 5, 6), None)

    def values(self, shown):
        return shown.rdf.g

    def reference(self, figures):
        return figures.rdf.r, figures.rdf.g
