"""What an instrument makes of a model spectrum, fitted to a measured one.

Broadening belongs on the prediction, never a deconvolution on the measurement, and all parameters are bounded: with
free widths a graphite spectrum fits diamond-like carbon as well as graphite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares, nnls

from acgen.spectra.grid import ENERGY, ENERGY_STEP, N_POINTS
from acgen.spectra.match import SLOPE_LIMITS, tilt
from acgen.spectra.spectrum import SpectrumError, Target

#: Error of a prediction at one point: what a forward network shows on a network of atoms it has not seen (a distance of
#: 0.1 to 0.2 over 100 points). It keeps points of little noise from outweighing all others.
MODEL_ERROR = 0.015
#: Nodes and weights of the integral over a Gaussian of unit width.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
#: Points added at either end of the grid, on a line, for shifts and broadening.
PADDING = 10
# Points over which the line at either end is fitted.
_END = 4
# A parameter closer to its bound than this part of the range has reached it.
_AT_BOUND = 5e-3


@dataclass(frozen=True)
class Instrument:
    """Parameters of the instrument model (E) = scale (1 + slope (E - 285.4 eV)) [gaussian(sigma) * F](E - shift)."""

    #: Energy error of the measurement, eV.
    shift: float = 0.0
    #: Factor of all intensities.
    scale: float = 1.0
    #: Sensitivity that grows with energy, 1/eV.
    slope: float = 0.0
    #: Standard deviation of the broadening beyond that of the model spectra, eV.
    sigma: float = 0.0

    def apply(self, prediction: np.ndarray) -> np.ndarray:
        """What the instrument would measure of a spectrum, both of shape (100,) on `acgen.spectra.grid.ENERGY`.

        Raises
        ------
        SpectrumError
            If the prediction has another shape.
        """
        return self.scale * tilt(self.slope) * broadened(spline_of(prediction), self.shift, self.sigma)


@dataclass(frozen=True)
class Bounds:
    """Limits of the parameters of an `Instrument`, lower and upper."""

    shift: tuple[float, float] = (-1.0, 1.0)
    scale: tuple[float, float] = (0.1, 10.0)
    slope: tuple[float, float] = SLOPE_LIMITS
    sigma: tuple[float, float] = (0.0, 0.5)

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = getattr(self, field.name)
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise SpectrumError(f"the bounds of {field.name} must be two increasing numbers, got {low} and {high}")
        if self.sigma[0] < 0 or self.scale[0] <= 0:
            raise SpectrumError("the broadening cannot be negative, and the scale must be positive: change the bounds")


@dataclass(frozen=True, eq=False)
class Fit:
    """An instrument fitted to a target."""

    instrument: Instrument
    #: Standard error of each parameter, by name, from the curvature of the misfit; infinite where nothing fixes it.
    errors: dict[str, float]
    #: Names of the parameters that ended at a bound: their values, and the fit, are not to be trusted.
    at_bounds: tuple[str, ...]
    #: Share of each spectrum in the sum, which is 1; a single prediction has share 1.
    shares: np.ndarray
    #: The prediction as the instrument would see it, shape (100,).
    prediction: np.ndarray

    def to_dict(self) -> dict[str, object]:
        """JSON-ready parameters, errors and bounds reached."""
        errors = {name: error if np.isfinite(error) else None for name, error in self.errors.items()}
        return asdict(self.instrument) | {"errors": errors, "at_bounds": list(self.at_bounds)}


def point_weights(target: Target) -> np.ndarray:
    """Weight of each point, 1 / (noise² + model error²), zero where masked, 1 on average over the measured points."""
    noise = np.zeros(N_POINTS) if target.noise is None else target.noise
    weights = np.where(target.mask, 1.0 / (noise**2 + MODEL_ERROR**2), 0.0)
    return weights / weights[target.mask].mean()


def fit_instrument(target: Target, prediction: np.ndarray, bounds: Bounds | None = None) -> Fit:
    """Fit shift, scale, slope and broadening of a prediction to a target by weighted least squares.

    Parameters
    ----------
    target
        What was measured.
    prediction
        Model spectrum on the grid, shape (100,).
    bounds
        Limits of the parameters.

    Raises
    ------
    SpectrumError
        If the prediction has another shape.
    """
    return fit_mixture(target, np.asarray(prediction, dtype=float)[None], bounds)


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
    root = np.sqrt(point_weights(target))[target.mask]
    wanted = root * target.intensity[target.mask]

    def columns(p: np.ndarray) -> np.ndarray:
        seen = np.stack([broadened(spline, p[0], p[2]) for spline in splines], axis=1)
        return root[:, None] * (tilt(p[1])[:, None] * seen)[target.mask]

    def amounts(p: np.ndarray) -> np.ndarray:
        return _bounded_sum(columns(p), wanted, bounds.scale)

    def residual(p: np.ndarray) -> np.ndarray:
        return columns(p) @ amounts(p) - wanted

    low, high = np.array([bounds.shift, bounds.slope, bounds.sigma]).T
    best = _best_of_starts(residual, low, high)
    parts = amounts(best)
    scale = float(parts.sum())
    shift, slope, sigma = map(float, best)
    instrument = Instrument(shift, scale, slope, sigma)
    shares = parts / scale
    mixed = shares @ np.asarray(spectra, dtype=float)
    values = dict(zip(("shift", "slope", "sigma", "scale"), (shift, slope, sigma, scale), strict=True))
    at_bounds = tuple(name for name, value in values.items() if _reached(value, getattr(bounds, name), name))
    errors = _errors(target, mixed, instrument)
    return Fit(instrument, errors, at_bounds, shares, instrument.apply(mixed))


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


def _reached(value: float, limits: tuple[float, float], name: str) -> bool:
    """Whether a value is at a bound; no broadening at all is a value, not a bound."""
    near = _AT_BOUND * (limits[1] - limits[0])
    return value >= limits[1] - near or (value <= limits[0] + near and not (name == "sigma" and limits[0] == 0))


def _errors(target: Target, prediction: np.ndarray, at: Instrument) -> dict[str, float]:
    """Standard errors from the Jacobian at the solution and the scatter of the residual."""
    names = ("shift", "scale", "slope", "sigma")
    root = np.sqrt(point_weights(target))[target.mask]
    centre = np.array([getattr(at, name) for name in names])
    steps = np.array([1e-4, 1e-4, 1e-6, 1e-3])
    jacobian = np.empty((root.size, 4))
    for k, step in enumerate(steps):
        up, down = centre.copy(), centre.copy()
        up[k], down[k] = centre[k] + step, max(centre[k] - step, 0.0) if k == 3 else centre[k] - step
        change = Instrument(*up).apply(prediction) - Instrument(*down).apply(prediction)
        jacobian[:, k] = root * (change / (up[k] - down[k]))[target.mask]
    residual = root * (at.apply(prediction) - target.intensity)[target.mask]
    variance = float(residual @ residual) / max(root.size - 4, 1)
    scale = np.linalg.norm(jacobian, axis=0)
    scale[scale == 0] = 1.0
    inverse = np.linalg.pinv((jacobian / scale).T @ (jacobian / scale), rcond=1e-10, hermitian=True)
    found = np.sqrt(variance * np.maximum(np.diag(inverse), 0.0)) / scale
    blind = np.linalg.norm(jacobian, axis=0) < 1e-12
    return {name: float("inf") if blind[k] else float(found[k]) for k, name in enumerate(names)}


def spline_of(prediction: np.ndarray) -> CubicSpline:
    """Cubic spline through a spectrum of shape (100,), continued by the lines of its ends.

    Raises
    ------
    SpectrumError
        If the spectrum has another shape.
    """
    values = np.asarray(prediction, dtype=float)
    if values.shape != (N_POINTS,):
        raise SpectrumError(f"a prediction has shape ({N_POINTS},), got {values.shape}: average over the atoms")
    energy, padded = pad(values)
    return CubicSpline(energy, padded, bc_type="natural")


def pad(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grid and spectrum with `PADDING` more points at either end, on the mean slope of the last points."""
    out = np.arange(1, PADDING + 1)
    left, right = (values[_END] - values[0]) / _END, (values[-1] - values[-1 - _END]) / _END
    padded = np.concatenate([values[0] - left * out[::-1], values, values[-1] + right * out])
    return ENERGY[0] + ENERGY_STEP * np.arange(-PADDING, N_POINTS + PADDING), padded


def broadened(spline: CubicSpline, shift: float, sigma: float) -> np.ndarray:
    """Gaussian average of a spline of `spline_of` about the shifted energies, eV; shape (100,)."""
    return spline(ENERGY[:, None] - shift - sigma * NODES) @ WEIGHTS
