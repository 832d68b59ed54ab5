"""How long a run will take: a guess that learns from the runs of this server."""

from __future__ import annotations

from acgen.sampling.settings import Settings

#: Seconds for one atom and one step, without and with guidance, on one core of a server of 2023.
GUESS = {False: 7e-5, True: 2.0e-4}


class Pace:
    """Seconds for one atom and one step, as last seen."""

    def __init__(self) -> None:
        self._seen = dict(GUESS)

    def learn(self, settings: Settings, steps: int, seconds: float) -> None:
        """Take note of how long some steps of a run took."""
        if steps > 0 and seconds > 0:
            self._seen[_guided(settings)] = seconds / (steps * settings.n_atoms)

    def seconds(self, settings: Settings) -> float:
        """Estimate for all candidates of a run."""
        before = 0 if settings.resume is None else settings.resume.step
        steps = settings.candidates * (len(settings.plan) - before)
        return self._seen[_guided(settings)] * steps * settings.n_atoms


def _guided(settings: Settings) -> bool:
    return settings.target is not None and settings.xi > 0


#: What the runs of this server have taught.
SERVER_PACE = Pace()
