"""Noise of a measured curve, from the curve itself."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

from acgen.spectra.grid import ENERGY, ENERGY_STEP
from acgen.spectra.resample import MAX_GAP

#: Points over which the noise is taken as constant.
_WINDOW = 31
#: Median of the modulus of a normal variable with unit variance.
_MEDIAN_MODULUS = 0.6745


def point_residuals(energy: np.ndarray, intensity: np.ndarray) -> np.ndarray:
    """Distance of each point from the cubic through its four neighbours, in units of its own expected noise.

    For independent noise of one size its variance is that of the noise; steps and curvature of a well sampled line
    nearly drop out.

    Parameters
    ----------
    energy, intensity
        Measured curve, both of shape (M,), M at least 5.

    Returns
    -------
    np.ndarray
        Shape (M,); the first and last two are 0.
    """
    size = energy.size
    residuals = np.zeros(size)
    if size < 5:
        return residuals
    middle = np.arange(2, size - 2)
    around = np.array([-2, -1, 1, 2])
    x = energy[middle[:, None] + around] - energy[middle, None]
    # Lagrange weights at the middle point.
    weights = np.ones_like(x)
    for k in range(4):
        for other in range(4):
            if other != k:
                weights[:, k] *= -x[:, other] / (x[:, k] - x[:, other])
    predicted = np.sum(weights * intensity[middle[:, None] + around], axis=1)
    residuals[2:-2] = (intensity[2:-2] - predicted) / np.sqrt(1.0 + np.sum(weights**2, axis=1))
    # Across a gap the neighbours say nothing.
    residuals[2:-2][energy[4:] - energy[:-4] > 2 * MAX_GAP] = 0.0
    return residuals


def noise_level(energy: np.ndarray, intensity: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise at each measured point, shape (M,): a running median of the residuals."""
    moduli = np.abs(point_residuals(energy, intensity))[2:-2]
    if moduli.size == 0:
        return np.zeros(energy.size)
    local = median_filter(moduli, size=min(_WINDOW, moduli.size), mode="nearest") / _MEDIAN_MODULUS
    return np.pad(np.maximum(local, 0.3 * np.median(local)), 2, mode="edge")


def binned_noise(energy: np.ndarray, intensity: np.ndarray) -> np.ndarray:
    """Standard deviation of the bin averages of `acgen.spectra.resample.resample`, shape (100,)."""
    level = np.interp(ENERGY, energy, noise_level(energy, intensity))
    points = np.searchsorted(energy, ENERGY + ENERGY_STEP / 2) - np.searchsorted(energy, ENERGY - ENERGY_STEP / 2)
    return level / np.sqrt(np.maximum(points, 1))
