"""Targets that ship with the program, and targets by name or file."""

from __future__ import annotations

from acgen.spectra.grid import N_POINTS
from acgen.spectra.references import CLASSES, reference_spectra
from acgen.spectra.spectrum import Target


def builtin_targets() -> dict[str, Target]:
    """The shipped targets by name: ``sp``, ``sp2``, ``sp3``, ``a-C-1.5`` to ``a-C-3.5``, ``diamond``, ``graphite``."""
    return {
        name: Target(intensity, [True] * N_POINTS, name, (_origin(name),))
        for name, intensity in reference_spectra().items()
    }


def _origin(name: str) -> str:
    if name in CLASSES:
        return f"Mean DFT spectrum of all {name} sites of the public a-C cells."
    if name.startswith("a-C"):
        return f"Mean DFT spectrum of the public a-C cells of {name.removeprefix('a-C-')} g/cm³."
    return f"Mean DFT spectrum of {name} from the public data set, scaled to the area of the a-C cells."
