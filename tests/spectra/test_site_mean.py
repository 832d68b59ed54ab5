"""The mean of a structure from some of its sites, and its error."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from acgen.errors import AcgenError
from acgen.spectra.site_mean import stratified_mean


@pytest.fixture
def population() -> tuple[np.ndarray, np.ndarray]:
    """Values (60, 3) of sites in strata 2, 3, 4, and the strata."""
    random = np.random.default_rng(0)
    strata = np.repeat([2, 3, 4], [6, 36, 18])
    return strata[:, None] + random.normal(0, 0.3, (60, 3)) * [1, 2, 3], strata


def samples(strata: np.ndarray, counts: dict[int, int], seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate([random.choice(np.flatnonzero(strata == s), n, replace=False) for s, n in counts.items()])


@pytest.mark.parametrize("counts", [{2: 2, 3: 6, 4: 4}, {2: 3, 3: 3, 4: 12}])
def test_mean_and_error_are_those_of_many_samples(population, counts):
    values, strata = population
    found = [
        stratified_mean(values[chosen], strata[chosen], Counter(strata.tolist()))
        for chosen in (samples(strata, counts, seed) for seed in range(2000))
    ]
    means = np.stack([each.mean for each in found])
    np.testing.assert_allclose(means.mean(0), values.mean(0), atol=0.02)
    np.testing.assert_allclose(
        np.mean([each.covariance for each in found], axis=0), np.cov(means.T), rtol=0.1, atol=2e-3
    )


def test_all_sites_have_no_error(population):
    values, strata = population
    found = stratified_mean(values, strata, Counter(strata.tolist()))
    np.testing.assert_allclose(found.mean, values.mean(0))
    np.testing.assert_allclose(found.error, 0, atol=1e-12)
    assert found.unseen == 0


def test_a_single_site_takes_the_variance_of_the_others():
    values, strata = np.array([[0.0, 0], [1, 2], [5, 5]]), np.array([3, 3, 4])
    found = stratified_mean(values, strata, {3: 20, 4: 10, 2: 10})
    inside = np.cov(values[:2].T)
    expected = (2 / 3) ** 2 * 0.9 / 2 * inside + (1 / 3) ** 2 * 0.9 * inside
    np.testing.assert_allclose(found.covariance, expected)
    np.testing.assert_allclose(found.mean, values[:2].mean(0) * 2 / 3 + values[2] / 3)
    assert found.unseen == pytest.approx(0.25)


def test_sites_of_which_no_two_are_alike_take_the_variance_of_all():
    values = np.array([[0.0, 1], [2, 2]])
    found = stratified_mean(values, np.array([3, 4]), {3: 10, 4: 10})
    np.testing.assert_allclose(found.covariance, 2 * 0.25 * 0.9 * np.cov(values.T))


def test_too_little_and_too_much_are_refused():
    with pytest.raises(AcgenError, match="take two"):
        stratified_mean(np.ones((1, 4)), np.array([3]), {3: 2})
    for values, strata in ((np.ones((0, 4)), np.array([])), (np.ones((3, 4)), np.array([3, 3, 3]))):
        with pytest.raises(AcgenError, match="no larger"):
            stratified_mean(values, strata, {3: 2})
