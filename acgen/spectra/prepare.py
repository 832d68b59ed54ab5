"""Making a target out of a measured spectrum: shift, background, resampling, scale, and what to warn about."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import nnls

from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.match import MAX_SHIFT, SLOPE_LIMITS, best_shift, best_slope, tilt
from acgen.spectra.read import MIN_POINTS
from acgen.spectra.references import CLASSES, reference_spectra
from acgen.spectra.resample import MAX_GAP, resample
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

PreEdge = Literal["constant", "linear", "none"]

#: Pre-edge region relative to graphite's pi*, eV.
PRE_EDGE = (-14.0, -4.0)
#: A spectrum of amorphous carbon has an edge that begins below this energy, eV.
EDGE_ONSET = 284.0
#: Coverage, eV, below which a target is called short.
WANTED_RANGE = (280.0, 305.0)
#: Derivative correlation below which a spectrum is called out of domain. Calibration: a diamond-like carbon film 0.69,
#: a graphitic foil 0.81, every shipped reference 1; an organic film 0.61-0.63, polystyrene 0.42.
DOMAIN_LIMIT = 0.65
# Measured points further from the grid than this, eV, are of no use.
_MARGIN = 10.0


def prepare(
    spectrum: Spectrum,
    *,
    shift: float | Literal["auto"] = 0.0,
    slope: float | Literal["auto"] = 0.0,
    pre_edge: PreEdge = "constant",
    name: str = "",
) -> Target:
    """Turn a measured spectrum into a target on the grid and scale of the model spectra.

    1. Energies are shifted by `shift`.
    2. The background is subtracted: the mean, or a line, of the region 14 to 4 eV below 285.4 eV.
    3. Bins of the grid are averaged (`acgen.spectra.resample.resample`); points outside the range are masked out.
    4. What is left is divided by 1 + slope (E - 285.4 eV).
    5. It is scaled so that its area over the overlap equals the area there of the mixture of the shipped sp, sp2, sp3
       spectra that resembles it most. Model spectra have the same area over the whole grid within 2 %, but up to 15 %
       different areas over a part of it, depending on the mixture.

    The result does not depend on the unit or (with a pre-edge) a constant offset of the measurement.

    Parameters
    ----------
    spectrum
        What was measured.
    shift
        Energy to add, eV, within ±1, or "auto": where the derivative correlates best with the shipped references.
    slope
        Sensitivity of the detector that grows with energy, 1/eV, within -0.03 to 0.06, or "auto": what makes the
        shipped references fit best. Model spectra fall faster above the edge than most measured ones.
    pre_edge
        Background: "constant" (default), "linear", or "none" if it is already subtracted. A line is extrapolated over
        three times the range that determines it, which suits detectors with a true drift only.
    name
        Name of the target; by default the spectrum's.

    Returns
    -------
    Target
        With every step in `history`, and `warnings` for a short range, a missing pre-edge, gaps, an automatic value at
        its limit and a spectrum that amorphous carbon does not have.

    Raises
    ------
    SpectrumError
        If the spectrum does not overlap with 274.6-314.2 eV, has fewer than 10 points there or shows no edge, or if an
        option is out of bounds.
    """
    if pre_edge not in ("constant", "linear", "none"):
        raise SpectrumError(f"pre_edge must be 'constant', 'linear' or 'none', got {pre_edge!r}")
    _check_overlap(spectrum.energy)
    history = list(spectrum.history)
    warnings: list[str] = []
    useful = (spectrum.energy > ENERGY[0] - _MARGIN) & (spectrum.energy < ENERGY[-1] + _MARGIN)
    energy, intensity = spectrum.energy[useful], spectrum.intensity[useful]
    intensity = intensity / (np.abs(intensity).max() or 1.0)
    found, correlation = best_shift(energy, intensity)
    energy = energy + _option("energy shift", "eV", shift, found, (-MAX_SHIFT, MAX_SHIFT), history, warnings)
    _check_overlap(energy)
    intensity, noise = _without_background(energy, intensity, pre_edge, history, warnings)
    intensity, mask = resample(energy, intensity)
    if mask.sum() < MIN_POINTS:
        raise SpectrumError(f"only {mask.sum()} points of the grid are covered: at least {MIN_POINTS} are needed")
    _check_edge(intensity, mask, noise)
    found = best_slope(intensity, mask) if slope == "auto" else 0.0
    intensity = intensity / tilt(_option("slope", "1/eV", slope, found, SLOPE_LIMITS, history, warnings))
    intensity = intensity * _scale(intensity, mask, history)
    warnings += _coverage_warnings(mask)
    if correlation < DOMAIN_LIMIT:
        warnings.append(
            f"Out of domain: the derivative correlates with the best mixture of carbon references by {correlation:.2f} "
            f"only (amorphous carbon: {DOMAIN_LIMIT} or more), so perhaps no such structure has this spectrum."
        )
    return Target(intensity, mask, name or spectrum.name, tuple(history), tuple(warnings))


def _check_overlap(energy: np.ndarray) -> None:
    low, high = ENERGY[0], ENERGY[-1]
    span = f"{energy[0]:g}-{energy[-1]:g} eV"
    if energy[-1] < low or energy[0] > high:
        raise SpectrumError(f"the spectrum covers {span}, which does not overlap with the carbon edge, {low}-{high} eV")
    points = int(np.count_nonzero((energy >= low - 1e-6) & (energy <= high + 1e-6)))
    if points < MIN_POINTS:
        raise SpectrumError(f"the spectrum has {points} points in {low}-{high} eV: at least {MIN_POINTS} are needed")


def _option(
    what: str,
    unit: str,
    value: float | str,
    found: float,
    limits: tuple[float, float],
    history: list[str],
    warnings: list[str],
) -> float:
    """Value of an option that may be "auto", checked against its limits and noted."""
    low, high = limits
    if value == "auto":
        value = found
        if found <= low + 1e-6 or found >= high - 1e-6:
            warnings.append(f"The automatic {what} ended at its limit of {found:+g} {unit}: check the calibration.")
    elif isinstance(value, str) or not low <= value <= high:
        raise SpectrumError(f"the {what} must lie within {low:g} to {high:g} {unit} or be 'auto', got {value!r}")
    if value:
        history.append(f"Applied {what}: {value:+g} {unit}.")
    return float(value)


def _without_background(
    energy: np.ndarray, intensity: np.ndarray, pre_edge: PreEdge, history: list[str], warnings: list[str]
) -> tuple[np.ndarray, float]:
    """Intensity above the background, and the scatter of the pre-edge about a line."""
    low, high = PI_STAR + PRE_EDGE[0], PI_STAR + PRE_EDGE[1]
    region = (energy >= low) & (energy <= high)
    if region.sum() < 3:
        warnings.append(f"No pre-edge was measured between {low:g} and {high:g} eV: the background is uncertain.")
    if pre_edge == "none":
        history.append("Left the background as it is.")
        return intensity, 0.0
    if region.sum() < 3:
        before = energy < EDGE_ONSET
        if not before.any():
            raise SpectrumError(
                f"the spectrum starts at {energy[0]:g} eV, after the edge begins: measure from below {high:g} eV, "
                "or pass pre_edge='none' if the background is subtracted"
            )
        history.append(f"Subtracted the lowest value below {EDGE_ONSET:g} eV, for want of a pre-edge.")
        return intensity - intensity[before].min(), 0.0
    x, y = energy[region], intensity[region]
    line = np.polynomial.Polynomial.fit(x, y, 1)
    background = line(energy) if pre_edge == "linear" else np.full_like(energy, y.mean())
    history.append(f"Subtracted a {pre_edge} background from {region.sum()} points in {x[0]:g}-{x[-1]:g} eV.")
    return intensity - background, float(np.std(y - line(x)))


def _check_edge(intensity: np.ndarray, mask: np.ndarray, noise: float) -> None:
    above = mask & (ENERGY > PI_STAR)
    rise = intensity[above].mean() if above.any() else 0.0
    # Rounding leaves about 1e-15 of a flat line, which must not count as an edge.
    if intensity[mask].sum() <= 0 or rise <= max(noise, 1e-9):
        raise SpectrumError(
            "no absorption edge rises above the background near 285 eV: check energies and columns, and convert "
            "transmission to absorption"
        )


def _scale(intensity: np.ndarray, mask: np.ndarray, history: list[str]) -> float:
    """Factor onto the scale of the model spectra, by area over the overlap."""
    classes = np.stack([reference_spectra()[name][mask] for name in CLASSES], axis=1)
    amounts, _ = nnls(classes, intensity[mask])
    if not amounts.any():
        raise SpectrumError("the spectrum has nothing in common with a carbon edge: check energies and columns")
    area = float(classes.sum(axis=0) @ (amounts / amounts.sum()))
    covered = f"{ENERGY[mask][0]:.1f}-{ENERGY[mask][-1]:.1f} eV ({mask.sum()} points)"
    history.append(f"Scaled to the area {area:.2f} of the model spectra over {covered}.")
    return area / float(intensity[mask].sum())


def _coverage_warnings(mask: np.ndarray) -> list[str]:
    covered = ENERGY[mask]
    warnings = []
    if covered[0] > WANTED_RANGE[0] or covered[-1] < WANTED_RANGE[1]:
        warnings.append(
            f"Only {covered[0]:.1f}-{covered[-1]:.1f} eV of the grid is covered; "
            f"{WANTED_RANGE[0]:g}-{WANTED_RANGE[1]:g} eV or more is wanted."
        )
    first, last = np.flatnonzero(mask)[[0, -1]]
    gaps = int(np.count_nonzero(~mask[first : last + 1]))
    if gaps:
        warnings.append(f"{gaps} points inside gaps wider than {MAX_GAP:g} eV are masked out.")
    return warnings
