"""The structure flag: silent on what amorphous carbon is known to be, and on nothing that it is not."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from acgen.inference.flags import structure_flags
from acgen.structures.reference import reference_cells


def test_the_reference_cells_have_no_flag():
    for atoms in reference_cells():
        assert structure_flags(atoms, energy=0.05) == (), atoms.info


def test_every_kind_of_damage_is_named():
    whole = reference_cells()[2]
    random = whole.copy()
    random.positions = np.random.default_rng(0).uniform(0, whole.cell.lengths(), whole.positions.shape)
    said = " ".join(structure_flags(random))
    for words in ("one neighbour or none", "five neighbours or more", "pairs are closer than"):
        assert words in said
    lone = whole.copy()
    lone.positions += 100.0
    assert structure_flags(lone) == (), "where the origin is does not matter"
    pair = whole.copy()
    d = pair.get_distances(0, np.arange(1, len(pair)), mic=True)
    neighbour = 1 + int(np.argmin(d))
    pair.set_distance(0, neighbour, 1.0, fix=0, mic=True)
    assert "1 pairs are closer" in " ".join(structure_flags(pair))
    (strained,) = structure_flags(whole, energy=0.5)
    assert "0.50 eV per atom" in strained


def test_the_angle_is_compared_with_the_reference_of_the_same_density():
    diamond = bulk("C", cubic=True).repeat(2)
    assert structure_flags(diamond) == ()
    thin = diamond.copy()
    thin.cell[2] *= 3.5 / 2.0  # a slab in the room of 2 g/cm³, with the same angles
    (angle,) = [flag for flag in structure_flags(thin) if "angle" in flag]
    assert "109.5°" in angle
    assert float(angle.split("density ")[1].split("°")[0]) == pytest.approx(118.2, abs=0.5)
