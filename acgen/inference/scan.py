"""A scan of guided candidates over several densities.

The guide pulls candidates of every density towards the target; the judge, which took no part, says how near they came.
Unlike `acgen.inference.density.estimate_density`, which weighs unguided structures, this asks what can be reached.
What a scan says is found in `acgen.inference.scan_answer`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from acgen.errors import AcgenError
from acgen.inference.defaults import ATOMS
from acgen.inference.density import DensityEstimate
from acgen.networks.models import Models
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.sampler import SamplingError
from acgen.sampling.settings import Settings
from acgen.spectra.model_error import TRUSTED
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import DENSITY_RANGE, edge_of

STEP, LOWEST, HIGHEST = 0.25, 1.25, 3.75
"""Densities in g/cm³ that are scanned by default: their distance, and the range."""


@dataclass(frozen=True)
class ScanPoint:
    """One guided candidate of a scan.

    Attributes
    ----------
    density
        g/cm³.
    seed
        Of its random numbers.
    misfit, judge_misfit
        By the network that guided, and by the judge.
    cn_fraction
        Fractions from 0 to 1 of coordination numbers "2", "3", "4".
    wall_s
        Time it took.
    """

    density: float
    seed: int
    misfit: float
    judge_misfit: float
    cn_fraction: dict[str, float]
    wall_s: float = 0.0


@dataclass(frozen=True)
class Failed:
    """A candidate whose run exploded, and why; the scan goes on without it."""

    density: float
    seed: int
    reason: str


def default_densities(estimate: DensityEstimate | None = None) -> tuple[float, ...]:
    """Densities to scan: steps of 0.25 g/cm³ around a plain estimate, five at least; 1.25-3.75 g/cm³ without one
    or with one that is not to be trusted."""
    count = round((HIGHEST - LOWEST) / STEP) + 1
    grid = LOWEST + STEP * np.arange(count)
    if estimate is None or estimate.best_misfit > TRUSTED:
        return tuple(grid.tolist())
    distance = np.abs(grid - estimate.density)
    near = np.count_nonzero(distance <= max(2.5 * estimate.density_error, 2 * STEP))
    return tuple(grid[np.sort(np.argsort(distance)[: max(near, 5)])].tolist())


def check_densities(densities: Sequence[float]) -> tuple[float, ...]:
    """Densities to scan in g/cm³, in order and each once.

    Raises
    ------
    AcgenError
        If there are fewer than two, or one is out of range.
    """
    low, high = DENSITY_RANGE
    wrong = [density for density in densities if not low <= density <= high]
    if wrong:
        raise AcgenError(f"cannot scan {wrong[0]} g/cm³: give densities from {low} to {high} g/cm³")
    found = tuple(sorted({round(float(density), 3) for density in densities}))
    if len(found) < 2:
        raise AcgenError(f"a scan needs two densities at least, got {len(found)}")
    return found


def scan(
    settings: Settings,
    densities: Sequence[float],
    models: Models,
    atoms: int = ATOMS,
    done: Collection[ScanPoint] = (),
) -> Iterator[tuple[float, FrameEvent | Candidate | Failed]]:
    """Guided candidates at each density: one of every density first, then the second of every density, and so on.

    Close the generator to stop.

    Parameters
    ----------
    settings
        What to generate but for density and cell: candidates are those of one density, candidate i uses seed + i.
    densities
        g/cm³.
    models
        The networks.
    atoms
        Of each candidate, in a cube.
    done
        Candidates of an earlier scan, which are not made again.

    Yields
    ------
    tuple[float, FrameEvent or Candidate or Failed]
        A density in g/cm³, and a frame of its candidate, that candidate, or why there is none.

    Raises
    ------
    AcgenError
        If there is no target or the densities are no scan.
    """
    if settings.target is None:
        raise AcgenError("a guided scan needs a target: give one in the settings")
    densities = check_densities(densities)
    known = {(point.density, point.seed) for point in done}
    for seed in range(settings.seed, settings.seed + settings.candidates):
        for density in densities:
            if (density, seed) in known:
                continue
            one = replace(settings, density=density, cell=edge_of(atoms, density), candidates=1, seed=seed)
            try:
                for event in generate(one, models):
                    yield density, event
            except SamplingError as error:
                yield density, Failed(density, seed, str(error))


def point_of(density: float, candidate: Candidate) -> ScanPoint:
    """What a scan keeps of a candidate.

    Raises
    ------
    AcgenError
        If it was made without a target.
    """
    if candidate.misfit is None or candidate.judge_misfit is None:
        raise AcgenError("a candidate of a scan has misfits: generate it with a target")
    fractions = coordination_fractions(candidate.atoms)
    shares = {str(cn): float(fractions[cn]) for cn in (2, 3, 4)}
    return ScanPoint(
        density, candidate.seed, candidate.misfit, candidate.judge_misfit, shares, round(candidate.wall_s, 3)
    )
