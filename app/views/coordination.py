"""Coordination numbers of the structures on display against the reference cells of their density."""

from __future__ import annotations

import holoviews as hv
import numpy as np

from acgen.structures.reference import reference_at
from app.look import colours
from app.look.card import swatch
from app.session.shown import mean_and_spread
from app.views.plot import FRAME, LIVE, LivePlot

SHOWN = tuple(colours.CN_NAMES)
#: Height of a number above its bar, in percent of the atoms.
ROOM = 9


class CoordinationView(LivePlot):
    """A bar for each coordination number, a line where the reference cells are, a whisker for the spread."""

    title = "Coordination"

    def source(self):
        compared = self.state.compared
        return compared, compared[0].density if compared else float(self.state.density)

    def _figures(self, data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Percent of the atoms by coordination number: reference, mean and standard deviation; NaN if unknown."""
        compared, density = data
        known = np.array([100 * reference_at(density).coordination[cn] for cn in SHOWN])
        if not compared:
            return known, np.full(len(SHOWN), np.nan), np.full(len(SHOWN), np.nan)
        return known, *mean_and_spread([[100 * shown.fractions[cn] for cn in SHOWN] for shown in compared])

    def draw(self, data):
        reference, mean, spread = self._figures(data)
        drawn, several = bool(data[0]), len(data[0]) > 1
        heights = np.nan_to_num(mean)
        bars = hv.Rectangles(
            [(i - 0.36, 0, i + 0.36, height, colours.CN[SHOWN[i]]) for i, height in enumerate(heights)], vdims="colour"
        ).opts(color="colour", line_width=0, **LIVE)
        known = hv.Segments([(i - 0.44, level, i + 0.44, level) for i, level in enumerate(reference)]).opts(
            color=colours.REFERENCE, line_width=3, **LIVE
        )
        whiskers = [(i, mean[i] - spread[i], i, mean[i] + spread[i]) for i in range(len(SHOWN)) if several]
        errors = hv.Segments(whiskers).opts(color=colours.TEXT, line_width=2, **LIVE)
        tops = heights + (spread if several else 0)
        texts = [f"{h:.0f}±{s:.0f}" if several else f"{h:.1f}" for h, s in zip(heights, spread, strict=True)]
        places = [_above(height, level) for height, level in zip(tops, reference, strict=True)]
        numbers = hv.Labels([(i, places[i], text) for i, text in enumerate(texts) if drawn], vdims="text").opts(
            text_font_size="8pt", text_baseline="bottom", text_color=colours.TEXT, **LIVE
        )
        return hv.Overlay([bars, known, errors, numbers]).opts(
            **FRAME,
            xlim=(-0.6, len(SHOWN) - 0.4),
            ylim=(0, 112),
            xticks=list(enumerate(colours.CN_NAMES.values())),
            yticks=[0, 25, 50, 75, 100],
            xlabel="Coordination number",
            ylabel="Atoms (%)",
        )

    def table(self):
        reference, mean, spread = self._figures(self.source())
        columns = {"cn": [str(cn) for cn in SHOWN], "reference_percent": reference}
        columns |= {"mean_percent": mean, "std_percent": spread}
        each = {shown.name: [100 * shown.fractions[cn] for cn in SHOWN] for shown in self.state.compared}
        return columns | {f"percent {name}": values for name, values in each.items()}

    def legend(self):
        return swatch(colours.REFERENCE, "reference")


def _above(height: float, level: float) -> float:
    """Where the number of a bar goes: on its top, or on the reference line if that would cross it."""
    return (level if height <= level < height + ROOM else height) + 1.5
