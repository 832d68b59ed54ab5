"""How far a target lies from the spectra that a density allows, before a run; whether to believe a result, after it.

What a density allows is known from structures of that density: the published networks (their DFT spectra), the shipped
melt-quench cells (spectra predicted by the forward model) and finished runs. Between the densities of the shipped ones
spectra are interpolated, as in a material of domains. They are compared with the target as the guide compares them:
behind an instrument fitted to each where the guide fits one.

Where the bounds come from: for every shipped target and 1.5, 2.0, 2.5, 3.0 and 3.5 g/cm³, two candidates of 108 atoms
were guided with the default settings. Targets up to 0.22 away were met to 0.17 or better by the judge, no worse than
the own error of the network that guides on networks of atoms it has not seen (mean 0.15); those 0.23-0.43 away to
0.10-0.31 and those 0.48-0.61 away to 0.17-0.28; all that were 0.7 or more away stayed 0.25 or more away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import numpy as np

from acgen.errors import AcgenError
from acgen.inference.flags import (
    BETTER,
    NEAR,
    SAME_DENSITY,
    WITHIN,
    density_flags,
    prediction_flags,
    structure_flags,
    target_flags,
)
from acgen.networks.models import Models, load_models, predict_sites
from acgen.sampling.generate import Candidate
from acgen.spectra.instrument import Instrument
from acgen.spectra.instrument_fit import Beamline
from acgen.spectra.references import NETWORKS, reference_spectra
from acgen.spectra.spectrum import Target
from acgen.structures.cell import density as density_of
from acgen.structures.reference import DENSITIES, reference_cells


class Verdict(StrEnum):
    """Whether candidates of a density can have a spectrum; see the head of this module for the bounds."""

    WITHIN = "within reach"
    NEAR = "near"
    OUT = "out of reach"


@dataclass(frozen=True, eq=False)
class KnownSpectrum:
    """The mean spectrum of one structure.

    Attributes
    ----------
    name
        What to call the structure.
    kind
        Spectra of one kind are interpolated between their densities; a kind of its own for a finished run.
    density
        g/cm³.
    spectrum
        By DFT or the forward model, shape (100,).
    judge_spectrum
        By the judge, shape (100,); None for DFT.
    """

    name: str
    kind: str
    density: float
    spectrum: np.ndarray = field(repr=False)
    judge_spectrum: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reach:
    """How reachable a target is; see `reach`.

    Attributes
    ----------
    target
        Its name.
    density
        g/cm³.
    distance
        To the nearest spectrum that this density allows; a whole spectrum has a norm of about 2.7.
    nearest
        Whose spectrum that is.
    verdict
        Within reach, near or out of reach.
    by_density
        Densities in g/cm³, 1.5-3.5, and the distance at each.
    better
        Up to three densities in g/cm³ that fit clearly better, the best first; empty if none does.
    flags
        What else to know, one sentence each.
    instrument
        What was fitted to the nearest spectrum; None if none was, the target being compared as it is.
    """

    target: str
    density: float
    distance: float
    nearest: str
    verdict: Verdict
    by_density: tuple[tuple[float, float], ...] = field(repr=False)
    better: tuple[float, ...]
    flags: tuple[str, ...]
    instrument: Instrument | None = None

    @property
    def words(self) -> str:
        """The verdict in one or two sentences."""
        meaning = {
            Verdict.WITHIN: "the guide should get there, to within the forward model's own error",
            Verdict.NEAR: "the guide may or may not get there; watch the judge",
            Verdict.OUT: "expect candidates that differ from it, and strained ones at a large ξ",
        }[self.verdict]
        text = (
            f"{self.target} is {self.verdict} at {self.density:.3g} g/cm³ (distance {self.distance:.2f} from "
            f"{self.nearest}{self._seen}): {meaning}."
        )
        closest, distance = min(self.by_density, key=lambda pair: pair[1])
        if self.better:
            text += f" {closest:g} g/cm³ fits better (distance {distance:.2f})."
        return text if distance <= NEAR else f"{text} No density comes near."


    @property
    def _seen(self) -> str:
        if self.instrument is None:
            return ""
        at = self.instrument
        return (
            f", seen through an instrument of shift {at.shift:+.2f} eV, slope {100 * at.slope:+.2f} %/eV and "
            f"broadening {at.sigma:.2f} eV"
        )


def reach(
    target: Target,
    density: float,
    known: Sequence[KnownSpectrum] | None = None,
    *,
    instrument: bool | None = None,
) -> Reach:
    """How far the nearest spectra that a density allows lie from a target.

    Parameters
    ----------
    target
        The spectrum wanted.
    density
        g/cm³.
    known
        Spectra of structures; by default `shipped_spectra`. Add those of finished runs with `from_candidates`.
    instrument
        Whether the guide will fit an instrument (`Settings.instrument`), and so every distance is behind one; by
        default to a measured target.

    Raises
    ------
    AcgenError
        If nothing is known at any density.
    """
    known = shipped_spectra() if known is None else tuple(known)
    if not known:
        raise AcgenError("no spectra are known to compare with: give those of shipped_spectra()")
    beamline = Beamline(target, instrument)
    misfit = _remembered(beamline)
    distance, nearest = _nearest(misfit, density, known)
    grid = [float(value) for value in np.round(np.arange(float(DENSITIES[0]), float(DENSITIES[-1]) + 0.05, 0.1), 1)]
    by_density = tuple((value, _nearest(misfit, value, known)[0]) for value in grid)
    ranked = sorted(by_density, key=lambda pair: pair[1])
    best = ranked[0][1]
    better = tuple(value for value, found in ranked[:3] if found < distance - BETTER and found < best + BETTER)
    verdict = Verdict.WITHIN if distance <= WITHIN else Verdict.NEAR if distance <= NEAR else Verdict.OUT
    flags = (*density_flags(density), *target_flags(target, beamline.fitted), *_nearest_flags(nearest))
    name = target.name or "the target"
    at = beamline.instrument(nearest.spectrum) if beamline.fitted else None
    return Reach(name, density, distance, nearest.name, verdict, by_density, better, flags, at)


@cache
def shipped_spectra() -> tuple[KnownSpectrum, ...]:
    """The shipped network targets, and the shipped reference cells as the shipped networks see them.

    The first call takes seconds (it loads the networks), the next none.
    """
    return spectra_by(load_models())


def spectra_by(models: Models) -> tuple[KnownSpectrum, ...]:
    """The shipped network targets, and the shipped reference cells as these networks see them."""
    return (*_networks(), *predicted_cells(models))


def predicted_cells(models: Models) -> list[KnownSpectrum]:
    """Spectra of the ten shipped reference cells by a forward model and its judge."""
    return [
        KnownSpectrum(
            f"a melt-quench cell of {cell.info['density']:g} g/cm³ ({cell.info['quench_fs']:g} fs)",
            f"melt-quench cells ({cell.info['quench_fs']:g} fs)",
            float(cell.info["density"]),
            predict_sites(models.forward, cell).mean(0),
            predict_sites(models.judge, cell).mean(0),
        )
        for cell in reference_cells()
    ]


def from_candidates(candidates: Iterable[Candidate], run: str = "this run") -> list[KnownSpectrum]:
    """Spectra of finished candidates by the judge, for `reach` at their own densities.

    What guided them would call a target reached that it was led to by its own errors. Those that fool it are left out,
    and those with a structure that no reference cell of their density has: a guide that is strong enough bends atoms to
    any spectrum.
    """
    return [
        KnownSpectrum(
            f"candidate {candidate.index} of {run}, by the judge",
            f"{run}, candidate {candidate.index}",
            density_of(candidate.atoms),
            candidate.judge_spectrum,
        )
        for candidate in candidates
        if candidate.unfinished is None
        and not prediction_flags(candidate.spectrum, candidate.judge_spectrum)
        and not structure_flags(candidate.atoms)
    ]


def _networks() -> list[KnownSpectrum]:
    return [
        KnownSpectrum(
            f"the network {name}", "the published networks", float(name.removeprefix("a-C-")), reference_spectra()[name]
        )
        for name in NETWORKS
    ]


def _remembered(beamline: Beamline) -> Callable[[KnownSpectrum], float]:
    """The misfit of known spectra; that of one structure is asked at several densities and found once."""
    found: dict[bytes, float] = {}

    def misfit(item: KnownSpectrum) -> float:
        key = item.spectrum.tobytes()
        if key not in found:
            found[key] = beamline.misfit(item.spectrum)
        return found[key]

    return misfit


def _nearest(
    misfit: Callable[[KnownSpectrum], float], density: float, known: Sequence[KnownSpectrum]
) -> tuple[float, KnownSpectrum]:
    """Distance to the nearest spectrum of this density, and that spectrum."""
    kinds: dict[str, list[KnownSpectrum]] = {}
    for item in known:
        kinds.setdefault(item.kind, []).append(item)
    allowed = [_at(items, density) for items in kinds.values()]
    found = [item for item in allowed if item is not None]
    if not found:
        raise AcgenError(f"no spectrum is known near {density:g} g/cm³: add those of shipped_spectra()")
    return min(((misfit(item), item) for item in found), key=lambda pair: pair[0])


def _at(items: Sequence[KnownSpectrum], density: float) -> KnownSpectrum | None:
    """The spectrum of one kind at a density: interpolated, that of the nearest end, or for a single one itself."""
    if len(items) == 1:
        return items[0] if abs(items[0].density - density) <= SAME_DENSITY else None
    ordered = sorted(items, key=lambda item: item.density)
    place = float(np.interp(density, [item.density for item in ordered], np.arange(len(ordered))))
    low, high = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    share = place % 1
    if low is high or share < 1e-9:
        return low
    judged = None
    if low.judge_spectrum is not None and high.judge_spectrum is not None:
        judged = (1 - share) * low.judge_spectrum + share * high.judge_spectrum
    spectrum = (1 - share) * low.spectrum + share * high.spectrum
    return KnownSpectrum(
        f"{low.kind} between {low.density:g} and {high.density:g} g/cm³", low.kind, density, spectrum, judged
    )


def _nearest_flags(nearest: KnownSpectrum) -> tuple[str, ...]:
    """Whether what is known at this density is itself doubtful."""
    if nearest.judge_spectrum is None:
        return ()
    return prediction_flags(nearest.spectrum, nearest.judge_spectrum)
