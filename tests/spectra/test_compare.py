"""The instrument model, its fit, and the quick answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from acgen.spectra.compare import compare, linear_combination, pi_star_content
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Bounds, Instrument
from acgen.spectra.instrument_fit import fit_instrument
from acgen.spectra.io.read import read_spectrum
from acgen.spectra.prepare import prepare
from acgen.spectra.references import NAMES, NETWORKS, reference_spectra
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

ALL = np.ones(100, dtype=bool)
FINE = np.arange(250.0, 340.0, 0.01)


def distorted(name: str, shift: float, scale: float, slope: float, sigma: float) -> np.ndarray:
    """What an instrument makes of a shipped spectrum, computed on fine energies by another library."""
    from scipy.interpolate import make_interp_spline

    inner = make_interp_spline(ENERGY, reference_spectra()[name], k=3)(np.clip(FINE, ENERGY[0], ENERGY[-1]))
    end = (reference_spectra()[name][-1] - reference_spectra()[name][-5]) / 1.6
    fine = inner + end * np.maximum(FINE - ENERGY[-1], 0.0)
    broad = gaussian_filter1d(fine, sigma / 0.01) if sigma > 0.01 else fine
    return scale * (1 + slope * (ENERGY - 285.4)) * np.interp(ENERGY - shift, FINE, broad)


def test_an_ideal_instrument_changes_nothing_and_a_real_one_does_what_it_says() -> None:
    spectrum = reference_spectra()["a-C-2.5"]
    np.testing.assert_allclose(Instrument().apply(spectrum), spectrum, atol=1e-12)
    for values in [(0.8, 1, 0, 0), (-0.8, 1, 0, 0), (0, 3, 0.01, 0), (0, 1, 0, 0.4), (0.37, 0.7, -0.01, 0.25)]:
        np.testing.assert_allclose(
            Instrument(*values).apply(spectrum), distorted("a-C-2.5", *values), atol=2e-3 * values[1]
        )
    with pytest.raises(SpectrumError, match="average over the atoms"):
        Instrument().apply(np.ones((3, 100)))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.sampled_from(["sp2", "sp3", *NETWORKS, "graphite", "diamond"]),
    st.floats(-0.8, 0.8),
    st.floats(0.5, 2.0),
    st.floats(-0.01, 0.01),
    st.floats(0.0, 0.4),
)
def test_what_an_instrument_did_is_found_again(
    name: str, shift: float, scale: float, slope: float, sigma: float
) -> None:
    curve = distorted(name, shift, scale, slope, sigma)
    found = compare(Target(curve, ALL), reference_spectra()[name], instrument=True)
    instrument = found.fit.instrument
    assert instrument.shift == pytest.approx(shift, rel=0.1, abs=0.01)
    assert instrument.scale == pytest.approx(scale, rel=0.02)
    assert instrument.slope == pytest.approx(slope, rel=0.1, abs=2e-4)
    assert instrument.sigma == pytest.approx(sigma, rel=0.1, abs=0.02)
    assert found.misfit < 0.02 * np.linalg.norm(curve)
    assert found.derivative_correlation > 0.99
    assert found.fit.at_bounds == ()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.floats(-0.8, 0.8), st.floats(-0.01, 0.01), st.floats(0.1, 0.4), st.integers(0, 99))
def test_the_misfit_of_another_structure_does_not_depend_on_the_instrument(
    shift: float, slope: float, sigma: float, seed: int
) -> None:
    prediction = reference_spectra()["a-C-2.0"]
    instrument = Instrument(shift, 1.0, slope, sigma)
    noise = np.random.default_rng(seed).normal(scale=0.01, size=100)
    at_truth = np.linalg.norm(noise)
    found = compare(Target(instrument.apply(prediction) + noise, ALL), prediction, instrument=True)
    # Four parameters out of 100 points take away two percent of the noise's norm on average.
    assert 0.92 * at_truth < found.misfit <= at_truth + 1e-9
    for name, value in (("shift", shift), ("slope", slope), ("sigma", sigma)):
        assert abs(getattr(found.fit.instrument, name) - value) < 5 * found.fit.errors[name] + 1e-3


def test_reached_bounds_are_named() -> None:
    target = Target(distorted("a-C-2.5", 0.9, 1.0, 0.0, 0.3), ALL)
    found = fit_instrument(target, reference_spectra()["a-C-2.5"], Bounds(shift=(-0.5, 0.5)))
    assert found.at_bounds == ("shift",)
    assert found.instrument.shift == pytest.approx(0.5, abs=1e-3)
    clear = fit_instrument(target, reference_spectra()["a-C-2.5"])
    assert clear.at_bounds == ()
    with pytest.raises(SpectrumError, match="bounds of shift"):
        Bounds(shift=(1.0, 0.0))
    with pytest.raises(SpectrumError, match="cannot be negative"):
        Bounds(sigma=(-1.0, 0.5))


def test_masked_points_do_not_count_and_noisy_ones_count_little_in_the_weighted_misfit() -> None:
    curve = distorted("a-C-3.0", 0.3, 1.1, 0.004, 0.2)
    mask = (ENERGY > 278) & (ENERGY < 308)
    whole = fit_instrument(Target(np.where(mask, curve, 9.0), mask), reference_spectra()["a-C-3.0"])
    assert whole.instrument.shift == pytest.approx(0.3, abs=0.02)
    bad = ENERGY > 300
    spoilt = Target(curve + 0.3 * bad, mask, noise=np.where(bad, 1.0, 1e-3))
    found = compare(spoilt, curve)
    assert found.misfit == pytest.approx(0.3 * np.sqrt((bad & mask).sum()))
    assert found.weighted_misfit < 0.05 * found.misfit


def test_a_mixture_is_taken_apart() -> None:
    shares = {"sp": 0.1, "sp2": 0.6, "sp3": 0.3}
    mixed = sum(share * reference_spectra()[name] for name, share in shares.items())
    seen = Instrument(0.4, 1.3, -0.005, 0.2).apply(mixed)
    found = linear_combination(Target(seen, ALL))
    assert found.shares == pytest.approx(shares, abs=0.03)
    assert found.misfit < 0.02
    crystals = {name: reference_spectra()[name] for name in ("graphite", "diamond")}
    brought = linear_combination(Target(seen, ALL), crystals)
    assert brought.misfit > 10 * found.misfit
    with pytest.raises(SpectrumError, match="at least one spectrum"):
        linear_combination(Target(seen, ALL), {})


def test_shares_of_the_networks_are_right_within_some_points() -> None:
    known = {"a-C-1.5": (0.32, 0.65), "a-C-2.0": (0.12, 0.77), "a-C-2.5": (0.01, 0.70), "a-C-3.0": (0.0, 0.34)}
    for name, (sp, sp2) in known.items():
        found = linear_combination(Target(reference_spectra()[name], ALL)).shares
        assert (found["sp"], found["sp2"]) == pytest.approx((sp, sp2), abs=0.06)


def test_pi_star_content() -> None:
    sp2 = reference_spectra()["sp2"]
    content = pi_star_content(Target(sp2, ALL))
    assert (content.ratio, content.corrected) == pytest.approx((1.0, 1.0))
    assert pi_star_content(Target(reference_spectra()["sp3"], ALL)).corrected == pytest.approx(0.0)
    assert pi_star_content(Target(reference_spectra()["a-C-2.5"], ALL)).corrected == pytest.approx(0.72, abs=0.08)
    tilted = Instrument(0.5, 2.0, 0.01, 0.0)
    assert pi_star_content(Target(tilted.apply(sp2), ALL), tilted).ratio == pytest.approx(1.0, abs=0.02)
    with pytest.raises(SpectrumError, match="without gaps"):
        pi_star_content(Target(sp2, ENERGY < 300))
    with pytest.raises(SpectrumError, match="no shipped spectrum"):
        pi_star_content(Target(sp2, ALL), reference="coal")


def test_the_derivative_ranks_graphite_nearest_to_a_graphitic_foil(shared_data: Path) -> None:
    foil = prepare(read_spectrum(shared_data / "measured" / "RefFoil_AusSync_ref_over_photodiode.csv"))
    found = {name: compare(foil, reference_spectra()[name]) for name in NAMES}
    assert max(found, key=lambda name: found[name].derivative_correlation) == "graphite"
    dlc = prepare(read_spectrum(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv"))
    found = {name: compare(dlc, reference_spectra()[name]) for name in NAMES}
    assert min(found, key=lambda name: found[name].misfit) in NETWORKS
    assert all(entry.misfit <= entry.raw_misfit + 1e-6 for entry in found.values())


def test_a_distorted_copy_through_the_whole_preparation() -> None:
    energy = np.arange(268.0, 330.0, 0.1)
    curve = np.interp(energy, FINE, np.interp(FINE, ENERGY, distorted("a-C-2.5", 0.5, 1.0, 0.008, 0.3)))
    target = prepare(Spectrum(energy, 7 * curve + 3))
    found = compare(target, reference_spectra()["a-C-2.5"])
    assert found.fit.instrument.shift == pytest.approx(0.5, rel=0.1)
    assert found.fit.instrument.slope == pytest.approx(0.008, rel=0.1)
    assert found.misfit < 0.02 * np.linalg.norm(target.intensity)
