"""A sum of spectra seen through one instrument, fitted to a target."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares, nnls

from acgen.spectra.instrument import Bounds, Instrument, broadened, spline_of
from acgen.spectra.instrument_fit import Fit, fit_at
from acgen.spectra.match import tilt
from acgen.spectra.spectrum import SpectrumError, Target


def fit_mixture(target: Target, spectra: np.ndarray, bounds: Bounds | None = None) -> Fit:
    """Fit a sum of spectra with shares that are not negative, seen through one instrument, to a target.

    For given shift, slope and broadening the amounts are a non-negative least-squares problem, solved as such; the
    others are found from several starts, because wrong peaks can match.

    Parameters
    ----------
    target
        What was measured.
    spectra
        Model or reference spectra on the grid, shape (number, 100).
    bounds
        Limits of the parameters.

    Raises
    ------
    SpectrumError
        If the spectra have another shape.
    """
    bounds = bounds or Bounds()
    splines = [spline_of(spectrum) for spectrum in spectra]
    wanted = target.intensity[target.mask]

    def columns(p: np.ndarray) -> np.ndarray:
        seen = np.stack([broadened(spline, p[0], p[2]) for spline in splines], axis=1)
        return (tilt(p[1])[:, None] * seen)[target.mask]

    def amounts(p: np.ndarray) -> np.ndarray:
        return _bounded_sum(columns(p), wanted, bounds.scale)

    def residual(p: np.ndarray) -> np.ndarray:
        return columns(p) @ amounts(p) - wanted

    low, high = np.array([bounds.shift, bounds.slope, bounds.sigma]).T
    best = _best_of_starts(residual, low, high)
    parts = amounts(best)
    scale = float(parts.sum())
    shift, slope, sigma = map(float, best)
    shares = parts / scale
    mixed = shares @ np.asarray(spectra, dtype=float)
    return fit_at(target, mixed, Instrument(shift, scale, slope, sigma), bounds, shares)


def _bounded_sum(matrix: np.ndarray, wanted: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Non-negative amounts whose sum lies within limits."""
    found, _ = nnls(matrix, wanted)
    total = found.sum()
    if total <= 0:
        return np.full(matrix.shape[1], limits[0] / matrix.shape[1])
    return found * (np.clip(total, *limits) / total)


def _best_of_starts(residual: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Shift, slope and broadening of the least residual."""
    best: tuple[float, np.ndarray] | None = None
    for part in (0.2, 0.5, 0.8):
        start = low + (high - low) * np.array([part, 0.5, 0.4])
        found = least_squares(residual, start, bounds=(low, high), x_scale=(high - low) / 4, xtol=1e-10, ftol=1e-12)
        if best is None or found.cost < best[0]:
            best = (float(found.cost), found.x)
    if best is None:
        raise SpectrumError("no start for the fit: give bounds that hold a value")
    return best[1]
