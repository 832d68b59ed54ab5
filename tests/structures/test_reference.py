"""Reference figures and the comparison of structures with them."""

import json
import sys

import numpy as np
import pytest
from ase.build import bulk

from acgen.data.reference import build_reference
from acgen.inference.validation import energy_above_reference
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import density
from acgen.structures.potential import nep_energies
from acgen.structures.reference import load_reference, realism, reference_at, reference_cells


@pytest.fixture(scope="module")
def potential(shared_data):
    pytest.importorskip("calorine", reason='needs calorine: pip install "acgen[md]"')
    path = shared_data / "potentials" / "C_2022_NEP4.txt"
    if not path.is_file():
        pytest.skip(f"needs the potential {path}")
    return path


def test_reference_follows_the_density():
    known = load_reference()
    assert [figures.density for figures in known] == [1.5, 2.0, 2.5, 3.0, 3.5]
    for figures in known:
        assert sum(figures.coordination.values()) == pytest.approx(1, abs=1e-4)
        assert figures.coordination[1] == 0
        assert np.sum(figures.angle_distribution) * np.diff(figures.angles)[0] == pytest.approx(1, abs=1e-3)
        assert np.average(figures.angles, weights=figures.angle_distribution) == pytest.approx(
            figures.mean_angle, abs=0.2
        )
    for cn, sign in ((2, -1), (4, 1)):
        assert np.all(sign * np.diff([figures.coordination[cn] for figures in known]) >= 0)
    assert np.all(np.diff([figures.energy for figures in known]) < 0)
    assert np.all(np.diff([figures.mean_angle for figures in known]) < 0)
    assert np.all(np.diff([figures.rdf.first_peak for figures in known]) > 0)


def test_reference_between_and_beyond_its_densities():
    low, high = load_reference()[1:3]
    middle = reference_at(2.25)
    assert middle.coordination[4] == pytest.approx((low.coordination[4] + high.coordination[4]) / 2)
    assert middle.energy == pytest.approx((low.energy + high.energy) / 2)
    np.testing.assert_allclose(middle.rdf.g, (low.rdf.g + high.rdf.g) / 2)
    assert reference_at(2.5).coordination == pytest.approx(high.coordination)
    assert reference_at(3.9).coordination == pytest.approx(load_reference()[-1].coordination)


def test_every_kind_counts_once(shared_data):
    """Kinds with 12 and with 2 cells weigh the same; the shipped figures come out of the public and the MD cells."""
    built = build_reference(shared_data / "llnl-a-C", shared_data / "md-a-C")
    for entry, shipped in zip(built["densities"], load_reference(), strict=True):
        assert len(entry["kinds"]) == 5
        for cn in range(6):
            kinds = [kind["cn_fraction"][str(cn)] for kind in entry["kinds"]]
            assert np.mean(kinds) == pytest.approx(shipped.coordination[cn], abs=2e-5)
        np.testing.assert_allclose(entry["g"], shipped.rdf.g, atol=2e-4)
        assert entry["mean"]["energy_eV"] is None
    # Table of the quench times at 1.5 g/cm³: from the fastest to the slowest quench CN2 falls from 25 to 9 %.
    quenched = {kind["kind"]: kind["cn_fraction"]["2"] for kind in built["densities"][0]["kinds"]}
    assert quenched["melt-quench 600 fs"] == pytest.approx(0.25, abs=0.01)
    assert quenched["melt-quench 6000 fs"] == pytest.approx(0.09, abs=0.01)


def test_reference_cells_are_what_they_say():
    cells = reference_cells()
    assert len(cells) == 10
    for atoms in cells:
        assert density(atoms) == pytest.approx(atoms.info["density"], abs=1e-3)
        assert coordination_fractions(atoms)[1] == 0
        assert atoms.info["energy_per_atom"] == pytest.approx(reference_at(atoms.info["density"]).energy, abs=0.25)


def test_reference_cells_are_realistic_at_their_density_only():
    cells = [atoms for atoms in reference_cells() if atoms.info["density"] == 3.0]
    assert realism(cells, 3.0).mean_difference < 5
    assert realism(cells, 2.0).mean_difference > 20


def test_diamond_is_not_amorphous():
    """All numbers by hand: diamond has nothing but CN4."""
    diamond = bulk("C", "diamond", a=3.567, cubic=True)
    reference = reference_at(2.0).coordination
    result = realism([diamond, diamond], 2.0)
    assert result.structures == 2
    assert result.cn1_percent == 0
    assert result.cn_percent[4] == 100
    expected = 100 * (reference[2] + reference[3] + 1 - reference[4]) / 3
    assert result.mean_difference == pytest.approx(expected)
    assert result.energy_above is None
    assert result.mean_angle == pytest.approx(109.47, abs=0.01)
    assert json.loads(json.dumps(result.to_dict()))["cn_percent"]["4"] == 100


def test_structures_are_averaged_before_comparing():
    """Two errors of opposite sign cancel: what counts is the mean of the structures."""
    cells = reference_cells()
    together = realism(cells, 2.5)
    apart = [realism([atoms], 2.5).mean_difference for atoms in cells]
    assert together.mean_difference < 0.7 * np.mean(apart)


def test_energies(potential):
    diamond = bulk("C", "diamond", a=3.567)
    np.testing.assert_allclose(nep_energies(diamond, potential), -3.29, atol=0.01)
    cell = reference_cells()[0]
    before = cell.positions.copy()
    energies = nep_energies(cell, potential)
    assert energies.shape == (216,)
    assert energies.mean() == pytest.approx(cell.info["energy_per_atom"], abs=2e-3)
    np.testing.assert_array_equal(cell.positions, before)
    result = realism([cell], 1.5, potential)
    assert result.energy_above == pytest.approx(energies.mean() - reference_at(1.5).energy)


def test_no_structure_is_an_error():
    with pytest.raises(ValueError, match="no structure"):
        realism([], 2.0)


def test_missing_or_wrong_potential_is_said(tmp_path):
    atoms = bulk("C", "diamond", a=3.567)
    with pytest.raises(ValueError, match="GPUMD"):
        nep_energies(atoms, tmp_path / "absent.txt")
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("this is no potential\n")
    with pytest.raises(ValueError, match="not a neuroevolution potential"):
        nep_energies(atoms, wrong)


def test_missing_calorine_is_said(tmp_path, monkeypatch):
    file = tmp_path / "nep.txt"
    file.write_text("nep4 1 C\n")
    monkeypatch.setitem(sys.modules, "calorine.calculators", None)
    with pytest.raises(ValueError, match=r'pip install "acgen\[md\]"'):
        nep_energies(bulk("C", "diamond", a=3.567), file)


def test_damaged_potential_is_said(potential, tmp_path):
    damaged = tmp_path / "damaged.txt"
    damaged.write_text("\n".join(potential.read_text().splitlines()[:200]))
    with pytest.raises(ValueError, match="cannot be used"):
        nep_energies(bulk("C", "diamond", a=3.567), damaged)


def test_melt_quench_cells_without_quench_time_are_refused(shared_data, tmp_path):
    atoms = reference_cells()[0]
    del atoms.info["quench_fs"]
    atoms.write(tmp_path / "cell.extxyz")
    with pytest.raises(ValueError, match="quench_fs"):
        build_reference(shared_data / "llnl-a-C", tmp_path)


def test_energies_are_told_above_the_reference_of_the_same_density(potential):
    cell = reference_cells()[0]
    expected = cell.info["energy_per_atom"] - reference_at(cell.info["density"]).energy
    assert energy_above_reference(cell, potential) == pytest.approx(expected, abs=2e-3)
