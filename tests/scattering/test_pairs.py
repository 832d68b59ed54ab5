"""G(r), g(r) and S(Q) of structures, against freud and what is known of gases and crystals."""

import numpy as np
import pytest
from ase.build import bulk

from acgen.scattering.pairs import number_density, pair_distribution, reduced_of, reduced_pdf, structure_factor
from acgen.structures.analysis import radial_distribution
from acgen.structures.cell import carbon, cell_matrix, density
from acgen.structures.reference import reference_cells

SIGMA = 0.1


@pytest.fixture(scope="module")
def cell():
    return reference_cells()[4]


def test_g_is_that_of_freud_through_the_window(cell):
    fine = radial_distribution(cell, r_max=5.0, bins=500)
    r = np.arange(1.2, 4.5, 0.1)
    # freud counts in shells: its r (g - 1) smoothed is ours
    kernel = np.exp(-0.5 * ((r[:, None] - fine.r) / SIGMA) ** 2)
    known = 1 + kernel @ (fine.r * (fine.g - 1)) / kernel.sum(1) / r
    assert np.allclose(pair_distribution(cell, r, SIGMA), known, atol=0.01)


def test_a_random_gas_has_no_structure():
    gas = carbon(np.random.default_rng(0).random((3000, 3)) * 30, cell_matrix(30.0))
    g = pair_distribution(gas, np.arange(2, 6, 0.25), SIGMA)
    assert np.abs(g - 1).max() < 0.25
    assert g.mean() == pytest.approx(1, abs=0.02)


def test_diamond_has_its_shells():
    diamond = bulk("C", cubic=True)
    r = np.arange(1.0, 4.0, 0.005)
    g = pair_distribution(diamond, r, 0.03)
    tops = [r[k] for k in range(1, len(r) - 1) if g[k] > max(g[k - 1], g[k + 1]) and g[k] > 2]
    edge = 3.567
    assert np.allclose(tops[:4], [edge * 3**0.5 / 4, edge / 2**0.5, edge * 11**0.5 / 4, edge], atol=0.01)
    near = r < 2
    rho = number_density(density(diamond))
    assert np.trapezoid(4 * np.pi * rho * (r * r * g)[near], r[near]) == pytest.approx(4, abs=0.01)


def test_a_supercell_has_the_same(cell):
    r = np.arange(1.0, 7.0, 0.5)
    assert np.allclose(reduced_pdf(cell, r, SIGMA), reduced_pdf(cell.repeat((2, 1, 1)), r, SIGMA))


def test_a_structure_factor_transforms_back(cell):
    r = np.arange(0.05, 12, 0.05)
    wide = 0.25
    damped = reduced_pdf(cell, r, wide) * np.exp(-0.5 * (r / 4) ** 2)  # a cell has no end, a measurement has
    q = np.arange(0.02, 20, 0.02)
    s = structure_factor(r, damped, q)
    assert abs(s[-1] - 1) < 1e-3
    back = reduced_of(q, s, r, 1e-6)
    inner = (r > 1) & (r < 6)
    assert np.allclose(back[inner], damped[inner], atol=0.02 * np.abs(damped).max())
