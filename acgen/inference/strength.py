"""Which guidance strength gives a wanted misfit, and what it costs in strain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from acgen.errors import AcgenError
from acgen.networks.models import Models
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings
from acgen.statistics import mean_and_spread

STEPS, HALVINGS = 5, 2
"""How often a strength is doubled or halved until the wanted misfit lies between two, and how often the ratio of these
two is then halved on a logarithmic scale: it is known within a factor of 1.2."""


@dataclass(frozen=True)
class Tried:
    """Candidates of one strength: means over them, and of the misfit the standard deviation.

    Attributes
    ----------
    xi
        Guidance strength.
    misfit, spread, judge_misfit
        Distances to the target by the forward model, their standard deviation, and by the judge.
    energy
        eV per atom above the reference of the density, by the shipped potential; not relaxed.
    """

    xi: float
    misfit: float
    spread: float
    judge_misfit: float
    energy: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


def strengths(settings: Settings, models: Models, wanted: float, together: int = 1) -> Iterator[Tried]:
    """Candidates of the same seeds at several strengths, from that of the settings on, around the one that is wanted.

    Parameters
    ----------
    settings
        What to make at each strength; with a target.
    models
        The networks.
    wanted
        Mean misfit of the candidates.
    together
        As for `acgen.sampling.generate.generate`.

    Raises
    ------
    AcgenError
        If there is no target, or a strength or a misfit that is not positive.
    """
    if settings.target is None or not settings.xi > 0:
        raise AcgenError("a strength is sought for a target, from a positive one on: give --target and --xi")
    if not wanted > 0:
        raise AcgenError(f"the wanted misfit is {wanted:g}: give a positive number, such as 0.1")
    found = _tried(settings, models, settings.xi, together)
    yield found
    factor = 2.0 if found.misfit > wanted else 0.5
    for _ in range(STEPS):
        before, found = found, _tried(settings, models, found.xi * factor, together)
        yield found
        if (found.misfit > wanted) != (before.misfit > wanted):
            break
    else:
        return
    weak, strong = sorted((before.xi, found.xi))
    for _ in range(HALVINGS):
        middle = _tried(settings, models, float(np.sqrt(weak * strong)), together)
        yield middle
        weak, strong = (middle.xi, strong) if middle.misfit > wanted else (weak, middle.xi)


def weakest(tried: Sequence[Tried], wanted: float) -> Tried | None:
    """The weakest of some strengths that gives a misfit; None if none does."""
    return min((one for one in tried if one.misfit <= wanted), key=lambda one: one.xi, default=None)


def _tried(settings: Settings, models: Models, xi: float, together: int) -> Tried:
    events = generate(replace(settings, xi=xi), models, together=together)
    made = [event for event in events if isinstance(event, Candidate)]
    misfit, spread = mean_and_spread(np.array([each.misfit for each in made], dtype=float))
    judge = np.mean([each.judge_misfit for each in made])
    energy = np.mean([each.energy for each in made])
    return Tried(xi, float(misfit), float(spread), float(judge), float(energy))
