"""Surroundings of atoms as vectors, and how near the surroundings of some atoms come to those of others: a detector of
copies.

The vectors are power spectra of the smoothed density of neighbours (Bartók et al., Phys. Rev. B 87, 184115 (2013)): the
same in every orientation and order of the atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list

from acgen.errors import AcgenError
from acgen.structures.cell import density as density_of
from acgen.structures.reference import reference_cells

REACH, SHELLS, SMEAR, ORDER = 5.0, 8, 0.35, 6
"""Radius in Å of what counts, number of its shells, their width in Å, and highest order of spherical harmonics."""
RARE = 0.01
"""Part of held-out atoms whose surroundings are nearer to known ones than what counts as a copy."""
OF_A_DENSITY, MOST_ATOMS = 0.26, 5000
"""How far in g/cm³ cells may be from a structure to be of its density, and the most atoms that are compared."""
_NEAREST = 1.2
#: Rows that are compared at a time.
_BLOCK = 500


def environments(atoms: Atoms) -> np.ndarray:
    """Surroundings of every atom of a periodic structure, as vectors of length 1; shape (N, `ORDER` + 1 times 36)."""
    from scipy.sparse import csr_array
    from scipy.special import sph_harm_y

    receivers, lengths, vectors = neighbour_list(
        "idD", cutoff=REACH, positions=atoms.positions, cell=np.asarray(atoms.cell), pbc=[True] * 3
    )
    shells = np.linspace(_NEAREST, REACH, SHELLS)
    radial = np.exp(-((lengths[:, None] - shells) ** 2) / (2 * SMEAR**2))
    radial *= 0.5 * (1 + np.cos(np.pi * lengths[:, None] / REACH))
    polar = np.arccos(np.clip(vectors[:, 2] / np.maximum(lengths, 1e-9), -1, 1))
    azimuth = np.arctan2(vectors[:, 1], vectors[:, 0])
    edges = np.arange(len(receivers))
    at_atoms = csr_array((np.ones(len(edges)), (receivers, edges)), shape=(len(atoms), len(edges)))
    first, second = np.triu_indices(SHELLS)
    weight = np.where(first == second, 1.0, np.sqrt(2))
    parts = []
    for order in range(ORDER + 1):
        power = np.zeros((len(atoms), SHELLS, SHELLS))
        for m in range(-order, order + 1):
            density = at_atoms @ (sph_harm_y(order, m, polar, azimuth)[:, None] * radial)
            power += (density[:, :, None] * density[:, None].conj()).real
        parts.append(power[:, first, second] * weight / np.sqrt(2 * order + 1))
    found = np.concatenate(parts, axis=1)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-300)


def nearest(found: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Distance of each of some surroundings from the nearest of others: 0 for the same, √2 for nothing in common.

    Parameters
    ----------
    found, known
        Of `environments`, shape (N, length) and (M, length).

    Returns
    -------
    ndarray
        Shape (N,).
    """
    blocks = [found[k : k + _BLOCK] @ known.T for k in range(0, len(found), _BLOCK)]
    overlap = np.concatenate([block.max(axis=1) for block in blocks])
    return np.sqrt(np.maximum(2 - 2 * overlap, 0.0))


def copied(found: Sequence[Atoms], known: Sequence[Atoms], others: Sequence[Atoms] = ()) -> float:
    """Part of the atoms whose surroundings are nearer to known ones than those of all but `RARE` of held-out atoms are.

    `RARE` itself, or less, says that nothing is copied; 1 that everything is.

    Parameters
    ----------
    found
        Structures that may hold copies.
    known
        Two structures or more of their density; each is held out in turn, against the rest and `others`.
    others
        Further structures that may have been copied but are not held out, such as snapshots of one network.

    Raises
    ------
    AcgenError
        If fewer than two structures are known.
    """
    theirs, limit = _known(known, others)
    mine = np.concatenate([nearest(environments(atoms), theirs) for atoms in found])
    return float(np.mean(mine < limit))


def copied_from_shipped(atoms: Atoms) -> float | None:
    """The same of one structure, against the shipped cells of its density, which the networks learned from.

    None where there are no such cells within `OF_A_DENSITY`, and of more than `MOST_ATOMS`.
    """
    if len(atoms) > MOST_ATOMS:
        return None
    nearest_density = min(_shipped_densities(), key=lambda known: abs(known - density_of(atoms)))
    if abs(nearest_density - density_of(atoms)) > OF_A_DENSITY:
        return None
    known, limit = _shipped(nearest_density)
    return float(np.mean(nearest(environments(atoms), known) < limit))


@cache
def _shipped_densities() -> tuple[float, ...]:
    return tuple({float(atoms.info["density"]) for atoms in reference_cells()})


@cache
def _shipped(density: float) -> tuple[np.ndarray, float]:
    """Surroundings in the shipped cells of a density, and their limit, as `_known`."""
    return _known([atoms for atoms in reference_cells() if atoms.info["density"] == density])


def _known(known: Sequence[Atoms], others: Sequence[Atoms] = ()) -> tuple[np.ndarray, float]:
    """Surroundings of known structures, and the distance from them below which surroundings are copies."""
    if len(known) < 2:
        raise AcgenError(f"copies are told by what known structures have in common: got {len(known)}, give two or more")
    theirs, more = [environments(atoms) for atoms in known], [environments(atoms) for atoms in others]
    held = [nearest(one, np.concatenate([o for o in theirs if o is not one] + more)) for one in theirs]
    return np.concatenate(theirs + more), float(np.quantile(np.concatenate(held), RARE))
