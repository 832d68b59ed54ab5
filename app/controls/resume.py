"""Coming back: a page that is loaded again goes on with its session, a fresh one offers the last."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from datetime import datetime

import panel as pn
import panel_material_ui as pmui

from app.controls.tab import Tab
from app.look.css import STYLE
from app.look.notice import COMPACT, Notice
from app.session.runner import Runner
from app.session.shelf import Kept, Shelf, name_of
from app.session.snapshot import Snapshot
from app.session.state import State
from app.session.store import About, Saved
from app.workers.background import Background
from app.workers.explain import explain


class Resume(pn.viewable.Viewer):
    """The session of a page, and a notice with a button if there is another one to go on with.

    Parameters
    ----------
    page
        Whose session it is.
    state, runner, background
        Of the page, for a session that begins.
    shelf
        Where all sessions are.
    problem
        Where to say what went wrong.
    taken
        Called when the page goes on with a session of before, whose runner it has to use.
    """

    def __init__(
        self,
        page: object,
        state: State,
        runner: Runner,
        background: Background,
        shelf: Shelf,
        problem: Notice,
        taken: Callable[[], None],
        **params,
    ):
        super().__init__(**params)
        self._page, self._state, self._background, self._shelf = page, state, background, shelf
        self._problem, self._taken = problem, taken
        self._user = pn.state.user or ""
        self._key = secrets.token_urlsafe(32)
        self._greeting: tuple[str, list[str]] | None = None  # of the browser; answered once the page is set up
        self._offered = ""  # the key of a session to go on with
        self.kept: Kept = shelf.begin(name_of(self._key, self._user), runner, state, page)
        self.tab = Tab()
        self.tab.greeted = lambda *greeting: setattr(self, "_greeting", greeting)
        self.text = pn.pane.HTML("", margin=(6, 0), stylesheets=[STYLE])
        self.button = pmui.Button(
            label="Resume last session",
            icon="history",
            size="small",
            variant="outlined",
            margin=(0, 8),
            on_click=lambda _event: self._go_on(self._offered),
        )
        close = pmui.IconButton(
            icon="close", description="Begin afresh", size="small", margin=0, on_click=lambda _event: self._hide()
        )
        row = pn.Row(
            self.text, self.button, pn.Spacer(sizing_mode="stretch_width"), close,
            sizing_mode="stretch_width", margin=0, styles={"align-items": "center"},
        )
        self.notice = pmui.Alert(
            row, severity="info", visible=False, margin=(8, 0), sizing_mode="stretch_width", sx=COMPACT
        )

    @property
    def elsewhere(self) -> bool:
        """Whether another page shows this session now."""
        return self.kept.page is not self._page

    def tick(self, snapshot: Snapshot, unsaved: bool, now: float) -> None:
        """Answer the browser, and tell it what is new."""
        if self._greeting is not None:
            greeting, self._greeting = self._greeting, None
            self._answer(*greeting)
        self.tab.tick(now)
        self.tab.ask_before_leaving(unsaved)
        if snapshot.runs or self._state.own_targets:
            self.tab.remember(self._key)
        if self._offered and snapshot.runs:
            self._hide()

    def leave(self) -> None:
        """The page is closed, or has lost its connection."""
        self._shelf.leave(self.kept, self._page)

    def _answer(self, own: str, known: list[str]) -> None:
        """A browser has come with its keys; a key that is nobody's brings nothing."""
        self.tab.hold(self._key)
        if own and self._shelf.about(name_of(own, self._user)) is not None:
            self._go_on(own)
            return
        for key in known:
            about = self._shelf.about(name_of(key, self._user))
            if about is not None and about.worth:
                self._offered, self.text.object = key, in_words(about)
                self.notice.visible = True
                return

    def _hide(self) -> None:
        self._offered, self.notice.visible = "", False

    def _go_on(self, key: str) -> None:
        self.button.disabled = True
        if not self._take(key):
            read = functools.partial(self._shelf.read, name_of(key, self._user))
            self._background.do("resume", read, functools.partial(self._read, key))

    def _take(self, key: str) -> bool:
        """Take a session over that is in memory."""
        kept = self._shelf.take(name_of(key, self._user), self._page, self._state)
        if kept is None:
            return False
        if kept is not self.kept:
            self._shelf.drop(self.kept)
            self.kept = kept
        self._hold(key)
        self._taken()
        return True

    def _read(self, key: str, saved: Saved | None, error: Exception | None) -> None:
        """Take a session over that was read from disk."""
        if self._take(key):
            return
        try:
            if error is not None:
                raise error
            if saved is None:
                return
            self._state.carry(saved.choices, saved.targets)
            self.kept.runner.adopt(saved.snapshot)
        except Exception as reason:
            self._hide()
            self._problem.say(f"Your last session does not come back: {explain(reason)}.", "warning")
            return
        self._shelf.rename(self.kept, name_of(key, self._user))
        self._hold(key)
        self._taken()
        if saved.cut_off:
            self._problem.say(f"{saved.snapshot.log[-1].text}. Branch → Go on from here continues the run.", "warning")

    def _hold(self, key: str) -> None:
        self._key = key
        self._hide()
        self.tab.hold(key)

    def __panel__(self):
        return self.notice


def in_words(about: About) -> str:
    """What there is to go on with."""
    parts = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in ((about.targets, "target"), (about.candidates, "candidate"), (about.runs, "run"))
        if count
    ]
    if about.active:
        return f"Your last session goes on: {', '.join(parts)}."
    saved = datetime.fromisoformat(about.saved)
    return f"Your last session, of {saved:%d %B, %H:%M}, is kept: {', '.join(parts)}."
