"""Bond angles of the structure on display against the reference cells of its density."""

from __future__ import annotations

import holoviews as hv
import numpy as np

from acgen.analysis import ANGLE_EDGES
from acgen.realism import reference_at
from app import colours
from app.views.plot import FRAME, LIVE, LivePlot, swatch

AXES = ("Bond angle (°)", "Share (% per °)")
CENTRES = 0.5 * (ANGLE_EDGES[1:] + ANGLE_EDGES[:-1])


class AnglesView(LivePlot):
    """Two distributions over the angle between bonds."""

    title = "Bond angles"

    def source(self):
        shown = self.state.shown
        return (None, self.state.density) if shown is None else (shown.angles, shown.density)

    def draw(self, data):
        angles, density = data
        found = np.full(CENTRES.size, np.nan) if angles is None else 100 * angles
        structure = hv.Area((CENTRES, found), *AXES).opts(
            color=colours.PREDICTION,
            line_color=colours.PREDICTION,
            fill_alpha=0.35,
            line_width=2,
            tools=["hover"],
            **LIVE,
        )
        known = hv.Curve((CENTRES, 100 * reference_at(density).angle_distribution), *AXES).opts(
            color=colours.REFERENCE, line_width=3, **LIVE
        )
        return hv.Overlay([structure, known]).opts(
            **FRAME, xlim=(50, 180), ylim=(0, None), xticks=[60, 90, 120, 150, 180]
        )

    def legend(self):
        return swatch(colours.REFERENCE, "reference")
