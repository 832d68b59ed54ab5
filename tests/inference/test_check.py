"""A structure checked by spectra of some of its sites: means, errors, distances and words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import ase.build
import numpy as np
import pytest

from acgen.data.labels import Label, stratified_sites
from acgen.errors import AcgenError
from acgen.inference.check import (
    LIMIT,
    Along,
    Check,
    Site,
    change_along,
    change_words,
    changes,
    check,
    sites_of,
    verdict,
)
from acgen.spectra.feff import on_grid
from acgen.spectra.feff_correction import FeffCorrection
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.references import reference_spectra
from acgen.spectra.site_mean import SampledMean
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.analysis import coordination_numbers
from acgen.structures.cell import density

PEAK = np.exp(-((ENERGY - 292) ** 2))


@pytest.fixture
def atoms():
    holey = ase.build.bulk("C", "diamond", 3.567, cubic=True).repeat(2)
    holey.rattle(0.02, seed=1)
    del holey[[0, 20, 21]]
    return holey


@pytest.fixture
def spectra(atoms):
    """Of every site: sp2 or sp3 by its neighbours, with differences from site to site, shape (N, 100)."""
    random, own = np.random.default_rng(0), coordination_numbers(atoms)
    classes = np.stack([reference_spectra()["sp2" if n <= 3 else "sp3"] for n in own])
    return classes + random.normal(0, 0.1, (len(atoms), 1)) * PEAK


@pytest.fixture
def correction():
    """At the density of the cell, half a peak; wrong by little."""
    heights = np.array([0.52, 0.5, 0.48])
    return FeffCorrection(np.array([2.5, 3.3, 3.5]), heights[:, None] * PEAK)


def sites(atoms, spectra, count=16, seed=0):
    numbers = coordination_numbers(atoms)
    return [Site(k, int(numbers[k]), spectra[k]) for k in stratified_sites(atoms, count, seed)]


def test_the_corrected_mean_is_the_mean_of_all_within_its_error(atoms, spectra, correction):
    truth, off = spectra.mean(0) + correction.at(density(atoms)), []
    for seed in range(30):
        found = check(atoms, sites(atoms, spectra, seed=seed), correction)
        at = PEAK.argmax()
        off.append((found.corrected.mean - truth)[at] / found.sampled.error[at])
        assert found.corrected.error[at] > found.sampled.error[at]
    assert 0.6 < np.std(off) < 1.6
    assert abs(np.mean(off)) < 0.6


def test_every_site_and_no_correction_is_the_mean_itself(atoms, spectra):
    found = check(atoms, sites(atoms, spectra, len(atoms)))
    np.testing.assert_allclose(found.corrected.mean, spectra.mean(0), atol=1e-9)
    np.testing.assert_allclose(found.corrected.error, 0, atol=1e-6)
    assert found.notes == ()


def test_distances_have_errors_and_are_judged_by_them(atoms, spectra, correction):
    truth = spectra.mean(0) + correction.at(density(atoms))
    target = Target(truth + PEAK, np.ones(100, bool), "far")
    networks = {"forward": truth, "judge": truth + 0.01 * PEAK}
    found = check(atoms, sites(atoms, spectra), correction, target, networks, name="cell")
    far, near = found.distances["target"], found.distances["forward"]
    assert far.value == pytest.approx(np.linalg.norm(PEAK), abs=3 * far.error)
    assert not far.explained
    assert near.explained
    assert near.expected > near.error
    assert found.misfits["forward"] == pytest.approx(np.linalg.norm(PEAK))
    words = verdict(found)
    assert "16 of 61 sites" in words
    assert "from the target, where errors alone make" in words
    assert words.count("MORE THAN ERRORS EXPLAIN") == 1
    assert words.endswith(LIMIT)
    content = found.to_dict()
    assert content["distances"]["target"]["value"] == far.value
    assert {len(curve) for curve in content["curves"].values()} == {100}


def test_a_measured_target_is_met_through_its_instrument(atoms, spectra, correction):
    truth = spectra.mean(0) + correction.at(density(atoms))
    stood = Instrument(shift=0.3, scale=1.1, slope=0.004, sigma=0.2)
    target = Target(stood.apply(truth), np.ones(100, bool), "film", measured=True)
    chosen = sites(atoms, spectra, len(atoms))
    found = check(atoms, chosen, correction, target, {"forward": truth})
    assert found.instrument.shift == pytest.approx(0.3, abs=0.02)
    assert found.distances["target"].value < 0.02
    plain = check(atoms, chosen, correction, target, {"forward": truth}, instrument=False)
    assert plain.distances["target"].value > 0.5
    assert found.to_dict()["curves"]["forward"] == pytest.approx(found.instrument.apply(truth), abs=1e-6)
    alone = check(atoms, chosen, correction, target)  # no network: fitted by the checked mean itself
    assert alone.distances["target"].value < 0.02


def test_failures_are_told_and_the_rest_goes_on(atoms, spectra, correction):
    some = sites(atoms, spectra, 6)
    some[2] = Site(some[2].index, some[2].coordination, None, "FEFF failed: stage 'pot'")
    some[4] = Site(some[4].index, some[4].coordination, some[4].spectrum, converged=False)
    found = check(atoms, some, correction)
    assert f"No spectrum of site {some[2].index}." in found.notes
    assert f"Potentials are not self-consistent at {some[4].index}." in found.notes
    assert found.to_dict()["sites"][2]["error"] == "FEFF failed: stage 'pot'"
    with pytest.raises(AcgenError, match="none of 1 sites of cell has a spectrum: FEFF failed"):
        check(atoms, some[2:3], correction, name="cell")
    with pytest.raises(AcgenError, match="take two"):
        check(atoms, some[:1], correction)


def test_other_elements_are_neighbours_only(atoms, spectra, correction):
    mixed = atoms.copy()
    chosen = sites(atoms, spectra, 10)
    other = next(k for k in range(len(atoms)) if k not in {site.index for site in chosen})
    mixed.numbers[other] = 14
    found = check(mixed, chosen, correction, load_target("sp3"))
    assert found.carbon == len(atoms) - 1
    assert list(found.distances) == ["target"]
    assert "The correction is that of pure carbon." in found.notes


def test_unlike_densities_and_unseen_coordination_are_noted(atoms, spectra):
    far = FeffCorrection(np.array([1.0, 1.5, 2.0]), np.zeros((3, 100)))
    numbers = coordination_numbers(atoms)
    four = [site for site in sites(atoms, spectra, 20) if site.coordination == 4]
    notes = " ".join(check(atoms, four, far).notes)
    share = 100 * np.mean(numbers != 4)
    assert f"{share:.2g} % of the carbon atoms have a coordination" in notes
    assert "No reference network is near" in notes


def test_labels_become_sites():
    energy = tuple(np.arange(265.0, 340.0, 0.5))
    about = {"key": "k", "structure": "s", "sha256": "0", "feff": "feff 1", "coordination": 3}
    good = Label(**about, site=4, energy=energy, mu=tuple(1.0 + np.arange(150) / 150), seconds=9.0, converged=True)
    short = Label(**about, site=5, energy=energy[:60], mu=(1.0,) * 60)
    failed = Label(**about, site=6, error="FEFF failed")
    found = sites_of([good, short, failed])
    np.testing.assert_allclose(found[0].spectrum, on_grid(good.spectrum))
    assert [site.spectrum is None for site in found] == [False, True, True]
    assert "ends at" in found[1].error
    assert Counter(site.coordination for site in found) == {3: 3}


def test_change_along_a_direction():
    covariance = 0.01 * np.eye(100)
    before = SampledMean(np.zeros(100), covariance, 0)
    after = SampledMean(0.5 * PEAK + np.where(ENERGY < 280, 1.0, 0), covariance, 0)
    found = change_along(before, after, np.where(ENERGY >= 285, PEAK, 0) * 2)
    assert found.share == pytest.approx(0.25)
    assert found.error == pytest.approx(np.sqrt(0.02))
    with pytest.raises(AcgenError, match="not zero"):
        change_along(before, after, np.zeros(100))


def test_changes_are_told_of_every_structure_but_the_first(atoms):
    target, start, moved = load_target("sp3"), load_target("a-C-2.0").intensity, 0.5

    def checked(name: str, share: float) -> Check:
        spectrum = start + share * (target.intensity - start)
        numbers = coordination_numbers(atoms)
        sites = [Site(k, int(numbers[k]), spectrum + 0.001 * (-1) ** k) for k in range(len(atoms))]
        networks = {"forward": spectrum, "judge": spectrum}
        return check(atoms, sites, None, target, networks, name=name)

    found = changes([checked("before", 0.0), checked("half", moved), checked("none", 0.0)])
    assert list(found) == ["half", "none"]
    assert found["half"]["judge"].share == pytest.approx(0.5)
    assert found["half"]["check"].share == pytest.approx(0.5, abs=0.02)
    assert "its sign is certain" in change_words(found["half"])
    assert "not certain" in change_words({"check": Along(0.1, 0.2, 1.0)})
    with pytest.raises(AcgenError, match="target"):
        changes([replace(checked("before", 0.0), target=None), checked("half", moved)])
