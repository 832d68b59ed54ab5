"""The instrument model of `acgen.spectra.instrument` as a differentiable function, for use inside a guide."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from acgen.errors import AcgenError
from acgen.spectra.grid import ENERGY, ENERGY_STEP, N_POINTS, PI_STAR
from acgen.spectra.instrument import NODES, WEIGHTS, pad


def apply_instrument(prediction: Tensor, shift: Tensor, scale: Tensor, slope: Tensor, sigma: Tensor) -> Tensor:
    """What an instrument would measure of a spectrum, differentiable in the spectrum and in all four parameters.

    Parameters
    ----------
    prediction
        Spectrum on `acgen.spectra.grid.ENERGY`, shape (100,).
    shift, scale, slope, sigma
        Parameters of `acgen.spectra.instrument.Instrument`, scalars; the shift and three times the broadening together
        within the 4 eV by which the grid is continued.

    Returns
    -------
    Tensor
        Shape (100,), of the type of the prediction.

    Raises
    ------
    AcgenError
        If the prediction has another shape.
    """
    if prediction.shape != (N_POINTS,):
        raise AcgenError(f"a prediction has shape ({N_POINTS},), got {tuple(prediction.shape)}: average over the atoms")
    kind = prediction.dtype
    energy, nodes, weights = (torch.tensor(values, dtype=kind) for values in (ENERGY, NODES, WEIGHTS))
    start, matrix = _spline_matrix()
    cubic = torch.tensor(matrix, dtype=kind) @ prediction
    at = (energy - PI_STAR)[:, None] - shift - sigma * nodes - (start - PI_STAR)
    interval = (at.detach() / ENERGY_STEP).floor().long().clamp(0, cubic.shape[1] - 1)
    inside = at - ENERGY_STEP * interval.to(kind)
    third, second, first, value = cubic[:, interval]
    seen = (((third * inside + second) * inside + first) * inside + value) @ weights
    return scale * (1 + slope * (energy - PI_STAR)) * seen


@cache
def _spline_matrix() -> tuple[float, np.ndarray]:
    """First energy of the continued grid, and the matrix (4, intervals, 100) from spectra to cubics."""
    unit = np.eye(N_POINTS)
    grid = pad(unit[0])[0]
    coefficients = CubicSpline(grid, np.stack([pad(row)[1] for row in unit], axis=1), bc_type="natural").c
    return float(grid[0]), np.ascontiguousarray(coefficients)
