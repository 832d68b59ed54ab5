"""Cells, densities and carbon atoms in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from acgen.errors import AcgenError

CARBON_MASS = 12.011
"""g/mol."""
AMU_PER_A3 = 1.66053906660
"""Density in g/cm³ of one atomic mass unit per Å³."""
DENSITY_RANGE = (0.5, 4.0)
"""Densities in g/cm³ for which structures are generated."""
DENSEST = 3.52
"""Density of diamond in g/cm³: no carbon is denser without pressure."""


def cell_matrix(cell: float | Sequence[float] | np.ndarray) -> np.ndarray:
    """Cell vectors as rows in Å, shape (3, 3), from one edge (cube), three edges, or the vectors themselves.

    Raises
    ------
    AcgenError
        If the edges are not positive finite lengths or the vectors span no volume.
    """
    box = np.asarray(cell, dtype=float)
    if box.shape in ((), (1,)):
        box = np.full(3, float(box.reshape(())))
    if box.shape == (3,):
        box = np.diag(box)
    if box.shape != (3, 3):
        raise AcgenError(f"a cell of shape {box.shape} was given; give one edge, three edges or three vectors in Å")
    if not np.isfinite(box).all() or np.linalg.det(box) <= 0:
        raise AcgenError(f"the cell {box.tolist()} Å has no positive volume; give positive edges in Å, right-handed")
    return box


def heights(cell: np.ndarray) -> np.ndarray:
    """Distances between opposite faces of a cell (3, 3) in Å, shape (3,)."""
    return 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def n_atoms(density: float, cell: np.ndarray) -> int:
    """Number of carbon atoms that comes closest to `density` in g/cm³ in a cell (3, 3) in Å.

    Raises
    ------
    AcgenError
        If the density is outside 0.5-4 g/cm³.
    """
    low, high = DENSITY_RANGE
    if not low <= density <= high:
        raise AcgenError(f"density {density} g/cm³ is out of range; carbon is generated between {low} and {high} g/cm³")
    return max(1, round(density * abs(np.linalg.det(cell)) / (AMU_PER_A3 * CARBON_MASS)))


def edge_of(atoms: int, density: float) -> float:
    """Edge in Å of a cube with this many carbon atoms at this density in g/cm³."""
    return float((atoms * CARBON_MASS * AMU_PER_A3 / density) ** (1 / 3))


def density(atoms: Atoms) -> float:
    """Density of a periodic structure in g/cm³."""
    return float(atoms.get_masses().sum() * AMU_PER_A3 / atoms.get_volume())


def carbon(positions: np.ndarray, cell: np.ndarray) -> Atoms:
    """Periodic carbon atoms at positions (N, 3) in Å, wrapped into the cell (3, 3)."""
    atoms = Atoms(numbers=np.full(len(positions), 6), positions=positions, cell=cell, pbc=True)
    atoms.wrap()
    return atoms
