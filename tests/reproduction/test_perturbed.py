"""Diamond and how far from it."""

import numpy as np
import pytest
from ase.build import bulk

from acgen.reproduction.fig7 import crossing
from acgen.reproduction.perturbed import displacement

DIAMOND = bulk("C", "diamond", a=3.5665, cubic=True).repeat(2)


def test_a_shifted_crystal_is_not_displaced():
    cell = DIAMOND.cell.array
    moved = DIAMOND.positions + [0.3, -1.2, 5.0]
    assert displacement(moved, DIAMOND.positions, cell) == pytest.approx(0, abs=1e-6)


def test_noise_displaces_by_its_size():
    noise = np.random.default_rng(0).normal(0, 0.1, DIAMOND.positions.shape)
    found = displacement(DIAMOND.positions + noise, DIAMOND.positions, DIAMOND.cell.array)
    expected = np.sqrt(((noise - noise.mean(0)) ** 2).sum(1).mean())
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_level_is_found_between_strengths():
    strengths, values = np.array([0.0, 10.0, 20.0]), np.array([100.0, 80.0, 0.0])
    assert crossing(strengths, values, 50) == pytest.approx(13.75)
    assert crossing(strengths, values, 100) == 0
    assert crossing(strengths, values, -1) is None
