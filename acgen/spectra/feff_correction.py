"""From the mean of FEFF to that of DFT: what FEFF leaves out of the mean spectrum of a network, by its density.

Each column of `assets/prior/feff_correction.csv` is the mean DFT spectrum of a public network minus that of FEFF, over
the same sites; `acgen.data.feff_correction` makes the file. Between networks the correction is interpolated, beyond
them it is that of the nearest. Its error is what it would have missed of each network without that network's column.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from acgen.assets import asset
from acgen.errors import AcgenError
from acgen.spectra.grid import ENERGY, N_POINTS
from acgen.spectra.model_error import covariance_of

#: The shipped file, in the folder of assets.
SHIPPED = "prior/feff_correction.csv"
#: Fewest networks of which an error can be told.
LEAST = 3


@dataclass(frozen=True, eq=False)
class FeffCorrection:
    """Mean DFT minus mean FEFF spectrum of networks of atoms.

    Raises
    ------
    AcgenError
        If there are fewer than three networks, or the curves do not fit them.
    """

    #: g/cm³, increasing, shape (networks,).
    densities: np.ndarray
    #: Shape (networks, 100), on `acgen.spectra.grid.ENERGY`.
    curves: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.densities)
        if count < LEAST or np.any(np.diff(self.densities) <= 0):
            raise AcgenError(f"a correction of FEFF needs {LEAST} networks of rising density at least, got {count}")
        if self.curves.shape != (count, N_POINTS) or not np.isfinite(self.curves).all():
            raise AcgenError(f"a correction of FEFF has {N_POINTS} finite numbers for each network: make it again")

    def at(self, density: float) -> np.ndarray:
        """What to add to FEFF's mean spectrum of a structure of a density in g/cm³, shape (100,)."""
        return _between(self.densities, self.curves, density)

    def covers(self, density: float) -> bool:
        """Whether a density in g/cm³ lies between those of the networks, or within 0.25 g/cm³ of one."""
        return bool(self.densities[0] - 0.25 <= density <= self.densities[-1] + 0.25)

    @cached_property
    def missed(self) -> np.ndarray:
        """Correction of each network from the others, minus its own, shape (networks, 100)."""
        rest = [np.arange(len(self.densities)) != k for k in range(len(self.densities))]
        each = zip(rest, self.densities, self.curves, strict=True)
        return np.stack([_between(self.densities[others], self.curves[others], d) - own for others, d, own in each])

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the error of the correction at the energies, shape (100, 100)."""
        return covariance_of(self.missed)


def read_correction(path: str | Path) -> FeffCorrection:
    """Read a correction from the file that `acgen data feff-correction` writes.

    Raises
    ------
    AcgenError
        If it is no such file.
    """
    problem = AcgenError(f"{path} is no correction of FEFF: make one with `acgen data feff-correction`")
    try:
        rows = [line for line in Path(path).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
        densities = np.array([float(name) for name in rows[0].split(",")[1:]])
        values = np.array([[float(value) for value in row.split(",")] for row in rows[1:]])
    except (OSError, ValueError, IndexError) as error:
        raise problem from error
    if values.shape != (N_POINTS, len(densities) + 1) or not np.allclose(values[:, 0], ENERGY, atol=1e-6):
        raise problem
    return FeffCorrection(densities, values[:, 1:].T)


@cache
def shipped_correction() -> FeffCorrection:
    """The correction from the five public networks.

    Raises
    ------
    AcgenError
        If it is not there.
    """
    return read_correction(asset(SHIPPED))


def _between(densities: np.ndarray, curves: np.ndarray, density: float) -> np.ndarray:
    """Curve of a density on straight lines between those of others, held at the ends."""
    upper = int(np.clip(np.searchsorted(densities, density), 1, len(densities) - 1))
    low, high = densities[upper - 1], densities[upper]
    part = float(np.clip((density - low) / (high - low), 0, 1))
    return (1 - part) * curves[upper - 1] + part * curves[upper]
