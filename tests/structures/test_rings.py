"""Rings of crystals, of molecules and of graphs drawn by hand; chains."""

from itertools import pairwise

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, molecule
from matscipy.ffi import distances_on_graph, find_sp_rings
from matscipy.neighbours import neighbour_list

from acgen.errors import AcgenError
from acgen.structures.analysis import BOND_CUTOFF
from acgen.structures.cell import density
from acgen.structures.crystals import buckyballs, diamond
from acgen.structures.rings import MOST_NEIGHBOURS, RING_SIZES, buckyball_fraction, chains, diamond_fraction, rings

DIAMOND = bulk("C", "diamond", a=3.567, cubic=True)


def counts(atoms: Atoms) -> dict[int, int]:
    """Numbers of rings by size, where there are any."""
    return {size: len(found) for size, found in rings(atoms).items() if len(found)}


def polygon(size: int, bond: float = 1.4) -> np.ndarray:
    """Corners in a plane, shape (size, 3)."""
    angles = 2 * np.pi * np.arange(size) / size
    return bond / (2 * np.sin(np.pi / size)) * np.column_stack([np.cos(angles), np.sin(angles), 0 * angles])


def in_a_box(positions: np.ndarray) -> Atoms:
    return Atoms(f"C{len(positions)}", positions=positions, cell=[20.0] * 3, pbc=True)


@pytest.mark.parametrize("cells", [1, 3])
def test_diamond_has_two_rings_of_six_per_atom_in_any_cell(cells):
    atoms = DIAMOND.repeat(cells)
    assert counts(atoms) == {6: 2 * len(atoms)}


def test_diamond_is_told_by_its_rings():
    rng = np.random.default_rng(0)
    crystal = DIAMOND.repeat(3)
    assert diamond_fraction(crystal) == 1
    shaken = crystal.copy()
    shaken.positions += rng.normal(0, 0.05, shaken.positions.shape)
    assert diamond_fraction(shaken) == 1
    del crystal[0]
    assert 0.5 < diamond_fraction(crystal) < 1
    assert diamond_fraction(graphene(size=(4, 4, 1), vacuum=5)) == 0


def test_the_primitive_cell_of_diamond_has_as_many_rings_per_atom():
    assert counts(bulk("C", "diamond", a=3.567)) == {6: 4}


@pytest.mark.parametrize("cells", [(1, 1, 1), (4, 3, 1)])
def test_graphene_has_half_a_ring_of_six_per_atom(cells):
    sheet = graphene("C2", vacuum=5.0).repeat(cells)
    assert counts(sheet) == {6: len(sheet) // 2}


def test_fullerene_has_twelve_pentagons_and_twenty_hexagons():
    ball = molecule("C60")
    ball.center(vacuum=5.0)
    assert counts(ball) == {5: 12, 6: 20}


def test_crystals_have_their_own_rings_and_not_each_others():
    crystal, balls = diamond(2), buckyballs()
    assert (len(balls), round(density(balls), 2)) == (240, 1.68)
    assert (diamond_fraction(crystal), buckyball_fraction(crystal)) == (1, 0)
    assert (diamond_fraction(balls), buckyball_fraction(balls)) == (0, 1)
    broken = balls.copy()
    del broken[0]
    assert 0.8 < buckyball_fraction(broken) < 1


@pytest.mark.parametrize("size", [*RING_SIZES, 8])
def test_a_polygon_is_a_ring_in_order_across_the_boundary(size):
    shape = in_a_box(polygon(size))  # around a corner of the cell
    shape.wrap()
    assert counts(shape) == ({size: 1} if size in RING_SIZES else {})
    for ring in rings(shape).get(size, ()):
        assert sorted(ring) == list(range(size))
        assert all(abs(one - other) in (1, size - 1) for one, other in pairwise(ring))


def test_a_ring_with_a_shortcut_is_none():
    corners = polygon(6) @ [[0, 1, 0], [1, 0, 0], [0, 0, 1]]  # with sides along y
    beside = (corners + [1.4 * np.sqrt(3), 0, 0])[np.argsort(corners[:, 0])[2:]]
    assert counts(in_a_box(np.concatenate([corners, beside]))) == {6: 2}, "naphthalene, without the ring of ten"
    cube = np.concatenate([polygon(4), polygon(4) + [0, 0, 1.4]])
    assert counts(in_a_box(cube)) == {4: 6, 6: 4}, "a cube: its six faces, and four around a diagonal"


def test_a_chain_through_the_cell_does_not_close():
    row = Atoms("C4", positions=[[1.3 * i, 0, 0] for i in range(4)], cell=[5.2, 9, 9], pbc=True)
    assert counts(row) == {}
    assert [run.tolist() for run in chains(row)] == [[0, 1, 2, 3]]


def test_counts_of_a_disordered_cell_are_those_of_matscipy():
    atoms = DIAMOND.repeat(3)
    atoms.rattle(0.3, seed=2)
    first, second, vectors = neighbour_list("ijD", atoms, BOND_CUTOFF)
    reference = find_sp_rings(first, second, vectors, distances_on_graph(first, second), RING_SIZES[-1])
    assert counts(atoms) == {size: int(reference[size]) for size in RING_SIZES if reference[size]}
    assert set(counts(atoms)) == set(RING_SIZES)
    shuffled = atoms[np.random.default_rng(3).permutation(len(atoms))]
    shuffled.positions += [40.0, -7.0, 2.0]
    assert counts(shuffled) == counts(atoms)


def test_chains_end_at_branches_and_single_atoms_are_none():
    row = np.array([[1.4 * i, 0.0, 0.0] for i in range(5)])
    star = np.array([[5.6 + 1.4 * np.cos(a), 1.4 * np.sin(a), 0.0] for a in (np.pi / 3, -np.pi / 3)])
    lone = np.array([[0.0, 8.0, 0.0]])
    found = chains(in_a_box(np.concatenate([row, star, lone])))
    assert [run.tolist() for run in found] == [[0, 1, 2, 3]], "neither the branch, nor its ends, nor the lone atom"


def test_a_crowd_is_refused():
    crowd = in_a_box(np.random.default_rng(0).random((MOST_NEIGHBOURS + 2, 3)))
    with pytest.raises(AcgenError, match=f"17 neighbours within 1.84 Å.*at most {MOST_NEIGHBOURS}"):
        rings(crowd)
