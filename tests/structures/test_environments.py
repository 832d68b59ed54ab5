"""Surroundings of atoms: the same however one looks, far apart where structures differ, near for copies."""

import numpy as np
import pytest
from ase.build import bulk, graphene

from acgen.errors import AcgenError
from acgen.structures.environments import RARE, copied, copied_from_shipped, environments, nearest
from acgen.structures.reference import reference_cells

DIAMOND = bulk("C", "diamond", a=3.567, cubic=True).repeat(2)


@pytest.fixture(scope="module")
def cells():
    """Two cells of 2.5 g/cm³."""
    return [atoms for atoms in reference_cells() if atoms.info["density"] == 2.5]


def test_surroundings_do_not_know_orientation_order_or_cell():
    rng = np.random.default_rng(0)
    atoms = DIAMOND.copy()
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    found = environments(atoms)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    order = rng.permutation(len(atoms))
    turned = atoms[order]
    turned.rotate(40, (1, 2, 3), rotate_cell=True)
    np.testing.assert_allclose(environments(turned), found[order], atol=1e-8)
    np.testing.assert_allclose(environments(atoms.repeat((2, 1, 1)))[: len(atoms)], found, atol=1e-8)


def test_equal_surroundings_are_no_distance_apart_and_crystals_are_far():
    diamond, layer = environments(DIAMOND), environments(graphene(size=(3, 3, 1), vacuum=6))
    assert nearest(diamond, diamond[:1]).max() < 1e-6
    assert nearest(layer, diamond).min() > 0.3


def test_a_shaken_copy_is_nearer_than_another_cell(cells):
    first, second = cells
    copy = first.copy()
    copy.positions += np.random.default_rng(0).normal(0, 0.03, copy.positions.shape)
    known = environments(first)
    assert np.quantile(nearest(environments(copy), known), 0.9) < np.quantile(
        nearest(environments(second), known), 0.05
    )


def test_copies_are_counted(cells):
    copy = cells[0].copy()
    copy.positions += np.random.default_rng(0).normal(0, 0.03, copy.positions.shape)
    assert copied([copy], cells) > 0.8
    other = next(atoms for atoms in reference_cells() if atoms.info["density"] == 2.0)
    assert copied([other], cells) < 5 * RARE
    assert copied([other], cells, [other]) == 1
    with pytest.raises(AcgenError, match="two or more"):
        copied([copy], cells[:1])


def test_a_shipped_cell_is_a_copy_and_what_they_know_nothing_of_is_not_compared(cells):
    assert copied_from_shipped(cells[0]) == 1.0
    shaken = cells[0].copy()
    shaken.positions += np.random.default_rng(0).normal(0, 0.4, shaken.positions.shape)
    assert copied_from_shipped(shaken) < 0.05
    thin = cells[0].copy()
    thin.set_cell(thin.cell * 2, scale_atoms=True)
    assert copied_from_shipped(thin) is None
    assert copied_from_shipped(cells[0].repeat(3)) is None, "too large"
