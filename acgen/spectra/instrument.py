"""What an instrument makes of a model spectrum; `acgen.spectra.instrument_fit` fits it to a measured one.

Broadening belongs on the prediction, never a deconvolution on the measurement, and all parameters are bounded: with
free widths a graphite spectrum fits diamond-like carbon as well as graphite.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from functools import cache

import numpy as np
from scipy.interpolate import BSpline, CubicSpline, make_interp_spline
from scipy.sparse import csr_array

from acgen.checks import is_number, want
from acgen.spectra.grid import ENERGY, ENERGY_STEP, N_POINTS
from acgen.spectra.match import SLOPE_LIMITS, tilt
from acgen.spectra.spectrum import SpectrumError

#: Nodes and weights of the integral over a Gaussian of unit width.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
#: Points added at either end of the grid, on a line, for shifts and broadening.
PADDING = 10
# Points over which the line at either end is fitted.
_END = 4


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

    def __post_init__(self) -> None:
        want(all(map(is_number, astuple(self))), f"the parameters of an instrument are numbers, got {self!r:.200}")

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


def instrument_matrix(instrument: Instrument) -> np.ndarray:
    """The matrix (100, 100) by which an instrument acts on a spectrum."""
    knots, units, average = _unit_splines()
    places = (ENERGY[:, None] - instrument.shift - instrument.sigma * NODES).ravel()
    seen = (average @ BSpline.design_matrix(places, knots, 3, extrapolate=True)).toarray() @ units
    return instrument.scale * tilt(instrument.slope)[:, None] * seen


@cache
def _unit_splines() -> tuple[np.ndarray, np.ndarray, csr_array]:
    """Knots and coefficients (coefficients, 100) of the splines of spectra that are 1 at one point, and the matrix
    (100, 100 nodes) that averages over the nodes of each energy."""
    padded = [pad(row) for row in np.eye(N_POINTS)]
    values = np.stack([each for _, each in padded], axis=1)
    spline = make_interp_spline(padded[0][0], values, k=3, bc_type="natural")
    rows, columns = np.repeat(np.arange(N_POINTS), NODES.size), np.arange(N_POINTS * NODES.size)
    return spline.t, spline.c, csr_array((np.tile(WEIGHTS, N_POINTS), (rows, columns)))
