"""The measured pair distribution and that of the structures on display, with their difference below."""

from __future__ import annotations

import functools

import numpy as np

from acgen.results.sheet import Curve, Sheet, sheet_figure
from acgen.statistics import mean_and_spread
from app.look import colours
from app.look.card import swatch
from app.views.plot import LivePlot, between

#: Room between the lowest point of the curves and the difference, as a part of their height.
APART = 0.08


class PairsView(LivePlot):
    """Measured and predicted curve over distance; the difference stands below them, as refinements of PDFs draw it."""

    title = "PDF"
    axes = ("Distance r (Å)", "G(r) (Å⁻²)")

    def source(self):
        return self.state.compared, self.state.guiding.pdf

    def _curves(self, data) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """r, measured, mean prediction and its spread, NaN where there is none."""
        compared, target = data
        if target is None:
            return (np.empty(0),) * 4
        mean, spread = np.full(len(target.r), np.nan), np.full(len(target.r), np.nan)
        known = [shown.pdf for shown in compared if shown.pdf is not None and len(shown.pdf) <= len(target.r)]
        if known:
            points = min(map(len, known))
            mean[:points], spread[:points] = mean_and_spread([target.drawn(each[:points]) for each in known])
        return target.r, target.drawn(target.values), mean, spread

    def _below(self, measured: np.ndarray, mean: np.ndarray) -> float:
        """Where the difference is 0: far enough down for it not to touch the curves."""
        left = measured - mean
        if not np.isfinite(left).any():
            return float("nan")
        both = np.concatenate([measured, mean])
        return float(np.nanmin(both) - APART * (np.nanmax(both) - np.nanmin(both)) - np.nanmax(left))

    def build(self):
        self.band("band", colours.PREDICTION)
        self.curve("curves", "measured", color=colours.TARGET, line_width=4, hover=True)
        self.curve("curves", "prediction", color=colours.PREDICTION, line_width=2, hover=True)
        self.curve("curves", "zero", color=colours.TARGET, line_width=1)
        self.curve("curves", "difference", color=colours.PREDICTION, line_width=1.5)

    def columns(self, data):
        r, measured, mean, spread = self._curves(data)
        zero = self._below(measured, mean)
        several = len(data[0]) > 1
        return {
            "band": between(r, mean - spread, mean + spread) if several else {"xs": [], "ys": []},
            "curves": {
                "x": r,
                "measured": measured,
                "prediction": mean,
                "zero": np.where(np.isfinite(mean), zero, np.nan),
                "difference": measured - mean + zero,
            },
        }

    def redraw(self, data):
        super().redraw(data)
        label = self.axes[1] if data[1] is None else data[1].label
        if self.figure.yaxis[0].axis_label != label:
            self.figure.yaxis[0].axis_label = label

    def table(self):
        data = self.source()
        r, measured, mean, spread = self._curves(data)
        name = "g" if data[1] is not None and data[1].kind == "g" else "G_per_A2"
        columns = {"r_A": r, f"measured_{name}": measured, f"prediction_{name}": mean, "residual": measured - mean}
        return columns | ({"prediction_std": spread} if len(data[0]) > 1 else {})

    def paper(self):
        data = self.source()
        r, measured, mean, spread = self._curves(data)
        curves = [Curve("measured", r, measured, colours.TARGET, 4)]
        below: tuple[Curve, ...] = ()
        if np.isfinite(mean).any():
            band = spread if len(data[0]) > 1 else None
            curves.append(Curve("prediction", r, mean, colours.PREDICTION, 2, spread=band))
            below = (Curve("Residual", r, measured - mean, colours.PREDICTION, 1.5),)
        labels = (self.axes[0], self.axes[1] if data[1] is None else data[1].label)
        return functools.partial(sheet_figure, Sheet(curves, labels, below=below, below_label="Residual"))

    def empty(self):
        if self.source()[1] is not None:
            return ""
        return "Add a pair distribution (G(r)… in the sidebar) to guide by distances, too"

    def legend(self):
        measured = swatch(colours.TARGET, "measured")
        return swatch(colours.PREDICTION, "± std", "band") + measured if len(self.state.compared) > 1 else measured


