"""Work beside the page: jobs in threads that all sessions share; each session takes its results in its own tick."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

Work = Callable[[], Any]
Then = Callable[[Any, Exception | None], None]

#: Threads for the jobs of all sessions of a server. The interpreter waits for them at its end: torch aborts a process
#: that ends under a thread of its own making that nobody waits for.
POOL = ThreadPoolExecutor(2, thread_name_prefix="acgen-work")


class Background:
    """The jobs of one session: of each kind at most one runs and one waits, and the newest is the one that waits.

    Parameters
    ----------
    pool
        Where jobs run; None works at once in the caller's thread, for whoever has no tick.
    """

    def __init__(self, pool: Executor | None = POOL):
        self._pool = pool
        self._running: dict[str, tuple[Future, Then]] = {}
        self._waiting: dict[str, tuple[Work, Then]] = {}

    def do(self, kind: str, work: Work, then: Then) -> None:
        """Do something in a thread.

        Parameters
        ----------
        kind
            A job of the same kind that waits is forgotten, with its `then`.
        work
            Called in a thread.
        then
            Called by `tick` with the result and None, or with None and the error.
        """
        if self._pool is None:
            then(*_outcome(work))
        elif kind in self._running:
            self._waiting[kind] = (work, then)
        else:
            self._running[kind] = (self._pool.submit(_outcome, work), then)

    def busy(self, kind: str) -> bool:
        """Whether a job of this kind runs, or its result is not handed over yet."""
        return kind in self._running

    def tick(self) -> None:
        """Hand over what is done, and begin what waits for it."""
        for kind, (future, then) in list(self._running.items()):
            if not future.done():
                continue
            del self._running[kind]
            if kind in self._waiting:
                self.do(kind, *self._waiting.pop(kind))
            then(*future.result())

    def close(self) -> None:
        """Forget all jobs: nobody waits for their results any more."""
        for future, _then in self._running.values():
            future.cancel()
        self._running.clear()
        self._waiting.clear()


def _outcome(work: Work) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # a thread has nobody to raise to
        return None, error
