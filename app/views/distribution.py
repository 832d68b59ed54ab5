"""Bond angles and g(r) of the structures on display against the reference cells of their density."""

from __future__ import annotations

from typing import ClassVar

import holoviews as hv
import numpy as np

from acgen.structures.analysis import ANGLE_EDGES
from acgen.structures.reference import Figures, reference_at
from app.look import colours
from app.look.card import swatch
from app.session.shown import Shown, mean_and_spread
from app.views.plot import FRAME, LIVE, LivePlot, band


class DistributionView(LivePlot):
    """A distribution: of one structure with its area filled, of several their mean with a band of one deviation."""

    axes: ClassVar[tuple[str, str]]
    columns: ClassVar[tuple[str, str]]
    limits: ClassVar[dict]

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

    def draw(self, data):
        x, known, mean, spread = self._curves(data)
        several = len(data[0]) > 1
        low, high = (np.maximum(mean - spread, 0), mean + spread) if several else (0 * mean, mean)
        found = hv.Curve((x, mean), *self.axes).opts(
            color=colours.PREDICTION, line_width=2, tools=["hover"], **LIVE
        )
        cells = hv.Curve((x, known), *self.axes).opts(color=colours.REFERENCE, line_width=3, **LIVE)
        between = band(x, low, high, self.axes, colours.PREDICTION)
        return hv.Overlay([between, cells, found]).opts(**FRAME, ylim=(0, None), **self.limits)

    def table(self):
        x, known, mean, spread = self._curves(self.source())
        name, value = self.columns
        columns = {name: x, f"reference_{value}": known, f"mean_{value}": mean, f"std_{value}": spread}
        return columns | {f"{value} {shown.name}": self.values(shown) for shown in self.state.compared}

    def legend(self):
        known = swatch(colours.REFERENCE, "ref.")
        return swatch(colours.PREDICTION, "± std", "band") + known if len(self.state.compared) > 1 else known


class AnglesView(DistributionView):
    """Angles between the bonds of an atom."""

    title = "Angles"
    axes = ("Bond angle (°)", "Share (% per °)")
    columns = ("angle_deg", "percent_per_deg")
    limits = {"xlim": (50, 180), "xticks": [60, 90, 120, 150, 180]}

    def values(self, shown):
        return 100 * shown.angles

    def reference(self, figures):
        return 0.5 * (ANGLE_EDGES[1:] + ANGLE_EDGES[:-1]), 100 * figures.angle_distribution


class RadialView(DistributionView):
    """The radial distribution function, 1 for a random gas."""

    title = "g(r)"
    axes = ("Distance r (Å)", "g(r)")
    columns = ("r_A", "g")
    limits = {"xlim": (0.8, 6.0), "xticks": [1, 2, 3, 4, 5, 6]}

    def values(self, shown):
        return shown.rdf.g

    def reference(self, figures):
        return figures.rdf.r, figures.rdf.g
