"""The reference spectra that ship with the program, as plain arrays on the grid and as targets."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import numpy as np

from acgen.assets import asset
from acgen.spectra.grid import ENERGY, N_POINTS
from acgen.spectra.spectrum import SpectrumError, Target

#: Means over all sites of one coordination number: two, three, four neighbours.
CLASSES = ("sp", "sp2", "sp3")
#: Means over the snapshots of one amorphous network, named by density in g/cm³.
NETWORKS = ("a-C-1.5", "a-C-2.0", "a-C-2.5", "a-C-3.0", "a-C-3.5")
CRYSTALS = ("diamond", "graphite")
NAMES = CLASSES + NETWORKS + CRYSTALS


@cache
def reference_spectra() -> MappingProxyType[str, np.ndarray]:
    """Shipped spectra by name, each of shape (100,) on `ENERGY`, read-only, in the order of `NAMES`.

    `acgen.data.targets` makes the file from the public data set; `assets/README.md` has its provenance.

    Raises
    ------
    SpectrumError
        If the shipped file is on another grid or lacks a spectrum.
    """
    path = asset("targets.csv")
    with path.open(encoding="utf-8") as lines:
        rows = [line.strip() for line in lines if not line.startswith("#")]
    columns = rows[0].split(",")
    values = np.array([row.split(",") for row in rows[1:] if row], dtype=float)
    if columns != ["energy_eV", *NAMES] or values.shape != (ENERGY.size, len(columns)):
        raise SpectrumError(f"{path} does not have the columns energy_eV, {', '.join(NAMES)}: rebuild it")
    if not np.allclose(values[:, 0], ENERGY, atol=1e-6):
        raise SpectrumError(f"{path} was made for another energy grid: rebuild it")
    values.setflags(write=False)
    return MappingProxyType({name: values[:, i] for i, name in enumerate(columns) if i > 0})


def builtin_targets() -> dict[str, Target]:
    """The shipped targets by name: ``sp``, ``sp2``, ``sp3``, ``a-C-1.5`` to ``a-C-3.5``, ``diamond``, ``graphite``."""
    return {
        name: Target(intensity, np.ones(N_POINTS, dtype=bool), name, (_origin(name),))
        for name, intensity in reference_spectra().items()
    }


def _origin(name: str) -> str:
    if name in CLASSES:
        return f"Mean DFT spectrum of all {name} sites of the public a-C cells."
    if name.startswith("a-C"):
        return f"Mean DFT spectrum of the public a-C cells of {name.removeprefix('a-C-')} g/cm³."
    return f"Mean DFT spectrum of {name} from the public data set, scaled to the area of the a-C cells."
