"""The grid, the types of spectra, and the shipped references."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from acgen.spectra.grid import AREA, ENERGY, N_POINTS
from acgen.spectra.references import CLASSES, CRYSTALS, NAMES, NETWORKS, reference_spectra
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target


def test_grid_is_the_calibration() -> None:
    assert ENERGY.shape == (N_POINTS,) == (100,)
    np.testing.assert_allclose(ENERGY[[0, 27, 99]], [274.6, 285.4, 314.2], atol=1e-9)
    np.testing.assert_allclose(np.diff(ENERGY), 0.4, atol=1e-9)
    with pytest.raises(ValueError, match="read-only"):
        ENERGY[0] = 0.0


def test_calibration_puts_the_known_features_of_the_crystals_where_they_are_measured() -> None:
    graphite, diamond = reference_spectra()["graphite"], reference_spectra()["diamond"]
    below, above = ENERGY < 288, ENERGY > 288
    assert ENERGY[below][graphite[below].argmax()] == pytest.approx(285.4)
    assert ENERGY[above][graphite[above].argmax()] == pytest.approx(292.2)
    assert ENERGY[diamond.argmax()] == pytest.approx(290.6)
    gap = (ENERGY > 296) & (ENERGY < 306)
    assert ENERGY[gap][diamond[gap].argmin()] == pytest.approx(301.8)


def test_area_is_that_of_the_networks() -> None:
    areas = {name: spectrum.sum() for name, spectrum in reference_spectra().items()}
    assert np.mean([areas[name] for name in NETWORKS]) == pytest.approx(AREA, abs=0.01)
    assert [areas[name] for name in CRYSTALS] == pytest.approx([AREA, AREA], abs=1e-3)
    assert all(abs(area / AREA - 1) < 0.02 for area in areas.values())


def test_references_reproduce_the_known_distances() -> None:
    def distance(a: str, b: str) -> float:
        return float(np.linalg.norm(reference_spectra()[a] - reference_spectra()[b]))

    assert distance("sp", "sp2") == pytest.approx(1.05, abs=0.005)
    assert distance("sp2", "sp3") == pytest.approx(1.03, abs=0.005)
    assert distance("sp", "sp3") == pytest.approx(1.74, abs=0.005)
    assert distance("a-C-2.0", "a-C-2.5") == pytest.approx(0.27, abs=0.005)
    assert distance("a-C-1.5", "a-C-3.5") == pytest.approx(1.14, abs=0.005)


def test_class_means_peak_where_they_should() -> None:
    peaks = {name: ENERGY[reference_spectra()[name].argmax()] for name in CLASSES}
    assert peaks["sp3"] == pytest.approx(291.0)
    assert peaks["sp2"] == pytest.approx(293.0)
    assert peaks["sp"] in (pytest.approx(285.4), pytest.approx(285.8))
    assert tuple(reference_spectra()) == NAMES


def test_spectrum_is_immutable_and_keeps_its_own_copy() -> None:
    energy = np.arange(5.0)
    spectrum = Spectrum(energy, energy**2, history=["read"])
    energy[0] = -7.0
    assert spectrum.energy[0] == 0.0
    assert spectrum.history == ("read",)
    with pytest.raises(ValueError, match="read-only"):
        spectrum.intensity[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        spectrum.name = "x"


@pytest.mark.parametrize(
    ("energy", "intensity", "message"),
    [
        ([1.0, 2.0], [1.0], "as many energies"),
        ([1.0, 1.0], [1.0, 2.0], "increase"),
        ([1.0, 2.0], [1.0, np.nan], "not finite"),
        ([1.0, np.inf], [1.0, 2.0], "not finite"),
        ([], [], "one-dimensional"),
        ([[1.0, 2.0]], [[1.0, 2.0]], "one-dimensional"),
    ],
)
def test_spectrum_rejects_nonsense(energy: list, intensity: list, message: str) -> None:
    with pytest.raises(SpectrumError, match=message):
        Spectrum(np.array(energy), np.array(intensity))


def test_target_misfit_counts_covered_points_only() -> None:
    mask = np.arange(100) < 25
    target = Target(np.ones(100), mask)
    assert target.intensity[~mask].max() == 0.0
    assert target.misfit(np.zeros(100)) == pytest.approx(5.0)
    assert target.misfit(np.where(mask, 1.0, 99.0)) == 0.0
    with pytest.raises(SpectrumError, match="average over the atoms"):
        target.misfit(np.ones((216, 100)))


def test_target_rejects_nonsense() -> None:
    with pytest.raises(SpectrumError, match="100 intensities"):
        Target(np.ones(99), np.ones(99, dtype=bool))
    with pytest.raises(SpectrumError, match="covers none"):
        Target(np.ones(100), np.zeros(100, dtype=bool))
    with pytest.raises(SpectrumError, match="not finite"):
        Target(np.full(100, np.nan), np.ones(100, dtype=bool))
