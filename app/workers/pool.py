"""The sampler in processes of its own, so that steps and page do not wait for each other's turn of the interpreter.

A process is started by ``python -m app.workers.pool`` and lives until its standard input is closed. It takes settings,
answers with the networks that it has loaded, and takes a guidance strength for every event that it is to produce, or
None to end the run; it answers with the events, with None at the end of a run and with a `Failure` if it failed. It is
asked for one event more than is looked at, so that it works meanwhile: what is asked for when a run has ended is not
answered. Both directions are pickles between two processes of one program; nothing of a user's files is read this way.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from acgen.errors import AcgenError
from acgen.networks.models import Models
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.settings import LiveXi, Settings
from acgen.threads import VARIABLE, candidates_together, use_threads
from app.workers.explain import Failure
from app.workers.models import Loaded, shared_models

#: Cores that a run leaves to the server and the browser.
SERVER = 1


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
        self._idle: list[subprocess.Popen] = []
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
            _send(process.stdin, settings)
            _send(process.stdin, strength.xi)
            while True:
                _send(process.stdin, strength.xi)
                event = _receive(process)
                if event is None:
                    return
                if isinstance(event, Failure):
                    raise event.error
                yield event
        except GeneratorExit:
            _send(process.stdin, None)
            while not _ends(_receive(process)):
                pass
            raise
        finally:
            self._give(process)

    def _take(self) -> subprocess.Popen:
        with self._lock:
            alive = [process for process in self._idle if process.poll() is None]
            self._idle, self._started = alive[1:], True
        return alive[0] if alive else _start(self.threads)

    def _give(self, process: subprocess.Popen) -> None:
        with self._lock:
            if process.poll() is None and len(self._idle) < self.limit:
                self._idle.append(process)
                return
        _end(process)

    def close(self) -> None:
        """End the idle processes."""
        with self._lock:
            ended, self._idle = self._idle, []
        for process in ended:
            _end(process)


def _start(threads: int | None) -> subprocess.Popen:
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-m", "app.workers.pool"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path} | ({} if threads is None else {VARIABLE: str(threads)}),
    )


def _end(process: subprocess.Popen) -> None:
    """A process ends when nobody can ask it any more."""
    process.stdin.close()
    process.wait()
    process.stdout.close()


def _send(stream: BinaryIO, thing: Any) -> None:
    try:
        pickle.dump(thing, stream, pickle.HIGHEST_PROTOCOL)
        stream.flush()
    except OSError:
        """The process has ended, which the next answer tells."""


def _receive(process: subprocess.Popen) -> Any:
    try:
        return pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        code = process.wait()
        raise AcgenError(
            f"the process of the sampler ended (code {code}), perhaps for want of memory: choose a smaller cell, or "
            "start again"
        ) from error


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


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Run what is asked for until nobody asks any more."""
    with contextlib.suppress(Exception):  # the first run tries again, and tells
        shared_models()
    while True:
        try:
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
                _send(answers, event)
                if _ends(event):
                    pickle.load(requests)
                    break
            else:
                events.close()
                _send(answers, None)
        except EOFError:
            return


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends by it, and then closes the input
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    _serve(sys.stdin.buffer, answers)
