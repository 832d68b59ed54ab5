"""Structures from files of any name and origin, and what is refused before anything is computed."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from acgen.data.cells import told_apart
from acgen.errors import AcgenError
from acgen.structures.read import check_cell, read_structures

DIAMOND = bulk("C", cubic=True).repeat(2)


def text(kind: str, atoms: Atoms = DIAMOND, **options) -> bytes:
    file = io.BytesIO() if kind == "cif" else io.StringIO()
    write(file, atoms, format=kind, **options)
    content = file.getvalue()
    return content if isinstance(content, bytes) else content.encode()


FILES = {
    "a.XYZ": text("extxyz"),
    "a.ExtXYZ": text("extxyz"),
    "A.CIF": text("cif"),
    "poscar": text("vasp"),
    "film.POSCAR": text("vasp"),
    "CONTCAR_3": text("vasp"),
    "a.data": text("lammps-data", masses=True),
    "a.LMP": text("lammps-data", masses=True, atom_style="charge"),
    "a.lammps": text("lammps-data", masses=True, atom_style="full"),
    "without masses.data": text("lammps-data"),
    "a.pdb": text("proteindatabank"),
    "no ending, LAMMPS": text("lammps-data", masses=True),
    "no ending, extxyz": text("extxyz"),
    "a.xyz.gz": gzip.compress(text("extxyz")),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_told_by_name_or_beginning(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    for source, label in ((tmp_path / name, ""), (FILES[name], name)):
        (atoms,) = read_structures(source, label)
        assert set(atoms.numbers.tolist()) == {6}
        assert len(atoms) == 64
        assert atoms.pbc.all()
        np.testing.assert_allclose(atoms.cell.lengths(), DIAMOND.cell.lengths(), atol=1e-3)


@pytest.mark.parametrize("style", ["atomic", "charge", "full"])
@pytest.mark.parametrize("told", [True, False])
def test_lammps_styles_with_and_without_the_word(style: str, told: bool) -> None:
    data = text("lammps-data", masses=True, atom_style=style).decode()
    assert f"Atoms # {style}" in data
    if not told:
        data = data.replace(f"Atoms # {style}", "Atoms")
    (atoms,) = read_structures(data.encode(), "a.data")
    np.testing.assert_allclose(atoms.get_all_distances(mic=True).max(), DIAMOND.get_all_distances(mic=True).max())


def scaled(factor: float) -> Atoms:
    atoms = DIAMOND.copy()
    atoms.set_cell(atoms.cell * factor, scale_atoms=True)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "reason"),
    [
        (scaled(0.1), "lengths are not in Å"),
        (scaled(100.0), "lengths are not in Å"),
        (Atoms("C60", positions=np.random.default_rng(0).normal(size=(60, 3)) * 3, cell=[1, 1, 1]), "a dummy"),
        (DIAMOND + Atoms("C", positions=[DIAMOND.positions[3] + 0.1]), "Å from each other"),
        (DIAMOND + Atoms("C", positions=[DIAMOND.positions[3] + DIAMOND.cell[0]]), "Å from each other"),
        (bulk("Si", cubic=True), "carbon only"),
    ],
)
def test_what_cannot_be_carbon_is_refused(atoms: Atoms, reason: str) -> None:
    with pytest.raises(AcgenError, match=reason):
        read_structures(text("extxyz", atoms), "a.xyz")


@pytest.mark.parametrize("density", [0.02, 0.5, 2.0, 3.5, 4.5])
def test_every_density_that_carbon_has_is_taken(density: float) -> None:
    check_cell(scaled((3.5 / density) ** (1 / 3)))


def test_only_the_frames_that_are_asked_for_are_checked() -> None:
    two = text("extxyz", DIAMOND + Atoms("C", positions=[DIAMOND.positions[0]])) + text("extxyz")
    assert len(read_structures(two, "a.xyz", index="-1:")) == 1
    with pytest.raises(AcgenError, match="frame 0 has atoms 0.00 Å"):
        read_structures(two, "a.xyz")


def test_bounds_of_uploads() -> None:
    with pytest.raises(AcgenError, match="give 1 to 10 atoms"):
        read_structures(text("extxyz"), "a.xyz", most=10)
    with pytest.raises(AcgenError, match="holds more than"):
        read_structures(gzip.compress(bytes(3_000_000)), "a.xyz.gz", max_bytes=2_000_000)
    with pytest.raises(AcgenError, match="no known format"):
        read_structures(b"1\n\nC 0 0 0\n", "a.traj")


def test_names_are_told_apart_by_endings_folders_or_a_number() -> None:
    assert told_apart(["d", "d", "e"], ["d.cif", "d.vasp", "e.cif"]) == ["d.cif", "d.vasp", "e"]
    assert told_apart(["POSCAR"] * 2, ["a/POSCAR", "b/POSCAR"]) == ["a/POSCAR", "b/POSCAR"]
    assert told_apart(["d-000", "d-001", "d-000"], ["a/d.xyz", "a/d.xyz", "b/d.xyz"]) == [
        "a/d.xyz-000",
        "d-001",
        "b/d.xyz-000",
    ]
    assert told_apart(["d", "d"], ["d.cif", "d.cif"]) == ["d.cif", "d.cif (2)"]
