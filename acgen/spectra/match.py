"""Comparing a spectrum with the shipped references: derivative correlation, energy alignment and detector slope.

On measured carbon spectra the correlation of the derivative ranks materials rightly where cosine, Pearson and
Wasserstein distances do not, because it ignores background and scale and weighs positions of edges and lines.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.references import reference_spectra
from acgen.spectra.resample import resample

#: Largest energy shift considered, eV.
MAX_SHIFT = 1.0
#: Largest energy shift that is taken when it is given, and how far away a spectrum is looked for that fits nowhere
#: near, eV.
FAR_SHIFT = 20.0
#: Resolution of the search for a shift, eV, and of the search far away.
SHIFT_STEP, FAR_STEP = 0.05, 0.25
#: Derivative correlation below which a spectrum is called out of domain. Calibration: a diamond-like carbon film 0.69,
#: a graphitic foil 0.81, every shipped reference 1; an organic film 0.61-0.63, polystyrene 0.42.
DOMAIN_LIMIT = 0.65
#: How much more the sum of the correlations of derivative and intensity must be far away than near by before energies
#: are called off. Measured carbon spectra moved by up to 18 eV reach 1.6-1.75 where they belong, and nowhere else as
#: much; organic films fit amorphous carbon nowhere by `DOMAIN_LIMIT`.
FAR_BETTER = 0.03
#: What a moved spectrum must still cover, eV.
_COVERED = (281.0, 300.0)
#: Bounds of the detector slope, 1/eV: the factor 1 + slope (E - 285.4 eV) stays positive on the whole grid.
SLOPE_LIMITS = (-0.03, 0.06)
#: Slope, 1/eV, that is more than a detector has: over the 20 eV that decide it changes by more than half.
ODD_SLOPE = 0.03
#: Resolution of the search for a slope, 1/eV.
SLOPE_STEP = 0.001


def derivative_correlation(intensity: np.ndarray, mask: np.ndarray) -> float:
    """Correlation of a spectrum's derivative with that of the best non-negative mixture of the shipped references.

    A constant, a linear background and the scale drop out.

    Parameters
    ----------
    intensity, mask
        Curve on `acgen.spectra.grid.ENERGY` and its measured points, both of shape (100,).

    Returns
    -------
    float
        At most 1, which a shipped reference reaches; 0 if nothing agrees or nothing varies.
    """
    inner = inner_points(mask)
    if not inner.any():
        return 0.0
    references = np.stack(list(reference_spectra().values()), axis=1)
    slopes = np.gradient(references, axis=0)[inner]
    wanted = np.gradient(intensity)[inner]
    slopes, wanted = slopes - slopes.mean(axis=0), wanted - wanted.mean()
    norm = np.linalg.norm(wanted)
    if norm <= 1e-12 * max(np.abs(intensity).max(), 1e-300):
        return 0.0
    # For the least-squares mixture, residual and correlation r of a unit vector obey residual² = 1 - r².
    _, residual = nnls(slopes, wanted / norm)
    return float(np.sqrt(max(1.0 - residual**2, 0.0)))


def single_correlation(intensity: np.ndarray, other: np.ndarray, mask: np.ndarray) -> float:
    """Pearson correlation of the derivatives of two spectra over points whose neighbours are measured, -1 to 1.

    Parameters
    ----------
    intensity, other, mask
        Curves on `acgen.spectra.grid.ENERGY` and the measured points, all of shape (100,).
    """
    inner = inner_points(mask)
    if not inner.any():
        return 0.0
    a, b = (np.gradient(curve)[inner] for curve in (intensity, other))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 1e-24 * max(np.abs(intensity).max() * np.abs(other).max(), 1e-300) else 0.0


def is_graphitic(intensity: np.ndarray, mask: np.ndarray) -> bool:
    """Whether a spectrum's derivative resembles that of graphite more than that of any other shipped reference."""
    found = {name: single_correlation(intensity, curve, mask) for name, curve in reference_spectra().items()}
    return max(found, key=lambda name: found[name]) == "graphite"


def inner_points(mask: np.ndarray) -> np.ndarray:
    """Measured points with a measured neighbour on either side, where a derivative is known; shape (100,)."""
    inner = mask.copy()
    inner[1:-1] = mask[:-2] & mask[1:-1] & mask[2:]
    inner[[0, -1]] = False
    return inner


def best_shift(energy: np.ndarray, intensity: np.ndarray) -> tuple[float, float]:
    """Shift within ±1 eV that maximises the derivative correlation.

    With one amorphous reference left out of the mixture it was found again to within 0.35 eV (mostly 0.1 eV), so a
    calibration against a reference scan is better where there is one.

    Parameters
    ----------
    energy, intensity
        Measured curve, both of shape (M,), energies in eV.

    Returns
    -------
    tuple[float, float]
        What to add to the energies, eV, and the correlation there.
    """
    steps = round(MAX_SHIFT / SHIFT_STEP)
    shifts = sorted((SHIFT_STEP * np.arange(-steps, steps + 1)).tolist(), key=abs)
    correlations = [derivative_correlation(*resample(energy + shift, intensity)) for shift in shifts]
    best = int(np.argmax(correlations))  # of equal ones the smallest shift
    return round(shifts[best], 6), correlations[best]


def far_shift(energy: np.ndarray, intensity: np.ndarray) -> float:
    """Shift within ±20 eV after which a spectrum fits the shipped references much better than within ±1 eV.

    It tells that energies are off rather than by how much. The score is the correlation of the derivative plus that of
    the intensity itself, each with the best non-negative mixture: the derivative alone may take one line for another.

    Parameters
    ----------
    energy, intensity
        Measured curve, both of shape (M,), energies in eV.

    Returns
    -------
    float
        What to add to the energies, eV; 0 if no place far away is much better.
    """
    steps = round(FAR_SHIFT / FAR_STEP)
    scores = {
        shift: _score(shift, energy, intensity) for shift in (FAR_STEP * np.arange(-steps, steps + 1)).tolist()
    }
    near = max(score for shift, score in scores.items() if abs(shift) <= MAX_SHIFT)
    far = max(scores, key=lambda shift: scores[shift])
    if abs(far) <= MAX_SHIFT or scores[far] < near + FAR_BETTER:
        return 0.0
    fine: list[float] = [far + SHIFT_STEP * k for k in range(-4, 5)]
    best = round(float(max(fine, key=lambda shift: _score(shift, energy, intensity))), 6)
    return best if derivative_correlation(*resample(energy + best, intensity)) >= DOMAIN_LIMIT else 0.0


def _score(shift: float, energy: np.ndarray, intensity: np.ndarray) -> float:
    curve, mask = resample(energy + shift, intensity)
    if not mask[(ENERGY >= _COVERED[0]) & (ENERGY <= _COVERED[1])].all():
        return 0.0
    return derivative_correlation(curve, mask) + _intensity_correlation(curve, mask)


def _intensity_correlation(intensity: np.ndarray, mask: np.ndarray) -> float:
    """Correlation of a spectrum with the best non-negative mixture of the shipped references; a constant drops out."""
    references = np.stack(list(reference_spectra().values()), axis=1)[mask]
    wanted = intensity[mask] - intensity[mask].mean()
    norm = np.linalg.norm(wanted)
    if norm <= 1e-12 * max(np.abs(intensity).max(), 1e-300):
        return 0.0
    _, residual = nnls(references - references.mean(axis=0), wanted / norm)
    return float(np.sqrt(max(1.0 - residual**2, 0.0)))


def tilt(slope: float) -> np.ndarray:
    """The factor 1 + slope (E - 285.4 eV) on the grid, shape (100,); slope in 1/eV."""
    return 1.0 + slope * (ENERGY - PI_STAR)


def best_slope(intensity: np.ndarray, mask: np.ndarray) -> float:
    """Slope by which the best non-negative mixture of the shipped references must be tilted to fit a spectrum.

    Parameters
    ----------
    intensity, mask
        Curve above its background on `acgen.spectra.grid.ENERGY` and its measured points, both of shape (100,).

    Returns
    -------
    float
        In 1/eV, within `SLOPE_LIMITS`.
    """
    references = np.stack(list(reference_spectra().values()), axis=1)
    slopes = np.arange(round(SLOPE_LIMITS[0] / SLOPE_STEP), round(SLOPE_LIMITS[1] / SLOPE_STEP) + 1) * SLOPE_STEP
    residuals = [nnls((tilt(slope)[:, None] * references)[mask], intensity[mask])[1] for slope in slopes]
    return round(float(slopes[int(np.argmin(residuals))]), 6)
