"""The log of a run."""

from __future__ import annotations

import html

import panel as pn

from app.look.css import STYLE
from app.session.state import State

#: Lines that are shown; all are in the download.
SHOWN = 300


class LogView(pn.viewable.Viewer):
    """The log of all runs of the session, the newest first."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.text = pn.pane.HTML(
            "", sizing_mode="stretch_both", margin=0, stylesheets=[STYLE], css_classes=["acgen-log"]
        )
        self.state = state
        self._log = self._earlier = None
        state.param.watch(self._refresh, "snapshot")
        self._refresh()

    def _refresh(self, *_events) -> None:
        snapshot = self.state.snapshot
        if snapshot.log is self._log and snapshot.earlier is self._earlier:
            return
        self._log, self._earlier = snapshot.log, snapshot.earlier
        entries = [entry for run in reversed(snapshot.runs) for entry in reversed(run.log)]
        lines = [f"<time>{entry.when[11:19]}</time> {html.escape(entry.text)}" for entry in entries[:SHOWN]]
        if len(entries) > SHOWN:
            lines.append(f"… and {len(entries) - SHOWN} earlier lines, which are in the download")
        self.text.object = "<br>".join(lines) or "Nothing was done yet"

    def __panel__(self):
        return self.text
