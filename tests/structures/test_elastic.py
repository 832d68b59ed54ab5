"""Stiffness by a potential."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from ase.build import bulk

from acgen.structures.elastic import bulk_modulus


def test_diamond_is_as_stiff_as_the_potential_says_and_stays_as_it_is(shared_data):
    pytest.importorskip("calorine", reason='needs calorine: pip install "acgen[md]"')
    from acgen.structures.potential import nep_calculator

    path = shared_data / "potentials" / "C_2022_NEP4.txt"
    atoms = bulk("C", "diamond", a=3.56, cubic=True).repeat(2)
    before = atoms.positions.copy()
    found = bulk_modulus(atoms, path)
    assert np.array_equal(atoms.positions, before)
    atoms.calc = nep_calculator(path)
    pressures = []
    for scale in (0.998, 1.002):
        strained = atoms.copy()
        strained.set_cell(atoms.cell * scale, scale_atoms=True)
        strained.calc = atoms.calc
        pressures.append(-strained.get_stress()[:3].mean() / units.GPa)
    volumes = np.array([0.998**3, 1.002**3])
    by_pressure = -np.diff(pressures)[0] / np.diff(volumes)[0]  # K = -V dp/dV, no atom is free to move
    assert found == pytest.approx(by_pressure, rel=0.02)
    assert 380 < found < 480, "measured: 443 GPa"
