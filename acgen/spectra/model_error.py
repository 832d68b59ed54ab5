"""How a forward model errs on networks of atoms it has not seen, as a covariance over energies.

Each public network was left out of the training in turn; the mean error of the prediction of its spectrum is a column
of `assets/prior/forward_error.csv`. Five errors say where a forward model errs and how much, not how it will err next
time, so they enter as a covariance: of their size at each energy, and alike over a width of peaks. (Their own second
moments, which span five directions only, did worse in cross-validation.)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from acgen.assets import asset
from acgen.errors import AcgenError
from acgen.spectra.grid import ENERGY, N_POINTS

#: Distance of predicted and true spectrum of a network of atoms that a forward model has not seen: mean and range.
UNSEEN_ERROR, UNSEEN_RANGE = 0.15, (0.08, 0.23)
#: Misfit of the closest structure up to which an answer is about structures: beyond the range above.
TRUSTED = 0.25
#: The same at one point: about a tenth of it over the 100 points.
POINT_ERROR = 0.015
#: Energy over which errors are alike, eV, and points over which their size is averaged.
_ALIKE, _SMOOTH = 0.8, 4


@cache
def forward_errors() -> Mapping[str, np.ndarray]:
    """Predicted minus true spectrum of each left-out network of atoms, by its density; each of shape (100,)."""
    with asset("prior/forward_error.csv").open(encoding="utf-8") as lines:
        rows = [line.strip() for line in lines if not line.startswith("#")]
    values = np.array([row.split(",") for row in rows[1:] if row], dtype=float)
    return {name: values[:, k] for k, name in enumerate(rows[0].split(",")) if name != "energy_eV"}


def error_covariance(leave_out: str | None = None) -> np.ndarray:
    """Covariance (100, 100) of a forward model's error.

    Parameters
    ----------
    leave_out
        A network of atoms whose own error is not to be used, when its spectrum is the test.

    Raises
    ------
    AcgenError
        If no error is left.
    """
    known = [error for name, error in forward_errors().items() if name != leave_out]
    if not known:
        raise AcgenError("no error of a forward model is left to make a covariance of; leave out less")
    return covariance_of(np.stack(known))


def covariance_of(errors: np.ndarray) -> np.ndarray:
    """Covariance (100, 100) of an error of which a few are known, shape (n, 100): see the head of this module."""
    from scipy.ndimage import gaussian_filter1d  # takes half a second, and settings name constants of this module

    size = np.sqrt(gaussian_filter1d((errors**2).mean(0), _SMOOTH, mode="nearest"))
    alike = np.exp(-((ENERGY[:, None] - ENERGY) ** 2) / (2 * _ALIKE**2))
    return alike * size[:, None] * size + 1e-8 * np.eye(N_POINTS)
