"""Distances between sets of structures, against closed forms."""

import numpy as np
import pytest
from ase.build import bulk
from scipy.stats import norm

from acgen.statistics import energy_distance
from acgen.structures.distances import DISTANCES, distance, features

DIAMOND = bulk("C", "diamond", a=3.567, cubic=True).repeat(2)


def test_energy_distance_of_two_points_is_the_root_of_twice_their_distance():
    first, second = np.zeros((1, 2)), np.array([[3.0, 4.0]])
    assert energy_distance(first, second) == pytest.approx(np.sqrt(10))


def test_energy_distance_of_normal_samples():
    first = norm.ppf((np.arange(1000) + 0.5) / 1000)[:, None]
    second = first + 1
    assert energy_distance(first, first) == 0
    # E|X - Y| of normal variables with means 1 apart and a difference of variance 2; E|X - X'| = 2 / sqrt(pi).
    apart = 2 / np.sqrt(np.pi) * np.exp(-0.25) + 0.5204998778
    assert energy_distance(first, second) ** 2 == pytest.approx(2 * apart - 4 / np.sqrt(np.pi), rel=0.01)


def test_distances_of_shifted_samples_and_of_curves():
    values = np.random.default_rng(0).normal(size=200)
    assert distance("angles", [values], [values[:100] + 3, values[100:] + 3]) == pytest.approx(3)
    assert distance("rdf", [np.zeros(4)], [np.array([2.0, 0, 0, 0])]) == pytest.approx(1)
    assert distance("rings", [np.array([0.0, 1.0]), np.array([0.0, 3.0])], [np.zeros(2)]) == pytest.approx(2)


def test_features_of_diamond():
    found = features(DIAMOND)
    assert set(found) == set(DISTANCES) - {"energies"}
    np.testing.assert_allclose(found["rings"], [0, 0, 0, 2, 0])
    np.testing.assert_allclose(found["angles"], 109.4712, atol=1e-3)
    np.testing.assert_allclose(found["volumes"], DIAMOND.get_volume() / len(DIAMOND), rtol=1e-4)
    assert found["order"].shape == (len(DIAMOND), 2)
    assert all(distance(what, [values], [values]) == 0 for what, values in found.items())
