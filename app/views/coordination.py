"""Coordination numbers of the structure on display against the reference cells of its density."""

from __future__ import annotations

import holoviews as hv

from acgen.realism import reference_at
from app import colours
from app.views.plot import FRAME, LIVE, LivePlot, swatch

SHOWN = tuple(colours.CN_NAMES)
#: Height of a number above its bar, in percent of the atoms.
ROOM = 9


class CoordinationView(LivePlot):
    """A bar for each coordination number, a line where the reference cells are."""

    title = "Coordination"

    def source(self):
        shown = self.state.shown
        return (None, self.state.density) if shown is None else (shown.fractions, shown.density)

    def draw(self, data):
        fractions, density = data
        reference = [100 * reference_at(density).coordination[cn] for cn in SHOWN]
        heights = [0.0 if fractions is None else 100 * fractions[cn] for cn in SHOWN]
        bars = hv.Rectangles(
            [(i - 0.36, 0, i + 0.36, height, colours.CN[SHOWN[i]]) for i, height in enumerate(heights)], vdims="colour"
        ).opts(color="colour", line_width=0, **LIVE)
        known = hv.Segments([(i - 0.44, level, i + 0.44, level) for i, level in enumerate(reference)]).opts(
            color=colours.REFERENCE, line_width=3, **LIVE
        )
        texts = [] if fractions is None else [f"{height:.1f}" for height in heights]
        places = [_above(height, level) for height, level in zip(heights, reference, strict=True)]
        numbers = hv.Labels([(i, places[i], text) for i, text in enumerate(texts)], vdims="text").opts(
            text_font_size="8pt", text_baseline="bottom", text_color=colours.TEXT, **LIVE
        )
        return hv.Overlay([bars, known, numbers]).opts(
            **FRAME,
            xlim=(-0.6, len(SHOWN) - 0.4),
            ylim=(0, 112),
            xticks=list(enumerate(colours.CN_NAMES.values())),
            yticks=[0, 25, 50, 75, 100],
            xlabel="Coordination number",
            ylabel="Atoms (%)",
        )

    def legend(self):
        return swatch(colours.REFERENCE, "reference")


def _above(height: float, level: float) -> float:
    """Where the number of a bar goes: on its top, or on the reference line if that would cross it."""
    return (level if height <= level < height + ROOM else height) + 1.5
