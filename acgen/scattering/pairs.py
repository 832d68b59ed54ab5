"""The reduced pair distribution function G(r) of a periodic structure, and its structure factor S(Q).

With the number density ρ and the distances r_ij of the atoms of a cell to all others, images included,

    G(r) = 4 π ρ r (g(r) - 1) = 1/N Σ_ij δ(r - r_ij) / r_ij - 4 π ρ r
    F(Q) = Q (S(Q) - 1) = ∫ G(r) sin(Q r) dr

(Egami and Billinge, *Underneath the Bragg Peaks*, ch. 3). A Gaussian of width σ in place of δ is the window
exp(-Q² σ² / 2) on F(Q); the straight line stays as it is. Every curve is seen through that window, measured ones too.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list

from acgen.structures.cell import AMU_PER_A3, CARBON_MASS

REACH = 5.0
"""Distance from a peak, in units of its σ, beyond which its Gaussian is left out: it is 4·10⁻⁶ of its height there."""


def number_density(density: float) -> float:
    """Carbon atoms per Å³ at a density in g/cm³."""
    return density / (CARBON_MASS * AMU_PER_A3)


def reduced_pdf(atoms: Atoms, r: np.ndarray, sigma: float) -> np.ndarray:
    """G(r) in Å⁻² of a structure, through a window of σ in Å.

    Parameters
    ----------
    atoms
        One kind of atoms in a periodic cell of any shape; images count however large r is.
    r
        Distances in Å, shape (points,).
    """
    r = np.asarray(r, dtype=float)
    reach, cell = float(r.max()) + REACH * sigma, atoms.cell.array
    distances = neighbour_list("d", cutoff=reach, positions=atoms.positions, cell=cell, pbc=[True] * 3)
    rho, gained = len(atoms) / atoms.get_volume(), np.zeros(r.shape)
    for some in np.array_split(distances, len(distances) // 10_000 + 1):  # a matrix of a bounded size
        gained += (np.exp(-0.5 * ((r[:, None] - some) / sigma) ** 2) / some).sum(1)
    return gained / (len(atoms) * sigma * np.sqrt(2 * np.pi)) - 4 * np.pi * rho * r


def pair_distribution(atoms: Atoms, r: np.ndarray, sigma: float) -> np.ndarray:
    """g(r), 1 for a random gas, through a window of σ in Å; shape (points,) as r, which has no 0."""
    rho = len(atoms) / atoms.get_volume()
    return 1 + reduced_pdf(atoms, r, sigma) / (4 * np.pi * rho * np.asarray(r))


def structure_factor(r: np.ndarray, reduced: np.ndarray, q: np.ndarray) -> np.ndarray:
    """S(Q) at q in Å⁻¹, shape (points,), of G(r) in Å⁻² over r in Å, from near 0 to where it has died away."""
    return 1 + np.trapezoid(reduced * np.sin(q[:, None] * r), r, axis=1) / q


def reduced_of(q: np.ndarray, s: np.ndarray, r: np.ndarray, sigma: float) -> np.ndarray:
    """G(r) in Å⁻² at r in Å, through a window of σ in Å, of a measured S(Q) over Q in Å⁻¹.

    Below the first Q, F(Q) = Q (S - 1) is taken to fall to 0 in a straight line.
    """
    f = q * (s - 1) * np.exp(-0.5 * (q * sigma) ** 2)
    q, f = np.concatenate([[0.0], q]), np.concatenate([[0.0], f])
    return 2 / np.pi * np.trapezoid(f * np.sin(r[:, None] * q), q, axis=1)
