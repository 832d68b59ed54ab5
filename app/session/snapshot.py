"""The state of a run at one moment: immutable, so that a thread can publish it and any session can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from acgen.inference.tasks import Load
from acgen.results.describe import shares_words
from acgen.results.run import LogEntry, Run
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.sampler import Frame
from acgen.sampling.settings import Settings
from app.look import colours

#: Bytes of frames that a session keeps; beyond them every second one is dropped.
KEPT_BYTES = 150_000_000
#: Candidates that a session keeps, over all its runs; and runs.
KEPT_CANDIDATES, KEPT_RUNS = 200, 500


class Status(StrEnum):
    """What a run is doing."""

    IDLE = "idle"
    QUEUED = "queued"
    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """Whether a worker is at work, or waits to go on."""
        return self in (Status.QUEUED, Status.LOADING, Status.RUNNING, Status.PAUSED)


@dataclass(frozen=True, eq=False)
class Finished:
    """A candidate, the run of this session that made it (from 1), and the settings of that run.

    `weights` are the SHA-256 of
    the networks that made it.
    """

    run: int
    settings: Settings
    candidate: Candidate
    weights: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> tuple[int, int]:
        """Run and index: names the candidate within its session."""
        return self.run, self.candidate.index

    @property
    def name(self) -> str:
        """What tables and legends call it."""
        return f"{self.run}.{self.candidate.index + 1}"

    @property
    def colour(self) -> str:
        """In which table, map and spectrum show it; neighbours of a run, and first ones of two runs, differ."""
        return colours.OVERLAY[(3 * (self.run - 1) + self.candidate.index) % len(colours.OVERLAY)]


@dataclass(frozen=True)
class Snapshot:
    """The state of a run at one moment.

    Attributes
    ----------
    version
        Grows with every snapshot of a runner.
    run
        Number of the run in its session, from 1.
    status, place
        What the run is doing; its place in the line while it is queued, from 1.
    settings
        What it runs with; None before the first.
    weights
        SHA-256 of the networks that it runs with, by whoever has loaded them; empty until they are.
    candidate, frame, xi
        The newest frame, the candidate it belongs to, and the guidance strength of its step; None before the first.
        Of several candidates at work at a time it is the first one's.
    beside
        The newest frame of each candidate that is worked on beside the one on display.
    made
        Steps so far, of all candidates.
    trajectory
        The frames so far, by candidate and step; thinned beyond `KEPT_BYTES`. Those of a candidate that is worked on
        beside the first are added once the first is finished.
    misfits
        Steps that were guided so far and the misfit there, one tuple of pairs for each candidate begun.
    finished
        The finished candidates of this and of the earlier runs of the session.
    log
        What was done in this run.
    earlier
        The earlier runs of the session with their settings and logs; what they found is in `finished`.
    load
        What the cluster that the run is on has to do; None for a run of this server.
    elapsed
        Seconds of work so far, without pauses; 0 where it is not known.
    error
        What went wrong and what to do, if the run failed.
    """

    version: int = 0
    run: int = 0
    status: Status = Status.IDLE
    place: int = 0
    settings: Settings | None = None
    weights: Mapping[str, str] = field(default_factory=dict, repr=False)
    candidate: int = 0
    frame: Frame | None = None
    xi: float | None = None
    beside: tuple[FrameEvent, ...] = ()
    made: int = 0
    trajectory: tuple[FrameEvent, ...] = ()
    misfits: tuple[tuple[tuple[int, float], ...], ...] = ()
    finished: tuple[Finished, ...] = ()
    log: tuple[LogEntry, ...] = ()
    load: Load | None = None
    earlier: tuple[Run, ...] = ()
    elapsed: float = 0.0
    error: str = ""

    @property
    def runs(self) -> tuple[Run, ...]:
        """Settings, networks and log of every run of the session, without what was found."""
        if self.settings is None:
            return self.earlier
        elapsed = self.elapsed or None
        this = Run(self.settings, (), dict(self.weights), log=self.log, number=self.run, elapsed=elapsed)
        return (*self.earlier, this)[-KEPT_RUNS:]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates that this run has finished, without those that were kept unfinished."""
        own = (item.candidate for item in self.finished if item.run == self.run)
        return tuple(candidate for candidate in own if candidate.unfinished is None)

    @property
    def progress(self) -> float:
        """Fraction of all steps that is done, 0-1."""
        if self.settings is None:
            return 0.0
        if self.status is Status.DONE:
            return 1.0
        if self.frame is None:
            return len(self.candidates) / self.settings.candidates
        before = 0 if self.settings.resume is None else self.settings.resume.step
        return min(self.made / (self.settings.candidates * (self.frame.steps - before)), 1.0)

    @property
    def at_work(self) -> int:
        """How many candidates are worked on at a time."""
        return max(len(self.misfits) - len(self.candidates), 1)

    @property
    def remaining(self) -> float | None:
        """Seconds of work left at the pace so far; None while it is not known."""
        if not 0 < self.progress or not self.status.active:
            return None
        return self.elapsed * (1 / self.progress - 1)


def keep(trajectory: tuple[FrameEvent, ...], event: FrameEvent) -> tuple[FrameEvent, ...]:
    """A trajectory with one more frame, thinned if it has grown too large."""
    frame = event.frame
    spectrum = 0 if frame.prediction is None else frame.prediction.nbytes
    moving = 0 if frame.velocities is None else frame.velocities.nbytes
    size = frame.positions.nbytes + frame.denoised.nbytes + frame.rng_state.nbytes + spectrum + moving
    if len(trajectory) >= max(2, KEPT_BYTES // size):
        trajectory = trajectory[::2]
    return (*trajectory, event)


def in_words(settings: Settings) -> str:
    """All that decides the result, in one line."""
    lengths = " × ".join(f"{edge:.2f}" for edge in (settings.box**2).sum(1) ** 0.5)
    guide = "no target" if settings.target is None else f"target {settings.target.name}, ξ {settings.xi:g}"
    refined = f"{settings.refine:g} ps from {settings.refine_temperature:g} K, " if settings.refine else ""
    guide += " behind a fitted instrument" if settings.instrument else ""
    guide += "" if settings.pdf is None else f", PDF {settings.pdf.name}, ξ {settings.xi_pdf:g}"
    guide += f", {shares_words(settings)}, ξ {settings.xi_cn:g}" if settings.shares else ""
    return (
        f"{settings.n_atoms} atoms at {settings.density:.3g} g/cm³ in {lengths} Å, {guide}, {settings.steps} steps, "
        f"{settings.restarts} restarts, {refined}{settings.candidates} candidates, seed {settings.seed}"
    )
