"""Perturbed diamond, with which Figs. 6, 7 and Supp. 4 begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from acgen.reproduction.figure import PAPER_XI, Case, Given
from acgen.sampling.settings import Settings
from acgen.spectra.targets import load_target

NOISE_T = 0.5
"""Noise time of the start: 0.4 Å along each axis."""
AMORPHOUS, CRYSTAL = "a-C-3.5", "diamond"
"""Targets: the public amorphous network of 3.5 g/cm³, and diamond."""
SEEDS = 5
"""Perturbed crystals of each kind; the same ones for every strength of the guide."""
TWO_CELLS = "reproduction/two_cells.safetensors"
"""Score network that knows diamond and one amorphous cell, as the paper trained for these figures."""
HEALING = {"steps": 32, "restarts": 16, "restart_t": (0.4, 0.3), "noise_scale": 0.0}
"""How perturbed diamond becomes a crystal again: steps without noise, and restarts at which crystal grows."""
#: Atoms that are laid on a site to begin with, and rounds of taking the mean shift out.
_STARTS, _ROUNDS = 8, 4


def two_cells(given: Given, paper_xi: float) -> Case:
    """Perturbed diamond by the paper's own kind of network, towards amorphous carbon; Figs. 6 and 7 share them."""
    return Case(f"two-cells-{paper_xi:g}", from_diamond(given, AMORPHOUS, paper_xi, SEEDS), TWO_CELLS)


def from_diamond(given: Given, target: str, paper_xi: float, candidates: int, **others: Any) -> Settings:
    """Settings of runs from diamond that is noised.

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
    start = {"start_t": NOISE_T, "start": given.diamond()}
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
