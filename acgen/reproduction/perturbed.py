"""Perturbed crystals, with which Figs. 6 and 7 and Supp. Figs. 3 and 4 begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from acgen.reproduction.figure import PAPER_XI, Case, Given
from acgen.sampling.settings import Settings
from acgen.spectra.targets import load_target
from acgen.structures.crystals import buckyballs, diamond
from acgen.structures.rings import buckyball_fraction, diamond_fraction

NOISE_T = 0.5
"""Noise time of the start: 0.4 Å along each axis."""
SEEDS = 5
"""Perturbed crystals of each kind; the same ones for every strength of the guide."""
HEALING = {"steps": 32, "restarts": 16, "restart_t": (0.4, 0.3), "noise_scale": 0.0}
"""How a perturbed crystal becomes whole again: steps without noise, and restarts at which crystal grows."""
#: Atoms that are laid on a site to begin with, and rounds of taking the mean shift out.
_STARTS, _ROUNDS = 8, 4


@dataclass(frozen=True)
class Crystal:
    """A crystal that noise perturbs, and the amorphous carbon that a spectrum makes of it.

    Parameters
    ----------
    name, rings
        What it is called, and what atoms of it have.
    cell
        Gives the perfect crystal, of a quick look or (False) of the figure.
    fraction
        Part of the atoms of a structure that have the crystal's rings.
    score
        Shipped score network that knows the crystal and one amorphous cell, as the paper trained for these figures.
    cases
        What names of cases with that network begin with; those with the usual one begin with `usual_cases`.
    amorphous, density
        Target of the amorphous carbon, and the density in g/cm³ of its reference.
    """

    name: str
    rings: str
    cell: Callable[[bool], Atoms]
    fraction: Callable[[Atoms], float]
    score: str
    cases: str
    usual_cases: str
    amorphous: str
    density: float

    def perfect(self, given: Given) -> Atoms:
        """The crystal of a figure, or of a quick look."""
        return self.cell(given.quick)

    def case(self, given: Given, paper_xi: float) -> Case:
        """Perturbed crystals by the paper's own kind of network, towards amorphous carbon."""
        settings = perturbed(given, self, self.amorphous, paper_xi, SEEDS)
        return Case(f"{self.cases}-{paper_xi:g}", settings, self.score)

    def usual_case(self, given: Given, paper_xi: float) -> Case:
        """The same by the usual network."""
        return Case(f"{self.usual_cases}-{paper_xi:g}", perturbed(given, self, self.amorphous, paper_xi, SEEDS))


DIAMOND = Crystal(
    name="diamond",
    rings="diamond's rings",
    cell=lambda quick: diamond(2 if quick else 3),
    fraction=diamond_fraction,
    score="reproduction/two_cells.safetensors",
    cases="two-cells",
    usual_cases="usual",
    amorphous="a-C-3.5",
    density=3.5,
)
"""216 atoms, and the public amorphous network of the same density."""

BUCKYBALLS = Crystal(
    name="buckyballs",
    rings="a buckyball's rings",
    cell=lambda _quick: buckyballs(),
    fraction=buckyball_fraction,
    score="reproduction/buckyballs.safetensors",
    cases="buckyballs",
    usual_cases="buckyballs-usual",
    amorphous="a-C-1.5",
    density=1.68,
)
"""240 atoms of solid C60; the amorphous network whose spectrum guides is of 1.5 g/cm³, the nearest that is public."""


def perturbed(given: Given, crystal: Crystal, target: str, paper_xi: float, candidates: int, **others: Any) -> Settings:
    """Settings of runs from a crystal that is noised.

    Parameters
    ----------
    target, paper_xi
        What guides, and how strongly, in the paper's unit; 0 guides not at all.
    candidates
        Of a full figure.
    others
        Further settings.
    """
    short = {"steps": 8, "restarts": 1, "restart_steps": 4} if given.quick else {}
    start = {"start_t": NOISE_T, "start": crystal.perfect(given)}
    guide = {"target": load_target(target), "xi": paper_xi * PAPER_XI}
    return Settings(**{**HEALING, **short, **start, **guide, "candidates": given.count(candidates), **others})


def displacement(positions: np.ndarray, lattice: np.ndarray, cell: np.ndarray) -> float:
    """Root mean square distance in Å of atoms from the nearest site of a lattice, a shift of all atoms taken out.

    Parameters
    ----------
    positions, lattice
        Of atoms and sites, shape (N, 3) and (M, 3), in Å; the first two sites stand for all, as in diamond.
    cell
        Periodic cell, rows in Å, shape (3, 3).
    """
    starts = [atom - site for atom in positions[:_STARTS] for site in lattice[:2]]
    return min(_from_shift(positions, lattice, cell, shift) for shift in starts)


def _from_shift(positions: np.ndarray, lattice: np.ndarray, cell: np.ndarray, shift: np.ndarray) -> float:
    """The distance for the best shift near one."""
    inverse = np.linalg.inv(cell)
    for _ in range(_ROUNDS):
        apart = (positions - shift)[:, None] - lattice[None]
        apart -= np.rint(apart @ inverse) @ cell
        nearest = np.take_along_axis(apart, np.argmin((apart**2).sum(-1), axis=1)[:, None, None], axis=1)[:, 0]
        shift = shift + nearest.mean(0)
    return float(np.sqrt(((nearest - nearest.mean(0)) ** 2).sum(-1).mean()))
