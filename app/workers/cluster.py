"""Runs on the workers of a Dask scheduler instead of processes of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from acgen.errors import AcgenError
from acgen.inference.scan import Failed
from acgen.inference.tasks import INSTALL, Load, Weights, candidate_tasks, has_dask
from acgen.networks.models import Models
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.settings import LiveXi, Settings
from app.workers.models import Loaded

Events = Iterator[Loaded | Load | FrameEvent | Candidate]

#: Seconds between two looks at what the cluster does; a run can be stopped then.
BEAT = 0.5


def on_scheduler(address: str, here: Callable[[Settings, Models | None, LiveXi], Events]):
    """A `generate` whose candidates are made by the workers of a scheduler, each as a whole, without frames.

    Parameters
    ----------
    address
        Of the scheduler, as tcp://host:8786.
    here
        Makes a run that goes on from a frame: of that only one process has the random numbers.
    """

    def generate(settings: Settings, models: Models | None, strength: LiveXi) -> Events:
        """Raises AcgenError if there is no Dask, the scheduler does not answer, or a candidate cannot be made."""
        if settings.resume is not None:
            yield from here(settings, models, strength)
            return
        if not has_dask():
            raise AcgenError(f"--scheduler needs dask.distributed: {INSTALL}, and start the server again")
        from acgen.inference.cluster import connect, watched

        weights = Weights.of({})
        with connect(address) as client:
            yield Loaded(weights.sha256)
            for found in watched(client, candidate_tasks(replace(settings, xi=strength.xi), weights), BEAT):
                if isinstance(found, Load):
                    yield found
                    continue
                task, made = found
                if isinstance(made, Failed):
                    raise AcgenError(f"the candidate of seed {made.seed} failed: {made.reason}")
                yield replace(made, index=task.settings.seed - settings.seed)

    return generate
