"""`acgen check`: by FEFF, by results of other codes, and what is refused."""

from __future__ import annotations

import json
from threading import Event

import ase.io
import numpy as np
import pytest

from acgen.cli import main
from acgen.data import labels
from acgen.errors import AcgenError
from acgen.spectra import feff_run
from acgen.spectra.feff import Xmu
from acgen.spectra.feff_run import FeffResult, feff_version
from acgen.spectra.grid import ENERGY
from acgen.spectra.references import reference_spectra
from acgen.structures.cell import carbon, cell_matrix

FINE = np.arange(255.0, 340.0, 0.4)


def curve(k: int) -> np.ndarray:
    return np.interp(FINE, ENERGY, reference_spectra()["sp2" if k % 2 else "sp3"])


class Fake:
    """Stands for FEFF: sp2 or sp3 by turns; its second site fails."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, text: str, stop: Event) -> FeffResult:
        self.calls += 1
        if self.calls == 2:
            raise AcgenError("FEFF failed: stage 'pot'")
        return FeffResult(Xmu(FINE, curve(self.calls)), 9.0, True)


@pytest.fixture
def structure(tmp_path):
    lattice = np.stack(np.meshgrid(*[np.arange(4)] * 3), -1).reshape(-1, 3) * 1.9
    atoms = carbon(lattice + np.random.default_rng(0).normal(0, 0.15, (64, 3)), cell_matrix(7.6))
    ase.io.write(tmp_path / "film.extxyz", atoms)
    return str(tmp_path / "film.extxyz")


@pytest.fixture
def correction(tmp_path):
    rows = "\n".join(f"{energy:.1f},0,0.01,0" for energy in ENERGY)
    (tmp_path / "correction.csv").write_text(f"# synthetic\nenergy_eV,2.0,2.5,3.0\n{rows}\n")
    return str(tmp_path / "correction.csv")


def test_a_check_by_feff_and_again_from_the_cache(structure, correction, tmp_path, monkeypatch, capsys):
    fake = Fake()
    monkeypatch.setattr(labels, "feff_version", lambda: "feff 1")
    monkeypatch.setattr(feff_run, "feff_version", lambda: "feff 1")
    monkeypatch.setattr(labels.make_labels, "__defaults__", (0, False, False, fake, 1, None))
    command = ["check", structure, "--target", "sp2", "--sites", "5", "--correction", correction, "--workers", "1"]
    command += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "FEFF failed: stage 'pot'" in printed
    assert "film: 4 of 64 sites." in printed
    assert "no substitute for DFT" in printed
    content = json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))
    assert content["code"] == "feff 1"
    (found,) = content["structures"]
    assert set(found["distances"]) == {"target", "forward", "judge"}
    assert set(found["misfits"]) == {"forward", "judge"}
    assert [bool(site["error"]) for site in found["sites"]] == [False, True, False, False, False]
    assert (tmp_path / "out" / "check-film.png").stat().st_size > 10_000
    assert "<svg" in (tmp_path / "out" / "check-film.svg").read_text(encoding="utf-8")
    assert main(command) == 0  # the site that failed is tried again, the others are there
    assert fake.calls == 6
    assert "film: 5 of 64 sites." in capsys.readouterr().out


def test_results_of_another_code(structure, tmp_path, capsys):
    for site in (3, 17, 40):
        rows = np.column_stack([FINE - 2, curve(site)])
        np.savetxt(tmp_path / f"film-{site}.txt", rows, header="eV mu")
    (tmp_path / "film-50.txt").write_text("no spectrum\n")
    command = ["check", structure, "--target", "sp2", "--results", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "--shift" in capsys.readouterr().err
    assert main([*command, "--shift", "2"]) == 0
    printed = capsys.readouterr().out
    assert "3 of 64 sites" in printed
    assert "film site 50" in printed
    assert "FEFF" not in printed
    content = json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))
    curves = content["structures"][0]["curves"]
    np.testing.assert_allclose(curves["mean"], curves["mean_as_calculated"])
    assert content["shift_eV"] == 2


def test_results_of_feff_are_corrected(structure, correction, tmp_path):
    for site in (3, 17):
        folder = tmp_path / "results" / str(site)
        folder.mkdir(parents=True)
        np.savetxt(folder / "xmu.dat", np.column_stack([FINE, FINE, FINE, curve(site), FINE, FINE]))
    command = ["check", structure, "--results", str(tmp_path / "results"), "--correction", correction]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    content = json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))
    curves = content["structures"][0]["curves"]
    off = np.array(curves["mean"]) - np.array(curves["mean_as_calculated"])
    assert 0 < off.min() <= off.max() <= 0.01
    assert content["shift_eV"] == 5.1
    (tmp_path / "results" / "99").mkdir()
    (tmp_path / "results" / "99" / "xmu.dat").write_text("")
    assert main([*command, "--out", str(tmp_path / "out")]) == 2  # the structure has 64 atoms


def test_refusals(structure, correction, tmp_path, monkeypatch, capsys):
    command = ["check", structure, "--correction", correction, "--cache", str(tmp_path / "c"), "--out", str(tmp_path)]
    monkeypatch.setattr(labels, "feff_version", lambda: "feff 1")
    monkeypatch.setattr(feff_run, "feff_version", lambda: "feff 1")
    assert main([*command, "--site-list", "3,64"]) == 2
    assert "site 64 does not exist" in capsys.readouterr().err
    assert main([*command, "--correction", structure]) == 2
    assert "no correction of FEFF" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "--site-list", "3;4"])
    monkeypatch.undo()
    monkeypatch.setattr(feff_run, "find_spec", lambda name: None)
    feff_version.cache_clear()
    assert main(command) == 2
    assert 'pip install "acgen[feff]"' in capsys.readouterr().err
    feff_version.cache_clear()
