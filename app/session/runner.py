"""One run in a worker thread: consumes the generator of the core and publishes snapshots, the newest wins.

The thread knows nothing of Panel or Bokeh. It replaces one immutable `Snapshot`; whoever wants to see it pulls it. Only
the worker publishes while a run is active: others tell it what they want and read what came of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from acgen.errors import AcgenError
from acgen.inference.tasks import Load
from acgen.networks.models import Models
from acgen.results.run import LogEntry
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.settings import LiveXi, Settings, Strength
from app.session.beside import Beside
from app.session.snapshot import KEPT_CANDIDATES, KEPT_RUNS, Finished, Snapshot, Status, in_words, keep
from app.workers.explain import explain
from app.workers.models import Loaded
from app.workers.pace import SERVER_PACE, Pace
from app.workers.slots import Slots, Turn

Events = Iterator[Loaded | Load | FrameEvent | Candidate]
Generate = Callable[[Settings, Models, Strength], Events]


class Runner:
    """Starts, pauses, steps, steers and stops one run at a time.

    Parameters
    ----------
    generate
        `acgen.sampling.generate.generate`, or what behaves like it.
    load_models
        Gives its second argument; called in the worker.
    slots
        Where runs of several sessions wait for each other; by default nobody waits.
    pace
        Learns how long steps take.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        generate: Generate,
        load_models: Callable[[], Models],
        slots: Slots | None = None,
        pace: Pace = SERVER_PACE,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._generate = generate
        self._load_models = load_models
        self._slots = slots or Slots(1)
        self._pace = pace
        self._clock = clock
        self._snapshot = Snapshot()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._closed = False
        self._go = threading.Condition()
        self._paused = False
        self._steps = 0  # how many frames a paused run may still make
        self._rests = False  # whether the log says that the run is paused
        self._strength = LiveXi(0.0)
        #: What a run failed by, with its traceback.
        self.failure: Exception | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The newest state of the run."""
        return self._snapshot

    def start(self, settings: Settings, origin: str = "") -> None:
        """Begin a run.

        Parameters
        ----------
        settings
            What to run.
        origin
            What the run goes on from, if it is a branch of an earlier one.

        Raises
        ------
        AcgenError
            If one is active: stop it first.
        """
        before = self._snapshot
        if before.status.active:
            raise AcgenError("a run is active: stop it before the next start")
        self.join()
        self._stop = threading.Event()
        self._paused, self._rests, self._steps, self.failure = False, False, 0, None
        self._strength = LiveXi(settings.xi)
        number = before.run + 1
        begun = LogEntry.now(f"Run {number} started{origin and ' from ' + origin}: {in_words(settings)}")
        self._snapshot = Snapshot(
            before.version + 1,
            number,
            Status.LOADING,
            settings=settings,
            finished=before.finished,
            log=(begun,),
            earlier=before.runs,
        )
        self._thread = threading.Thread(target=self._work, args=(settings, self._stop), daemon=True, name="acgen-run")
        self._thread.start()

    def adopt(self, brought: Snapshot) -> None:
        """Go on from a session that was brought back: its candidates join those of this one, its runs are numbered on.

        Parameters
        ----------
        brought
            What `app.session.archive.snapshot_from_zip` gives.

        Raises
        ------
        AcgenError
            If a run is active: stop it first.
        """
        before = self._snapshot
        if before.status.active:
            raise AcgenError("a run is active: stop it before a session is opened")
        self.join()
        shift = before.run
        joined = (*before.finished, *(replace(item, run=item.run + shift) for item in brought.finished))
        numbered = LogEntry.now(f"Its runs are numbered from {shift + 1}: its run 1 is run {shift + 1} here")
        self._snapshot = replace(
            brought,
            version=before.version + 1,
            run=brought.run + shift,
            finished=joined[-KEPT_CANDIDATES:],
            log=(*brought.log, numbered) if shift else brought.log,
            earlier=(*before.runs, *(replace(run, number=run.number + shift) for run in brought.earlier))[-KEPT_RUNS:],
        )

    def steer(self, xi: float) -> None:
        """Set the guidance strength from the next step on."""
        self._strength.xi = xi

    def check_rests(self) -> None:
        """Raise AcgenError if a run is at work, which makes frames that change too fast to be kept."""
        if self._snapshot.status.active and self._snapshot.status is not Status.PAUSED:
            raise AcgenError("a run is at work: pause or stop it before a frame is kept as a candidate")

    def keep(self, made: Candidate, event: FrameEvent) -> None:
        """Add a candidate that was made of a frame of this run, as one more than the run makes.

        Raises
        ------
        AcgenError
            If the run is at work: pause or stop it first.
        """
        with self._go:  # a paused worker goes on only afterwards
            self.check_rests()
            now = self._snapshot
            own = [item.candidate.index for item in now.finished if item.run == now.run]
            index = max([now.settings.candidates - 1, *own]) + 1
            item = Finished(now.run, now.settings, replace(made, index=index), now.weights)
            self._publish(
                f"Step {event.frame.step} of candidate {event.candidate + 1} kept as candidate {index + 1}, unfinished",
                finished=(*now.finished, item)[-KEPT_CANDIDATES:],
            )

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
        self._slots.wake()

    def close(self) -> None:
        """End the run and forget everything: nobody will look any more."""
        self._closed = True
        self.stop()
        if self._thread is None or not self._thread.is_alive():
            self._snapshot = Snapshot()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the worker to end."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _publish(self, told: str = "", **changes) -> None:
        now = self._snapshot
        log = (*now.log, LogEntry.now(told)) if told else now.log
        self._snapshot = replace(now, version=now.version + 1, log=log, **changes)

    def _work(self, settings: Settings, stop: threading.Event) -> None:
        turn = self._slots.turn()
        try:
            if self._take(turn, stop, Status.LOADING):
                models = self._load_models()
                self._publish(status=Status.RUNNING, weights=dict(models.sha256))
                self._consume(self._generate(settings, models, self._strength), stop, turn)
            ended = f"with {len(self._snapshot.candidates)} of {settings.candidates} candidates"
            if stop.is_set():
                self._publish(f"Stopped {ended}{self._where()}", status=Status.STOPPED)
            else:
                self._publish(f"Done {ended}", status=Status.DONE)
        except Exception as error:
            self.failure, reason = error, explain(error)
            self._publish(f"Failed{self._where()}: {reason}", status=Status.FAILED, error=reason)
        finally:
            turn.give()
            if self._closed:
                self._snapshot = Snapshot()

    def _take(self, turn: Turn, stop: threading.Event, then: Status) -> bool:
        """Wait for a place among the runs of the server; False if the run was stopped meanwhile."""
        taken = turn.take(stop.is_set, lambda place: self._publish(status=Status.QUEUED, place=place))
        if taken:
            self._publish(status=then, place=0)
        return taken

    def _consume(self, events: Events, stop: threading.Event, turn: Turn) -> None:
        begin, beside = self._clock(), Beside()
        try:
            for event in events:
                elapsed = self._clock() - begin
                if isinstance(event, Loaded):  # in a process of its own
                    self._publish(weights=event.sha256)
                    continue
                if isinstance(event, Load):
                    self._publish(load=event, elapsed=elapsed)
                    begin += self._wait(stop, turn)
                    if stop.is_set():
                        return
                    continue
                if isinstance(event, Candidate):
                    self._finish(event, elapsed)
                    for later in beside.next(event.index + 1):
                        self._show(later, beside=beside.newest)
                    continue
                counted = self._counted(event) | {"elapsed": elapsed}
                if beside.holds(event):
                    self._publish(beside=beside.newest, **counted)
                    continue
                self._show(event, **counted)
                begin += self._wait(stop, turn)
                if stop.is_set():
                    return
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def _counted(self, event: FrameEvent) -> dict[str, Any]:
        """What a step of any candidate changes."""
        now, index, frame = self._snapshot, event.candidate, event.frame
        misfits = [*now.misfits, *[()] * (index + 1 - len(now.misfits))]
        if frame.misfit is not None:
            misfits[index] = (*misfits[index], (frame.step, frame.misfit))
        return {"made": now.made + 1, "misfits": tuple(misfits)}

    def _show(self, event: FrameEvent, **counted: Any) -> None:
        """Put a frame at the end of the trajectory, where the page looks."""
        now = self._snapshot
        self._publish(
            _change(now, event),
            candidate=event.candidate,
            frame=event.frame,
            xi=event.xi,
            trajectory=keep(now.trajectory, event),
            **counted,
        )

    def _finish(self, candidate: Candidate, elapsed: float) -> None:
        now = self._snapshot
        item = Finished(now.run, now.settings, candidate, now.weights)
        misfit = "" if candidate.misfit is None else f", misfit {candidate.misfit:.3f}"
        self._publish(
            f"Candidate {candidate.index + 1} finished{misfit}",
            finished=(*now.finished, item)[-KEPT_CANDIDATES:],
            elapsed=elapsed,
        )
        self._pace.learn(now.settings, now.made, elapsed)

    def _wait(self, stop: threading.Event, turn: Turn) -> float:
        """Wait while the run is paused; seconds that it took. Meanwhile another run may have its place."""
        with self._go:
            if not self._paused:
                return 0.0
            if self._steps > 0:
                self._steps -= 1
                return 0.0
            since = self._clock()
            self._publish("" if self._rests else f"Paused{self._where()}", status=Status.PAUSED)
            self._rests = True
            turn.give()
            self._go.wait_for(lambda: not self._paused or self._steps > 0 or stop.is_set())
            if self._steps > 0:
                self._steps -= 1
        if self._take(turn, stop, Status.RUNNING) and not self._paused:
            self._rests = False
            self._publish("Resumed")
        return self._clock() - since

    def _where(self) -> str:
        now = self._snapshot
        return "" if now.frame is None else f" at step {now.frame.step} of candidate {now.candidate + 1}"


def _change(now: Snapshot, event: FrameEvent) -> str:
    """For the log: that the strength of guidance is another one from this step on."""
    held = now.settings.xi if now.xi is None else now.xi
    if event.xi == held or now.settings.target is None:
        return ""
    return f"ξ {held:g} → {event.xi:g} from step {event.frame.step} of candidate {event.candidate + 1}"
