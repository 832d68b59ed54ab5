"""Absorption that carbon atoms among carbon do not have: lines of C-H and C=O between pi* and sigma*.

What remains of a spectrum beside the nearest mixture of carbon spectra, seen through the instrument, is searched in the
two windows in which such lines lie (J. Stöhr, NEXAFS Spectroscopy, Springer 1992). A line stands out from its
neighbourhood; a mixture that merely fits badly does not look like that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acgen.spectra.grid import ENERGY, ENERGY_STEP, PI_STAR
from acgen.spectra.instrument import Bounds
from acgen.spectra.io.read import MIN_POINTS
from acgen.spectra.mixture import fit_mixture
from acgen.spectra.normalise import POST_EDGE
from acgen.spectra.references import reference_spectra
from acgen.spectra.spectrum import Target

#: Where the lines lie on the energy axis of the model spectra, eV.
WINDOWS = {"C-H": (286.8, 288.0), "C=O": (288.2, 289.4)}
#: Least height over the edge step, and over the remainder beside the window. The diamond-like film has 0.18 at
#: 288.6 eV, an organic film 0.43, polystyrene 0.39; a graphitic foil none, spectra of pure carbon of 1.25 to 3.5 g/cm³
#: up to 0.06.
LEAST = 0.15
#: What is left out of the fit, eV, so that the mixture does not imitate a line.
_UNFITTED = (286.6, 289.6)
#: Without that part a shift is less certain: its bounds, eV.
_SHIFT = (-0.5, 0.5)
#: How far beside a window the remainder is averaged, eV.
_BESIDE = (0.2, 1.2)


@dataclass(frozen=True)
class Line:
    """Absorption that is no carbon network's."""

    #: The bond that has it: a key of `WINDOWS`.
    bond: str
    #: Where it is highest, eV, on the energy axis of the target.
    energy: float
    #: Its height in units of the edge step.
    height: float


def foreign_lines(target: Target) -> tuple[Line, ...]:
    """Lines in a target that mixtures of carbon spectra leave over, by energy; empty if there are none.

    Parameters
    ----------
    target
        What was measured; at least the windows and the level after the edge have to be covered.
    """
    outside = target.mask & ((ENERGY < _UNFITTED[0]) | (ENERGY > _UNFITTED[1]))
    if outside.sum() < MIN_POINTS:
        return ()
    fit = fit_mixture(replace(target, mask=outside), np.stack(list(reference_spectra().values())), Bounds(shift=_SHIFT))
    axis = ENERGY - fit.instrument.shift
    after = target.mask & (axis >= PI_STAR + POST_EDGE[0]) & (axis <= PI_STAR + POST_EDGE[1])
    step = float(target.intensity[after].mean()) if after.any() else 0.0
    if step <= 0:
        return ()
    left = target.intensity - fit.prediction
    found = []
    for bond, (low, high) in WINDOWS.items():
        inside = target.mask & (axis >= low) & (axis <= high)
        near, far = _BESIDE
        beside = (axis >= low - far) & (axis <= high + far) & ((axis < low - near) | (axis > high + near))
        beside &= target.mask
        if inside.sum() < (high - low) / ENERGY_STEP - 1 or not beside.any():
            continue
        peak = int(np.argmax(np.where(inside, left, -np.inf)))
        height = min(left[peak], left[peak] - left[beside].mean()) / step
        if height > LEAST:
            found.append(Line(bond, float(ENERGY[peak]), float(height)))
    return tuple(found)
