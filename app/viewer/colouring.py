"""How atoms are coloured: by coordination number, by their share of a range of photon energies, or by motif."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acgen.spectra.grid import ENERGY
from app.look import colours


@dataclass(frozen=True, eq=False)
class Colouring:
    """A colour for every atom.

    Attributes
    ----------
    place
        Place in the palette of every atom, shape (N,).
    palette
        Colours as `#rrggbb`, at most 256.
    """

    place: np.ndarray
    palette: tuple[str, ...]


def by_coordination(coordination: np.ndarray) -> Colouring:
    """Colours of coordination numbers (N,); five and more share one."""
    return Colouring(np.minimum(coordination, max(colours.CN)), tuple(colours.CN[cn] for cn in sorted(colours.CN)))


def shares(site_spectra: np.ndarray, energies: tuple[float, float]) -> np.ndarray:
    """What every atom absorbs in a range of energies, as a multiple of what the average atom does.

    Parameters
    ----------
    site_spectra
        Spectrum of every atom on `acgen.spectra.grid.ENERGY`, shape (N, 100).
    energies
        Lower and upper photon energy in eV; the points inside count, at least the one next to the middle.

    Returns
    -------
    numpy.ndarray
        Shape (N,), mean 1 unless nothing absorbs there.
    """
    low, high = energies
    inside = (low <= ENERGY) & (high >= ENERGY)
    inside[np.abs(ENERGY - (low + high) / 2).argmin()] = True
    absorbed = np.clip(np.asarray(site_spectra, dtype=float)[:, inside].sum(1), 0.0, None)
    mean = absorbed.mean()
    return absorbed / mean if mean > 0 else np.ones(len(absorbed))


def by_share(share: np.ndarray) -> Colouring:
    """Colours of shares (N,): from none over the average in the middle to twice the average and more."""
    steps = len(colours.SHARE) - 1
    return Colouring(np.clip(np.rint(share * steps / 2), 0, steps).astype(int), colours.SHARE)


def by_motif(count: int, motifs: Sequence[np.ndarray]) -> Colouring:
    """Colours of so many atoms: one for those of rings or chains, given by their indices, and grey for the others."""
    place = np.zeros(count, dtype=int)
    for members in motifs:
        place[members] = 1
    return Colouring(place, (colours.OTHERS, colours.MOTIF))
