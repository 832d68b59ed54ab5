"""How stiff a structure is."""

from __future__ import annotations

import os
from pathlib import Path

from ase import Atoms, units

from acgen.structures.potential import nep_calculator

STRAIN = 0.005
"""Part of its volume by which a cell is made smaller and larger: little, for a strained network gives way to more."""
FORCE, STEPS = 0.01, 1500
"""Largest force in eV/Å of relaxed atoms, and the most steps that are taken to it."""


def bulk_modulus(atoms: Atoms, potential: str | Path) -> float:
    """Bulk modulus in GPa of the relaxed structure, K = -V dp/dV at its volume, atoms relaxed at each volume.

    Parameters
    ----------
    atoms
        Periodic structure, left unchanged.
    potential
        File of the neuroevolution potential, see `acgen.structures.potential.nep_calculator`.

    Raises
    ------
    AcgenError
        As `acgen.structures.potential.nep_calculator`.
    """
    from ase.optimize import LBFGS

    calculator = nep_calculator(potential)

    def relaxed(start: Atoms, strain: float) -> Atoms:
        here = start.copy()
        here.set_cell(start.cell * (1 + strain) ** (1 / 3), scale_atoms=True)
        here.calc = calculator
        LBFGS(here, logfile=os.devnull).run(fmax=FORCE, steps=STEPS)
        return here

    plain = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
    middle = relaxed(plain, 0.0)
    smaller, larger = (-relaxed(middle, strain).get_stress()[:3].mean() for strain in (-STRAIN, STRAIN))
    return float((smaller - larger) / (2 * STRAIN) / units.GPa)
