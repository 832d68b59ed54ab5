"""Energies of structures by the shipped potential, and how right they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from ase import Atoms

from acgen.errors import AcgenError
from acgen.networks.models import predict_energies, predict_forces
from acgen.networks.network import EnergyModel
from acgen.structures.cell import density as density_of
from acgen.structures.reference import reference_at, reference_cells


def energy_above_reference(atoms: Atoms, potential: EnergyModel) -> float:
    """Energy in eV per atom above that of the reference of the same density, at 300 K and not relaxed.

    What the potential gives for the shipped reference cells is compared with their own energies, and its mean error
    there, by density, is taken off.
    """
    density = density_of(atoms)
    reference = reference_at(density).energy
    if reference is None:
        raise AcgenError("the reference figures have no energies: build them with a potential")
    densities, errors = _errors(potential)
    return float(predict_energies(potential, atoms).mean() - np.interp(density, densities, errors) - reference)


@lru_cache(maxsize=2)
def _errors(potential: EnergyModel) -> tuple[np.ndarray, np.ndarray]:
    """Densities in g/cm³ of the shipped cells, and the potential's mean error there in eV per atom."""
    cells = reference_cells()
    at = np.array([round(density_of(cell), 1) for cell in cells])
    off = np.array([predict_energies(potential, cell).mean() - cell.info["energy_per_atom"] for cell in cells])
    densities = np.unique(at)
    return densities, np.array([off[at == density].mean() for density in densities])


@dataclass(frozen=True)
class PotentialError:
    """How a potential errs on structures whose energies and forces are known.

    Attributes
    ----------
    structures
        How many.
    force, force_rms
        Root mean square error of a component of the forces, and of the component itself, in eV/Å.
    energy
        Root mean square error of the energy in eV per atom.
    rank
        Spearman's correlation of predicted and true energies.
    """

    structures: int
    force: float
    force_rms: float
    energy: float
    rank: float


def potential_error(potential: EnergyModel, structures: Sequence[Atoms]) -> PotentialError:
    """Compare a potential with the energies and forces that come with structures, as in extxyz files of ase.

    Raises
    ------
    AcgenError
        If a structure has none.
    """
    from scipy.stats import spearmanr  # half a second of imports, which a page does not need

    for atoms in structures:
        if not {"energy", "forces"} <= getattr(atoms.calc, "results", {}).keys():
            raise AcgenError("a structure has no energy or forces: give files of `acgen data energies`")
    true = np.concatenate([atoms.get_forces() for atoms in structures])
    found = np.concatenate([predict_forces(potential, atoms) for atoms in structures])
    energies = np.array([atoms.get_potential_energy() / len(atoms) for atoms in structures])
    predicted = np.array([predict_energies(potential, atoms).mean() for atoms in structures])
    return PotentialError(
        structures=len(structures),
        force=float(np.sqrt(np.square(found - true).mean())),
        force_rms=float(np.sqrt(np.square(true).mean())),
        energy=float(np.sqrt(np.square(predicted - energies).mean())),
        rank=float(spearmanr(predicted, energies).statistic),
    )
