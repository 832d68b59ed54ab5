"""Making a target of a measured spectrum: I0, calibration, background, resampling, scale, and what to warn about."""

from __future__ import annotations

from typing import Literal

import numpy as np

from acgen.spectra.detect import detect
from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.io.read import MIN_POINTS
from acgen.spectra.match import MAX_SHIFT, SLOPE_LIMITS, best_shift, best_slope, is_graphitic, tilt
from acgen.spectra.noise import binned_noise
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE, calibration_shift, divide
from acgen.spectra.resample import MAX_GAP, resample
from acgen.spectra.scale import Normalisation, model_scale
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

PreEdge = Literal["constant", "linear", "none"]

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
    normalisation: Normalisation = "area",
    pre_range: tuple[float, float] = PRE_EDGE,
    post_range: tuple[float, float] = POST_EDGE,
    i0: Spectrum | None = None,
    reference: Spectrum | None = None,
    reference_energy: float = PI_STAR,
) -> Target:
    """Turn a measured spectrum into a target on the grid and scale of the model spectra.

    1. It is divided by `i0`, if there is one (`acgen.spectra.normalise.divide`).
    2. Energies are shifted: by what puts the pi* of `reference` at its known energy, and by `shift`.
    3. The background is subtracted: the mean, or a line, of the pre-edge.
    4. Bins of the grid are averaged (`acgen.spectra.resample.resample`); points outside the range are masked out.
    5. What is left is divided by 1 + slope (E - 285.4 eV).
    6. It is scaled to the mixture of the shipped sp, sp2, sp3 spectra that resembles it most, so that either the areas
       over the overlap agree (model spectra have the same area over the whole grid within 2 %, but up to 15 %
       different areas over a part of it, depending on the mixture) or the levels after the edge do.

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
    normalisation
        "area" (default) or "edge".
    pre_range, post_range
        Pre-edge and post-edge regions relative to 285.4 eV, eV.
    i0
        Scan of the beam (or a photodiode) to divide by; for a double normalisation, with both already divided by the
        monitor of their scan.
    reference
        Scan of a substance whose pi* is known, taken with the spectrum.
    reference_energy
        Its pi*, eV; graphite has 285.4.

    Returns
    -------
    Target
        With every step in `history`, the noise of each point, how much the other normalisation would change the scale,
        and `warnings` of what `acgen.spectra.detect` finds, a short range, a missing pre-edge, gaps, an automatic value
        at its limit, a scale that depends on the normalisation, and a spectrum that amorphous carbon does not have.

    Raises
    ------
    SpectrumError
        If the spectrum does not overlap with 274.6-314.2 eV, has fewer than 10 points there or shows no edge, if an
        option is out of bounds, or if I0 or the reference cannot be used.
    """
    _check_options(pre_edge, normalisation, pre_range, post_range)
    _check_overlap(spectrum.energy)
    spectrum = spectrum if i0 is None else divide(spectrum, i0)
    history, warnings = list(spectrum.history), list(spectrum.warnings)
    energy, intensity = spectrum.energy, spectrum.intensity / (np.abs(spectrum.intensity).max() or 1.0)
    calibration = 0.0 if reference is None else _calibrate(reference, reference_energy, shift, history)
    energy = energy + calibration
    useful = _useful(energy)
    found, correlation = best_shift(energy[useful], intensity[useful])
    applied = _option("energy shift", "eV", shift, found, (-MAX_SHIFT, MAX_SHIFT), history, warnings)
    energy = energy + applied
    _check_overlap(energy)
    warnings += detect(energy, spectrum.intensity, graphitic=is_graphitic(*resample(energy, intensity)))
    useful = _useful(energy)
    energy, intensity = energy[useful], intensity[useful]
    intensity, scatter = _without_background(energy, intensity, pre_edge, pre_range, history, warnings)
    noise = binned_noise(energy, intensity)
    intensity, mask = resample(energy, intensity)
    if mask.sum() < MIN_POINTS:
        raise SpectrumError(f"only {mask.sum()} points of the grid are covered: at least {MIN_POINTS} are needed")
    _check_edge(intensity, mask, scatter)
    found = best_slope(intensity, mask) if slope == "auto" else 0.0
    divided = _option("slope", "1/eV", slope, found, SLOPE_LIMITS, history, warnings)
    factor = 1.0 / tilt(divided)
    scale, sensitivity = model_scale(intensity * factor, mask, normalisation, post_range, history, warnings)
    factor = factor * scale
    warnings += _coverage_warnings(mask)
    if correlation < DOMAIN_LIMIT:
        warnings.append(
            f"Out of domain: the derivative correlates with the best mixture of carbon references by {correlation:.2f} "
            f"only (amorphous carbon: {DOMAIN_LIMIT} or more), so perhaps no such structure has this spectrum."
        )
    return Target(
        intensity * factor,
        mask,
        name or spectrum.name,
        tuple(history),
        tuple(warnings),
        noise * factor,
        sensitivity,
        measured=True,
        calibration=calibration,
        shift=applied,
        slope=divided,
        sha256=spectrum.sha256,
    )


def _useful(energy: np.ndarray) -> np.ndarray:
    return (energy > ENERGY[0] - _MARGIN) & (energy < ENERGY[-1] + _MARGIN)


def _check_options(
    pre_edge: str, normalisation: str, pre_range: tuple[float, float], post_range: tuple[float, float]
) -> None:
    if pre_edge not in ("constant", "linear", "none"):
        raise SpectrumError(f"pre_edge must be 'constant', 'linear' or 'none', got {pre_edge!r}")
    if normalisation not in ("area", "edge"):
        raise SpectrumError(f"normalisation must be 'area' or 'edge', got {normalisation!r}")
    if not -100 <= pre_range[0] < pre_range[1] <= -1:
        raise SpectrumError(f"the pre-edge must lie 100 to 1 eV below {PI_STAR} eV, got {pre_range}: give two numbers")
    if not 8 <= post_range[0] < post_range[1] <= 50:
        raise SpectrumError(f"the post-edge must lie 8 to 50 eV above {PI_STAR} eV, got {post_range}: give two numbers")


def _calibrate(reference: Spectrum, expected: float, shift: float | str, history: list[str]) -> float:
    """Shift of the energies from a reference scan, eV."""
    if shift == "auto":
        raise SpectrumError("calibrate on the reference scan or with shift='auto', not both")
    found = calibration_shift(reference, expected)
    of_file = f" (SHA-256 of its file: {reference.sha256})" if reference.sha256 else ""
    scan = (reference.name or "the reference scan") + of_file
    history.append(f"Calibrated by {found:+.4f} eV: the pi* of {scan} is at {expected:g} eV.")
    return found


def _check_overlap(energy: np.ndarray) -> None:
    low, high = ENERGY[0], ENERGY[-1]
    span = f"{energy[0]:g}-{energy[-1]:g} eV"
    if 0.1 < energy[0] and energy[-1] < 2:
        raise SpectrumError(f"the energies run over {energy[0]:g}-{energy[-1]:g}: these are keV, give eV")
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
    energy: np.ndarray,
    intensity: np.ndarray,
    pre_edge: PreEdge,
    pre_range: tuple[float, float],
    history: list[str],
    warnings: list[str],
) -> tuple[np.ndarray, float]:
    """Intensity above the background, and the scatter of the pre-edge about a line."""
    low, high = PI_STAR + pre_range[0], PI_STAR + pre_range[1]
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
            "no absorption edge rises above the background near 285 eV: check energies and columns, convert "
            "transmission to absorption (negative logarithm), integrate a derivative"
        )


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
