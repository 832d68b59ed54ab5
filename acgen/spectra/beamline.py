"""What of a preparation belongs to a beamline: its energy axis and broadening, the columns of its files, its habits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from acgen.spectra.background import PRE_EDGES, PreEdge
from acgen.spectra.grid import PI_STAR
from acgen.spectra.instrument_fit import fit_instrument
from acgen.spectra.io.contents import MAX_LABEL, Item, clean_label
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE
from acgen.spectra.references import CRYSTALS, builtin_targets
from acgen.spectra.scale import Normalisation
from acgen.spectra.spectrum import SpectrumError, Target

#: Largest profile, or recipe, that is read, bytes.
MAX_JSON = 20_000


@dataclass(frozen=True)
class BeamlineProfile:
    """Settings of a beamline by its name, for all spectra that come from there.

    Raises
    ------
    SpectrumError
        If an entry is of the wrong kind.
    """

    name: str
    #: Energy to add, eV, and its standard error; None if it was not measured.
    shift: float = 0.0
    shift_error: float | None = None
    #: Broadening beyond that of the model spectra, eV (standard deviation), and its error; None if it is not known.
    broadening: float | None = None
    broadening_error: float | None = None
    #: What the energy axis was fixed on, in words; empty if it was set by hand.
    calibrated_on: str = ""
    #: Names of the columns of energy, signal and divisor; empty if the files leave no choice.
    columns: tuple[str, ...] = ()
    negative_log: bool = False
    negate: bool = False
    slope: float | Literal["auto"] = 0.0
    pre_edge: PreEdge = "constant"
    normalisation: Normalisation = "area"
    pre_range: tuple[float, float] = PRE_EDGE
    post_range: tuple[float, float] = POST_EDGE
    reference_energy: float = PI_STAR

    def __post_init__(self) -> None:
        for name in ("columns", "pre_range", "post_range"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        known = (self.shift_error, self.broadening, self.broadening_error)
        numbers: list[Any] = [self.shift, self.reference_energy, *self.pre_range, *self.post_range]
        numbers += [each for each in (*known, self.slope) if each not in (None, "auto")]
        if not all(isinstance(each, (int, float)) and math.isfinite(each) for each in numbers):
            raise SpectrumError("shift, broadening, slope and ranges of a beamline are numbers")
        if any(each is not None and each < 0 for each in known):
            raise SpectrumError("the broadening of a beamline, and its errors, are not negative")
        words = (self.name, self.calibrated_on, *self.columns)
        if not all(isinstance(each, str) and len(each) <= 4 * MAX_LABEL for each in words):
            raise SpectrumError("name, columns and calibration of a beamline are short texts")
        object.__setattr__(self, "name", clean_label(self.name))
        if not self.name:
            raise SpectrumError("a beamline needs a name: give one")
        if len(self.pre_range) != 2 or len(self.post_range) != 2 or len(self.columns) not in (0, 2, 3):
            raise SpectrumError("a beamline has two ends of each range, and none, two or three columns")
        if self.pre_edge not in PRE_EDGES or self.normalisation not in ("area", "edge"):
            raise SpectrumError("the background or the scale of the beamline is of no known kind")

    def columns_in(self, item: Item) -> tuple[int, ...] | None:
        """Its columns in a table of a file, counted from 1; None if not all of them are there once."""
        if not self.columns or any(item.labels.count(label) != 1 for label in self.columns):
            return None
        return tuple(item.labels.index(label) + 1 for label in self.columns)

    @property
    def energies(self) -> str:
        """Its energy axis and broadening, in words."""
        shift = f"energies {_plus_minus(self.shift, self.shift_error, '+')} eV"
        width = None if self.broadening is None else _plus_minus(self.broadening, self.broadening_error)
        known = "" if width is None else f", broadening {width} eV"
        return shift + known + (f", calibrated on {self.calibrated_on}" if self.calibrated_on else "")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> BeamlineProfile:
        """The profile that `to_dict` describes.

        Raises
        ------
        SpectrumError
            If there is an entry that profiles do not have, or one of the wrong kind.
        """
        try:
            return cls(**content)
        except (TypeError, ValueError) as error:
            known = ", ".join(field.name for field in fields(cls))
            raise SpectrumError(f"this is no beamline ({error}): expected an object with {known}") from error


def read_beamline(path: str | Path) -> BeamlineProfile:
    """The profile of a JSON file that `acgen calibrate` or the page wrote.

    Raises
    ------
    SpectrumError
        If it is none.
    """
    with open(path, "rb") as file:
        data = file.read(MAX_JSON + 1)
    try:
        content = json.loads(data) if len(data) <= MAX_JSON else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SpectrumError(f"{path} is no beamline: give a JSON file that `acgen calibrate` or the page wrote")
    return BeamlineProfile.from_dict(content)


def calibration(scans: Mapping[str, Target]) -> dict[str, Any]:
    """Energy axis and broadening of a beamline by its own scans of graphite, diamond or both.

    An instrument is fitted to each scan with the computed spectrum of that crystal (`acgen.spectra.instrument_fit`).
    What its fitted shift leaves of what was added to the energies before is the calibration; two scans are averaged by
    their errors, and their mean is no better known than half of what they differ by. The broadening is that on the
    grid, whose bins add 0.12 eV to that of the instrument, in quadrature.

    Parameters
    ----------
    scans
        Prepared scans by the name of the crystal, `acgen.spectra.references.CRYSTALS`.

    Returns
    -------
    dict[str, Any]
        The entries `shift`, `shift_error`, `broadening`, `broadening_error` and `calibrated_on` of a
        `BeamlineProfile`, the numbers in eV.

    Raises
    ------
    SpectrumError
        If there is no scan, or one does not fit its crystal within ±1 eV.
    """
    if not scans or not set(scans) <= set(CRYSTALS):
        raise SpectrumError(f"calibrate on a scan of {' or '.join(CRYSTALS)}, got {', '.join(scans) or 'none'}")
    shifts, widths = [], []
    for crystal, scan in scans.items():
        fit = fit_instrument(scan, builtin_targets()[crystal].intensity)
        if "shift" in fit.at_bounds or not math.isfinite(fit.errors["shift"]):
            raise SpectrumError(
                f"the scan of {crystal} does not fit {crystal} within 1 eV: is it one? If its energies are further "
                "off, give about what to add to them (--shift)"
            )
        shifts.append((scan.calibration + scan.shift - fit.instrument.shift, fit.errors["shift"]))
        if "sigma" not in fit.at_bounds and math.isfinite(fit.errors["sigma"]):
            widths.append((fit.instrument.sigma, fit.errors["sigma"]))
    shift, error = _mean(shifts)
    width, width_error = _mean(widths) if widths else (None, None)
    return {
        "shift": shift, "shift_error": error, "broadening": width, "broadening_error": width_error,
        "calibrated_on": " and ".join(scans),
    }


def _mean(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean of values with errors, weighed by them, and its error; rounded to 0.1 meV."""
    weights = [1.0 / max(error, 1e-4) ** 2 for _, error in values]
    mean = sum(weight * value for weight, (value, _) in zip(weights, values, strict=True)) / sum(weights)
    apart = (max(value for value, _ in values) - min(value for value, _ in values)) / 2
    return round(mean, 4), round(max(sum(weights) ** -0.5, apart), 4)


def _plus_minus(value: float, error: float | None, sign: str = "") -> str:
    return f"{value:{sign}.2f}" + ("" if error is None else f" ± {max(error, 0.01):.2f}")
