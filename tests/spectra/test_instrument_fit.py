"""The fit of the instrument: found again, as near as a slow and thorough search comes, and one for all who ask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgen.spectra.instrument import Bounds, Instrument, instrument_matrix
from acgen.spectra.instrument_fit import Beamline, InstrumentProfile, fit_instrument
from acgen.spectra.mixture import fit_mixture
from acgen.spectra.references import NETWORKS, reference_spectra
from acgen.spectra.spectrum import SpectrumError, Target

ALL = np.ones(100, dtype=bool)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.sampled_from(["sp2", "sp3", *NETWORKS]),
    st.floats(-0.9, 0.9),
    st.floats(0.5, 2.0),
    st.floats(-0.01, 0.02),
    st.floats(0.05, 0.45),
)
def test_what_an_instrument_did_is_found(name: str, shift: float, scale: float, slope: float, sigma: float) -> None:
    spectrum = reference_spectra()[name]
    found = InstrumentProfile(Target(Instrument(shift, scale, slope, sigma).apply(spectrum), ALL))(spectrum)
    assert found.shift == pytest.approx(shift, abs=2e-3)
    assert found.scale == pytest.approx(scale, rel=2e-3)
    assert found.slope == pytest.approx(slope, abs=1e-4)
    assert found.sigma == pytest.approx(sigma, abs=0.02)


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.4])
def test_errors_are_the_spread_of_fits_to_noisy_copies_also_without_broadening(sigma: float) -> None:
    spectrum, noise = reference_spectra()["a-C-2.0"], 0.003
    true, rng = Instrument(0.1, 1.0, 0.001, sigma).apply(spectrum), np.random.default_rng(0)
    fits = [fit_instrument(Target(true + rng.normal(0, noise, 100), ALL), spectrum) for _ in range(40)]
    for name in ("shift", "scale", "slope", "sigma"):
        found = [getattr(fit.instrument, name) for fit in fits]
        off = np.sqrt(np.mean(np.square(np.subtract(found, getattr(Instrument(0.1, 1.0, 0.001, sigma), name)))))
        told = np.mean([fit.errors[name] for fit in fits])
        assert 0.5 * off < told < 2.5 * off, name


@pytest.mark.parametrize("wanted", ["a-C-2.0", "sp2", "a-C-3.5"])
def test_it_comes_as_near_as_the_thorough_fit(wanted: str) -> None:
    mask = np.arange(100) > 12
    target = Target(Instrument(0.4, 1.2, 0.005, 0.3).apply(reference_spectra()[wanted]), mask)
    profile = InstrumentProfile(target)
    for name in ("sp2", *NETWORKS):
        spectrum = reference_spectra()[name]
        thorough = target.misfit(fit_mixture(target, spectrum[None]).prediction)
        assert target.misfit(profile(spectrum).apply(spectrum)) <= 1.0002 * thorough + 1e-4


def test_all_who_ask_get_the_same_answer_and_it_makes_the_reported_misfit_least() -> None:
    spectrum, mask = reference_spectra()["a-C-2.5"], np.arange(100) > 9
    noise = np.linspace(0.0, 0.05, 100)
    other = 0.8 * spectrum + 0.2 * reference_spectra()["a-C-3.0"]
    target = Target(Instrument(0.3, 0.9, 0.006, 0.3).apply(other), mask, noise=noise)
    fit, beamline = fit_instrument(target, spectrum), Beamline(target, True)
    assert fit.instrument == beamline.instrument(spectrum) == beamline.fit(spectrum).instrument
    assert target.misfit(fit.prediction) == beamline.misfit(spectrum) == target.misfit(beamline.seen(spectrum))
    for name, step in {"shift": 0.02, "scale": 0.01, "slope": 5e-4, "sigma": 0.02}.items():
        for sign in (-1, 1):
            value = np.clip(getattr(fit.instrument, name) + sign * step, *getattr(Bounds(), name))
            near = replace(fit.instrument, **{name: value})
            assert near == fit.instrument or target.misfit(near.apply(spectrum)) > target.misfit(fit.prediction)
    nothing = Beamline(target)
    assert not nothing.fitted
    assert nothing.fit(spectrum) is None
    assert nothing.misfit(spectrum) == target.misfit(spectrum)
    assert Beamline(replace(target, measured=True)).misfit(spectrum) == beamline.misfit(spectrum)


@pytest.mark.parametrize("values", [(0.0, 1.0, 0.0, 0.0), (0.73, 1.4, 0.01, 0.31), (-1.0, 0.6, -0.02, 0.5)])
def test_an_instrument_is_a_matrix(values: tuple[float, ...]) -> None:
    spectrum = reference_spectra()["a-C-2.5"]
    seen = Instrument(*values).apply(spectrum)
    np.testing.assert_allclose(instrument_matrix(Instrument(*values)) @ spectrum, seen, atol=1e-12)


def test_bounds_hold_and_shapes_are_checked() -> None:
    target = Target(Instrument(0.9, 1.0, 0.0, 0.4).apply(reference_spectra()["a-C-2.5"]), ALL)
    found = InstrumentProfile(target, Bounds(shift=(-0.5, 0.5)))(reference_spectra()["a-C-2.5"])
    assert found.shift == pytest.approx(0.5, abs=1e-3)
    with pytest.raises(SpectrumError, match="average over the atoms"):
        InstrumentProfile(target)(np.ones((3, 100)))
