"""A structure ready to be drawn and plotted: wrapped into its cell, analysed when a view asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from ase import Atoms

from acgen.sampling.generate import Candidate
from acgen.sampling.sampler import Frame
from acgen.sampling.settings import Settings
from acgen.spectra.instrument import Bounds, Instrument, instrument_matrix
from acgen.spectra.instrument_fit import Beamline, Fit, fit_at
from acgen.spectra.spectrum import Target
from acgen.structures.analysis import (
    HIGHEST_CN,
    RadialDistribution,
    angle_distribution,
    bond_angles,
    bonds_and_images,
    coordination_numbers,
    radial_distribution,
)
from acgen.structures.cell import carbon, density
from acgen.structures.rings import chains
from app.look import colours

#: Name of a motif that is no size of a ring.
CHAINS = "chains"


@dataclass(frozen=True, eq=False)
class Shown:
    """One structure and what the views draw of it.

    Attributes
    ----------
    name
        What legends call it.
    atoms
        Atoms inside their cell, in Å.
    prediction
        Predicted mean spectrum as it is compared with the target, shape (100,): behind the instrument if one was
        fitted; None where no forward model was asked.
    site_spectra
        Predicted spectrum of every atom, shape (N, 100), before any instrument; None where not known. What is drawn is
        `seen_sites`.
    spectrum
        The predicted mean spectrum before any instrument, shape (100,), if that is known.
    instrument
        What `prediction` is seen through, if one was fitted.
    fit
        How the instrument was fitted, where that is stored: with a finished candidate.
    target
        What the instrument was fitted to; None where `fit` says all.
    rings
        Atoms of its rings by their size, as from `acgen.structures.rings.rings`; None where not looked for.
    colour
        In which it is drawn beside others.
    pdf
        Its pair distribution beside a measured one, as `acgen.scattering.target.PairTarget.values`; None without one.
    denoised
        Estimate of the clean atoms in Å that the spectra belong to, shape (N, 3); None where it is `atoms`.
    """

    name: str
    atoms: Atoms
    prediction: np.ndarray | None
    site_spectra: np.ndarray | None = None
    instrument: Instrument | None = None
    denoised: np.ndarray | None = None
    fit: Fit | None = None
    spectrum: np.ndarray | None = None
    target: Target | None = None
    rings: dict[int, np.ndarray] | None = None
    colour: str = colours.PREDICTION
    pdf: np.ndarray | None = None

    @cached_property
    def fitted(self) -> Fit | None:
        """The instrument with errors and bounds reached; some milliseconds of work where nothing is stored."""
        if self.fit is not None or self.instrument is None or self.spectrum is None or self.target is None:
            return self.fit
        return fit_at(self.target, self.spectrum, self.instrument, Bounds(), np.ones(1))

    @cached_property
    def density(self) -> float:
        """g/cm³."""
        return density(self.atoms)

    @cached_property
    def seen_sites(self) -> np.ndarray | None:
        """Spectrum of every atom, shape (N, 100), through the same instrument as `prediction`, which is their mean."""
        if self.instrument is None or self.site_spectra is None:
            return self.site_spectra
        return self.site_spectra @ instrument_matrix(self.instrument).T

    @cached_property
    def coordination(self) -> np.ndarray:
        """Coordination number of every atom, shape (N,)."""
        return coordination_numbers(self.atoms)

    @cached_property
    def bonds(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of bonded atoms, shape (M, 2), and the image of the second one that each reaches, in cells, (M, 3)."""
        pairs, _lengths, shifts = bonds_and_images(self.atoms)
        return pairs, shifts

    @cached_property
    def chains(self) -> list[np.ndarray]:
        """Atoms of its chains, as from `acgen.structures.rings.chains`."""
        return chains(self.atoms)

    def motif(self, motif: int | str) -> Sequence[np.ndarray] | None:
        """Atoms of its rings of a size, or of its `CHAINS`; None where not looked for."""
        if motif == CHAINS:
            return self.chains
        return None if self.rings is None else self.rings[int(motif)]

    @property
    def sticks(self) -> np.ndarray:
        """The pairs whose bond does not reach across the boundary."""
        pairs, shifts = self.bonds
        return pairs[~shifts.any(axis=1)]

    @cached_property
    def fractions(self) -> dict[int, float]:
        """Fraction of the atoms by coordination number, keys 0 to 5 (5 or more)."""
        counts = np.bincount(np.minimum(self.coordination, HIGHEST_CN), minlength=HIGHEST_CN + 1)
        return {cn: float(count / len(self.atoms)) for cn, count in enumerate(counts)}

    @cached_property
    def angles(self) -> np.ndarray:
        """Bond-angle distribution per degree over `acgen.structures.analysis.ANGLE_EDGES`."""
        return angle_distribution(bond_angles(self.atoms))

    @cached_property
    def rdf(self) -> RadialDistribution:
        """g(r)."""
        return radial_distribution(self.atoms)


def show_frame(frame: Frame, settings: Settings) -> Shown:
    """A frame of a run with these settings."""
    return Shown(
        f"step {frame.step}",
        carbon(np.asarray(frame.positions, dtype=float), settings.box),
        frame.prediction,
        instrument=frame.instrument,
        denoised=np.asarray(frame.denoised, dtype=float),
        spectrum=frame.spectrum,
        target=settings.target,
        pdf=frame.pdf,
    )


def show_candidate(candidate: Candidate, name: str, colour: str = colours.PREDICTION) -> Shown:
    """A finished candidate."""
    atoms = carbon(candidate.atoms.positions, np.asarray(candidate.atoms.cell))
    fit = candidate.instrument
    seen = None if fit is None else fit.instrument
    sites = np.asarray(candidate.site_spectra)
    told = {"fit": fit, "spectrum": candidate.spectrum, "pdf": candidate.pdf}
    return Shown(name, atoms, candidate.seen, sites, seen, colour=colour, **told)


def bare(shown: Shown) -> Shown:
    """A structure with its prediction before any instrument, as far as that is known."""
    if shown.instrument is None or shown.spectrum is None:
        return shown
    return replace(shown, prediction=shown.spectrum, instrument=None)


def see(shown: Shown, target: Target | None, instrument: bool | None = None) -> Shown:
    """A structure with its bare prediction seen as a run with this target compares it; `instrument` as for a run."""
    if target is None or shown.prediction is None:
        return shown
    beamline = Beamline(target, instrument)
    if not beamline.fitted:
        return shown
    at = beamline.instrument(shown.prediction)
    seen = at.apply(shown.prediction)
    return replace(shown, prediction=seen, instrument=at, spectrum=shown.prediction, target=target)
