"""What a measured spectrum is, and what a target for the generator is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from acgen.errors import AcgenError
from acgen.spectra.grid import N_POINTS


class SpectrumError(AcgenError):
    """A spectrum cannot be read or used; the message is one line that says why and what to do."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A measured spectrum.

    Raises
    ------
    SpectrumError
        If the arrays are not finite, one-dimensional and of one length, or energies do not increase.
    """

    #: Photon energies in eV, shape (M,), strictly increasing; read-only.
    energy: np.ndarray
    #: Signal in any unit, shape (M,); read-only.
    intensity: np.ndarray
    #: What to call it in tables and plots.
    name: str = ""
    #: What was done to it so far, one sentence each.
    history: tuple[str, ...] = ()
    #: What was odd about the file, one sentence each; empty if nothing.
    warnings: tuple[str, ...] = ()
    #: SHA-256 of the file it was read from, in hexadecimal; empty if there is none.
    sha256: str = ""
    #: Energies in eV at which the file has a row without a value, shape (K,); what was measured does not cover them.
    missing: np.ndarray = field(default_factory=lambda: np.empty(0))
    #: Checksums of other files that went into it, one sentence each.
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        missing = np.unique(np.asarray(self.missing, dtype=float))
        missing.setflags(write=False)
        object.__setattr__(self, "missing", missing)
        for name in ("energy", "intensity"):
            object.__setattr__(self, name, _frozen_array(getattr(self, name), name))
        if self.energy.shape != self.intensity.shape:
            raise SpectrumError(
                f"a spectrum needs as many energies as intensities, got {self.energy.size} and {self.intensity.size}"
            )
        if np.any(self.energy[1:] <= self.energy[:-1]):
            raise SpectrumError("the energies of a spectrum must increase: sort them and average duplicates first")
        object.__setattr__(self, "history", tuple(self.history))
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "sources", tuple(self.sources))


@dataclass(frozen=True, eq=False)
class Target:
    """A spectrum on the grid of the forward model (`acgen.spectra.grid.ENERGY`), ready to guide the generator.

    Raises
    ------
    SpectrumError
        If an array is not of shape (100,), not finite, or nothing is covered.
    """

    #: Intensity on the scale of the training spectra, shape (100,), 0 where not covered; read-only.
    intensity: np.ndarray
    #: True at the points that the measurement covers, shape (100,); read-only.
    mask: np.ndarray
    #: What to call it in tables and plots.
    name: str = ""
    #: How it came about, one sentence each.
    history: tuple[str, ...] = ()
    #: What the user should know before believing results, one sentence each; empty if nothing.
    warnings: tuple[str, ...] = ()
    #: Standard deviation of the measurement's noise at each point, shape (100,), 0 where not covered; None if unknown.
    noise: np.ndarray | None = None
    #: Relative change of all intensities if the other normalisation had been used; None if unknown.
    sensitivity: float | None = None
    #: Whether it was measured, so that an instrument stood between it and the atoms; False for a computed spectrum.
    measured: bool = False
    #: What was added to its energies by a reference scan, and beyond that, eV.
    calibration: float = 0.0
    shift: float = 0.0
    #: Slope of the detector that was divided out, 1/eV.
    slope: float = 0.0
    #: SHA-256 of the measured file, in hexadecimal, and the recipe by which it was prepared, as JSON; empty if unknown.
    sha256: str = ""
    recipe: str = ""
    #: Checksums of other files that went into it, and of a mean those and recipes of its scans, one sentence each.
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        mask = np.array(self.mask, dtype=bool)
        intensity = _frozen_array(self.intensity, "intensity")
        if intensity.shape != (N_POINTS,) or mask.shape != (N_POINTS,):
            raise SpectrumError(
                f"a target has {N_POINTS} intensities and {N_POINTS} mask values, "
                f"got shapes {intensity.shape} and {mask.shape}: use prepare() to make one"
            )
        if not mask.any():
            raise SpectrumError("a target must cover at least one point of the grid, this one covers none")
        mask.setflags(write=False)
        object.__setattr__(self, "mask", mask)
        object.__setattr__(self, "intensity", _frozen_array(np.where(mask, intensity, 0.0), "intensity"))
        if self.noise is not None:
            noise = _frozen_array(self.noise, "noise")
            if noise.shape != (N_POINTS,) or noise.min() < 0:
                raise SpectrumError(f"the noise of a target is {N_POINTS} numbers, none negative, got {noise.shape}")
            object.__setattr__(self, "noise", _frozen_array(np.where(mask, noise, 0.0), "noise"))
        if not np.isfinite([self.calibration, self.shift, self.slope]).all():
            raise SpectrumError("shifts and slope of a target are numbers, got one that is not: prepare it again")
        object.__setattr__(self, "history", tuple(self.history))
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "sources", tuple(self.sources))
        words = (self.name, *self.history, *self.warnings, self.sha256, self.recipe, *self.sources)
        if not all(isinstance(word, str) for word in words):
            raise SpectrumError("name, history, warnings, checksum and recipe of a target are texts")

    @property
    def record(self) -> tuple[str, ...]:
        """All that makes it reproducible, one sentence each: its history, files, the recipe."""
        return (*self.history, *self.details)

    @property
    def details(self) -> tuple[str, ...]:
        """What its history leaves out: checksums of the files and the recipe, one sentence each."""
        file = (f"SHA-256 of the file: {self.sha256}.",) if self.sha256 else ()
        return (*file, *self.sources, *((f"Recipe: {self.recipe}",) if self.recipe else ()))

    @property
    def digest(self) -> str:
        """SHA-256 of what is compared with a prediction: intensities, the points that count, and noise."""
        found = hashlib.sha256(self.intensity.tobytes() + self.mask.tobytes())
        found.update(b"" if self.noise is None else self.noise.tobytes())
        return found.hexdigest()

    def misfit(self, prediction: np.ndarray) -> float:
        """Euclidean norm of target minus prediction over the covered points.

        Parameters
        ----------
        prediction
            Mean spectrum of a cell on the grid, shape (100,).

        Raises
        ------
        SpectrumError
            If the prediction has another shape.
        """
        prediction = np.asarray(prediction, dtype=float)
        if prediction.shape != (N_POINTS,):
            raise SpectrumError(f"a prediction has shape ({N_POINTS},), got {prediction.shape}: average over the atoms")
        return float(np.linalg.norm((self.intensity - prediction)[self.mask]))


def fits_instrument(target: Target | None, asked: bool | None = None) -> bool:
    """Whether an instrument is fitted to a target: as asked; if nothing is asked, to a measured one."""
    return target is not None and (target.measured if asked is None else asked)


def _frozen_array(values: np.ndarray, what: str) -> np.ndarray:
    """Read-only float copy, checked to be one-dimensional, not empty and finite."""
    array = np.array(values, dtype=float)
    if array.ndim != 1 or array.size == 0:
        raise SpectrumError(f"{what} must be a one-dimensional array with values, got shape {array.shape}")
    if not np.isfinite(array).all():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        raise SpectrumError(f"{what} has {bad} values that are not finite (NaN or infinite): remove or mend them")
    array.setflags(write=False)
    return array
