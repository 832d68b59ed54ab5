"""The background below an edge: mean, line or power law of the pre-edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from acgen.spectra.grid import EDGE_ONSET, ENERGY, PI_STAR
from acgen.spectra.spectrum import SpectrumError

PreEdge = Literal["constant", "linear", "powerlaw", "none"]
PRE_EDGES: tuple[str, ...] = get_args(PreEdge)

#: How far the pre-edge may fall over 10 eV, in units of what is left above the edge, before that is called odd.
FALLING = 0.3
#: Part of all that rises above the pre-edge which a peak inside of it may have.
_PEAK = 0.25
_NAMES = {"constant": "constant", "linear": "linear", "powerlaw": "power-law"}


def fit_background(kind: PreEdge, energy: np.ndarray, intensity: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The background that goes through a pre-edge, as a function of energies in eV.

    Parameters
    ----------
    kind
        ``constant``: the mean; ``linear``: a line by least squares; ``powerlaw``: A E^-r as under an edge in an
        electron energy-loss spectrum (EELS), by least squares of the logarithms; ``none``: 0.
    energy, intensity
        The pre-edge, both of shape (M,), M at least 3.

    Raises
    ------
    SpectrumError
        If a power law is asked for and an intensity is not positive.
    """
    if kind == "none":
        return np.zeros_like
    if kind == "constant":
        mean = float(intensity.mean())
        return lambda energies: np.full(np.shape(energies), mean)
    if kind == "linear":
        return np.polynomial.Polynomial.fit(energy, intensity, 1)
    if intensity.min() <= 0 or energy.min() <= 0:
        raise SpectrumError("a power law needs positive intensities before the edge: take another background")
    line = np.polynomial.Polynomial.fit(np.log(energy), np.log(intensity), 1)
    return lambda energies: np.exp(line(np.log(energies)))


def without_background(
    energy: np.ndarray,
    intensity: np.ndarray,
    kind: PreEdge,
    pre_range: tuple[float, float],
    history: list[str],
    warnings: list[str],
) -> tuple[np.ndarray, float]:
    """Intensity above the background, shape (M,), and the scatter of the pre-edge about it (about a line, if constant).

    Parameters
    ----------
    energy, intensity
        Measured curve, both of shape (M,), energies in eV and increasing.
    kind
        As for `fit_background`.
    pre_range
        The pre-edge relative to 285.4 eV, eV.
    history, warnings
        Get what was done and what is odd.

    Raises
    ------
    SpectrumError
        If there is no pre-edge.
    """
    low, high = PI_STAR + pre_range[0], PI_STAR + pre_range[1]
    region = (energy >= low) & (energy <= high)
    if region.sum() < 3:
        warnings.append(f"No pre-edge was measured between {low:g} and {high:g} eV: the background is uncertain.")
    if kind == "none":
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
    background = fit_background(kind, x, y)
    line = background if kind == "powerlaw" else fit_background("linear", x, y)
    scatter = float(np.std(y - line(x)))
    history.append(f"Subtracted a {_NAMES[kind]} background from {region.sum()} points in {x[0]:g}-{x[-1]:g} eV.")
    warnings += _odd(energy, intensity, x, y, kind)
    return intensity - background(energy), scatter


def check_edge(
    energy: np.ndarray, intensity: np.ndarray, target: np.ndarray, mask: np.ndarray, noise: float, hint: str = ""
) -> None:
    """Raise `SpectrumError`, with the likely reason, if no edge rises above the background.

    Parameters
    ----------
    energy, intensity
        Measured curve with its background, both of shape (M,).
    target, mask
        The same without background on `ENERGY`, and its measured points, both of shape (100,).
    noise
        Scatter of the pre-edge.
    hint
        What else may be wrong; empty if nothing.
    """
    above = mask & (ENERGY > PI_STAR)
    rise = target[above].mean() if above.any() else 0.0
    # Rounding leaves about 1e-15 of a flat line, which must not count as an edge.
    least = max(noise, 1e-9)
    if target[mask].sum() > 0 and rise > least:
        return
    reason = _why_it_falls(energy, intensity) if rise < -least else ""
    reason = reason or (
        "check energies and columns, convert transmission to absorption (negative logarithm), integrate a derivative"
    )
    raise SpectrumError(
        f"no absorption edge rises above the background near 285 eV: {reason}{'; or ' if hint else ''}{hint}"
    )


def _why_it_falls(energy: np.ndarray, intensity: np.ndarray) -> str:
    below = (energy > PI_STAR - 50) & (energy < EDGE_ONSET - 2)
    above = (energy > PI_STAR + 3) & (energy < PI_STAR + 30)
    if intensity.max() <= 0:
        return (
            "the signal is negative and falls at the edge; is it a drain current, or divided by a negative I0? Reverse "
            "its sign: --negate (of I0: --i0-negate), negate=True in Python"
        )
    if below.sum() >= 5 and above.sum() >= 5 and intensity[below].min() > 0:
        curve = fit_background("powerlaw", energy[below], intensity[below])
        fall = curve(energy[below][:1]) - curve(energy[below][-1:])
        scatter = float(np.std(intensity[below] - curve(energy[below])))
        if fall > 5 * scatter and np.mean(intensity[above] - curve(energy[above])) > 5 * scatter:
            return "the background falls through the edge, as in EELS; subtract a power law: --pre-edge powerlaw"
    return (
        "the signal falls at the edge; if it is a transmission, take --negative-log; if the sign of the current or of "
        "I0 is reversed, --negate or --i0-negate; if it is a derivative, integrate it"
    )


def _odd(energy: np.ndarray, intensity: np.ndarray, x: np.ndarray, y: np.ndarray, kind: PreEdge) -> list[str]:
    """What speaks against the pre-edge: a peak inside, or a fall that is not subtracted."""
    level = float(np.median(y))
    height = float(intensity.max()) - level
    found = []
    k = int(np.argmax(y))
    near = y[max(k - 1, 0) : k + 2]  # more than one point: no spike
    if near.min() - level > _PEAK * height > 0 and x[k] > x[0] + 1.0 and k > 1:
        found.append(
            f"The pre-edge {x[0]:g}-{x[-1]:g} eV holds a peak or an edge at {x[k]:.1f} eV, which was taken for "
            "background: are the energies right? Choose another pre-edge."
        )
    elif kind == "constant":
        line = fit_background("linear", x, y)
        fall = float(line(np.array([x[0]]))[0] - line(np.array([x[-1]]))[0]) * 10.0 / max(float(np.ptp(x)), 1.0)
        after = (energy > PI_STAR) & (energy < ENERGY[-1])
        left = float(np.mean(intensity[after])) - float(y.mean()) if after.any() else 0.0
        if fall > FALLING * abs(left):
            found.append(
                "The background falls steeply before the edge: subtract a power law (EELS) or a line instead of a "
                "constant."
            )
    return found
