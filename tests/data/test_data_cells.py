"""Loading cells from any folder."""

from __future__ import annotations

from pathlib import Path

import ase.build
import ase.io
import numpy as np
import pytest
from ase import Atoms

from acgen.data.cells import load_cells


@pytest.fixture
def diamond() -> Atoms:
    return ase.build.bulk("C", "diamond", 3.567)


def test_folder_of_mixed_formats(tmp_path: Path, diamond: Atoms) -> None:
    hexagonal = ase.build.graphene("CC", a=2.46, vacuum=1.675)
    hexagonal.pbc = True
    ase.io.write(tmp_path / "a.extxyz", [diamond, diamond.repeat(2)])
    ase.io.write(tmp_path / "b.cif", hexagonal)
    ase.io.write(tmp_path / "POSCAR_c", diamond, format="vasp")
    (tmp_path / "notes.txt").write_text("not a structure")
    cells = load_cells(tmp_path)
    assert [(cell.name, len(cell.atoms)) for cell in cells] == [("POSCAR_c", 2), ("a-000", 2), ("a-001", 16), ("b", 2)]
    assert [cell.network for cell in cells] == ["3.5", "3.5", "3.5", "2.3"]
    assert all(cell.spectra is None and cell.atoms.pbc.all() for cell in cells)
    np.testing.assert_allclose(cells[3].atoms.cell.angles(), [90, 90, 120])


def test_one_file_and_several_sources(tmp_path: Path, diamond: Atoms) -> None:
    first, second = tmp_path / "one.extxyz", tmp_path / "two.extxyz"
    diamond.info["quench_fs"] = 600
    ase.io.write(first, diamond)
    ase.io.write(second, diamond.repeat((3, 1, 1)))
    cells = load_cells([first, str(second)])
    assert [cell.name for cell in cells] == ["one", "two"]
    assert cells[0].atoms.info["quench_fs"] == 600


def test_refusals(tmp_path: Path, diamond: Atoms) -> None:
    with pytest.raises(ValueError, match="at least one"):
        load_cells([])
    with pytest.raises(ValueError, match="has no structures"):
        load_cells(tmp_path)
    with pytest.raises(ValueError, match="does not exist"):
        load_cells(tmp_path / "none.cif")
    bad = tmp_path / "bad.extxyz"
    for content in ("", "what?\n"):
        bad.write_text(content)
        with pytest.raises(ValueError, match=r"bad\.extxyz (cannot be read|has no structure)"):
            load_cells(bad)
    ase.io.write(bad, ase.build.bulk("Si"))
    with pytest.raises(ValueError, match="carbon only"):
        load_cells(bad)
    ase.io.write(bad, Atoms("C2", positions=[[0, 0, 0], [0, 0, 1.4]]))
    with pytest.raises(ValueError, match="no periodic cell"):
        load_cells(bad)


def test_both_kinds_of_shared_folders(shared_data: Path) -> None:
    cells = load_cells([shared_data / "llnl-a-C", shared_data / "md-a-C"])
    labelled = [cell for cell in cells if cell.spectra is not None]
    quenched = [cell for cell in cells if cell.spectra is None]
    assert (len(labelled), len(quenched)) == (27, 43)
    assert {cell.network for cell in quenched} == {"1.5", "2.0", "2.5", "3.0", "3.5"}
    assert {"density", "seed", "quench_fs"} <= set(quenched[0].atoms.info)
    assert all(float(cell.network) == pytest.approx(cell.atoms.info["density"], abs=0.01) for cell in quenched)
