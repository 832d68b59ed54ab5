"""Coordination numbers of the structures on display against the reference cells of their density."""

from __future__ import annotations

import numpy as np

from acgen.results.figures import coordination_figure
from acgen.results.sheet import to_width
from acgen.sampling.settings import HYBRIDS
from acgen.statistics import mean_and_spread
from acgen.structures.reference import reference_at
from app.look import colours
from app.look.card import swatch
from app.views.plot import LivePlot

SHOWN = tuple(colours.CN_NAMES)
#: What stands for a share that nothing is asked of.
FREE = -1.0
#: Height of a number above its bar, in percent of the atoms.
ROOM = 9


class CoordinationView(LivePlot):
    """A bar for each coordination number, a line where the reference cells are, a whisker for the spread."""

    title = "Coordination"
    axes = ("Coordination number", "Atoms (%)")
    limits = ((-0.6, len(SHOWN) - 0.4), (0, 112))
    ticks = (range(len(SHOWN)), (0, 25, 50, 75, 100))

    def source(self):
        compared = self.state.compared
        density = compared[0].density if compared else float(self.state.density)
        asked = self.state.guiding.shares
        return compared, density, *(float(asked.get(cn, FREE)) for cn in HYBRIDS)

    def _figures(self, data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Percent of the atoms by coordination number: reference, mean and standard deviation; NaN if unknown."""
        compared, density = data[:2]
        known = np.array([100 * reference_at(density).coordination[cn] for cn in SHOWN])
        if not compared:
            return known, np.full(len(SHOWN), np.nan), np.full(len(SHOWN), np.nan)
        return known, *mean_and_spread([[100 * shown.fractions[cn] for cn in SHOWN] for shown in compared])

    def build(self):
        self.figure.xaxis.major_label_overrides = dict(enumerate(colours.CN_NAMES.values()))
        ends = {"x0": "left", "x1": "right", "y0": "low", "y1": "high"}
        self.figure.vbar("x", 0.72, "top", color="colour", line_width=0, source=self.data["bars"])
        self.figure.segment(**ends, color=colours.REFERENCE, line_width=3, source=self.data["reference"])
        self.figure.segment(**ends, color=colours.TEXT, line_width=2, source=self.data["spread"])
        mark = {"size": 12, "marker": "diamond", "color": colours.TARGET}
        self.figure.scatter("x", "y", source=self.data["asked"], **mark)
        self.figure.text(
            "x", "y", "text", source=self.data["numbers"], text_font_size="8pt", text_baseline="bottom",
            text_align="center", text_color=colours.TEXT,
        )

    def columns(self, data):
        reference, mean, spread = self._figures(data)
        places, several = np.arange(len(SHOWN), dtype=float), len(data[0]) > 1
        heights = np.nan_to_num(mean)
        bars = {"x": places, "top": heights, "colour": [colours.CN[cn] for cn in SHOWN]}
        known = {"left": places - 0.44, "right": places + 0.44, "low": reference, "high": reference}
        whiskers = {"left": places, "right": places, "low": mean - spread, "high": mean + spread}
        whiskers = {name: values if several else [] for name, values in whiskers.items()}
        tops = heights + (spread if several else 0)
        texts = [f"{h:.0f}±{s:.0f}" if several else f"{h:.1f}" for h, s in zip(heights, spread, strict=True)]
        above = [_above(height, level) for height, level in zip(tops, reference, strict=True)]
        wanted = _asked(data)
        asked = {"x": [SHOWN.index(cn) for cn in wanted], "y": [100 * share for share in wanted.values()]}
        numbers = {"x": places, "y": above, "text": texts if data[0] else [""] * len(SHOWN)}
        return {"bars": bars, "reference": known, "spread": whiskers, "numbers": numbers, "asked": asked}

    def table(self):
        data = self.source()
        reference, mean, spread = self._figures(data)
        columns = {"cn": [str(cn) for cn in SHOWN], "reference_percent": reference}
        columns |= {"mean_percent": mean, "std_percent": spread}
        if asked := _asked(data):
            columns["asked_percent"] = [100 * asked[cn] if cn in asked else np.nan for cn in SHOWN]
        each = {shown.name: [100 * shown.fractions[cn] for cn in SHOWN] for shown in self.state.compared}
        return columns | {f"percent {name}": values for name, values in each.items()}

    def paper(self):
        data = self.source()
        compared, density = data[:2]
        shares, known = [shown.fractions for shown in compared], reference_at(density).coordination
        return lambda width_mm: to_width(coordination_figure(shares, known, _asked(data)), width_mm)

    def legend(self):
        reference = swatch(colours.REFERENCE, "reference")
        return f'{swatch(colours.TARGET, "asked", "dot")} {reference}' if self.state.guiding.shares else reference


def _asked(data) -> dict[int, float]:
    """Fraction of the atoms by coordination number that a source asks for."""
    return {cn: share for cn, share in zip(HYBRIDS, data[2:], strict=True) if share != FREE}


def _above(height: float, level: float) -> float:
    """Where the number of a bar goes: on its top, or on the reference line if that would cross it."""
    return (level if height <= level < height + ROOM else height) + 1.5
