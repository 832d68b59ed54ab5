"""A candidate checked by FEFF in a thread, one at a time on a server, with progress and a way to stop it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from weakref import WeakSet

from acgen.data.labels import chosen_sites, feff_cache, labels_of, make_labels
from acgen.data.public import LabelledCell, network_label
from acgen.inference.check import Check, check, sites_of
from acgen.inference.defaults import CHECK_SITES
from acgen.spectra.feff_correction import FeffCorrection, shipped_correction
from acgen.spectra.feff_run import FeffResult, run_feff
from acgen.threads import processes_together
from app.session.snapshot import Finished

#: One for all sessions: a check takes all free cores.
POOL = ThreadPoolExecutor(1, thread_name_prefix="acgen-check")
#: What stops each check that runs: the end of a server waits for its threads, and would for all sites that are left.
_STOPS: WeakSet[Event] = WeakSet()


class Checker:
    """The checks of one session: one runs or waits for those of other sessions.

    Parameters
    ----------
    done
        Called by `tick` with the candidate and its check and None, or with the candidate, None and the error; not for
        a check that was stopped.
    run, correction, folder
        What calculates a site, what brings FEFF's mean to DFT, and where spectra are kept (`feff_cache` by default).
    pool
        Where it works.
    """

    def __init__(
        self,
        done: Callable[[Finished, Check | None, Exception | None], None],
        run: Callable[[str, Event], FeffResult] = run_feff,
        correction: Callable[[], FeffCorrection] = shipped_correction,
        folder: Path | None = None,
        pool: Executor = POOL,
    ):
        self._done, self._run, self._correction, self._folder, self._pool = done, run, correction, folder, pool
        self._running: tuple[Finished, Future[Check], Event] | None = None
        #: Sites that are done, and all.
        self.progress = (0, 0)

    @property
    def busy(self) -> bool:
        """Whether a check runs or waits."""
        return self._running is not None

    def start(self, item: Finished) -> None:
        """Check a candidate, if no other one is being checked."""
        if self._running is None:
            stop, self.progress = Event(), (0, CHECK_SITES)
            _STOPS.add(stop)
            self._running = item, self._pool.submit(self._work, item, stop), stop

    def stop(self) -> None:
        """Give the check up that runs; sites that are done stay in the cache."""
        if self._running is not None:
            _item, future, stop = self._running
            stop.set()
            future.cancel()
            self._running = None

    def tick(self) -> None:
        """Hand over what is done."""
        if self._running is not None and self._running[1].done():
            (item, future, _stop), self._running = self._running, None
            error = future.exception()
            if isinstance(error, Exception):
                self._done(item, None, error)
            else:
                self._done(item, future.result(), None)

    def _work(self, item: Finished, stop: Event) -> Check:
        candidate, settings, folder = item.candidate, item.settings, self._folder or feff_cache()
        atoms, correction = candidate.atoms, self._correction()
        sites = chosen_sites(atoms, CHECK_SITES)
        labelled = functools.partial(make_labels, [LabelledCell(item.name, network_label(atoms), atoms)], sites, folder)
        for done, total, _ in labelled(retry=True, run=self._run, workers=processes_together(), stop=stop):
            self.progress = (done, total)
        networks = {"forward": candidate.spectrum, "judge": candidate.judge_spectrum}
        found = sites_of(labels_of(atoms, sites, folder))
        asked = settings.instrument
        return check(atoms, found, correction, settings.target, networks, name=item.name, instrument=asked)


def _stop_all() -> None:
    for stop in list(_STOPS):
        stop.set()


# Before the threads of all pools are waited for; what `atexit` registers comes after that.
threading._register_atexit(_stop_all)
