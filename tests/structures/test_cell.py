"""Cells and densities."""

import numpy as np
import pytest
from ase.build import bulk

from acgen.structures.cell import carbon, cell_matrix, density, heights, n_atoms


def test_the_paper_cell():
    assert n_atoms(2.0, cell_matrix(12.93)) == 217
    assert n_atoms(2.0, cell_matrix([12.9147] * 3)) == 216


def test_density_of_diamond():
    assert density(bulk("C", "diamond", a=3.567)) == pytest.approx(3.515, abs=0.005)


def test_heights_of_a_hexagonal_cell():
    cell = np.array([[2.0, 0, 0], [-1, np.sqrt(3), 0], [0, 0, 5]])
    assert np.allclose(heights(cell), [np.sqrt(3), np.sqrt(3), 5])


def test_carbon_is_wrapped():
    atoms = carbon(np.array([[5.0, -1, 0.5]]), np.eye(3) * 4)
    assert np.allclose(atoms.positions, [[1, 3, 0.5]])
    assert atoms.pbc.all()


LEFT_HANDED = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("cell", [0.0, -3.0, [1, 2], [5, 5, np.nan], np.ones((3, 3)), LEFT_HANDED])
def test_impossible_cells_are_refused(cell):
    with pytest.raises(ValueError, match="cell"):
        cell_matrix(cell)


@pytest.mark.parametrize("value", [0.1, 4.5, float("nan")])
def test_impossible_densities_are_refused(value):
    with pytest.raises(ValueError, match="between 0.5 and 4.0"):
        n_atoms(value, np.eye(3) * 10)
