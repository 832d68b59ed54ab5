"""A candidate as a task that any process can do: what it is told, and what it gives back.

A task carries settings, a seed and the target's hundred numbers, never networks: the process that does it has its own,
loaded once, and their checksums have to be those that the task names. This module imports nothing heavy, because a
scheduler unpickles tasks without doing them.
"""

from __future__ import annotations

import importlib.util
import platform
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from acgen.errors import AcgenError
from acgen.sampling.settings import Settings
from acgen.spectra.spectrum import Target

if TYPE_CHECKING:
    from acgen.inference.scan import Failed
    from acgen.networks.models import Models
    from acgen.sampling.generate import Candidate

#: What brings dask.distributed.
INSTALL = "pip install 'acgen[cluster]'"


def has_dask() -> bool:
    """Whether dask.distributed, which schedulers and workers need, is installed."""
    return importlib.util.find_spec("distributed") is not None


@dataclass(frozen=True)
class Weights:
    """Which networks a task is to be done with.

    Attributes
    ----------
    sha256
        Of the weights files, by what they are for: ``score``, ``weak``, ``forward``, ``judge``.
    files
        Paths of those that are not the shipped ones, as the process that does the task finds them.
    """

    sha256: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Mapping[str, str]) -> Weights:
        """Those of the shipped networks, but for some files; raises OSError if one cannot be read."""
        from acgen.networks.checkpoint import file_sha256
        from acgen.networks.models import weights_files

        return cls({name: file_sha256(path) for name, path in weights_files(**files).items()}, dict(files))


@dataclass(frozen=True)
class Task:
    """One candidate to make: `settings` ask for one, and its target is in them."""

    settings: Settings
    weights: Weights


@dataclass(frozen=True)
class Load:
    """What a cluster has to do.

    Attributes
    ----------
    threads
        Of all its workers.
    tasks
        That its workers have, of anybody.
    left
        Tasks of this client that are not finished.
    """

    threads: int
    tasks: int
    left: int


def candidate_tasks(settings: Settings, weights: Weights) -> list[Task]:
    """A task for each of the candidates that settings ask for; candidate i has seed + i.

    Raises
    ------
    AcgenError
        If they go on from a frame, of which only one process has the random numbers.
    """
    if settings.resume is not None:
        raise AcgenError("a run that goes on from a frame is made in one process: leave out the scheduler")
    if settings.joint:
        raise AcgenError("candidates that are fitted in their mean are made in one process: leave out the scheduler")
    return [
        Task(replace(settings, candidates=1, seed=settings.seed + index), weights)
        for index in range(settings.candidates)
    ]


@dataclass(frozen=True)
class Screen:
    """Candidates for several targets at several densities.

    Attributes
    ----------
    bases
        Settings for each target; but for the target, and what follows from it, they are the same.
    densities
        g/cm³.

    Raises
    ------
    AcgenError
        If a target is missing or two have one name, or there is no density.
    """

    bases: tuple[Settings, ...]
    densities: tuple[float, ...]

    def __post_init__(self) -> None:
        names = [target.name for target in self.targets]
        if not names or len(set(names)) < len(names) or not self.densities:
            raise AcgenError(f"a screen has targets of different names and a density, got {names}, {self.densities}")

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the candidates are guided towards."""
        return tuple(base.target for base in self.bases if base.target is not None)

    def tasks(self, weights: Weights) -> list[Task]:
        """One candidate for every target and density first, then the second for every one, and so on.

        Raises
        ------
        AcgenError
            If a density is out of range, or has no atoms in the cell.
        """
        first = [replace(base, density=density, candidates=1) for base in self.bases for density in self.densities]
        count, seed = self.bases[0].candidates, self.bases[0].seed
        return [Task(replace(one, seed=seed + index), weights) for index in range(count) for one in first]


_LOADED: dict[tuple[tuple[str, str], ...], Models] = {}
_LOADING = threading.Lock()


def models_for(weights: Weights) -> Models:
    """The networks of this process, loaded when they are first asked for.

    Raises
    ------
    AcgenError
        If the weights files of this machine are others than those that are wanted.
    """
    wanted = tuple(sorted(weights.sha256.items()))
    with _LOADING:
        if wanted not in _LOADED:
            from acgen.networks.models import load_models

            models = load_models(**weights.files)
            other = [name for name, digest in wanted if models.sha256.get(name) != digest]
            if other:
                raise AcgenError(
                    f"the worker on {platform.node()} has other weights ({', '.join(other)}) than the screen was asked "
                    "for with: give it the same files, or the same version of acgen"
                )
            _LOADED.clear()  # one set of networks is kept
            _LOADED[wanted] = models
        return _LOADED[wanted]


def run_task(task: Task) -> Candidate | Failed:
    """Make the candidate of a task on one thread, so that it is the same bit for bit wherever it is made.

    Returns
    -------
    Candidate or Failed
        Failed if its run explodes, which it then does everywhere.

    Raises
    ------
    AcgenError
        If this process has other networks, or the cell is too small for them.
    """
    from acgen.inference.scan import Failed
    from acgen.sampling.generate import Candidate, generate
    from acgen.sampling.sampler import SamplingError
    from acgen.threads import use_threads

    use_threads(asked=1)
    models, settings = models_for(task.weights), task.settings
    try:
        return next(event for event in generate(settings, models) if isinstance(event, Candidate))
    except SamplingError as error:
        return Failed(settings.density, settings.seed, str(error))


def in_process(tasks: Iterable[Task]) -> Iterator[tuple[Task, Candidate | Failed]]:
    """Do tasks one after the other; each with what came of it. Raises as `run_task`."""
    for task in tasks:
        yield task, run_task(task)
