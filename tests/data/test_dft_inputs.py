"""Inputs for other codes: the same structure in each, the absorber first, every site of its own."""

from __future__ import annotations

import io
import re

import ase.build
import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.units import Bohr

from acgen.data.dft_inputs import CODES, k_points, ocean_files, vasp_files, xspectra_files
from acgen.errors import AcgenError
from acgen.structures.cell import carbon, cell_matrix


@pytest.fixture
def atoms() -> Atoms:
    """Carbon in a skewed cell, with a hydrogen between."""
    made = ase.build.bulk("C", "diamond", 3.567).repeat((2, 2, 3))
    made.rattle(0.1, seed=2)
    made.numbers[5] = 1
    return made


def surroundings(atoms: Atoms, site: int) -> np.ndarray:
    """Distances to all atoms and their elements, sorted: the same however they are numbered."""
    distances = np.round(atoms.get_distances(site, range(len(atoms)), mic=True), 5)
    return np.array(sorted(zip(distances, atoms.numbers, strict=True)))


def test_vasp_has_the_absorber_as_a_kind_of_its_own(atoms):
    files = vasp_files(atoms, 9)
    found = ase.io.read(io.StringIO(files["POSCAR"]), format="vasp")
    np.testing.assert_allclose(surroundings(found, 0), surroundings(atoms, 9), atol=1e-4)
    assert files["POSCAR"].splitlines()[5:7] == ["C H C", "1 1 22"]
    assert "CLNT = 1" in files["INCAR"]
    bands = int(re.search(r"NBANDS = (\d+)", files["INCAR"])[1])
    occupied = (4 * 23 + 1) // 2
    # Enough for what free electrons of this density have up to 40 eV above the Fermi energy, and not much more.
    dense = atoms.get_volume() / (6 * np.pi**2)
    fermi = 3.81 * (occupied / dense) ** (2 / 3)
    free = dense * ((fermi + 40) / 3.81) ** 1.5
    assert free < bands < 1.6 * free


def test_xspectra_has_the_absorber_as_a_species_of_its_own(atoms):
    files = xspectra_files(atoms, 9)
    assert sorted(files) == ["es.in", "xanes-1.in", "xanes-2.in", "xanes-3.in"]
    found = ase.io.read(io.StringIO(files["es.in"]), format="espresso-in")
    np.testing.assert_allclose(surroundings(found, 0), surroundings(atoms, 9), atol=1e-4)
    assert files["es.in"].count("\nC1 ") == 2
    assert "ntyp = 3" in files["es.in"]
    species = re.search(r"ATOMIC_SPECIES\n(.*)\n(.*)\n(.*)\nCELL", files["es.in"]).groups()
    assert [line.split()[2] for line in species] == ["C.fch.upf", "H.upf", "C.upf"]
    along = [re.findall(r"xepsilon\(\d\) = (\d)", files[f"xanes-{k}.in"]) for k in (1, 2, 3)]
    np.testing.assert_array_equal(np.array(along, dtype=int), np.eye(3))


def test_ocean_has_the_structure_in_bohr(atoms):
    files = ocean_files(atoms, 9)
    cards = dict(re.findall(r"^([\w.]+) \{ (.*?) \}$", files["ocean.in"], flags=re.M | re.S))
    vectors, places = (np.array(cards[name].split(), dtype=float).reshape(-1, 3) for name in ("rprim", "xred"))
    cell = float(cards["acell"].split()[0]) * vectors * Bohr
    numbers = [[1, 6][int(kind) - 1] for kind in cards["typat"].split()]
    found = Atoms(numbers, scaled_positions=places, cell=cell, pbc=True)
    np.testing.assert_allclose(surroundings(found, 0), surroundings(atoms, 9), atol=1e-4)
    assert cards["edges"] == "1 1 0"
    assert files["photon2"].split("\n")[1] == "cartesian 0 1 0"


def test_a_mesh_stands_for_a_supercell_that_is_high_enough():
    assert k_points(carbon(np.zeros((1, 3)), cell_matrix((5.0, 8.0, 20.0))), 16.0) == (4, 2, 1)


@pytest.mark.parametrize("code", CODES)
def test_sites_that_have_no_carbon_edge_are_refused(atoms, code):
    for site, told in ((5, "only carbon"), (24, "does not exist")):
        with pytest.raises(AcgenError, match=told):
            CODES[code](atoms, site)
