"""What the plots of the spectrum draw: one list of curves, which plot, legend, export and figure share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from acgen.inference.check import Check
from acgen.results.sheet import Curve
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import instrument_matrix
from acgen.spectra.model_error import GUIDE_ERROR, UNSEEN_ERROR, error_covariance, site_covariance
from acgen.spectra.spectrum import Target
from acgen.statistics import mean_and_spread
from app.look import colours
from app.session.drawing import ATOM, BAND, CHECK, MEAN, TARGET
from app.session.shown import Shown, bare

NOTHING = np.full(ENERGY.size, np.nan)


@dataclass(frozen=True, eq=False)
class Spectra:
    """Curves by key, in the order in which they are drawn, and of them those that an offset moves apart."""

    curves: Mapping[str, Curve]
    overlaid: tuple[str, ...] = ()

    def values(self, key: str) -> np.ndarray:
        """A curve, or nothing if there is no such."""
        return self.curves[key].values if key in self.curves else NOTHING

    def drawn(self, hidden: tuple[str, ...], offset: float) -> dict[str, Curve]:
        """What is seen, moved apart by an offset."""
        places = {key: offset * (number + 1) for number, key in enumerate(self.overlaid)}
        found = {key: self.curves[key] for key in self.curves if key not in hidden}
        for key in (MEAN, ATOM, CHECK) if BAND in hidden else ():
            if key in found:
                found[key] = replace(found[key], spread=None)
        return {key: replace(each, values=each.values + places.get(key, 0.0)) for key, each in found.items()}


def spectra_of(
    target: Target | None,
    compared: tuple[Shown, ...],
    atom: int | None = None,
    plain: bool = False,
    overlaid: Mapping[str, Target] | None = None,
    derivative: bool = False,
    checked: Check | None = None,
) -> Spectra:
    """The curves of the structures on display.

    Parameters
    ----------
    target, compared
        What is compared.
    atom
        Whose own spectrum is wanted, of the first structure.
    plain
        Whether predictions are wanted before the instrument.
    overlaid
        Further targets by name.
    derivative
        Whether the curves are derivatives by photon energy.
    checked
        What FEFF says of the first structure.
    """
    change = slope_of if derivative else np.asarray
    known = [bare(each) if plain else each for each in compared]
    known = [each for each in known if each.prediction is not None]
    curves: dict[str, Curve] = {}

    def add(key: str, name: str, values: np.ndarray, colour: str, width: float, **look: Any) -> None:
        curves[key] = Curve(name, ENERGY, change(values), colour, width, **look)

    if target is not None:
        add(TARGET, "target", measured_of(target), colours.TARGET, 4)
    if known:
        mean, spread = predicted(known, change)
        name = f"mean of {len(known)}" if len(known) > 1 else f"prediction {known[0].name}"
        if known[0].instrument is None and known[0].prediction is known[0].spectrum and plain:
            name += ", plain"
        curves[MEAN] = Curve(name, ENERGY, mean, colours.PREDICTION, 2, spread=spread)
    sites = known[0].seen_sites if known else None
    if atom is not None and sites is not None and atom < len(sites):
        known_by = None if derivative else model_error(known[0], site_covariance)
        add(ATOM, f"atom {atom + 1}", sites[atom], colours.MARK, 1.5, spread=known_by)
    if checked is not None:
        mean = checked.corrected if plain else checked.corrected.through(instrument_matrix(checked.instrument))
        add(CHECK, CHECK, mean.mean, colours.CHECK, 1.5, spread=None if derivative else mean.error)
    several = known if len(known) > 1 else []
    for number, each in enumerate(several, start=1):
        key = f"prediction {each.name}"
        key += f" ({number})" if key in curves else ""  # a file that was uploaded twice
        add(key, each.name, each.prediction, each.colour, 1)
    further = dict(overlaid or {})
    for number, (name, each) in enumerate(further.items()):
        colour = colours.OVERLAY[-1 - number % len(colours.OVERLAY)]
        add(f"target {name}", name, measured_of(each), colour, 1.5, dashed=True)
    return Spectra(curves, tuple(key for key in curves if key not in (TARGET, MEAN, ATOM, CHECK)))


def predicted(known: list[Shown], change=np.asarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean prediction and its standard deviation over structures or, of a single one, what the forward model errs by,
    which is not known of derivatives; (100,) each."""
    if len(known) > 1:
        return mean_and_spread(change(np.stack([shown.prediction for shown in known])))
    return change(known[0].prediction), None if change is slope_of else model_error(known[0], error_covariance)


def model_error(shown: Shown, covariance: Callable[[], np.ndarray]) -> np.ndarray:
    """Standard error of a predicted spectrum of a structure or of one of its atoms, as it is seen, shape (100,).

    While a run goes on the prediction is that of the network that guides, which errs more.
    """
    known = covariance()
    if shown.denoised is not None:
        known = (GUIDE_ERROR / UNSEEN_ERROR) ** 2 * known
    if shown.instrument is not None:
        matrix = instrument_matrix(shown.instrument)
        known = matrix @ known @ matrix.T
    return np.sqrt(np.diag(known))


def slope_of(values: np.ndarray) -> np.ndarray:
    """Derivative by photon energy, 1/eV, of curves whose last axis is that of the grid; unknown beside a gap."""
    return np.gradient(values, ENERGY, axis=-1)


def measured_of(target: Target) -> np.ndarray:
    """The target where it was measured, NaN elsewhere."""
    return np.where(target.mask, target.intensity, np.nan)
