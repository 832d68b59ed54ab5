"""One run in a worker thread: consumes the generator of the core and publishes snapshots, the newest wins.

The thread knows nothing of Panel or Bokeh. It replaces one immutable `Snapshot`; whoever wants to see it pulls it.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from acgen.ensemble import Candidate, FrameEvent, Models, Settings
from acgen.sampler import Frame


class Status(StrEnum):
    """What a run is doing."""

    IDLE = "idle"
    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """Whether a worker is at work, or waits to go on."""
        return self in (Status.LOADING, Status.RUNNING, Status.PAUSED)


@dataclass(frozen=True)
class Snapshot:
    """Everything there is to know about a run at one moment.

    Attributes
    ----------
    version
        Grows with every snapshot of a runner.
    status
        What the run is doing.
    settings
        What it runs with; None before the first.
    candidate, frame
        The newest frame and the candidate it belongs to; None before the first.
    misfits
        Steps that were guided so far and the misfit there, one tuple of pairs for each candidate begun.
    candidates
        The finished ones.
    elapsed
        Seconds of work so far, without pauses.
    error
        What went wrong and what to do, if the run failed.
    """

    version: int = 0
    status: Status = Status.IDLE
    settings: Settings | None = None
    models: Models | None = None
    candidate: int = 0
    frame: Frame | None = None
    misfits: tuple[tuple[tuple[int, float], ...], ...] = ()
    candidates: tuple[Candidate, ...] = ()
    elapsed: float = 0.0
    error: str = ""

    @property
    def progress(self) -> float:
        """Fraction of all steps that is done, 0-1."""
        if self.settings is None or self.frame is None:
            return 0.0
        if self.status is Status.DONE:
            return 1.0
        done = self.candidate + self.frame.step / self.frame.steps
        return min(done / self.settings.candidates, 1.0)

    @property
    def remaining(self) -> float | None:
        """Seconds of work left at the pace so far; None while it is not known."""
        if not 0 < self.progress or not self.status.active:
            return None
        return self.elapsed * (1 / self.progress - 1)


class Runner:
    """Starts, pauses, steps and stops one run at a time.

    Parameters
    ----------
    generate
        `acgen.ensemble.generate`, or what behaves like it.
    load_models
        Gives its second argument; called in the worker.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        generate: Callable[[Settings, Models], Iterator[FrameEvent | Candidate]],
        load_models: Callable[[], Models],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._generate = generate
        self._load_models = load_models
        self._clock = clock
        self._snapshot = Snapshot()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._go = threading.Condition()
        self._paused = False
        self._steps = 0  # how many frames a paused run may still make

    @property
    def snapshot(self) -> Snapshot:
        """The newest state of the run."""
        return self._snapshot

    def start(self, settings: Settings) -> None:
        """Begin a run.

        Raises
        ------
        RuntimeError
            If one is active: stop it first.
        """
        if self._snapshot.status.active:
            raise RuntimeError("a run is active: stop it before the next start")
        self.join()
        self._stop = threading.Event()
        self._paused, self._steps = False, 0
        self._snapshot = Snapshot(self._snapshot.version + 1, Status.LOADING, settings)
        self._thread = threading.Thread(target=self._work, args=(settings, self._stop), daemon=True, name="acgen-run")
        self._thread.start()

    def pause(self) -> None:
        """Let the run wait after the step it is at."""
        with self._go:
            self._paused = True

    def resume(self) -> None:
        """Let a paused run go on."""
        with self._go:
            self._paused, self._steps = False, 0
            self._go.notify_all()

    def step(self) -> None:
        """Let a paused run make one step."""
        with self._go:
            self._paused = True
            self._steps += 1
            self._go.notify_all()

    def stop(self) -> None:
        """End the run after the step it is at; what is finished stays. Does not wait."""
        with self._go:
            self._stop.set()
            self._go.notify_all()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the worker to end."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _publish(self, **changes) -> None:
        self._snapshot = replace(self._snapshot, version=self._snapshot.version + 1, **changes)

    def _work(self, settings: Settings, stop: threading.Event) -> None:
        try:
            models = self._load_models()
            self._publish(status=Status.RUNNING, models=models)
            self._consume(self._generate(settings, models), stop)
            self._publish(status=Status.STOPPED if stop.is_set() else Status.DONE)
        except Exception as error:
            self._publish(status=Status.FAILED, error=explain(error))

    def _consume(self, events: Iterator[FrameEvent | Candidate], stop: threading.Event) -> None:
        misfits: list[list[tuple[int, float]]] = []
        begin = self._clock()
        try:
            for event in events:
                if isinstance(event, Candidate):
                    self._publish(candidates=(*self._snapshot.candidates, event), elapsed=self._clock() - begin)
                    continue
                while len(misfits) <= event.candidate:
                    misfits.append([])
                if event.frame.misfit is not None:
                    misfits[event.candidate].append((event.frame.step, event.frame.misfit))
                self._publish(
                    candidate=event.candidate,
                    frame=event.frame,
                    misfits=(*self._snapshot.misfits[: event.candidate], tuple(misfits[event.candidate])),
                    elapsed=self._clock() - begin,
                )
                begin += self._wait(stop)
                if stop.is_set():
                    return
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def _wait(self, stop: threading.Event) -> float:
        """Wait while the run is paused; seconds that it took."""
        with self._go:
            if not self._paused:
                return 0.0
            if self._steps > 0:
                self._steps -= 1
                return 0.0
            since = self._clock()
            self._publish(status=Status.PAUSED)
            self._go.wait_for(lambda: not self._paused or self._steps > 0 or stop.is_set())
            if self._steps > 0:
                self._steps -= 1
            self._publish(status=Status.RUNNING)
            return self._clock() - since


def explain(error: Exception) -> str:
    """Text of an error for the page: the core's own message, or where a programming error happened."""
    if isinstance(error, ValueError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = place.filename.rsplit("/", 1)[-1]
    return (
        f"{type(error).__name__}: {error} ({place.name}, line {place.lineno} of {file}). "
        "Change a setting and start again; if it happens again, please report this line."
    )
