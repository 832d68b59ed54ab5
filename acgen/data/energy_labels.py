"""Structures with energies and forces, from which the potential of acgen learns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk, graphene
from ase.calculators.singlepoint import SinglePointCalculator

from acgen.structures.cell import carbon
from acgen.structures.melt_quench import melt_quench
from acgen.structures.potential import nep_calculator

DENSITIES = (1.25, 1.5, 2.0, 2.5, 3.0, 3.5, 3.75)
"""Densities in g/cm³ of the melts and quenches."""
RUN_ATOMS = 128
"""Atoms of each of them: at 3.75 g/cm³ a cell of 8.8 Å, twice the reach of the potential."""
EVERY = 25
"""Steps of 1 fs between two frames of a quench."""
DISPLACED = (0.04, 0.08)
"""Standard deviations in Å of the displaced copies of a structure."""


def labelled(atoms: Atoms, calculator: Any) -> Atoms:
    """A copy with energy in eV, its parts by atoms, and forces in eV/Å, kept as in extxyz files of ase."""
    copy = carbon(atoms.positions, atoms.cell.array)
    copy.info = dict(atoms.info)
    trial = copy.copy()
    trial.calc = calculator
    energies, forces = np.asarray(trial.get_potential_energies()), np.asarray(trial.get_forces())
    copy.calc = SinglePointCalculator(copy, energy=float(energies.sum()), energies=energies, forces=forces)
    return copy


def quench_frames(density: float, seed: int, potential: str | Path) -> Iterator[Atoms]:
    """Frames of a short melt-quench run: liquid of 5000 K, everything on the way down, glass of 300 K.

    Parameters
    ----------
    density
        In g/cm³.
    seed
        Of the run; runs of other seeds are other structures.
    potential
        File of the neuroevolution potential, see `acgen.structures.potential.nep_calculator`.
    """
    calculator = nep_calculator(potential)
    run = melt_quench(density, RUN_ATOMS, 1500, seed, potential, melt_fs=300, anneal_fs=100, every=EVERY)
    for state in run:
        if state.step:  # the random start is no carbon yet
            state.atoms.info["step"] = state.step
            yield labelled(state.atoms, calculator)


def structure_frames(
    structures: Iterable[Atoms], potential: str | Path, seed: int, displaced: Sequence[float] = DISPLACED
) -> Iterator[Atoms]:
    """Structures as they are, and copies with Gaussian displacements of these standard deviations in Å."""
    calculator, rng = nep_calculator(potential), np.random.default_rng(seed)
    for atoms in structures:
        yield labelled(atoms, calculator)
        for scale in displaced:
            copy = atoms.copy()
            copy.positions = atoms.positions + scale * rng.standard_normal(atoms.positions.shape)
            yield labelled(copy, calculator)


def crystals() -> list[Atoms]:
    """Diamond and graphite, each at three lattice constants, in cells wide enough for the networks."""
    found = []
    for strain in (0.97, 1.0, 1.04):
        diamond = bulk("C", "diamond", a=3.567 * strain, cubic=True) * (3, 3, 3)
        layer = graphene(a=2.46 * strain, vacuum=0.0) * (4, 4, 1)
        layer.cell[2] = (0.0, 0.0, 3.35)
        layer = layer * (1, 1, 3)
        found += [carbon(each.positions, each.cell.array) for each in (diamond, layer)]
    return found
