"""How far apart two sets of structures are: one distance for each thing that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from acgen.statistics import energy_distance
from acgen.structures.analysis import bond_angles, radial_distribution, steinhardt, structure_factor, voronoi_volumes
from acgen.structures.potential import nep_energies
from acgen.structures.rings import RING_SIZES, rings

DISTANCES = {
    "order": "energy distance of the points (q̄4, q̄6)",
    "angles": "Wasserstein distance of bond angles in degrees",
    "rdf": "root mean square difference of g(r) up to 6 Å",
    "sq": "root mean square difference of S(q) from 1 to 12 Å⁻¹",
    "volumes": "Wasserstein distance of Voronoi volumes in Å³",
    "rings": "sum over 3 to 7 atoms of the difference in rings per atom",
    "energies": "Wasserstein distance of energies of atoms in eV",
}
"""What is compared, and by which distance."""


def features(atoms: Atoms, potential: str | Path | None = None) -> dict[str, np.ndarray]:
    """What is compared of a structure, by the names of `DISTANCES`; energies only with a potential.

    Returns
    -------
    dict
        Samples: `order` (N, 2), `angles`, `volumes` in Å³ and `energies` in eV; curves: `rdf`, `sq`, and `rings` per
        atom of each size of `acgen.structures.rings.RING_SIZES`.
    """
    order = np.column_stack([steinhardt(atoms, 4), steinhardt(atoms, 6)])
    found = rings(atoms)
    every = {
        "order": order[np.isfinite(order).all(axis=1)],
        "angles": bond_angles(atoms),
        "rdf": radial_distribution(atoms).g,
        "sq": structure_factor(atoms).s,
        "volumes": voronoi_volumes(atoms),
        "rings": np.array([len(found[size]) / len(atoms) for size in RING_SIZES]),
    }
    return every if potential is None else every | {"energies": nep_energies(atoms, potential)}


def distance(what: str, first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Distance of two sets of structures.

    Parameters
    ----------
    what
        A name of `DISTANCES`.
    first, second
        That part of the `features` of each structure of the sets.
    """
    if what == "order":
        return energy_distance(np.concatenate(first), np.concatenate(second))
    if what in ("rdf", "sq", "rings"):
        # a small cell has no vectors q in some bins of S(q)
        apart = np.ma.masked_invalid(first).mean(axis=0) - np.ma.masked_invalid(second).mean(axis=0)
        return float(np.abs(apart).sum() if what == "rings" else np.sqrt((apart**2).mean()))
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(np.concatenate(first), np.concatenate(second)))
