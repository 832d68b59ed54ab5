"""Making a target of a measured spectrum: I0, calibration, background, resampling, scale, and what to warn about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import constants

from acgen.spectra.background import PRE_EDGES, PreEdge, check_edge, without_background
from acgen.spectra.calibration import MAX_CALIBRATION, calibration_shift
from acgen.spectra.detect import detect
from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.io.read import MIN_POINTS
from acgen.spectra.match import (
    DOMAIN_LIMIT,
    FAR_SHIFT,
    MAX_SHIFT,
    ODD_SLOPE,
    SLOPE_LIMITS,
    best_shift,
    best_slope,
    far_shift,
    is_graphitic,
    tilt,
)
from acgen.spectra.noise import binned_noise
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE, RISE, checksum, divide
from acgen.spectra.resample import MAX_GAP, not_missing, resample
from acgen.spectra.scale import Normalisation, model_scale
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

#: Coverage, eV, below which a target is called short.
WANTED_RANGE = (280.0, 305.0)
#: What energies may have been written as instead of eV, and how that becomes eV.
OTHER_UNITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "keV": lambda value: 1e3 * value,
    "wavelengths in nm": lambda value: constants.h * constants.c / constants.e / 1e-9 / value,
    "wavelengths in Å": lambda value: constants.h * constants.c / constants.e / 1e-10 / value,
    "J": lambda value: value / constants.e,
    "wavenumbers in 1/cm": lambda value: value * 100 * constants.h * constants.c / constants.e,
    "hartree": lambda value: value * constants.value("Hartree energy in eV"),
    "rydberg": lambda value: value * constants.value("Rydberg constant times hc in eV"),
}
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
    3. The background is subtracted: the mean, a line, or a power law of the pre-edge.
    4. Bins of the grid are averaged (`acgen.spectra.resample.resample`); points outside the range, and those that lie
       in rows without a value, are masked out.
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
        Energy to add, eV, or "auto": where the derivative correlates best with the shipped references, within ±1. More
        than ±1 and up to ±20 is taken if it is given, with a warning in the target.
    slope
        Sensitivity of the detector that grows with energy, 1/eV, within -0.03 to 0.06, or "auto": what makes the
        shipped references fit best. Model spectra fall faster above the edge than most measured ones.
    pre_edge
        Background: "constant" (default), "linear", "powerlaw" as under EELS, or "none" if it is already subtracted. A
        line is extrapolated over three times the range that determines it, which suits detectors with a true drift
        only; a power law should have a `pre_range` of 20 eV or more.
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
    warnings += _early_enough(pre_edge, pre_range)
    calibration = 0.0 if reference is None else _calibrate(reference, reference_energy, shift, history, warnings)
    energy = energy + calibration
    useful = _useful(energy)
    found, correlation = best_shift(energy[useful], intensity[useful])
    applied = _shift(shift, found, history, warnings)
    energy = energy + applied
    if shift != "auto" and abs(float(shift)) > MAX_SHIFT:  # judge it where it was put
        useful = _useful(energy)
        _, correlation = best_shift(energy[useful], intensity[useful])
    _check_overlap(energy)
    off = _far_off(energy, intensity, applied)
    warnings += detect(energy, spectrum.intensity, graphitic=is_graphitic(*resample(energy, intensity)))
    useful = _useful(energy, pre_range)
    missing = spectrum.missing + (energy[0] - spectrum.energy[0])
    energy, raw = energy[useful], intensity[useful]
    intensity, scatter = without_background(energy, raw, pre_edge, pre_range, history, warnings)
    noise = binned_noise(energy, intensity)
    intensity, mask = resample(energy, intensity)
    mask &= not_missing(energy, missing)
    if mask.sum() < MIN_POINTS:
        raise SpectrumError(f"only {mask.sum()} points of the grid are covered: at least {MIN_POINTS} are needed")
    check_edge(energy, raw, intensity, mask, scatter, off)
    warnings += [f"{off[:1].upper()}{off[1:]}."] if off else []
    found = best_slope(intensity, mask)
    divided = _option("slope", "1/eV", slope, found, SLOPE_LIMITS, history, warnings)
    warnings += _odd_slope(found, divided)
    factor = 1.0 / tilt(divided)
    scale, sensitivity = model_scale(intensity * factor, mask, normalisation, post_range, history, warnings)
    factor = factor * scale
    warnings += _coverage_warnings(mask)
    if correlation < DOMAIN_LIMIT and not off:
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
        sources=spectrum.sources + (() if reference is None else checksum("the reference scan", reference)),
    )


def _useful(energy: np.ndarray, pre_range: tuple[float, float] = PRE_EDGE) -> np.ndarray:
    low = min(ENERGY[0] - _MARGIN, PI_STAR + pre_range[0] - 1e-6)
    return (energy > low) & (energy < ENERGY[-1] + _MARGIN)


def _check_options(
    pre_edge: str, normalisation: str, pre_range: tuple[float, float], post_range: tuple[float, float]
) -> None:
    if pre_edge not in PRE_EDGES:
        raise SpectrumError(f"pre_edge must be one of {', '.join(PRE_EDGES)}, got {pre_edge!r}")
    if normalisation not in ("area", "edge"):
        raise SpectrumError(f"normalisation must be 'area' or 'edge', got {normalisation!r}")
    if not -100 <= pre_range[0] < pre_range[1] <= -1:
        raise SpectrumError(f"the pre-edge must lie 100 to 1 eV below {PI_STAR} eV, got {pre_range}: give two numbers")
    if not 8 <= post_range[0] < post_range[1] <= 50:
        raise SpectrumError(f"the post-edge must lie 8 to 50 eV above {PI_STAR} eV, got {post_range}: give two numbers")


def _calibrate(
    reference: Spectrum, expected: float, shift: float | str, history: list[str], warnings: list[str]
) -> float:
    """Shift of the energies from a reference scan, eV."""
    if shift == "auto":
        raise SpectrumError("calibrate on the reference scan or with shift='auto', not both")
    found = calibration_shift(reference, expected)
    scan = reference.name or "the reference scan"
    history.append(f"Calibrated by {found:+.4f} eV: the pi* of {scan} is at {expected:g} eV.")
    if abs(found) > MAX_CALIBRATION:
        warnings.append(
            f"The reference scan moves all energies by {found:+.2f} eV, more than {MAX_CALIBRATION:g}: make sure "
            "that it is the scan it should be."
        )
    return found


def _shift(shift: float | str, found: float, history: list[str], warnings: list[str]) -> float:
    """The shift that is asked for, eV; one beyond what "auto" may give is warned of."""
    if shift == "auto" or isinstance(shift, str) or not MAX_SHIFT < abs(shift) <= FAR_SHIFT:
        limits = (-MAX_SHIFT, MAX_SHIFT) if shift == "auto" else (-FAR_SHIFT, FAR_SHIFT)
        return _option("energy shift", "eV", shift, found, limits, history, warnings)
    history.append(f"Applied energy shift: {shift:+g} eV.")
    warnings.append(
        f"The energies were shifted by {shift:+g} eV as asked, more than a calibration is off: positions are only as "
        "good as this number."
    )
    return float(shift)


def _far_off(energy: np.ndarray, intensity: np.ndarray, applied: float) -> str:
    """What to say if the spectrum would fit much better elsewhere; empty if it would not."""
    shift = far_shift(energy, intensity)
    if not shift:
        return ""
    return (
        f"the energies seem to be off: the spectrum would fit much better after about {shift:+.1f} eV; if the "
        f"calibration can be that wrong, give a shift of {applied + shift:.1f} eV (--shift={applied + shift:.1f})"
    )


def _check_overlap(energy: np.ndarray) -> None:
    low, high = ENERGY[0], ENERGY[-1]
    span = f"{energy[0]:g}-{energy[-1]:g} eV"
    if energy[-1] < low or energy[0] > high:
        with np.errstate(all="ignore"):  # energies may be anything here, zero too
            unit = next((name for name, to_ev in OTHER_UNITS.items() if _across_edge(to_ev(energy))), "")
        told = f": they seem to be {unit}, convert them to eV" if unit else ""
        raise SpectrumError(
            f"the spectrum covers {span}, which does not overlap with the carbon edge, {low}-{high} eV{told}"
        )
    points = int(np.count_nonzero((energy >= low - 1e-6) & (energy <= high + 1e-6)))
    if points < MIN_POINTS:
        raise SpectrumError(f"the spectrum has {points} points in {low}-{high} eV: at least {MIN_POINTS} are needed")


def _across_edge(energy: np.ndarray) -> bool:
    """Whether energies in eV, in either direction, run across pi* and little further than a carbon scan does."""
    low, high = sorted((energy[0], energy[-1]))
    return bool(ENERGY[0] / 2 < low < PI_STAR < high < 3 * ENERGY[-1])


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


def _odd_slope(found: float, divided: float) -> list[str]:
    """Whether the references fit best after a slope that no detector has."""
    if abs(found) <= ODD_SLOPE:
        return []
    what = "A slope of {0} was divided out" if divided == found else "The references fit best after a slope of {0}"
    return [
        f"{what.format(f'{100 * found:+.1f} %/eV')}, more than detectors have: check background and I0; it may also be "
        "a sample that no reference resembles."
    ]


def _early_enough(pre_edge: PreEdge, pre_range: tuple[float, float]) -> list[str]:
    """Whether the background is taken where the edge rises already."""
    end = PI_STAR + pre_range[1]
    if pre_edge == "none" or end <= RISE:
        return []
    return [
        f"The pre-edge range reaches to {end:.1f} eV, where the edge rises already: the background takes signal away. "
        f"End it at {RISE - PI_STAR:+.1f} eV ({RISE:g} eV) or before."
    ]


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
        warnings.append(f"{gaps} points inside gaps wider than {MAX_GAP:g} eV, or without a value, are masked out.")
    return warnings
