"""What FEFF leaves out of a mean spectrum: between networks, beyond them, and its error; made and read again."""

from __future__ import annotations

import json
from dataclasses import asdict

import ase.build
import numpy as np
import pytest

from acgen.cli import main
from acgen.data import feff_correction as making
from acgen.data.labels import Label, structure_sha256
from acgen.data.public import LabelledCell
from acgen.errors import AcgenError
from acgen.spectra.feff import Xmu, on_grid
from acgen.spectra.feff_correction import FeffCorrection, read_correction, shipped_correction
from acgen.spectra.grid import ENERGY
from acgen.structures.analysis import coordination_numbers

PEAK = np.exp(-((ENERGY - 290) ** 2))


def test_between_beyond_and_missed():
    grows = FeffCorrection(np.array([1.5, 2.0, 3.0]), np.array([1.5, 2.0, 3.0])[:, None] * PEAK)
    np.testing.assert_allclose(grows.at(2.25), 2.25 * PEAK)
    np.testing.assert_allclose(grows.at(1.0), 1.5 * PEAK)
    np.testing.assert_allclose(grows.at(3.4), 3.0 * PEAK)
    # A line through the others is right in the middle; at the ends the nearest stands in.
    np.testing.assert_allclose(grows.missed, np.array([0.5, 0, -1.0])[:, None] * PEAK, atol=1e-12)
    assert grows.covers(2.6)
    assert not grows.covers(1.0)
    size = np.sqrt(np.diag(grows.covariance))
    assert ENERGY[size.argmax()] == pytest.approx(290, abs=0.4)


def test_refusals(tmp_path):
    with pytest.raises(AcgenError, match="3 networks"):
        FeffCorrection(np.array([1.5, 2.0]), np.zeros((2, 100)))
    with pytest.raises(AcgenError, match="100 finite"):
        FeffCorrection(np.array([1.5, 2.0, 3.0]), np.full((3, 100), np.nan))
    for text in ("", "energy_eV,1,2,3\n1,2,3,4\n", "energy_eV,a\n"):
        (tmp_path / "c.csv").write_text(text)
        with pytest.raises(AcgenError, match="no correction of FEFF"):
            read_correction(tmp_path / "c.csv")


def test_made_of_labels_and_public_spectra(tmp_path, monkeypatch, capsys):
    random, cells, labels = np.random.default_rng(0), [], []
    curves = Xmu(np.arange(265.0, 340.0, 0.5), 1 + np.arange(150) / 150)
    for k, network in enumerate(("1.5", "2.0", "2.5")):
        atoms = ase.build.bulk("C", "diamond", 3.567, cubic=True).repeat(2)
        atoms.rattle(0.02, seed=k)
        del atoms[[0, 9]]
        # DFT is FEFF plus a peak that grows with density, and twice as large where an atom has three neighbours.
        factor = np.where(coordination_numbers(atoms) == 3, 2, 1) * float(network)
        cells.append(LabelledCell(f"cell{k}", network, atoms, on_grid(curves) + factor[:, None] * PEAK))
        for site in random.choice(len(atoms), 30, replace=False):
            about = {"key": f"{k}:{site}", "structure": f"cell{k}", "sha256": structure_sha256(atoms)}
            about |= {"site": int(site), "coordination": int(coordination_numbers(atoms)[site]), "feff": "feff 1"}
            labels.append(Label(**about, energy=tuple(curves.energy), mu=tuple(curves.mu)))
    (tmp_path / "labels.jsonl").write_text("\n".join(json.dumps(asdict(each)) for each in labels))
    monkeypatch.setattr(making, "load_public", lambda directory: cells)
    command = ["data", "feff-correction", str(tmp_path), "--data", "public", "--out", str(tmp_path / "c.csv")]
    assert main(command) == 0
    assert "2.0 g/cm³: 30 sites" in capsys.readouterr().out
    found = read_correction(tmp_path / "c.csv")
    np.testing.assert_allclose(found.densities, [1.5, 2.0, 2.5])
    for cell, curve in zip(cells, found.curves, strict=True):
        np.testing.assert_allclose(curve, cell.spectra.mean(0) - on_grid(curves), atol=1e-5)
    (tmp_path / "labels.jsonl").write_text(json.dumps(asdict(labels[0])))
    assert main(command) == 2
    assert "1 labelled sites" in capsys.readouterr().err


def test_the_shipped_one_tells_how_far_it_is_to_be_trusted():
    found = shipped_correction()
    np.testing.assert_allclose(found.densities, [1.5, 2.0, 2.5, 3.0, 3.5])
    missed, size = (np.linalg.norm(each, axis=1) for each in (found.missed, found.curves))
    assert np.all(size < 1)
    assert np.sqrt((missed**2).mean()) < np.sqrt((size**2).mean())  # it helps a network that it does not know
