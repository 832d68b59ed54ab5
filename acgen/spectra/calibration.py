"""Energies from a reference scan: where its pi* lies, and what puts it where it is known to be."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from acgen.spectra.grid import PI_STAR, PI_STAR_SEARCH
from acgen.spectra.match import far_shift
from acgen.spectra.spectrum import Spectrum, SpectrumError

#: Shift by a reference scan, eV, above which it is taken only if the whole scan fits carbon there, and is warned of.
MAX_CALIBRATION = 2.5


def pi_star_energy(reference: Spectrum, off: float = 0.0) -> float:
    """Energy of the pi* maximum of a reference scan such as graphite, eV, by a parabola through its top.

    Parameters
    ----------
    reference
        The scan.
    off
        How far its energies are off, about, eV: the maximum is looked for there.

    Raises
    ------
    SpectrumError
        If there is no maximum inside `PI_STAR_SEARCH`, `off` added.
    """
    energy, intensity = reference.energy, reference.intensity
    low, high = (limit + off for limit in PI_STAR_SEARCH)
    inside = np.flatnonzero((energy >= low) & (energy <= high))
    if inside.size >= 3:
        top = int(inside[np.argmax(intensity[inside])])
        if inside[0] < top < inside[-1]:
            x, y = energy[top - 1 : top + 2] - energy[top], intensity[top - 1 : top + 2]
            curve = np.linalg.solve(np.vander(x, 3), y)
            return float(energy[top] - (0.5 * curve[1] / curve[0] if curve[0] < 0 else 0.0))
    raise SpectrumError(
        f"the reference scan has no maximum in {low:g}-{high:g} eV: "
        "give a scan with the pi* of graphite, or a shift"
    )


def calibration_shift(reference: Spectrum, expected: float = PI_STAR) -> float:
    """What to add to the energies so that the reference's pi* falls at `expected` (graphite: 285.4 eV).

    Where the whole scan fits the shipped spectra much better far away than near 285.4 eV, its pi* is looked for there.

    Raises
    ------
    SpectrumError
        If there is no pi*, or it is further away than `MAX_CALIBRATION` in a scan that fits carbon nowhere.
    """
    off = -far_shift(reference.energy, reference.intensity)
    if off:
        with suppress(SpectrumError):  # no peak there: perhaps no carbon at all
            return expected - pi_star_energy(reference, off)
    shift = expected - pi_star_energy(reference)
    if not abs(shift) <= MAX_CALIBRATION:
        raise SpectrumError(
            f"the pi* of the reference scan lies {-shift:+.2f} eV from {expected:g} eV, more than {MAX_CALIBRATION:g}: "
            "is it a scan of graphite at the C K edge? Give the shift by hand if you know it"
        )
    return shift
