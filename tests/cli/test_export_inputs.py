"""`acgen export-inputs`, and what `acgen check --results` reads of it."""

from __future__ import annotations

import ase.build
import ase.io
import pytest

from acgen.cli import main
from acgen.cli.export_inputs import CODES
from acgen.data import dft_inputs
from acgen.data.labels import stratified_sites
from acgen.spectra.calculated import calculated_files


@pytest.fixture
def film(tmp_path):
    atoms = ase.build.bulk("C", "diamond", 3.567, cubic=True).repeat(2)
    atoms.rattle(0.05, seed=1)
    ase.io.write(tmp_path / "film.extxyz", atoms)
    return atoms, str(tmp_path / "film.extxyz")


def test_the_command_offers_what_there_is():
    assert list(CODES) == list(dft_inputs.CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_folder_for_each_site(film, code, tmp_path, capsys):
    atoms, path = film
    assert main(["export-inputs", path, "--code", code, "--sites", "3", "--out", str(tmp_path / "out")]) == 0
    wanted = dft_inputs.CODES[code]
    for site in stratified_sites(ase.io.read(path), 3):
        folder = tmp_path / "out" / f"film-{site}"
        assert {file.name: file.read_text() for file in folder.iterdir()} == wanted(ase.io.read(path), site)
    assert "--results" in capsys.readouterr().out


def test_what_feff_leaves_in_the_folders_is_found(film, tmp_path):
    _, path = film
    out = tmp_path / "out"
    assert main(["export-inputs", path, "--code", "feff", "--site-list", "3,17", "--out", str(out)]) == 0
    for site in (3, 17):
        (out / f"film-{site}" / "xmu.dat").write_text("")
    assert calculated_files(out, "film") == ({s: out / f"film-{s}" / "xmu.dat" for s in (3, 17)}, True)


def test_refusals(film, tmp_path, capsys):
    _, path = film
    assert main(["export-inputs", path, "--code", "vasp", "--site-list", "64", "--out", str(tmp_path / "o")]) == 2
    assert "does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["export-inputs", path, "--code", "abinit", "--out", str(tmp_path / "o")])
