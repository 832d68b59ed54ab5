"""How well a prediction agrees with a target as the instrument would see it, and quick answers without structures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from acgen.spectra.bootstrap import spread
from acgen.spectra.grid import ENERGY, PI_STAR_WINDOW, WHOLE_WINDOW
from acgen.spectra.instrument import Bounds, Instrument
from acgen.spectra.instrument_fit import Beamline, Fit, ideal_fit
from acgen.spectra.match import single_correlation, tilt
from acgen.spectra.mixture import fit_mixture
from acgen.spectra.model_error import POINT_ERROR
from acgen.spectra.references import CLASSES, reference_spectra
from acgen.spectra.spectrum import SpectrumError, Target

#: Standard deviation of the shares of a linear combination that lies in the method: mean spectra of sites vary with
#: density and neighbours.
METHOD_ERROR = 0.10
_FIGURES = ("raw_misfit", "misfit", "weighted_misfit", "derivative_correlation", "cosine", "pearson")


@dataclass(frozen=True, eq=False)
class Comparison:
    """A prediction against a target."""

    name: str
    #: The instrument that brings the prediction nearest to the target; the ideal one if none was fitted.
    fit: Fit
    #: Distance over the measured points before and after the fit.
    raw_misfit: float
    misfit: float
    #: The same with every point weighted by noise and model error, on the scale of `misfit`.
    weighted_misfit: float
    #: Correlation of the derivatives, cosine and Pearson correlation of target and fitted prediction.
    derivative_correlation: float
    cosine: float
    pearson: float
    #: Standard deviation of each of `figures` by noise of the target and error of the forward model, and by its noise
    #: alone; empty if not asked for.
    errors: dict[str, float] = field(default_factory=dict)
    noise_errors: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """All numbers by name, with those of the instrument."""
        return {name: getattr(self, name) for name in _FIGURES} | asdict(self.fit.instrument)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        numbers = {name: getattr(self, name) for name in _FIGURES}
        content = {"name": self.name, "instrument": self.fit.to_dict()} | numbers
        return content | ({"errors": self.errors, "noise_errors": self.noise_errors} if self.errors else {})


def compare(
    target: Target,
    prediction: np.ndarray,
    name: str = "",
    bounds: Bounds | None = None,
    copies: int = 0,
    instrument: bool | None = None,
) -> Comparison:
    """How far a prediction is from a target, and how far behind the instrument that makes the misfit least.

    Parameters
    ----------
    target
        What was measured.
    prediction
        Mean spectrum of a structure on `acgen.spectra.grid.ENERGY`, shape (100,).
    name
        What to call it.
    bounds
        Limits of the instrument's parameters.
    copies
        Copies of the target behind the errors (`acgen.spectra.bootstrap.spread`); without errors if 0.
    instrument
        Whether an instrument is fitted; by default to a measured target.

    Raises
    ------
    SpectrumError
        If the prediction has another shape.
    """
    if copies:

        def again(copy: Target) -> dict[str, float]:
            return compare(copy, prediction, name, bounds, instrument=instrument).figures

        both, noise = (spread(target, again, copies, model=model) for model in (True, False))
        once = compare(target, prediction, name, bounds, instrument=instrument)
        return replace(once, errors=both, noise_errors=noise)
    fit = Beamline(target, instrument, bounds).fit(prediction) or ideal_fit(prediction)
    mask, seen = target.mask, fit.prediction
    a, b = target.intensity[mask], seen[mask]
    weights = _weights(target)[mask]
    return Comparison(
        name,
        fit,
        target.misfit(prediction),
        target.misfit(seen),
        float(np.sqrt(weights @ (a - b) ** 2)),
        single_correlation(target.intensity, seen, mask),
        _cosine(a, b),
        _cosine(a - a.mean(), b - b.mean()),
    )


def _weights(target: Target) -> np.ndarray:
    """Weight of each point, 1 / (noise² + model error²), zero where masked, 1 on average over the measured points."""
    noise = np.zeros(target.mask.size) if target.noise is None else target.noise
    weights = np.where(target.mask, 1.0 / (noise**2 + POINT_ERROR**2), 0.0)
    return weights / weights[target.mask].mean()


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Mixture:
    """A target as a sum of spectra seen through one instrument."""

    #: Share of each spectrum from 0 to 1, by name; they sum to 1.
    shares: dict[str, float]
    fit: Fit
    misfit: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"shares": self.shares, "instrument": self.fit.to_dict(), "misfit": self.misfit}


def linear_combination(
    target: Target, spectra: Mapping[str, np.ndarray] | None = None, bounds: Bounds | None = None
) -> Mixture:
    """The quick answer: shares of sp, sp2 and sp3, or of given spectra, that make up a target.

    Mean spectra of sites vary with density and neighbours, so this is good to `METHOD_ERROR`, and to no more.

    Parameters
    ----------
    target
        What was measured.
    spectra
        Spectra on the grid by name, all of the same area, each of shape (100,); by default the shipped classes.
    bounds
        Limits of the instrument's parameters.

    Raises
    ------
    SpectrumError
        If there are no spectra, or one has another shape.
    """
    chosen = {name: reference_spectra()[name] for name in CLASSES} if spectra is None else dict(spectra)
    if not chosen:
        raise SpectrumError("a linear combination needs at least one spectrum: give some, or None for sp, sp2 and sp3")
    fit = fit_mixture(target, np.stack([np.asarray(curve, dtype=float) for curve in chosen.values()]), bounds)
    shares = {name: float(share) for name, share in zip(chosen, fit.shares, strict=True)}
    return Mixture(shares, fit, target.misfit(fit.prediction))


@dataclass(frozen=True)
class PiStarContent:
    """sp2 content from the area of pi* relative to that of the whole edge."""

    #: Ratio of the areas of the target over that of the reference: what NEXAFS users call the sp2 fraction.
    ratio: float
    #: The same after the areas in the pi* window of pure sp3 are taken away from both. An sp site counts about twice.
    corrected: float

    def to_dict(self) -> dict[str, float]:
        """JSON-ready form."""
        return asdict(self)


def pi_star_content(target: Target, instrument: Instrument | None = None, reference: str = "sp2") -> PiStarContent:
    """sp2 content from the pi* area, against a reference that is all sp2.

    Parameters
    ----------
    target
        What was measured; it must cover 280-310 eV apart from single points.
    instrument
        Energy error and slope to take away first, from a fit.
    reference
        Name of a shipped spectrum without sp3, "sp2" or "graphite".

    Raises
    ------
    SpectrumError
        If the target does not cover the windows or the reference is unknown.
    """
    if reference not in reference_spectra():
        raise SpectrumError(f"{reference!r} is no shipped spectrum: use sp2 or graphite")
    inside = (ENERGY >= WHOLE_WINDOW[0]) & (ENERGY <= WHOLE_WINDOW[1])
    if not target.mask[inside].all():
        raise SpectrumError(
            f"the pi* area needs {WHOLE_WINDOW[0]:g}-{WHOLE_WINDOW[1]:g} eV without gaps, and "
            f"{int(np.count_nonzero(~target.mask[inside]))} points are missing"
        )
    seen = instrument or Instrument()
    ratios = [
        _area_ratio(target.intensity / tilt(seen.slope), seen.shift),
        *(_area_ratio(reference_spectra()[name], 0.0) for name in (reference, "sp3")),
    ]
    measured, pure, none = ratios
    return PiStarContent(measured / pure, (measured - none) / (pure - none))


def _area_ratio(intensity: np.ndarray, shift: float) -> float:
    """Area of the pi* window over that of the whole, of a spectrum whose energies are off by `shift`."""
    part, whole = (
        np.interp(np.linspace(low + shift, high + shift, 301), ENERGY, intensity).mean() * (high - low)
        for low, high in (PI_STAR_WINDOW, WHOLE_WINDOW)
    )
    return float(part / whole)
