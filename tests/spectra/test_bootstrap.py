"""Errors from copies of a target with noise and model error drawn anew, against what algebra says."""

from __future__ import annotations

import numpy as np
import pytest

from acgen.spectra.bootstrap import resampled, spread
from acgen.spectra.compare import METHOD_ERROR, compare, pi_star_content
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.io.read import read_spectrum
from acgen.spectra.model_error import error_covariance
from acgen.spectra.prepare import prepare
from acgen.spectra.quick import quick_answers
from acgen.spectra.references import reference_spectra
from acgen.spectra.spectrum import Target

ALL = np.ones(100, dtype=bool)
NOISE = np.linspace(0.01, 0.05, 100)
CURVE = reference_spectra()["a-C-2.5"]


def test_copies_have_the_noise_of_each_point_and_the_covariance_of_the_model() -> None:
    plain = np.array([copy.intensity for copy in resampled(Target(CURVE, ALL, noise=NOISE), 2000)]) - CURVE
    np.testing.assert_allclose(plain.std(0), NOISE, rtol=0.1)
    assert abs(np.corrcoef(plain[:, 40], plain[:, 41])[0, 1]) < 0.1
    both = np.array([copy.intensity for copy in resampled(Target(CURVE, ALL, noise=NOISE), 2000, model=True)]) - CURVE
    wanted = error_covariance() + np.diag(NOISE**2)
    np.testing.assert_allclose(both.var(0), np.diag(wanted), rtol=0.2)
    near = [np.cov(both[:, k], both[:, k + 1])[0, 1] for k in range(99)]
    assert np.sum(near) == pytest.approx(np.diag(wanted, 1).sum(), rel=0.1)


def test_copies_reproduce_and_leave_what_was_not_measured() -> None:
    target = Target(CURVE, ENERGY < 300, noise=NOISE)
    one, again, other = (next(iter(resampled(target, 1, seed, model=True))) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.intensity, again.intensity)
    assert not np.array_equal(one.intensity, other.intensity)
    np.testing.assert_array_equal(one.mask, target.mask)
    assert not one.intensity[~target.mask].any()
    assert list(resampled(Target(CURVE, ALL), 5)) == []
    assert len(list(resampled(Target(CURVE, ALL), 5, model=True))) == 5


@pytest.mark.parametrize("model", [True, False])
def test_the_spread_of_a_weighted_sum_is_that_of_its_covariance(model: bool) -> None:
    target, weights = Target(CURVE, ALL, noise=NOISE), np.sin(ENERGY)
    covariance = np.diag(NOISE**2) + (error_covariance() if model else 0.0)
    found = spread(target, lambda copy: {"sum": float(weights @ copy.intensity)}, 1000, model=model)
    assert found["sum"] == pytest.approx(np.sqrt(weights @ covariance @ weights), rel=0.1)
    assert spread(target, lambda copy: {"sum": float(copy.intensity.sum())}, 0) == {"sum": 0.0}


def test_a_large_misfit_moves_by_the_noise_of_one_point() -> None:
    """|d + n| of a fixed d moves by n along d, whose standard deviation is that of one point."""
    found = compare(Target(CURVE, ALL, noise=np.full(100, 0.02)), reference_spectra()["sp"], copies=50)
    assert found.noise_errors["raw_misfit"] == pytest.approx(0.02, rel=0.25)
    assert found.errors["raw_misfit"] > found.noise_errors["raw_misfit"]


def test_errors_of_the_instrument_agree_with_the_curvature_of_the_misfit() -> None:
    seen = Instrument(0.3, 1.1, 0.004, 0.3).apply(CURVE)
    noise = np.full(100, 0.01)
    target = Target(seen + noise * np.random.default_rng(2).normal(size=100), ALL, noise=noise)
    found = compare(target, CURVE, copies=40, instrument=True)
    for name in ("shift", "scale", "slope", "sigma"):
        assert found.noise_errors[name] == pytest.approx(found.fit.errors[name], rel=0.5)
        assert found.errors[name] > found.noise_errors[name]
    assert found.to_dict()["errors"] == found.errors
    assert "errors" not in compare(target, CURVE).to_dict()


def test_errors_of_shares_cover_the_truth_of_the_networks() -> None:
    known = {"a-C-1.5": (0.32, 0.65), "a-C-2.0": (0.12, 0.77), "a-C-2.5": (0.01, 0.70), "a-C-3.0": (0.0, 0.34)}
    for name, truth in known.items():
        found = quick_answers(Target(reference_spectra()[name], ALL), copies=10)
        for kind, share in zip(("sp", "sp2"), truth, strict=True):
            assert abs(found.shares[kind] - share) < 2 * found.errors[kind] + 0.01
        assert found.doubt == ""
        content = pi_star_content(Target(reference_spectra()[name], ALL), found.fit.instrument).corrected
        assert abs(content - found.shares["sp2"] - 2 * found.shares["sp"]) < 0.2
        if content > 1.1:  # an sp site counts twice
            assert found.pi_star is None
        else:
            assert found.pi_star.corrected == content
            assert found.pi_star_error > 0
    assert set(quick_answers(Target(CURVE, ALL), copies=3, model=False).errors.values()) == {0.0}


def test_more_sp2_than_atoms_is_not_an_answer_and_what_no_mixture_resembles_is_not_to_be_trusted() -> None:
    found = quick_answers(Target(reference_spectra()["a-C-1.5"], ALL), copies=3)
    assert found.pi_star is None
    assert "% sp2, which cannot be" in found.problem
    for name in ("graphite", "diamond"):
        assert "Do not trust" in quick_answers(Target(reference_spectra()[name], ALL), copies=3).doubt


def test_shares_that_cannot_be_are_no_answer(shared_data) -> None:
    film = prepare(read_spectrum(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv"))
    assert any("more than detectors have" in warning for warning in film.warnings)
    found = quick_answers(film, copies=3)
    assert "56 % sp" in found.doubt
    assert "slope of +3.8 %/eV" in found.doubt
    levelled = prepare(read_spectrum(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv"), slope="auto")
    assert any("%/eV was divided out, more than detectors have" in warning for warning in levelled.warnings)
    assert quick_answers(levelled, copies=3).doubt


def test_the_error_of_a_share_holds_that_of_the_method() -> None:
    noisy = quick_answers(Target(CURVE, ALL, noise=np.full(CURVE.size, 1e-3)), copies=3)
    assert min(noisy.errors.values()) >= METHOD_ERROR
    assert max(quick_answers(Target(CURVE, ALL), copies=3, model=False).errors.values()) == 0.0


def test_a_pi_star_that_was_not_measured_is_told_and_the_shares_are_given() -> None:
    found = quick_answers(Target(CURVE, ENERGY < 300), copies=3)
    assert found.pi_star is None
    assert "without gaps" in found.problem
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert set(found.errors) == {"sp", "sp2", "sp3"}
