"""A menu to keep what is on display."""

from __future__ import annotations

import functools
from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui

from acgen.errors import AcgenError
from acgen.networks.models import Models
from acgen.sampling.generate import Candidate, FrameEvent
from app.controls.transport import Transport
from app.look.card import MENU
from app.session.keeping import as_candidate, on_display, structure_file
from app.session.state import State
from app.views.save import Saver
from app.workers.background import Background
from app.workers.explain import explain

#: As wide as its icon: the row is narrow in small windows.
NARROW = MENU | {"px": "6px"}
SAVE, KEEP = "Save as a file (extxyz)", "Keep the frame as a candidate"


class Keep(pn.viewable.Viewer):
    """Saves the structure on display as a file, or makes the frame on display a candidate.

    Parameters
    ----------
    transport
        Whose runner gets the candidate, and which says what went wrong.
    load
        Gives the networks.
    """

    def __init__(
        self,
        state: State,
        transport: Transport,
        saver: Saver,
        background: Background,
        load: Callable[[], Models],
        **params,
    ):
        super().__init__(**params)
        self.state, self._transport, self._saver = state, transport, saver
        self._background, self._load = background, load
        self.menu = pmui.MenuButton(
            label="",
            icon="bookmark_add",
            items=[{"label": label} for label in (SAVE, KEEP)],
            description="Save what is shown as a structure file, or keep a frame of a run that is paused or stopped as "
            "a candidate, with its estimate of the clean atoms",
            variant="outlined",
            size="small",
            margin=(0, 0, 0, 6),
            css_classes=["acgen-keep"],
            sx=NARROW,
            disabled=True,
            on_click=lambda item: self._do(item["label"]),
        )
        state.param.watch(self._refresh, ["snapshot", "picked"])

    def _refresh(self, *_events) -> None:
        self.menu.disabled = not self.state.snapshot.trajectory and not self.state.picked

    def _do(self, what: str) -> None:
        try:
            self._save() if what == SAVE else self._keep()
        except AcgenError as error:
            self._transport.problem.say(str(error))

    def _save(self) -> None:
        self._saver.text(*structure_file(self.state, self._transport.runner.snapshot))

    def _keep(self) -> None:
        snapshot = self._transport.runner.snapshot
        self._transport.runner.check_rests()
        event = on_display(self.state, snapshot)
        work = functools.partial(self._evaluate, snapshot.settings, event)
        self._background.do("keep", work, functools.partial(self._kept, snapshot.run, event))

    def _evaluate(self, settings, event: FrameEvent) -> Candidate:
        return as_candidate(settings, self._load(), event)

    def _kept(self, run: int, event: FrameEvent, made: Candidate | None, error: Exception | None) -> None:
        try:
            if error is not None:
                raise error
            if self._transport.runner.snapshot.run != run:
                raise AcgenError("another run has begun meanwhile: keep the frame before the next start")
            self._transport.runner.keep(made, event)
        except Exception as reason:
            self._transport.problem.say(f"Not kept: {explain(reason)}")

    def __panel__(self):
        return self.menu
