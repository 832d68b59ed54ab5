"""What can be wrong with a measured C K-edge spectrum: each check says what a user can act on, and mends nothing."""

from __future__ import annotations

import numpy as np

from acgen.spectra.grid import PI_STAR
from acgen.spectra.noise import noise_level, point_residuals
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE

#: Edge step over the signal above the edge below which background dominates.
SMALL_STEP = 0.15
#: Edge step over the noise of a point below which a spectrum is called noisy.
FEW_SIGMA = 15.0
#: Height of pi* over the post-edge level in measured graphites, over which it runs with orientation; spectra of
#: disordered carbon stay below its end.
GRAPHITE_PI_STAR = (0.87, 1.97)
#: Potassium L3 and L2 white lines, eV, and how far they may be off.
POTASSIUM = (297.3, 299.9)
_POTASSIUM_WIDTH = 0.7
#: A single point that stands out by this many standard deviations is a spike.
SPIKE = 12.0
# Lines are broader than this, eV: what a single point of a finer scan shows alone is not physical.
_NARROW = 0.25


def detect(energy: np.ndarray, intensity: np.ndarray, *, graphitic: bool = False) -> tuple[str, ...]:
    """Everything that the checks of this module find.

    Parameters
    ----------
    energy, intensity
        The measured curve after calibration and division by I0, before any background is subtracted; both of shape
        (M,), energies in eV and increasing.
    graphitic
        Whether the spectrum resembles that of graphite.

    Returns
    -------
    tuple[str, ...]
        One sentence each; empty if nothing was found.
    """
    always = (*_clipped(intensity), *_counts(intensity))
    intensity = intensity / (np.abs(intensity).max() or 1.0)
    before = _region(energy, *PRE_EDGE)
    after = _region(energy, *POST_EDGE)
    if after.sum() < 3:
        after = energy >= max(PI_STAR + 8.0, energy[-1] - 3.0)
    if before.sum() < 3 or after.sum() < 3:  # no step to compare with
        return always
    background = float(intensity[before].mean())
    step = float(intensity[after].mean()) - background
    return (
        *always,
        *_derivative(energy, intensity - background, step),
        *_small_step(energy, intensity, background, step),
        *_orientation(energy, intensity - background, step, graphitic),
        *_flattened(energy, intensity - background, step),
        *_potassium(energy, intensity, step),
        *_nitrogen(energy, intensity, step),
        *_spikes(energy, intensity, step),
    )


def _region(energy: np.ndarray, low: float, high: float) -> np.ndarray:
    return (energy >= PI_STAR + low) & (energy <= PI_STAR + high)


def _derivative(energy: np.ndarray, signal: np.ndarray, step: float) -> list[str]:
    near = _region(energy, -5.0, 20.0)
    if not near.any():
        return []
    top, bottom = float(signal[near].max()), float(signal[near].min())
    if bottom < -0.3 * top and abs(step) < 0.2 * top:
        return ["Negative lobes and no level above the edge: this looks like a derivative; integrate it first."]
    return []


def _small_step(energy: np.ndarray, intensity: np.ndarray, background: float, step: float) -> list[str]:
    found = []
    total = abs(background) + abs(step)
    if background > 0 and abs(step) < SMALL_STEP * total:
        found.append(
            f"The edge step is only {abs(step) / total:.0%} of the signal: the result depends on the background; "
            "divide by I0 and check the pre-edge."
        )
    noise = float(np.median(noise_level(energy, intensity)))
    if abs(step) < FEW_SIGMA * noise:
        found.append(f"The edge step is only {abs(step) / noise:.0f} times the noise of a point: average more scans.")
    return found


def _clipped(intensity: np.ndarray) -> list[str]:
    """A detector at its limit repeats its largest value."""
    top = intensity == intensity.max()
    runs = top[2:] & top[1:-1] & top[:-2]
    if runs.any() and intensity.max() > intensity.min():
        return [f"The highest value occurs {top.sum()} times in a row or more: the detector was probably saturated."]
    return []


def _counts(intensity: np.ndarray) -> list[str]:
    if intensity.max() >= 100 and np.all(intensity == np.round(intensity)):
        return ["All values are whole numbers: these look like raw counts; divide them by I0 or a photodiode."]
    return []


def _orientation(energy: np.ndarray, signal: np.ndarray, step: float, graphitic: bool) -> list[str]:
    pi_star = _region(energy, -2.0, 2.2)
    if step <= 0 or not pi_star.any():
        return []
    low, high = GRAPHITE_PI_STAR
    ratio = float(signal[pi_star].max()) / step
    if ratio > high:
        return [
            f"pi* is {ratio:.1f} times the level above the edge, more than in any graphite: an oriented sample in "
            "polarised light, or another material than amorphous carbon."
        ]
    if graphitic and ratio < low:
        return [
            f"The spectrum resembles graphite, but pi* is only {ratio:.2f} times the level above the edge (graphite: "
            f"{low:g}-{high:g}): likely an oriented sample in polarised light; measure at the magic angle."
        ]
    return []


def _flattened(energy: np.ndarray, signal: np.ndarray, step: float) -> list[str]:
    edge = _region(energy, 3.0, 14.0)
    if step <= 0 or edge.sum() < 3:
        return []
    ratio = float(signal[edge].max()) / step
    if ratio < 1.1:
        return [
            f"The edge rises to only {ratio:.2f} times the level 20 eV above it: likely saturated (self-absorption in "
            "fluorescence, or too thick for transmission), or a detector that grows with energy."
        ]
    return []


def _potassium(energy: np.ndarray, intensity: np.ndarray, step: float) -> list[str]:
    heights = []
    for line in POTASSIUM:
        offset = energy - line
        near = np.abs(offset) <= _POTASSIUM_WIDTH
        left = (offset < -_POTASSIUM_WIDTH) & (offset >= -2 * _POTASSIUM_WIDTH)
        right = (offset > _POTASSIUM_WIDTH) & (offset <= 2 * _POTASSIUM_WIDTH)
        if not (near.any() and left.any() and right.any()):
            return []
        heights.append(float(intensity[near].max() - max(intensity[left].min(), intensity[right].min())))
    noise = float(np.median(noise_level(energy, intensity)))
    if min(heights) > max(0.05 * abs(step), 5 * noise):
        return ["Peaks at 297 and 300 eV: potassium L edges; mask that range or clean the sample."]
    return []


def _nitrogen(energy: np.ndarray, intensity: np.ndarray, step: float) -> list[str]:
    before, after = (energy >= 385) & (energy <= 396), (energy >= 400) & (energy <= 412)
    if before.sum() < 4 or after.sum() < 4:
        return []
    line = np.polynomial.Polynomial.fit(energy[before], intensity[before], 1)
    rise = float(np.mean(intensity[after] - line(energy[after])))
    if rise > 0.05 * abs(step):
        return ["The N K edge at 400 eV is in the spectrum: the sample holds nitrogen, which the model does not know."]
    return []


def _spikes(energy: np.ndarray, intensity: np.ndarray, step: float) -> list[str]:
    residuals = np.abs(point_residuals(energy, intensity))
    limit = np.maximum(SPIKE * noise_level(energy, intensity), 0.03 * abs(step))
    # A spike also disturbs the prediction of its neighbours: it is the largest of five.
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(residuals, 2), 5)
    # On a steep line a point is far from the cubic, too, but not further than its neighbours from each other.
    around = np.pad(intensity, 2, mode="edge")
    around = np.stack([around[:-4], around[1:-3], around[3:-1], around[4:]])
    alone = np.abs(intensity - np.median(around, axis=0)) > np.ptp(around, axis=0)
    fine = np.pad(energy[2:] - energy[:-2], 1, mode="edge") < 2 * _NARROW
    spikes = energy[fine & alone & (residuals > limit) & (residuals >= windows.max(axis=1))]
    if spikes.size:
        where = ", ".join(f"{value:.1f}" for value in spikes[:5]) + (" …" if spikes.size > 5 else "")
        return [f"{spikes.size} single points stand out ({where} eV): spikes; remove them or measure again."]
    return []
