"""How a forward model errs on networks of atoms it has not seen, as a covariance over energies.

Each public network was left out of the training in turn; the mean error of the prediction of its spectrum is a column
of `assets/prior/forward_error.csv`. Five errors say where a forward model errs and how much, not how it will err next
time, so they enter as a covariance: of their size at each energy, and alike over a width of peaks. (Their own second
moments, which span five directions only, did worse in cross-validation.) `acgen validate errors` measures all this
again, and how often the truth lies within such a band of a network that had no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from acgen.assets import asset
from acgen.errors import AcgenError
from acgen.spectra.grid import ENERGY, N_POINTS

#: Distance of predicted and true spectrum of a network of atoms that a forward model has not seen: mean and range.
UNSEEN_ERROR, UNSEEN_RANGE = 0.11, (0.09, 0.15)
#: The same mean of the network that guides, which knows blurred structures too, and each of them less well.
GUIDE_ERROR = 0.15
#: Misfit of the closest structure up to which an answer is about structures: left-out networks have 0.14 to 0.21.
TRUSTED = 0.25
#: The same at one point: about a tenth of it over the 100 points.
POINT_ERROR = 0.01
#: Energy over which errors are alike, eV, and points over which their size is averaged.
_ALIKE, _SMOOTH = 0.8, 4


@cache
def forward_errors() -> Mapping[str, np.ndarray]:
    """Predicted minus true spectrum of each left-out network of atoms, by its density; each of shape (100,)."""
    return _columns("forward_error")


@cache
def site_errors() -> Mapping[str, np.ndarray]:
    """Root mean square error of the sites of each left-out network of atoms, by its density; each of shape (100,)."""
    return _columns("site_error")


def error_covariance(leave_out: str | None = None) -> np.ndarray:
    """Covariance (100, 100) of a forward model's error of the spectrum of a cell.

    Parameters
    ----------
    leave_out
        A network of atoms whose own error is not to be used, when its spectrum is the test.

    Raises
    ------
    AcgenError
        If no error is left.
    """
    return covariance_of(_others(forward_errors(), leave_out))


def site_covariance(leave_out: str | None = None) -> np.ndarray:
    """Covariance (100, 100) of a forward model's error of the spectrum of one site.

    Parameters and errors are those of `error_covariance`.
    """
    return _alike(root_mean_square(_others(site_errors(), leave_out)))


def covariance_of(errors: np.ndarray) -> np.ndarray:
    """Covariance (100, 100) of the next error after errors of cells, shape (networks, 100)."""
    from scipy.ndimage import gaussian_filter1d  # takes half a second, and settings name constants of this module

    return _alike(np.sqrt(gaussian_filter1d((errors**2).mean(0), _SMOOTH, mode="nearest")))


def root_mean_square(errors: ArrayLike) -> np.ndarray:
    """Root of the mean square over the first axis."""
    return np.sqrt((np.asarray(errors) ** 2).mean(0))


def _alike(size: np.ndarray) -> np.ndarray:
    """Covariance (100, 100) of errors of a size at each energy, shape (100,), which are alike over a width of peaks."""
    alike = np.exp(-((ENERGY[:, None] - ENERGY) ** 2) / (2 * _ALIKE**2))
    return alike * size[:, None] * size + 1e-8 * np.eye(N_POINTS)


def error_table(what: str, columns: Mapping[str, np.ndarray]) -> str:
    """A file of errors, as `acgen validate errors` writes it.

    Parameters
    ----------
    what
        What the columns are.
    columns
        Of each network by its density, each of shape (100,).
    """
    head = (
        f"# {what} of each public network (arXiv:2312.05472, GitHub LLNL/graphite, MIT), by forward\n"
        "# networks trained without it: acgen train forward --leave-out NETWORK --updates 16000 --compile; scale of "
        "acgen.spectra.grid.\n"
    )
    rows = [",".join(["energy_eV", *columns])]
    rows += [f"{energy:.1f}," + ",".join(f"{c[k]:.6f}" for c in columns.values()) for k, energy in enumerate(ENERGY)]
    return head + "\n".join(rows) + "\n"


def _others(known: Mapping[str, np.ndarray], leave_out: str | None) -> np.ndarray:
    """What is known of all networks but one, shape (networks, 100)."""
    others = [error for name, error in known.items() if name != leave_out]
    if not others:
        raise AcgenError("no error of a forward model is left to make a covariance of; leave out less")
    return np.stack(others)


def _columns(name: str) -> Mapping[str, np.ndarray]:
    """Columns of a file of `assets/prior` by their heads, without the energies."""
    with asset(f"prior/{name}.csv").open(encoding="utf-8") as lines:
        rows = [line.strip() for line in lines if not line.startswith("#")]
    values = np.array([row.split(",") for row in rows[1:] if row], dtype=float)
    return {head: values[:, k] for k, head in enumerate(rows[0].split(",")) if head != "energy_eV"}
