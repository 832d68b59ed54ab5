"""The sampler in processes of its own, so that steps and page do not wait for each other's turn of the interpreter.

A process (`acgen.processes`) is started by ``python -m app.workers.pool``. It takes settings, answers with the
networks that it has loaded, and takes a guidance strength for every event that it is to produce, or None to end the
run; it answers with the events, with None at the end of a run and with a `Failure` if it failed. It is asked for one
event more than is looked at, so that it works meanwhile: what is asked for when a run has ended is not answered.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

from acgen.networks.models import Models
from acgen.processes import Child, send, serve
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.settings import LiveXi, Settings
from acgen.threads import VARIABLE, candidates_together, use_threads
from app.workers.explain import Failure
from app.workers.models import Loaded, shared_models

#: Cores that a run leaves to the server and the browser; and by how much it steps back where they want the same core.
SERVER, NICE = 1, 5


class Processes:
    """Sampler processes of a server: as many as runs at once, at most `limit` idle ones are kept.

    Parameters
    ----------
    limit
        Idle processes to keep; each holds the networks in about 350 MB.
    threads
        Of each process, and as many candidates of a small cell at a time; by default what `acgen.threads` chooses for
        each run.
    """

    def __init__(self, limit: int, threads: int | None = None):
        self.limit, self.threads = limit, threads
        self._idle: list[Child] = []
        self._lock = threading.Lock()
        self._started = False

    def warm(self, seconds: float = 0.0) -> None:
        """Have a first process ready; `seconds` later, so that a page that loads now has the machine for itself."""
        threading.Timer(seconds, self._warm).start()

    def _warm(self) -> None:
        with self._lock:
            if not self._started:
                self._started = True
                self._idle.append(_start(self.threads))

    def generate(
        self, settings: Settings, models: Models | None, strength: LiveXi
    ) -> Iterator[Loaded | FrameEvent | Candidate]:
        """As `acgen.sampling.generate.generate`, in one of the processes, with the shipped networks that it has loaded.

        It says first which they are. A change of the strength is taken by the step after the next.

        Raises
        ------
        AcgenError
            If the run failed for a reason that can be mended, or its process ended; the message says what to do.
        app.workers.explain.Reported
            If it failed by a bug.
        """
        process = self._take()
        try:
            process.send(settings)
            process.send(strength.xi)
            while True:
                process.send(strength.xi)
                event = process.receive()
                if event is None:
                    return
                if isinstance(event, Failure):
                    raise event.error
                yield event
        except GeneratorExit:
            process.send(None)
            while not _ends(process.receive()):
                pass
            raise
        finally:
            self._give(process)

    def _take(self) -> Child:
        with self._lock:
            alive = [process for process in self._idle if process.alive]
            self._idle, self._started = alive[1:], True
        return alive[0] if alive else _start(self.threads)

    def _give(self, process: Child) -> None:
        with self._lock:
            if process.alive and len(self._idle) < self.limit:
                self._idle.append(process)
                return
        process.end()

    def close(self) -> None:
        """End the idle processes."""
        with self._lock:
            ended, self._idle = self._idle, []
        for process in ended:
            process.end()


def _start(threads: int | None) -> Child:
    return Child(__name__, {} if threads is None else {VARIABLE: str(threads)})


def _ends(event: Any) -> bool:
    """Whether an answer is the last of its run."""
    return event is None or isinstance(event, Failure)


@functools.cache
def server_processes(limit: int, threads: int | None = None) -> Processes:
    """The processes that all sessions of this server share."""
    return Processes(limit, threads)


def _events(settings: Settings, strength: LiveXi) -> Iterator[Loaded | FrameEvent | Candidate]:
    """The run, in the process."""
    models = shared_models()
    yield Loaded(dict(models.sha256))
    together = min(candidates_together(settings.n_atoms, beside=SERVER), settings.candidates)
    yield from generate(settings, models, strength, together=together)


def _answer(requests: BinaryIO, answers: BinaryIO) -> None:
    """Run what is asked for until nobody asks any more."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    with contextlib.suppress(Exception):  # the first run tries again, and tells
        shared_models()
    while True:
        settings = pickle.load(requests)
        use_threads(settings.n_atoms, beside=SERVER)
        strength = LiveXi(0.0)
        events = _events(settings, strength)
        while (xi := pickle.load(requests)) is not None:
            strength.xi = xi
            try:
                event = next(events, None)
            except Exception as error:
                event = Failure.of(error)
            send(answers, event)
            if _ends(event):
                pickle.load(requests)
                break
        else:
            events.close()
            send(answers, None)


if __name__ == "__main__":
    serve(_answer)
