"""The instrument fitted to a target: the one fit that guide, candidates, reach, density and comparisons share.

What is made least is the misfit that is reported, `Target.misfit`: the plain norm over the measured points, each
counting alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import lsq_linear

from acgen.checks import all_of, is_array, is_number, want
from acgen.spectra.grid import ENERGY, N_POINTS, PI_STAR
from acgen.spectra.instrument import NODES, WEIGHTS, Bounds, Instrument, broadened, instrument_matrix, spline_of
from acgen.spectra.match import tilt
from acgen.spectra.spectrum import Target, fits_instrument

NAMES = tuple(field.name for field in fields(Instrument))
#: Shifts and broadenings tried first, in parts of their ranges.
_SHIFTS, _SIGMAS = np.linspace(0, 1, 9), np.array([0.1, 0.5, 0.9])
#: Gauss-Newton steps, how often one is halved, and the relative change of the squares at which they end.
_STEPS, _HALVINGS, _ENOUGH = 20, 4, 1e-5
# A parameter closer to its bound than this part of the range has reached it.
_AT_BOUND = 5e-3


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

    def __post_init__(self) -> None:
        names = {field.name for field in fields(Instrument)}
        want(isinstance(self.instrument, Instrument), "a fit has no instrument at all")
        known = set(self.errors) == names and all(map(is_number, self.errors.values()))
        want(known, f"a fitted instrument has errors of {', '.join(sorted(names))}")
        want(all_of(self.at_bounds, str), "the bounds that a fitted instrument reached are names")
        shares = self.shares
        want(isinstance(shares, np.ndarray) and is_array(shares, *shares.shape), "a fitted instrument has unfit shares")
        want(is_array(self.prediction, N_POINTS), f"a fitted instrument has no prediction of {N_POINTS} points")

    def to_dict(self) -> dict[str, object]:
        """JSON-ready parameters, errors and bounds reached."""
        errors = {name: error if np.isfinite(error) else None for name, error in self.errors.items()}
        return asdict(self.instrument) | {"errors": errors, "at_bounds": list(self.at_bounds)}


class Beamline:
    """What stood between the atoms and a target: an instrument, fitted anew to every prediction, or nothing.

    Parameters
    ----------
    target
        What predictions are compared with.
    instrument
        Whether an instrument is fitted; by default to a measured target.
    bounds
        Limits of its parameters.
    """

    def __init__(self, target: Target, instrument: bool | None = None, bounds: Bounds | None = None):
        self.target = target
        self._bounds = bounds or Bounds()
        self._profile = InstrumentProfile(target, bounds) if fits_instrument(target, instrument) else None

    @property
    def fitted(self) -> bool:
        """Whether an instrument is fitted."""
        return self._profile is not None

    def instrument(self, prediction: np.ndarray) -> Instrument:
        """The instrument that brings a prediction (100,) nearest to the target; the ideal one if none is fitted."""
        return Instrument() if self._profile is None else self._profile(prediction)

    def seen(self, prediction: np.ndarray) -> np.ndarray:
        """A prediction as it is compared with the target, both of shape (100,)."""
        return prediction if self._profile is None else self._profile(prediction).apply(prediction)

    def misfit(self, prediction: np.ndarray) -> float:
        """Distance of what is seen of a prediction from the target."""
        return self.target.misfit(self.seen(prediction))

    def fit(self, prediction: np.ndarray) -> Fit | None:
        """The instrument with its errors; None if none is fitted."""
        if self._profile is None:
            return None
        at = self._profile(prediction)
        return fit_at(self.target, np.asarray(prediction, dtype=float), at, self._bounds, np.ones(1))


def ideal_fit(prediction: np.ndarray) -> Fit:
    """What stands for a fit where none is made: an instrument that changes nothing, without errors."""
    return Fit(Instrument(), dict.fromkeys(NAMES, 0.0), (), np.ones(1), np.asarray(prediction, dtype=float))


def fit_instrument(target: Target, prediction: np.ndarray, bounds: Bounds | None = None) -> Fit:
    """Fit shift, scale, slope and broadening of a prediction to a target by least squares.

    Parameters
    ----------
    target
        What was measured, or is taken for it.
    prediction
        Model spectrum on the grid, shape (100,).
    bounds
        Limits of the parameters.

    Raises
    ------
    SpectrumError
        If the prediction has another shape.
    """
    at = InstrumentProfile(target, bounds)(prediction)
    return fit_at(target, np.asarray(prediction, dtype=float), at, bounds or Bounds(), np.ones(1))


def fit_at(target: Target, prediction: np.ndarray, at: Instrument, bounds: Bounds, shares: np.ndarray) -> Fit:
    """The fit that ended at an instrument, with errors and bounds reached."""
    reached = tuple(name for name in NAMES if _reached(getattr(at, name), getattr(bounds, name), name))
    return Fit(at, _errors(target, prediction, at), reached, shares, at.apply(prediction))


def _reached(value: float, limits: tuple[float, float], name: str) -> bool:
    """Whether a value is at a bound; no broadening at all is a value, not a bound."""
    near = _AT_BOUND * (limits[1] - limits[0])
    return value >= limits[1] - near or (value <= limits[0] + near and not (name == "sigma" and limits[0] == 0))


def _errors(target: Target, prediction: np.ndarray, at: Instrument) -> dict[str, float]:
    """Standard errors from the Jacobian at the solution and the scatter of the residual.

    A spectrum changes with the square of the broadening: its error follows from that of the square, also at zero.
    """
    centre = np.array([at.shift, at.scale, at.slope, at.sigma**2])
    steps = np.array([1e-4, 1e-4, 1e-6, 1e-3])
    jacobian = np.empty((np.count_nonzero(target.mask), 4))
    for k, step in enumerate(steps):
        up, down = centre.copy(), centre.copy()
        up[k], down[k] = centre[k] + step, max(centre[k] - step, 0.0) if k == 3 else centre[k] - step
        change = _at(up).apply(prediction) - _at(down).apply(prediction)
        jacobian[:, k] = (change / (up[k] - down[k]))[target.mask]
    residual = (at.apply(prediction) - target.intensity)[target.mask]
    variance = float(residual @ residual) / max(residual.size - 4, 1)
    scale = np.linalg.norm(jacobian, axis=0)
    scale[scale == 0] = 1.0
    inverse = np.linalg.pinv((jacobian / scale).T @ (jacobian / scale), rcond=1e-10, hermitian=True)
    found = np.sqrt(variance * np.maximum(np.diag(inverse), 0.0)) / scale
    found[3] = (np.sqrt(centre[3] + found[3]) - np.sqrt(max(centre[3] - found[3], 0.0))) / 2
    blind = np.linalg.norm(jacobian, axis=0) < 1e-12
    return {name: float("inf") if blind[k] else float(found[k]) for k, name in enumerate(NAMES)}


def _at(parameters: np.ndarray) -> Instrument:
    """The instrument of shift, scale, slope and the square of the broadening."""
    shift, scale, slope, square = parameters
    return Instrument(shift, scale, slope, np.sqrt(square))


class InstrumentProfile:
    """Least squares over the parameters of an `Instrument`, quickly enough to be asked in every step of a guide.

    From nothing but the prediction at hand: the best node of a coarse lattice of shifts and broadenings, with scale and
    slope solved for there, and bounded Gauss-Newton steps from it. A prediction has the same answer whatever was asked
    before, so a run that is resumed goes on bit by bit.

    Parameters
    ----------
    target
        What was measured; every measured point counts alike, as in `Target.misfit`.
    bounds
        Limits of the parameters.
    """

    def __init__(self, target: Target, bounds: Bounds | None = None):
        self.target = target
        bounds = bounds or Bounds()
        self._low, self._high = np.array([getattr(bounds, name) for name in NAMES]).T
        self._nodes, operators = _lattice(bounds.shift, bounds.sigma)
        self._operators = operators[:, target.mask]
        self._lever = (ENERGY - PI_STAR)[target.mask]
        self._wanted = target.intensity[target.mask]

    def __call__(self, prediction: np.ndarray) -> Instrument:
        """The best instrument for a prediction of shape (100,).

        Raises
        ------
        SpectrumError
            If the prediction has another shape.
        """
        spline = spline_of(prediction)
        at = self._start(np.asarray(prediction, dtype=float))
        residual = self._residual(spline, at)
        for _ in range(_STEPS):
            step = lsq_linear(self._jacobian(spline, at), -residual, bounds=self._room(at), method="bvls").x
            before = residual @ residual
            for _ in range(_HALVINGS):
                tried = np.clip(at + step, self._low, self._high)
                changed = self._residual(spline, tried)
                if changed @ changed < before:
                    at, residual = tried, changed
                    break
                step = step / 2
            if before - residual @ residual <= _ENOUGH * before:
                break
        return Instrument(*map(float, at))

    def _start(self, prediction: np.ndarray) -> np.ndarray:
        """Parameters at the best node of the lattice."""
        seen = self._operators @ prediction
        leaned = seen * self._lever
        aa, ab, bb = (seen**2).sum(1), (seen * leaned).sum(1), (leaned**2).sum(1)
        ya, yb = seen @ self._wanted, leaned @ self._wanted
        determinant = np.maximum(aa * bb - ab**2, 1e-12 * aa * bb + 1e-300)
        scale, lean = (bb * ya - ab * yb) / determinant, (aa * yb - ab * ya) / determinant
        scale = np.clip(scale, self._low[1], self._high[1])
        slope = np.clip(lean / scale, self._low[2], self._high[2])
        off = scale[:, None] * (seen + slope[:, None] * leaned) - self._wanted
        best = int((off**2).sum(1).argmin())
        shift, sigma = self._nodes[best]
        return np.array([shift, scale[best], slope[best], sigma])

    def _room(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of a step, not empty in any direction."""
        tiny = 1e-9 * (self._high - self._low)
        return np.minimum(self._low - at, -tiny), np.maximum(self._high - at, tiny)

    def _residual(self, spline: CubicSpline, at: np.ndarray) -> np.ndarray:
        shift, scale, slope, sigma = at
        return (scale * tilt(slope) * broadened(spline, shift, sigma))[self.target.mask] - self._wanted

    def _jacobian(self, spline: CubicSpline, at: np.ndarray) -> np.ndarray:
        """Derivatives by shift, scale, slope and broadening, shape (measured points, 4)."""
        shift, scale, slope, sigma = at
        places = ENERGY[:, None] - shift - sigma * NODES
        seen, rising = spline(places), spline(places, 1)
        lean, plain = tilt(slope), seen @ WEIGHTS
        columns = (
            -scale * lean * (rising @ WEIGHTS),
            lean * plain,
            scale * (ENERGY - PI_STAR) * plain,
            # at no broadening the derivative vanishes, and a step would never leave it
            -scale * lean * ((spline(ENERGY[:, None] - shift - max(sigma, 0.05) * NODES, 1) * NODES) @ WEIGHTS),
        )
        return np.stack(columns, axis=1)[self.target.mask]


@cache
def _lattice(shift: tuple[float, float], sigma: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Shifts and broadenings (nodes, 2) within limits, and the matrices (nodes, 100, 100) by which they act."""
    nodes = np.array([(np.interp(a, (0, 1), shift), np.interp(b, (0, 1), sigma)) for a in _SHIFTS for b in _SIGMAS])
    return nodes, np.stack([instrument_matrix(Instrument(shift=node[0], sigma=node[1])) for node in nodes])
