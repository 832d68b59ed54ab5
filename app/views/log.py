"""The log of a run."""

from __future__ import annotations

import html

import panel as pn

from app.look.css import STYLE
from app.session.state import State


class LogView(pn.viewable.Viewer):
    """The log of the run and of those it goes on from, the newest first."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.text = pn.pane.HTML(
            "", sizing_mode="stretch_both", margin=0, stylesheets=[STYLE], css_classes=["acgen-log"]
        )
        self.state = state
        self._told: object = None
        state.param.watch(self._refresh, "snapshot")
        self._refresh()

    def _refresh(self, *_events) -> None:
        log = self.state.snapshot.log
        if log is self._told:
            return
        self._told = log
        lines = [f"<time>{entry.when[11:19]}</time> {html.escape(entry.text)}" for entry in reversed(log)]
        self.text.object = "<br>".join(lines) or "Nothing was done yet"

    def __panel__(self):
        return self.text
