"""The sessions of a server, which are there without a page: each goes on for a while, and is saved as it changes.

A page holds its session until it is closed, loses its connection, or another page of the same user takes the session
over. One thread tends them all: it saves what has changed, ends runs that nobody has looked at for too long, and lets
go of sessions that nobody uses. A session is found by its key alone, of which only a digest is known here.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from acgen.errors import AcgenError
from app.session.runner import Runner
from app.session.state import State
from app.session.store import About, Saved, Store

_log = logging.getLogger("acgen")

#: In place of a folder: sessions are not saved.
NOWHERE = "none"
#: Seconds between two looks at all sessions, and while one of them is to end.
EVERY, SOON = 5.0, 0.1
#: Seconds that a session without a page and without a run is kept in memory, for a page that is loaded again.
IDLE = 60.0
#: Seconds between two looks at what is on disk.
PRUNE_EVERY = 600.0


def name_of(key: str, user: str = "") -> str:
    """Name of the session of a key; that of a user who has logged in is another user's by no key."""
    return hashlib.sha256(f"{user}\0{key}".encode()).hexdigest()


class Kept:
    """A session: its runner, what was chosen, and the page that shows it, if there is one."""

    def __init__(self, name: str, runner: Runner, state: State, page: object):
        self.name, self.runner, self.page = name, runner, page
        self._state: State | None = state
        self._left = (state.carried, state.own_targets)  # what the last page had
        self.left_at = 0.0
        self.saved_at = float("-inf")
        self.settle()

    def settle(self) -> None:
        """What it is now need not be saved."""
        self._last = self._marks()

    @property
    def saved(self) -> Saved:
        """What it is now."""
        state = self._state
        if state is not None:
            self._left = (state.carried, state.own_targets)
        return Saved(self.runner.snapshot, *self._left)

    @property
    def changed(self) -> bool:
        """Whether it differs from what was saved last."""
        return not all(map(_same, self._marks(), self._last))

    def shown_by(self, page: object, state: State) -> None:
        """Belong to another page from now on, whose state takes what was chosen."""
        choices, targets = self.saved.choices, self.saved.targets
        state.carry(choices, targets)
        self.page, self._state = page, state

    def leave(self, now: float) -> None:
        """Go on without a page."""
        self._left = (self.saved.choices, self.saved.targets)
        self.page = self._state = None
        self.left_at = now

    def write(self, store: Store) -> None:
        """Save it."""
        marks = self._marks()
        store.write(self.name, self.saved)
        self._last = marks

    def _marks(self) -> tuple[Any, ...]:
        saved = self.saved
        return saved.snapshot, *saved.choices.values(), *saved.targets.values(), len(saved.targets)


class Shelf:
    """All sessions of a server.

    Parameters
    ----------
    unattended
        Seconds that a run goes on without a page.
    store
        Where sessions are saved; None does not save them.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self, unattended: float = 0.0, store: Store | None = None, clock: Callable[[], float] = time.monotonic
    ):
        self.unattended, self.store, self._clock = unattended, store, clock
        self._lock = threading.RLock()
        self._kept: dict[str, Kept] = {}
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._pruned_at = float("-inf")
        #: Why the last attempt to save failed, in words.
        self.problem = ""

    def begin(self, name: str, runner: Runner, state: State, page: object) -> Kept:
        """A new session, shown by a page."""
        kept = Kept(name, runner, state, page)
        with self._lock:
            self._kept[name] = kept
            if self.store is not None:
                self._watch()
        return kept

    def about(self, name: str) -> About | None:
        """What a session holds; None if there is none."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None:
                return replace(kept.saved.about, active=kept.runner.snapshot.status.active)
        return None if self.store is None else self.store.about(name)

    def take(self, name: str, page: object, state: State) -> Kept | None:
        """Let a page show a session that is in memory; None if it is not."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None:
                kept.shown_by(page, state)
            return kept

    def read(self, name: str) -> Saved | None:
        """What is on disk of a session; None if it is none. It takes up to seconds.

        Raises
        ------
        AcgenError
            If it cannot be read.
        """
        known = self.store is not None and self.store.about(name) is not None
        return self.store.read(name) if known else None

    def rename(self, kept: Kept, name: str) -> None:
        """Go on as another session, which was read from disk."""
        with self._lock:
            self._kept.pop(kept.name, None)
            kept.name = name
            self._kept[name] = kept

    def drop(self, kept: Kept) -> None:
        """Forget a session that nothing was done in."""
        with self._lock:
            if self._kept.get(kept.name) is kept:
                del self._kept[kept.name]
        kept.runner.close()

    def leave(self, kept: Kept, page: object) -> None:
        """A page does not show its session any more."""
        with self._lock:
            if kept.page is not page or kept.name not in self._kept:
                return
            kept.leave(self._clock())
            self._watch()
        self._wake.set()

    def tend(self) -> bool:
        """Save what has changed, end what is overdue, let go of what nobody uses; whether a run is about to end."""
        with self._lock:
            all_kept = list(self._kept.values())
        soon = [self._tend(kept) for kept in all_kept]
        if self.store is not None and self._clock() - self._pruned_at > PRUNE_EVERY:
            self._pruned_at = self._clock()
            self.store.prune({kept.name for kept in all_kept})
        return any(soon)

    def save(self) -> None:
        """Save all that has changed: the server ends."""
        for kept in list(self._kept.values()):
            self._save(kept, at_once=True)

    def _tend(self, kept: Kept) -> bool:
        active = kept.runner.snapshot.status.active
        with self._lock:
            alone = self._clock() - kept.left_at if kept.page is None else -1.0
        overdue = alone >= (self.unattended if active else min(self.unattended, IDLE))
        if overdue and active:
            kept.runner.stop()
        self._save(kept, at_once=overdue and not active)
        if not overdue or active:
            return overdue
        with self._lock:  # a page may have taken it meanwhile
            if kept.page is None and not (self.store is not None and kept.changed and not self.problem):
                self.drop(kept)
        return False

    def _save(self, kept: Kept, at_once: bool) -> None:
        now = self._clock()
        if self.store is None or not kept.changed or not at_once and now - kept.saved_at < EVERY:
            return
        kept.saved_at = now
        try:
            kept.write(self.store)
            self.problem = ""
        except (OSError, AcgenError) as error:
            self.problem = f"sessions cannot be saved: {error}"
            _log.error(self.problem)

    def _watch(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="acgen-shelf")
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._wake.clear()
            soon = self.tend()
            with self._lock:
                if not self._kept:
                    self._thread = None
                    return
            self._wake.wait(SOON if soon else EVERY)


def _same(one: Any, other: Any) -> bool:
    """Whether nothing has changed: objects are replaced when they change, simple values can be equal."""
    simple = (bool, int, float, str, tuple)
    return one is other or (isinstance(one, simple) and isinstance(other, simple) and one == other)


@functools.cache
def server_shelf(unattended: float, folder: str = "") -> Shelf:
    """The sessions of this server, saved in a folder; by default in that of the user, or, if there is none, not at all.

    Raises
    ------
    AcgenError
        If the folder that is given cannot be used.
    """
    if folder == NOWHERE:
        return Shelf(unattended)
    place = Path(folder) if folder else platformdirs.user_state_path("acgen") / "sessions"
    try:
        shelf = Shelf(unattended, Store(place))
        atexit.register(shelf.save)
        return shelf
    except AcgenError as error:
        if folder:
            raise
        _log.warning("%s; until then they end with the server", error)
        return Shelf(unattended)
