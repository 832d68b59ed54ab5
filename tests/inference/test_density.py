"""Density from a spectrum, on spectra whose density is known."""

import json

import numpy as np
import pytest

from acgen.cli import main
from acgen.inference.defaults import GRID
from acgen.inference.density import estimate_density, prior_cells, sample_prior
from acgen.networks.models import load_models, predict_sites
from acgen.sampling.settings import Settings
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.model_error import error_covariance
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import DENSEST
from acgen.structures.cell import density as density_of
from acgen.structures.reference import reference_cells


@pytest.fixture(scope="module")
def models():
    return load_models()


def target_of(models, atoms) -> Target:
    return Target(predict_sites(models.forward, atoms).mean(0), np.ones(ENERGY.size, dtype=bool), "made up")


@pytest.mark.parametrize("index", range(0, 10, 2))
def test_the_density_of_a_melt_quench_cell_is_found(models, index):
    atoms = reference_cells()[index]
    found = estimate_density(target_of(models, atoms), models.forward)
    assert abs(found.density - density_of(atoms)) < 0.3
    fractions = coordination_fractions(atoms)
    assert all(abs(found.cn_fraction[str(cn)] - fractions[cn]) < 0.15 for cn in (2, 3, 4))
    assert sum(found.probability) == pytest.approx(1)
    assert f"{found.density:.2f}" in found.words


def test_an_answer_at_the_end_of_the_grid_is_called_a_bound(models):
    dense = [atoms for atoms in prior_cells() if atoms.info["density"] <= 2.5]
    found = estimate_density(target_of(models, reference_cells()[-1]), models.forward, dense)
    assert found.at_the_edge
    assert "bound" in found.words
    with pytest.raises(ValueError, match="at least two"):
        estimate_density(target_of(models, dense[0]), models.forward, dense[:1])


def test_what_no_structure_has_is_not_to_be_trusted(models):
    found = estimate_density(target_of(models, reference_cells()[4]), models.forward)
    assert "Do not trust" not in found.words
    flat = Target(np.full(ENERGY.size, 0.22), np.ones(ENERGY.size, dtype=bool), "flat")
    assert "Do not trust" in estimate_density(flat, models.forward).words


def test_the_shipped_structures_cover_the_grid():
    assert sorted({atoms.info["density"] for atoms in prior_cells()}) == list(GRID)
    assert all(abs(density_of(atoms) - atoms.info["density"]) < 0.01 for atoms in prior_cells())


def test_structures_are_sampled_without_a_guide(models):
    settings = Settings(steps=4, restarts=0, candidates=2, seed=3)
    cells = list(sample_prior(models, [1.5, 3.0], settings, atoms=64))
    assert [atoms.info["density"] for atoms in cells] == [1.5, 1.5, 3.0, 3.0]
    assert [atoms.info["seed"] for atoms in cells] == [3, 4, 3, 4]


def test_the_command(tmp_path, capsys):
    assert main(["density", "a-C-2.5", "--out", str(tmp_path / "d.json")]) == 0
    answer = json.loads((tmp_path / "d.json").read_text())
    assert abs(answer["density"] - 2.5) < 0.3
    assert answer["words"] in capsys.readouterr().out


def test_several_targets_are_one_table(tmp_path, capsys):
    assert main(["density", "a-C-2.0", "a-C-3.0", "--out", str(tmp_path / "d.json")]) == 0
    one, two = json.loads((tmp_path / "d.json").read_text())
    assert one["target"] == "a-C-2.0"
    assert one["density"] < two["density"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["a-C-2.0", "a-C-3.0"]


def test_what_the_instrument_did_does_not_move_the_answer_and_noise_widens_it(models):
    atoms = reference_cells()[5]
    exact = target_of(models, atoms)
    seen = Instrument(0.4, 1.0, 0.004, 0.25).apply(exact.intensity)
    plain, noisy = (
        estimate_density(Target(seen, exact.mask, "seen", noise=np.full(100, size), measured=True), models.forward)
        for size in (0.001, 0.1)
    )
    assert abs(plain.density - density_of(atoms)) < 0.25
    assert plain.instrument.shift == pytest.approx(0.4, abs=0.2)
    assert noisy.density_error > plain.density_error
    assert noisy.noise_error["density"] > plain.noise_error["density"] > 0


def test_no_answer_is_denser_than_diamond(models):
    found = estimate_density(load_target("diamond"), models.forward)
    assert found.density < DENSEST
    assert sum(found.probability[k] for k, density in enumerate(found.densities) if density > 3.6) < 1e-9


def test_an_error_that_is_left_out_is_not_known():
    known, without = error_covariance(), error_covariance("3.5")
    assert np.linalg.eigvalsh(without).min() > 0
    assert np.trace(without) < np.trace(known)
