"""The instrument that brings a prediction nearest to a target, quickly enough to be asked in every step of a guide."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import lsq_linear

from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.instrument import NODES, WEIGHTS, Bounds, Instrument, broadened, pad, spline_of
from acgen.spectra.match import tilt
from acgen.spectra.spectrum import Target

NAMES = tuple(field.name for field in fields(Instrument))
#: Shifts and broadenings tried first, in parts of their ranges.
_SHIFTS, _SIGMAS = np.linspace(0, 1, 9), np.array([0.1, 0.5, 0.9])
#: Gauss-Newton steps, how often one is halved, and the relative change of the squares at which they end.
_STEPS, _HALVINGS, _ENOUGH = 8, 3, 1e-4


class InstrumentProfile:
    """Least squares over the parameters of an `Instrument`, from nothing but the prediction at hand.

    The best node of a coarse lattice of shifts and broadenings, with scale and slope solved for there, and bounded
    Gauss-Newton steps from it: a prediction has the same answer whatever was asked before, so a run that is resumed
    goes on bit by bit. At the minimum the misfit does not change with the parameters, so its gradient in the prediction
    is the one with the parameters held.

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


def instrument_matrix(instrument: Instrument) -> np.ndarray:
    """The matrix (100, 100) by which an instrument acts on a spectrum."""
    places = ENERGY[:, None] - instrument.shift - instrument.sigma * NODES
    seen = np.einsum("enk,n->ek", _unit_splines()(places), WEIGHTS)
    return instrument.scale * tilt(instrument.slope)[:, None] * seen


@cache
def _unit_splines() -> CubicSpline:
    """The splines of spectra that are 1 at one point, all in one."""
    padded = [pad(row) for row in np.eye(ENERGY.size)]
    return CubicSpline(padded[0][0], np.stack([values for _, values in padded], axis=1), bc_type="natural")


@cache
def _lattice(shift: tuple[float, float], sigma: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Shifts and broadenings (nodes, 2) within limits, and the matrices (nodes, 100, 100) by which they act."""
    nodes = np.array([(np.interp(a, (0, 1), shift), np.interp(b, (0, 1), sigma)) for a in _SHIFTS for b in _SIGMAS])
    return nodes, np.stack([instrument_matrix(Instrument(shift=node[0], sigma=node[1])) for node in nodes])
