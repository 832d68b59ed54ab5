"""Scales of measured curves: the edge step, and division by I0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial

from acgen.spectra.grid import PI_STAR
from acgen.spectra.spectrum import Spectrum, SpectrumError

#: Pre-edge and post-edge regions relative to 285.4 eV. General XAFS defaults fail at the C K edge.
PRE_EDGE = (-14.0, -4.0)
#: Where absorption of carbon begins, eV: a background that reaches further has signal in it.
RISE = 282.0
POST_EDGE = (20.0, 28.8)


@dataclass(frozen=True, eq=False)
class EdgeStep:
    """Pre- and post-edge polynomials of a spectrum; `normalised` is (intensity - pre) / step, shape (M,)."""

    step: float
    pre_edge: Polynomial
    above: Polynomial
    normalised: np.ndarray


def edge_step(
    energy: np.ndarray,
    intensity: np.ndarray,
    pre: tuple[float, float] = PRE_EDGE,
    post: tuple[float, float] = POST_EDGE,
    *,
    pre_degree: int = 1,
    post_degree: int = 0,
    edge: float = PI_STAR,
) -> EdgeStep:
    """Normalise by the edge step, as XAFS programs do.

    A polynomial through the pre-edge is subtracted, one through the rest of the post-edge is taken as the level above,
    and its value at `edge` is the step.

    Parameters
    ----------
    energy, intensity
        Measured curve, both of shape (M,), energies in eV and increasing.
    pre, post
        Regions relative to `edge`, eV, ends included.
    pre_degree, post_degree
        Degrees of the polynomials: 0-1 and 0-2.
    edge
        Energy of the edge, eV.

    Raises
    ------
    SpectrumError
        If a region has too few points or the step is not positive.
    """
    below = (energy >= edge + pre[0]) & (energy <= edge + pre[1])
    above = (energy >= edge + post[0]) & (energy <= edge + post[1])
    for what, region, limits, degree in (("pre", below, pre, pre_degree), ("post", above, post, post_degree)):
        if region.sum() < degree + 2:
            raise SpectrumError(
                f"the {what}-edge region {edge + limits[0]:g}-{edge + limits[1]:g} eV holds {region.sum()} points: "
                "give another region, or normalise by area"
            )
    line = Polynomial.fit(energy[below], intensity[below], pre_degree)
    rest = intensity - line(energy)
    level = Polynomial.fit(energy[above], rest[above], post_degree)
    step = float(level(edge))
    if not step > 1e-12 * np.abs(rest).max():
        raise SpectrumError("the level above the edge is not higher than the pre-edge: check regions and columns")
    return EdgeStep(step, line, level, rest / step)


def divide(spectrum: Spectrum, divisor: Spectrum) -> Spectrum:
    """Divide by an I0 or photodiode scan, interpolated onto the energies of the spectrum.

    Double normalisation is this on a spectrum and a divisor that are each already divided by the monitor of their scan.

    Raises
    ------
    SpectrumError
        If the divisor covers less than the spectrum by more than 1 eV at the carbon edge, or is not positive there.
    """
    inside = (spectrum.energy >= divisor.energy[0]) & (spectrum.energy <= divisor.energy[-1])
    if np.count_nonzero(inside) < 10:
        raise SpectrumError(
            f"I0 covers {divisor.energy[0]:g}-{divisor.energy[-1]:g} eV, the spectrum {spectrum.energy[0]:g}-"
            f"{spectrum.energy[-1]:g} eV: measure I0 over the same energies"
        )
    energy = spectrum.energy[inside]
    below = np.interp(energy, divisor.energy, divisor.intensity)
    if below.min() <= 0 <= below.max():
        raise SpectrumError("I0 changes sign or is zero in the range of the spectrum: check its columns")
    with np.errstate(over="ignore"):  # an overflow is reported as an infinite value
        ratio = spectrum.intensity[inside] / below
    step = f"Divided by {divisor.name or 'I0'}, interpolated onto {energy.size} energies."
    lost = np.ptp(spectrum.energy) - np.ptp(energy)
    warnings = spectrum.warnings + tuple(f"I0: {warning}" for warning in divisor.warnings)
    if lost > 1.0:
        warnings += (f"I0 covers only {energy[0]:g}-{energy[-1]:g} eV: the rest of the spectrum was dropped.",)
    history = (*spectrum.history, step)
    sources = spectrum.sources + checksum("I0", divisor)
    return Spectrum(energy, ratio, spectrum.name, history, warnings, spectrum.sha256, spectrum.missing, sources)


def checksum(what: str, scan: Spectrum) -> tuple[str, ...]:
    """The checksum of the file of another scan, as one sentence; nothing if it is not known."""
    return (f"SHA-256 of the file of {what}: {scan.sha256}.",) if scan.sha256 else ()
