"""A run as far as it went: what the archive, the report and the page hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.settings import Settings


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
        What was done, one sentence each, such as a changed xi or a branch.
    number
        Of the run in its session, from 1.
    earlier
        Earlier runs of the session, which have no earlier ones themselves.
    """

    settings: Settings
    candidates: tuple[Candidate, ...]
    weights: Mapping[str, str]
    frames: tuple[FrameEvent, ...] = field(default=(), repr=False)
    log: tuple[str, ...] = ()
    number: int = 1
    earlier: tuple[Run, ...] = ()
