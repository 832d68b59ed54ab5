"""Structure analysis against crystals, a random gas and published cells."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read

from acgen.structures.analysis import (
    Q_RANGE,
    analyse,
    angle_distribution,
    bond_angles,
    bonds,
    coordination_fractions,
    coordination_numbers,
    radial_distribution,
    steinhardt,
    structure_factor,
    voronoi_volumes,
)
from acgen.structures.reference import reference_cells

GRAPHITE_A, GRAPHITE_C = 2.46, 6.71


def diamond_primitive():
    return bulk("C", "diamond", a=3.567)


def diamond_cubic():
    return bulk("C", "diamond", a=3.567, cubic=True)


def graphite():
    """The hexagonal cell of four atoms: every atom has three neighbours, two of them images of one atom."""
    layers = [(0, 0, 0.25), (1 / 3, 2 / 3, 0.25), (0, 0, 0.75), (2 / 3, 1 / 3, 0.75)]
    return Atoms("C4", scaled_positions=layers, cell=[GRAPHITE_A, GRAPHITE_A, GRAPHITE_C, 90, 90, 120], pbc=True)


CRYSTALS = {
    "diamond-2": (diamond_primitive, 4, np.degrees(np.arccos(-1 / 3))),
    "diamond-8": (diamond_cubic, 4, np.degrees(np.arccos(-1 / 3))),
    "graphite-4": (graphite, 3, 120.0),
}


@pytest.fixture(params=list(CRYSTALS))
def crystal(request):
    build, cn, angle = CRYSTALS[request.param]
    return build(), cn, angle


@pytest.fixture
def disordered():
    """A triclinic cell of 60 atoms jittered from a lattice, with several coordination numbers."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(5), np.arange(3), indexing="ij"), axis=-1).reshape(-1, 3)
    scaled = (grid + rng.normal(0, 0.1, (60, 3))) / [4, 5, 3]
    cell = [[7.2, 0, 0], [1.9, 8.8, 0], [-1.1, 0.8, 5.3]]
    return Atoms("C60", scaled_positions=scaled, cell=cell, pbc=True)


def rotated(atoms, seed=0):
    """Rotate atoms and cell together by a random proper rotation."""
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    return Atoms(
        atoms.get_chemical_symbols(), positions=atoms.positions @ rotation, cell=atoms.cell @ rotation, pbc=True
    )


def assert_same(first, second):
    """Everything that does not depend on the choice of cell, axes or origin agrees."""
    assert coordination_fractions(first) == pytest.approx(coordination_fractions(second))
    np.testing.assert_allclose(
        np.quantile(bond_angles(first), np.linspace(0, 1, 11)),
        np.quantile(bond_angles(second), np.linspace(0, 1, 11)),
        atol=0.5,
    )
    # Cumulative, because a distance on the edge of a bin may fall to either side.
    pairs = [np.cumsum(rdf.g * rdf.r**2) for rdf in (radial_distribution(first), radial_distribution(second))]
    assert np.median(np.abs(pairs[0] - pairs[1])) < 2e-3 * pairs[0][-1]
    for order in (4, 6):
        assert np.nanmean(steinhardt(first, order)) == pytest.approx(np.nanmean(steinhardt(second, order)), abs=1e-4)


def test_coordination_and_angles_of_crystals(crystal):
    atoms, cn, angle = crystal
    np.testing.assert_array_equal(coordination_numbers(atoms), cn)
    np.testing.assert_allclose(bond_angles(atoms), angle, atol=1e-5)
    assert len(bond_angles(atoms)) == len(atoms) * cn * (cn - 1) // 2
    assert len(bonds(atoms)[0]) == len(atoms) * cn // 2


def test_fractions_have_all_keys_and_sum_to_one(disordered):
    fractions = coordination_fractions(disordered)
    assert sorted(fractions) == [0, 1, 2, 3, 4, 5]
    assert sum(fractions.values()) == pytest.approx(1)
    assert sum(cn > 0 for cn in fractions.values()) >= 3


def test_more_than_five_neighbours_count_as_five():
    atoms = Atoms("C", cell=[1.5] * 3, pbc=True)
    assert coordination_numbers(atoms).tolist() == [6]
    assert coordination_fractions(atoms)[5] == 1
    pairs, lengths = bonds(atoms)
    assert pairs.tolist() == [[0, 0]] * 3
    np.testing.assert_allclose(lengths, 1.5)


def test_supercell_leaves_a_structure_as_it_is(crystal, disordered):
    for atoms in (crystal[0], disordered):
        assert_same(atoms, atoms.repeat((2, 1, 3)))


def test_another_cell_of_one_lattice(crystal, disordered):
    for atoms in (crystal[0], disordered):
        skewed = atoms.copy()
        skewed.set_cell(np.array([[1, 0, 0], [1, 1, 0], [-1, 2, 1]]) @ np.asarray(atoms.cell))
        left_handed = atoms.copy()
        left_handed.set_cell(np.asarray(atoms.cell)[[1, 0, 2]])
        assert_same(atoms, skewed)
        assert_same(atoms, left_handed)


def test_rotation_and_translation(crystal, disordered):
    for atoms in (crystal[0], disordered):
        assert_same(atoms, rotated(atoms))
        moved = atoms.copy()
        moved.positions += [31.7, -4.2, 0.83]
        assert_same(atoms, moved)


def test_bonds_match_all_images_by_brute_force(disordered):
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = disordered.positions[None] + (shifts @ np.asarray(disordered.cell))[:, None]
    distances = np.linalg.norm(images[None] - disordered.positions[:, None, None], axis=-1)
    close = (distances < 1.84) & (distances > 0)
    np.testing.assert_array_equal(coordination_numbers(disordered), close.sum(axis=(1, 2)))
    pairs, lengths = bonds(disordered)
    np.testing.assert_allclose(np.sort(lengths), np.sort(distances[close])[::2])
    assert (pairs[:, 0] <= pairs[:, 1]).all()


def test_bonds_within_the_drawing_are_straight_lines(disordered):
    moved = disordered.copy()
    moved.positions[::7] += np.asarray(disordered.cell)[0]
    pairs, lengths = bonds(moved, across_boundary=False)
    ends = moved.positions[pairs]
    np.testing.assert_allclose(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1), lengths)
    assert 0 < len(lengths) < len(bonds(moved)[0])


def test_angles_of_one_water_like_atom():
    atoms = Atoms("C3", positions=[[1.5, 0, 0], [0, 0, 0], [0, 1.4, 0]], cell=[9, 9, 9], pbc=True)
    np.testing.assert_allclose(bond_angles(atoms), [90.0])


def test_angle_distribution_integrates_to_one(disordered):
    assert angle_distribution(bond_angles(disordered)).sum() * 3.0 == pytest.approx(1)
    assert not angle_distribution(np.empty(0)).any()


def test_g_of_a_random_gas_is_one():
    rng = np.random.default_rng(0)
    cell = np.array([[20.0, 0, 0], [6, 18, 0], [-4, 5, 17]])
    gas = Atoms("C3000", scaled_positions=rng.random((3000, 3)), cell=cell, pbc=True)
    rdf = radial_distribution(gas, r_max=6, bins=30)
    np.testing.assert_allclose(rdf.g[5:], 1, atol=0.1)
    assert np.average(rdf.g, weights=rdf.r**2) == pytest.approx(1, abs=0.01)


def test_g_counts_the_neighbours_of_diamond():
    rdf = radial_distribution(diamond_primitive(), r_max=3.0, bins=300)
    number_density = 8 / 3.567**3
    shells = 4 * np.pi * number_density * rdf.g * rdf.r**2 * 0.01
    assert shells[rdf.r < 2].sum() == pytest.approx(4, abs=0.01)
    assert shells[rdf.r < 2.7].sum() == pytest.approx(16, abs=0.05)
    assert rdf.first_peak == pytest.approx(3.567 * np.sqrt(3) / 4, abs=0.01)


def test_steinhardt_of_tetrahedra_and_layers():
    """q4 and q6 of a regular tetrahedron and of a triangle of neighbours, the same for all atoms."""
    np.testing.assert_allclose(steinhardt(diamond_primitive(), 4), np.sqrt(7 / 27), atol=1e-5)
    np.testing.assert_allclose(steinhardt(diamond_cubic(), 6), np.sqrt(32 / 81), atol=1e-5)
    np.testing.assert_allclose(steinhardt(graphite(), 4), 3 / 8, atol=1e-5)


def test_lonely_atoms_are_analysed_without_numbers_that_do_not_exist():
    result = analyse(Atoms("C", cell=[10] * 3, pbc=True))
    values = json.loads(result.to_json())
    assert values["cn_fraction"]["0"] == 1
    assert values["mean_bond_angle_deg"] is None
    assert values["first_peak_A"] is None


def test_analysis_of_diamond_as_json():
    values = json.loads(analyse(diamond_cubic()).to_json())
    assert values["n_atoms"] == 8
    assert values["density_g_cm3"] == pytest.approx(3.516, abs=0.002)
    assert values["cn_fraction"] == {"0": 0, "1": 0, "2": 0, "3": 0, "4": 1, "5": 0}
    assert values["mean_bond_angle_deg"] == pytest.approx(109.4712, abs=1e-3)
    assert values["mean_bond_length_A"] == pytest.approx(1.5446, abs=1e-4)
    assert values["steinhardt"]["q4"] == pytest.approx({"mean": np.sqrt(7 / 27), "std": 0}, abs=1e-5)
    assert values["steinhardt"]["q6"] == pytest.approx({"mean": np.sqrt(32 / 81), "std": 0}, abs=1e-5)


def test_order_of_lonely_atoms_is_not_a_number():
    values = json.loads(analyse(Atoms("C2", positions=[[0, 0, 0], [5, 0, 0]], cell=[10] * 3)).to_json())
    assert values["steinhardt"] == {"q4": {"mean": None, "std": None}, "q6": {"mean": None, "std": None}}


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms(cell=[5] * 3), "no atoms"),
        (Atoms("C2", positions=[[0, 0, 0], [1.4, 0, 0]]), "no three-dimensional cell"),
        (Atoms("C", positions=[[np.nan, 0, 0]], cell=[5] * 3), "not finite"),
        (Atoms("C2", positions=[[1, 1, 1], [1, 1, 1]], cell=[5] * 3), "same position"),
    ],
)
def test_what_cannot_be_analysed_is_said(atoms, message):
    with pytest.raises(ValueError, match=message):
        analyse(atoms)


# density class: file, CN2 / CN3 / CN4 / CN5 in percent, first peak of g(r) in Å, mean bond angle in degrees
PUBLIC_CELLS = {
    "d1.5_1": (1.496, (32, 65, 3, 0), 1.43, 123),
    "d2.0_1": (1.995, (12, 77, 12, 0), 1.46, 118),
    "d2.5_4": (2.494, (1, 70, 29, 0), 1.46, 114),
    "d0.0_11": (2.993, (0, 34, 66, 0), 1.53, 111),
    "d3.5_2": (3.492, (0, 6, 93.5, 0.9), 1.53, 109),
}


@pytest.mark.parametrize("name", PUBLIC_CELLS)
def test_published_cells(shared_data, name):
    density, percent, peak, angle = PUBLIC_CELLS[name]
    result = analyse(read(shared_data / "llnl-a-C" / "poscar" / "train" / f"{name}.vasp"))
    assert result.density == pytest.approx(density, abs=1e-3)
    assert [100 * result.coordination[cn] for cn in (2, 3, 4, 5)] == pytest.approx(percent, abs=1.0)
    assert result.coordination[1] == 0
    assert result.rdf.first_peak == pytest.approx(peak, abs=0.025)
    assert result.mean_angle == pytest.approx(angle, abs=0.6)


def test_published_graphite(shared_data):
    atoms = read(shared_data / "llnl-a-C" / "poscar" / "misc" / "graphite.vasp")
    assert coordination_fractions(atoms)[3] == 1
    np.testing.assert_allclose(bond_angles(atoms), 120, atol=0.01)


def test_voronoi_volumes_of_equal_atoms_are_equal_and_fill_any_cell():
    for make in (diamond_primitive, diamond_cubic):
        atoms = make()
        np.testing.assert_allclose(voronoi_volumes(atoms), atoms.get_volume() / len(atoms), rtol=1e-4)
    rng = np.random.default_rng(0)
    gas = Atoms("C50", scaled_positions=rng.random((50, 3)), cell=[8, 9, 7], pbc=True)
    assert voronoi_volumes(gas).sum() == pytest.approx(gas.get_volume(), rel=1e-4)
    assert voronoi_volumes(gas).std() > 0.2 * voronoi_volumes(gas).mean()


def test_the_structure_factor_is_the_mean_over_the_vectors_of_an_octant_that_the_cell_allows():
    rng = np.random.default_rng(3)
    cell = np.diag([6.5, 7.0, 8.0])
    atoms = Atoms("C20", positions=rng.random((20, 3)) @ cell, cell=cell, pbc=True)
    found = structure_factor(atoms)
    limit = (Q_RANGE[1] * np.diag(cell) / (2 * np.pi)).astype(int) + 1
    counts = np.stack(np.meshgrid(*(np.arange(n + 1) for n in limit), indexing="ij"), -1).reshape(-1, 3)
    q = 2 * np.pi * counts / np.diag(cell)
    power = np.abs(np.exp(1j * q @ atoms.positions.T).sum(1)) ** 2 / len(atoms)
    length = np.linalg.norm(q, axis=1)
    for k in (10, 30, 50):
        half = (found.q[1] - found.q[0]) / 2
        inside = np.abs(length - found.q[k]) < half
        assert found.s[k] == pytest.approx(power[inside].mean(), rel=1e-3)


def test_the_structure_factor_knows_no_orientation_and_is_one_for_a_gas():
    atoms = reference_cells()[0]
    turned = atoms.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    assert np.allclose(structure_factor(atoms).s, structure_factor(turned).s, atol=1e-4)
    rng = np.random.default_rng(1)
    gases = [Atoms("C200", positions=rng.random((200, 3)) * 14, cell=[14] * 3, pbc=True) for _ in range(8)]
    assert np.mean([structure_factor(gas).s for gas in gases]) == pytest.approx(1.0, abs=0.03)
