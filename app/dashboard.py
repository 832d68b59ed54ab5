"""The page: controls, transport, views, and the tick that brings a run's newest snapshot to them."""

from __future__ import annotations

import functools
import time
from collections import deque
from typing import Any

import panel as pn
import panel_material_ui as pmui

from acgen.ensemble import load_models
from app.controls import Controls
from app.runner import Runner, Snapshot
from app.state import LIVE, State
from app.structure import show_candidate, show_frame
from app.transport import Transport
from app.views.angles import AnglesView
from app.views.coordination import CoordinationView
from app.views.progress import MisfitView
from app.views.spectrum import SpectrumView
from app.views.structure import StructureView

TICK_MS = 30
#: Seconds between the updates of two plots: they cost more than a frame in three dimensions and are read, not watched.
PLOT_EVERY = 0.25
#: Seconds between two updates of the line of progress.
TELL_EVERY = 0.2

#: Pixels between the parts of the page, and margins that make them.
GAP = 8
BELOW, BESIDE = (GAP, 0, 0, 0), (0, 0, 0, GAP)

BAR = {
    "MuiToolbar": {"defaultProps": {"variant": "dense"}},
    "MuiAppBar": {"styleOverrides": {"root": {"backgroundColor": "#1f3a5f", "color": "#ffffff"}}},
}
THEME = {
    "light": {"palette": {"primary": {"main": "#1f3a5f"}, "secondary": {"main": "#d55e00"}}, "components": BAR},
    "dark": {"palette": {"primary": {"main": "#8ab4e8"}, "secondary": {"main": "#ff8a3d"}}, "components": BAR},
}

#: The networks, loaded once for all sessions of the server; they are never changed.
shared_models = functools.cache(load_models)


class Dashboard(pn.viewable.Viewer):
    """One session of the dashboard.

    Parameters
    ----------
    generate, load, clock
        As for `app.runner.Runner`.
    """

    def __init__(self, generate, load=shared_models, clock=time.monotonic, **params):
        super().__init__(**params)
        self._clock = clock
        self._context = None  # of the session, once there is one
        self.state = State()
        self.runner = Runner(generate, load)
        self.controls = Controls(self.state)
        self.transport = Transport(self.state, self.runner)
        self.structure = StructureView(self.state)
        self.spectrum, self.coordination = SpectrumView(self.state), CoordinationView(self.state)
        self.angles, self.misfit = AnglesView(self.state), MisfitView(self.state)
        self.plots = deque([self.spectrum, self.coordination, self.angles, self.misfit])
        self._source_shown: object = None
        self._shown_at = self._plotted_at = self._told_at = float("-inf")

    def tick(self) -> None:
        """Bring what is new to the page, all of it in one message."""
        if self._abandoned():
            self.runner.stop()
            return
        snapshot, now = self.runner.snapshot, self._clock()
        with pn.io.hold():
            self._tell(snapshot, now)
            source = self._source(snapshot)
            new = source is not None and source is not self._source_shown
            if new and (self.structure.free or now - self._shown_at > PLOT_EVERY):
                self._source_shown, self._shown_at = source, now
                self.state.shown = show_frame(snapshot) if source is snapshot.frame else show_candidate(source)
            self._plot(now)

    def _tell(self, snapshot: Snapshot, now: float) -> None:
        """Hand on a new snapshot: at once if the run's status changed, otherwise as often as its text can be read."""
        known = self.state.snapshot
        changed = snapshot.status is not known.status or len(snapshot.candidates) != len(known.candidates)
        if changed or (snapshot.version != known.version and now - self._told_at > TELL_EVERY):
            self._told_at = now
            self.state.snapshot = snapshot

    def _plot(self, now: float) -> None:
        """Draw one of the plots that have changed, so that no tick takes long."""
        if now - self._plotted_at < PLOT_EVERY:
            return
        for _ in range(len(self.plots)):
            self.plots.rotate(-1)
            if self.plots[-1].refresh():
                self._plotted_at = now
                return

    def _abandoned(self) -> bool:
        """Whether nobody looks at this page any more; the server itself ends its session only later."""
        session = getattr(self._context, "session", None)
        return session is not None and session.connection_count == 0

    def _source(self, snapshot):
        """The frame or candidate that the user wants to see."""
        if self.state.choice == LIVE:
            return snapshot.frame
        return next((item for item in snapshot.candidates if item.index == self.state.choice), None)

    def page(self) -> pmui.Page:
        """The page of this session, with its clock running; the worker ends with the session."""
        left = _box(pn.Column, self.structure, _box(pn.Column, self.misfit, margin=BELOW, styles={"flex": "0 0 178px"}))
        plots = _box(pn.Row, self.coordination, _box(pn.Column, self.angles, margin=BESIDE), margin=BELOW)
        right = _box(pn.Column, self.spectrum, plots, margin=BESIDE)
        views = _box(pn.Row, left, right, margin=BELOW)
        page = pmui.Page(
            title="acgen",
            header=[pmui.Typography("amorphous carbon from a C K-edge spectrum", variant="body2", margin=(0, 12))],
            sidebar=[self.controls],
            sidebar_width=312,
            sidebar_resizable=False,
            busy_indicator=None,
            theme_config=THEME,
            main=[_box(pn.Column, self.transport, views, styles={"padding": f"{GAP}px", "height": "100%"})],
        )
        page.param.watch(lambda event: self.state.param.update(dark=event.new), "dark_theme")
        self.state.dark = bool(page.dark_theme)
        self._context = pn.state.curdoc.session_context if pn.state.curdoc is not None else None
        pn.state.add_periodic_callback(self.tick, period=TICK_MS)
        # The module's globals may be gone when the session ends: bind what is needed.
        pn.state.on_session_destroyed(
            lambda _context, runner=self.runner, structure=self.structure: (runner.stop(), structure.close())
        )
        return page


def _box(kind: type[pn.Column | pn.Row], *parts: Any, margin: Any = 0, styles: dict[str, str] | None = None):
    """A row or column that takes the room there is."""
    return kind(*parts, sizing_mode="stretch_both", margin=margin, styles=styles or {})
