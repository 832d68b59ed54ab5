"""The finished candidates of a session as points: any of their numbers over any other, a click picks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.models import TapTool

from app.look import colours
from app.session.state import State
from app.views.plot import LivePlot
from app.views.save import Saver

#: What can be along an axis: columns of the table, as axes say them.
AXES = {
    "misfit": "Misfit",
    "judge": "Misfit by the judge",
    "slopes": "Correlation of derivatives",
    "energy": "Energy above reference (eV per atom)",
    "cn2": "CN2, sp (%)",
    "cn3": "CN3, sp² (%)",
    "cn4": "CN4, sp³ (%)",
    "density": "Density (g/cm³)",
}
#: What a click does.
PICK = "Pick: hold Shift to compare several"
#: Key of a candidate to its row of the table, with `name` and `colour`.
Rows = Mapping[tuple[int, int], Mapping[str, Any]]


class CandidateMap(LivePlot):
    """Candidates by two of their numbers, named and coloured as everywhere; what is picked is strong.

    Parameters
    ----------
    rows
        What is listed.
    """

    title = "Candidate map"
    axes = (AXES["misfit"], AXES["judge"])
    x = param.Selector(default="misfit", objects={label: name for name, label in AXES.items()}, label="Along x")
    y = param.Selector(default="judge", objects={label: name for name, label in AXES.items()}, label="Along y")

    def __init__(self, state: State, rows: Rows, saver: Saver | None = None, **params):
        self.rows = rows
        self._own = False  # whether a selection is ours rather than the user's
        super().__init__(state, saver, **params)
        self._placed: list[Any] = list(self._drawn[:3])
        self.param.watch(lambda *_events: self.refresh(), ["x", "y"])
        state.param.watch(lambda *_events: self.refresh(), "picked")
        self._mark()

    def show(self, rows: Rows) -> None:
        """Show other candidates."""
        self.rows = rows
        self.refresh()

    def source(self):
        return self.rows, self.x, self.y, self.state.picked

    def build(self):
        self.figure.x_range.range_padding = 0.5  # names and the buttons of the plot, which take clicks, need a part
        points = self.figure.scatter(
            "x", "y", size=11, color="colour", source=self.data["points"], name="points", nonselection_fill_alpha=0.3,
            nonselection_line_alpha=0.3,
        )
        self.figure.text(
            "x", "y", "name", source=self.data["points"], x_offset=8, text_font_size="8pt", text_baseline="middle",
            text_color=colours.TEXT, nonselection_text_alpha=0.7,
        )
        self.hover(points, [("Candidate", "@name"), ("x", "@x{0.000}"), ("y", "@y{0.000}")])
        self.figure.add_tools(TapTool(renderers=[points], mode="replace", description=PICK))
        self.data["points"].selected.on_change("indices", self._tapped)

    def columns(self, data):
        rows, x, y, _picked = data
        ends = {"x": x, "y": y}.items()
        numbers = {end: np.array([row[name] for row in rows.values()], dtype=float) for end, name in ends}
        return {"points": numbers | {name: [row[name] for row in rows.values()] for name in ("name", "colour")}}

    def redraw(self, data):
        *placed, _picked = data
        if any(one is not other for one, other in zip(placed, self._placed, strict=True)):
            super().redraw(data)
            self._placed = placed  # a pick moves no point: new data would take it back in the browser
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = AXES[self.x], AXES[self.y]
        self._mark()

    def _mark(self) -> None:
        picked = [place for place, key in enumerate(self.rows) if key in self.state.picked]
        self._own = True
        self.data["points"].selected.indices = picked
        self._own = False

    def _tapped(self, _name: str, _old: list[int], new: list[int]) -> None:
        if not self._own:
            keys = list(self.rows)
            self.state.picked = tuple(keys[place] for place in new if place < len(keys))

    def table(self):
        return {name: [row[name] for row in self.rows.values()] for name in ("name", *AXES)}

    def empty(self):
        shown = any(row[self.x] is not None and row[self.y] is not None for row in self.rows.values())
        return "" if shown else f"No candidate has both: {AXES[self.x]}, and {AXES[self.y]}"

    def __panel__(self):
        choices = [
            pmui.Select.from_param(self.param[end], size="small", width=150, margin=(8, 6)) for end in ("x", "y")
        ]
        plot = pn.Column(self.plot, self.note, sizing_mode="stretch_both", margin=0)
        return pn.Row(pn.Column(*choices, width=162, margin=0), plot, sizing_mode="stretch_both", margin=0)
