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
        self._told: tuple = ()
        self.text = pn.pane.HTML(
            "", margin=(0, 8), sizing_mode="stretch_width", stylesheets=[STYLE], css_classes=["acgen-instrument"]
        )
        self.plain = pmui.Checkbox.from_param(state.param.plain, size="small", margin=(0, 8), width=92)
        self.row = pn.Row(
            self.text, self.plain, margin=0, visible=False, sizing_mode="stretch_width",
            styles={"align-items": "center", "flex": "none"},
        )
        self.refresh()

    def refresh(self) -> bool:
        """Say what is fitted to the structures on display; False if that is what it says already."""
        if self.state.compared is self._told:
            return False
        self._told = self.state.compared
        text = self._words()
        self.row.visible = bool(text)
        self.text.object = text
        return True

    def forget(self) -> None:
        """Let go of the structures; the page is gone."""
        self._told = ()

    def _words(self) -> str:
        for shown in self._told:
            if shown.fitted is not None:
                words = html.escape(f"Instrument of {shown.name}: {fit_words(shown.fitted)}")
                return f"{WARNING if shown.fitted.at_bounds else ''}{words}"
        # The line stays where it is while a run goes on: plots that change their height cannot be read.
        settings = self.state.snapshot.settings
        fits = self._told and not self.state.chosen and settings is not None and settings.instrument
        return "Instrument: fitted as soon as the spectrum guides" if fits and settings.target is not None else ""

    def __panel__(self):
        return self.row
