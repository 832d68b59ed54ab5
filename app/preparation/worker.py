"""Work off the event loop, a little at a time: the newest job of a kind replaces the one that waits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import panel as pn

#: Threads for the jobs of all sessions of the server.
POOL = ThreadPoolExecutor(2, thread_name_prefix="acgen-prepare")

Job = tuple[Callable[[], Any], Callable[[Any, Exception | None], None]]


class Worker:
    """The jobs of one session: at most one of each kind runs, and at most one waits."""

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._waiting: dict[str, Job] = {}

    def do(self, kind: str, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Call `work` in a thread and hand its result, or its error, to `then` on the event loop of the session.

        Without a session, as in a notebook, both are called at once.
        """
        document = pn.state.curdoc
        if document is None or document.session_context is None:
            then(*_outcome(work))
        elif kind in self._running:
            self._waiting[kind] = (work, then)
        else:
            self._running.add(kind)
            future = POOL.submit(_outcome, work)
            future.add_done_callback(partial(self._hand_on, document, kind, then))

    def _hand_on(self, document, kind: str, then: Callable[[Any, Exception | None], None], future: Future) -> None:
        """In the thread of the job: ask the session to take the result."""

        def deliver() -> None:
            self._running.discard(kind)
            then(*future.result())
            if kind in self._waiting:
                self.do(kind, *self._waiting.pop(kind))

        if document.session_context is not None:  # the page may be closed by now
            document.add_next_tick_callback(deliver)


def _outcome(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # a thread has nobody to raise to
        return None, error
