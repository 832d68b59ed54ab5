"""A structure ready to be drawn and plotted: wrapped into its cell and analysed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acgen.analysis import HIGHEST_CN, angle_distribution, bond_angles, bonds, coordination_numbers
from acgen.ensemble import Candidate
from acgen.structure import carbon, density
from app.runner import Snapshot


@dataclass(frozen=True)
class Shown:
    """One structure and what the views draw of it.

    Attributes
    ----------
    density
        g/cm³.
    positions, cell
        Atoms inside the cell and cell vectors as rows, in Å, shapes (N, 3) and (3, 3).
    coordination
        Coordination number of every atom, shape (N,).
    sticks
        Pairs of bonded atoms, without the bonds that reach across the boundary, shape (M, 2).
    fractions
        Fraction of the atoms by coordination number, keys 0 to 5 (5 or more).
    angles
        Bond-angle distribution per degree over `acgen.analysis.ANGLE_EDGES`.
    prediction
        Predicted mean spectrum, shape (100,); None where no forward model was asked.
    """

    density: float
    positions: np.ndarray
    cell: np.ndarray
    coordination: np.ndarray
    sticks: np.ndarray
    fractions: dict[int, float]
    angles: np.ndarray
    prediction: np.ndarray | None


def show_frame(snapshot: Snapshot) -> Shown:
    """The newest frame of a run."""
    return _shown(snapshot.frame.positions, snapshot.settings.box, snapshot.frame.prediction)


def show_candidate(candidate: Candidate) -> Shown:
    """A finished candidate."""
    atoms = candidate.atoms
    return _shown(atoms.positions, np.asarray(atoms.cell), candidate.spectrum)


def _shown(positions: np.ndarray, cell: np.ndarray, prediction: np.ndarray | None) -> Shown:
    atoms = carbon(np.asarray(positions, dtype=float), cell)
    numbers = coordination_numbers(atoms)
    counts = np.bincount(np.minimum(numbers, HIGHEST_CN), minlength=HIGHEST_CN + 1)
    return Shown(
        density=density(atoms),
        positions=atoms.positions,
        cell=cell,
        coordination=numbers,
        sticks=bonds(atoms, across_boundary=False)[0],
        fractions={cn: float(count / len(atoms)) for cn, count in enumerate(counts)},
        angles=angle_distribution(bond_angles(atoms)),
        prediction=prediction,
    )
