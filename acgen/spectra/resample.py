"""Bringing a measured curve onto the energy grid."""

from __future__ import annotations

import numpy as np

from acgen.spectra.grid import ENERGY, ENERGY_STEP

#: Grid points inside a gap between two measured energies wider than this, eV, count as not measured.
MAX_GAP = 2.0
# Measured and grid energies closer than this, eV, are the same.
_SAME = 1e-6


def resample(energy: np.ndarray, intensity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average a curve over the bins of the grid.

    Where a bin (one grid step wide) holds two or more measured points, its value is the exact mean of the straight
    lines between them, which keeps noise and sharp lines from being aliased; where it holds fewer, the measurement is
    coarser than the grid and the value is interpolated. Bins at the ends shrink to what was measured, symmetrically.

    Parameters
    ----------
    energy
        Measured energies in eV, shape (M,), strictly increasing.
    intensity
        Shape (M,).

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Intensities on `ENERGY` and the mask of measured points, both of shape (100,); 0 where masked out.
    """
    half = np.clip(np.minimum(ENERGY - energy[0], energy[-1] - ENERGY), 0.0, ENERGY_STEP / 2)
    lower, upper = ENERGY - half, ENERGY + half
    points = np.searchsorted(energy, upper + _SAME) - np.searchsorted(energy, lower - _SAME)
    mean = (_integral(energy, intensity, upper) - _integral(energy, intensity, lower)) / np.where(half > 0, 2 * half, 1)
    values = np.where((points >= 2) & (half > _SAME), mean, np.interp(ENERGY, energy, intensity))
    mask = _measured(energy)
    return np.where(mask, values, 0.0), mask


def not_missing(energy: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Grid points that do not lie nearest to an energy without a value; a bin with measured points counts as measured.

    Parameters
    ----------
    energy, missing
        Energies in eV with and without a value, shapes (M,) and (K,), both increasing.

    Returns
    -------
    np.ndarray
        Of bool, shape (100,).
    """
    if missing.size == 0:
        return np.ones(ENERGY.size, dtype=bool)
    to_missing, to_measured = (np.abs(ENERGY[:, None] - values).min(axis=1) for values in (missing, energy))
    return (to_measured <= to_missing + _SAME) | (to_measured < ENERGY_STEP / 2 - _SAME)


def _integral(energy: np.ndarray, intensity: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Integral from the first energy to each of `upper` of the straight lines between the points."""
    steps = np.diff(energy)
    whole = np.concatenate([[0.0], np.cumsum(0.5 * (intensity[1:] + intensity[:-1]) * steps)])
    i = np.clip(np.searchsorted(energy, upper, side="right") - 1, 0, energy.size - 2)
    inside = upper - energy[i]
    return whole[i] + inside * (intensity[i] + 0.5 * inside * (intensity[i + 1] - intensity[i]) / steps[i])


def _measured(energy: np.ndarray) -> np.ndarray:
    """Grid points inside the measured range and not in a gap."""
    after = np.clip(np.searchsorted(energy, ENERGY), 1, energy.size - 1)
    left, right = energy[after - 1], energy[after]
    inside = (ENERGY >= energy[0] - _SAME) & (ENERGY <= energy[-1] + _SAME)
    at_point = np.minimum(np.abs(ENERGY - left), np.abs(ENERGY - right)) < _SAME
    return inside & ((right - left <= MAX_GAP) | at_point)
