"""The instrument behind the prediction that is drawn, and whether it is drawn through it."""

from __future__ import annotations

import html

import panel as pn
import panel_material_ui as pmui

from acgen.results.describe import fit_words
from app.look.css import STYLE
from app.session.state import State

WARNING = '<span class="warning">⚠</span> '


class InstrumentView(pn.viewable.Viewer):
    """A line with shift, scale, slope and broadening of the first structure on display, if they were fitted."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self.text = pn.pane.HTML(
            "", margin=(0, 8), sizing_mode="stretch_width", stylesheets=[STYLE], css_classes=["acgen-instrument"]
        )
        self.plain = pmui.Checkbox.from_param(state.param.plain, size="small", margin=(0, 8), width=80)
        self.row = pn.Row(
            self.text, self.plain, margin=0, visible=False, sizing_mode="stretch_width",
            styles={"align-items": "center", "flex": "none"},
        )
        state.param.watch(lambda *_events: self.refresh(), "compared")
        self.refresh()

    def refresh(self) -> None:
        """Say what is fitted to the structure on display; nothing where nothing is."""
        fits = [(shown.name, shown.fit) for shown in self.state.compared if shown.fit is not None]
        said = [
            f"{WARNING if fit.at_bounds else ''}{html.escape(f'Instrument of {name}: {fit_words(fit)}')}"
            for name, fit in fits[:1]
        ]
        self.text.object = "".join(said)
        self.row.visible = bool(said)

    def __panel__(self):
        return self.row
