"""A run as far as it went: what the archive, the report and the page hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from acgen.checks import all_of, is_count, is_number, want
from acgen.errors import AcgenError
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.settings import Settings


class ResultsError(AcgenError):
    """A result that cannot be written or read; the message says why and what to do."""


@dataclass(frozen=True)
class LogEntry:
    """One thing that was done, in plain words; `when` is local time as ISO 8601 with its offset, empty if unknown."""

    when: str
    text: str

    def __post_init__(self) -> None:
        want(isinstance(self.when, str) and isinstance(self.text, str), "an entry of a log is no text")

    @classmethod
    def now(cls, text: str) -> LogEntry:
        """An entry of this moment."""
        return cls(datetime.now().astimezone().isoformat(timespec="seconds"), text)

    @property
    def line(self) -> str:
        """Time and text."""
        return f"{self.when} {self.text}".lstrip()


@dataclass(frozen=True)
class Run:
    """A run as far as it went.

    Attributes
    ----------
    settings
        What was asked for.
    candidates
        What is finished; at least one to write it.
    weights
        SHA-256 of the networks' files, `acgen.sampling.generate.Models.sha256`.
    frames
        Frames of any candidates, in order; may be empty.
    log
        What was done, such as a changed xi or a branch.
    number
        Of the run in its session, from 1.
    earlier
        Other runs of the session, most of them earlier, with or without candidates; they have no others themselves.
    uploaded
        Structures from files as candidates, each with its name in `atoms.info["name"]`, and the settings that they were
        compared by: no run made them.
    elapsed
        Seconds of work, without pauses; None where it is not known.
    """

    settings: Settings
    candidates: tuple[Candidate, ...]
    weights: Mapping[str, str]
    frames: tuple[FrameEvent, ...] = field(default=(), repr=False)
    log: tuple[LogEntry, ...] = ()
    number: int = 1
    earlier: tuple[Run, ...] = ()
    uploaded: Run | None = None
    elapsed: float | None = None

    def __post_init__(self) -> None:
        # Until format 3 a log was lines of text.
        log = tuple(LogEntry("", entry) if isinstance(entry, str) else entry for entry in self.log)
        object.__setattr__(self, "log", log)
        want(isinstance(self.settings, Settings), "a run has no settings")
        want(is_count(self.number, 1), "a run has no number")
        want(all_of(self.candidates, Candidate), "a run has candidates that are none")
        want(all_of(self.frames, FrameEvent), "a run has frames that are none")
        want(all_of(log, LogEntry), "the log of a run has no entries")
        words = [*self.weights.keys(), *self.weights.values()]
        want(all(isinstance(word, str) for word in words), "the weights of a run have no checksums")
        want(all_of(self.earlier, Run), "a run has earlier runs that are none")
        want(not any(run.earlier for run in self.earlier), "an earlier run has earlier ones")
        want(self.uploaded is None or isinstance(self.uploaded, Run), "the structures from files are none")
        want(self.elapsed is None or is_number(self.elapsed), "a run has a time of work that is no number")
