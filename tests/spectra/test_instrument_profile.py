"""The quick fit of the instrument against the thorough one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgen.spectra.instrument import Bounds, Instrument, fit_instrument
from acgen.spectra.instrument_profile import InstrumentProfile
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


@pytest.mark.parametrize("wanted", ["a-C-2.0", "sp2", "a-C-3.5"])
def test_it_comes_as_near_as_the_thorough_fit(wanted: str) -> None:
    mask = np.arange(100) > 12
    target = Target(Instrument(0.4, 1.2, 0.005, 0.3).apply(reference_spectra()[wanted]), mask)
    profile = InstrumentProfile(target)
    for name in ("sp2", *NETWORKS):
        spectrum = reference_spectra()[name]
        thorough = target.misfit(fit_instrument(target, spectrum).prediction)
        assert target.misfit(profile(spectrum).apply(spectrum)) <= 1.002 * thorough + 1e-3


def test_bounds_hold_and_shapes_are_checked() -> None:
    target = Target(Instrument(0.9, 1.0, 0.0, 0.4).apply(reference_spectra()["a-C-2.5"]), ALL)
    found = InstrumentProfile(target, Bounds(shift=(-0.5, 0.5)))(reference_spectra()["a-C-2.5"])
    assert found.shift == pytest.approx(0.5, abs=1e-3)
    with pytest.raises(SpectrumError, match="average over the atoms"):
        InstrumentProfile(target)(np.ones((3, 100)))
