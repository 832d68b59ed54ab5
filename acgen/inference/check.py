"""A structure checked by spectra that no network made: the mean of some of its sites, with all its errors.

FEFF's mean is corrected by what it leaves out of the mean of DFT at that density (`acgen.spectra.feff_correction`), and
then stands beside the forward model, the judge and the target. Spectra of a DFT code need no correction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from ase import Atoms

from acgen.data.labels import Label
from acgen.errors import AcgenError
from acgen.spectra.feff import CARBON, on_grid
from acgen.spectra.feff_correction import FeffCorrection
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument, instrument_matrix
from acgen.spectra.instrument_fit import Beamline
from acgen.spectra.model_error import error_covariance
from acgen.spectra.site_mean import SampledMean, stratified_mean
from acgen.spectra.spectrum import Target
from acgen.structures.analysis import coordination_numbers
from acgen.structures.cell import density as density_of

#: A distance is more than errors explain if it is so many times what they make by themselves.
BEYOND = 1.5
#: What a check cannot tell.
LIMIT = (
    "FEFF carries about 40 % of what tells one site from another in DFT: this is a check by differences, and no "
    "substitute for DFT."
)


@dataclass(frozen=True, eq=False)
class Site:
    """One site of a check, with its spectrum or the reason why there is none."""

    index: int
    #: Number of bonded neighbours.
    coordination: int
    #: On `acgen.spectra.grid.ENERGY`, shape (100,).
    spectrum: np.ndarray | None = None
    error: str = ""
    #: Processor time, seconds.
    seconds: float = 0.0
    #: Whether the potentials became self-consistent.
    converged: bool = True

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, without the spectrum."""
        return {
            "site": self.index,
            "coordination": self.coordination,
            "seconds": self.seconds,
            "converged": self.converged,
            "error": self.error,
        }


@dataclass(frozen=True)
class Distance:
    """How far the checked mean is from another curve, in the unit of misfits."""

    value: float
    #: Standard error of it by the choice of the sites and the correction.
    error: float
    #: Distance that these errors and those of the other curve make by themselves.
    expected: float

    @property
    def explained(self) -> bool:
        """Whether errors explain it."""
        return self.value <= BEYOND * self.expected

    def to_dict(self) -> dict[str, float | bool]:
        """JSON-ready form."""
        return {"value": self.value, "error": self.error, "expected": self.expected, "explained": self.explained}


@dataclass(frozen=True, eq=False)
class Check:
    """What the spectra of some sites say of a structure."""

    name: str
    #: g/cm³.
    density: float
    #: Number of carbon atoms.
    carbon: int
    sites: tuple[Site, ...]
    #: Mean over all sites as the code has it, and its sampling error.
    sampled: SampledMean
    #: The mean brought to DFT, with the error of sampling and correction.
    corrected: SampledMean
    #: Mean spectra by the networks, ``forward`` and ``judge``; empty if the structure is not carbon alone.
    networks: Mapping[str, np.ndarray]
    target: Target | None
    #: Through which everything is compared with the target, and drawn.
    instrument: Instrument
    #: Distance of the corrected mean from the target and the networks, by name.
    distances: Mapping[str, Distance]
    #: Distance of each network's spectrum from the target.
    misfits: Mapping[str, float]
    #: What to know before believing it, one sentence each.
    notes: tuple[str, ...] = field(default=())

    @property
    def doubtful(self) -> bool:
        """Whether any distance is more than errors explain."""
        return not all(distance.explained for distance in self.distances.values())

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; curves are as the instrument sees them."""
        found = {"mean_as_calculated": self.sampled, "mean": self.corrected}
        curves: dict[str, np.ndarray] = {}
        for name, each in found.items():
            seen = each.through(instrument_matrix(self.instrument))
            curves |= {name: seen.mean, f"{name}_error": seen.error}
        curves |= {name: self.instrument.apply(curve) for name, curve in self.networks.items()}
        content: dict[str, list[float | None]] = {
            name: [round(float(value), 6) for value in curve] for name, curve in curves.items()
        }
        if self.target is not None:
            pairs = zip(self.target.intensity, self.target.mask, strict=True)
            content["target"] = [round(float(value), 6) if measured else None for value, measured in pairs]
        return {
            "name": self.name,
            "density_g_cm3": self.density,
            "carbon_atoms": self.carbon,
            "sites": [site.to_dict() for site in self.sites],
            "distances": {name: distance.to_dict() for name, distance in self.distances.items()},
            "misfits": dict(self.misfits),
            "instrument": asdict(self.instrument),
            "notes": list(self.notes),
            "verdict": verdict(self),
            "curves": {"energy_eV": ENERGY.tolist()} | content,
        }


@dataclass(frozen=True)
class Along:
    """How far a mean spectrum moved in a direction."""

    #: Projection of the change on the direction, and its sampling error.
    moved: float
    error: float
    #: Length of the direction: what was asked for.
    asked: float

    @property
    def share(self) -> float:
        """Part of what was asked for."""
        return self.moved / self.asked

    def to_dict(self) -> dict[str, float]:
        """JSON-ready form."""
        return asdict(self) | {"share": self.share}


def sites_of(labels: Sequence[Label]) -> list[Site]:
    """Sites of a check from their FEFF labels."""
    return [_site(label) for label in labels]


def check(
    atoms: Atoms,
    sites: Sequence[Site],
    correction: FeffCorrection | None = None,
    target: Target | None = None,
    networks: Mapping[str, np.ndarray] | None = None,
    *,
    name: str = "",
    instrument: bool | None = None,
) -> Check:
    """Check a structure by the spectra of some of its sites.

    Parameters
    ----------
    atoms
        The structure; elements other than carbon are neighbours only.
    sites
        Sites that were chosen within each coordination number at random (`acgen.data.labels.stratified_sites`).
    correction
        What brings the mean of the code to that of DFT; None for DFT itself.
    target
        What the structure should have the spectrum of.
    networks
        Mean spectra by the forward model, ``forward``, and the judge, ``judge``, each of shape (100,).
    name
        What to call the structure.
    instrument
        Whether an instrument is fitted to the target, by the forward model's spectrum, or else by the checked mean; by
        default to a measured target.

    Raises
    ------
    AcgenError
        If no site has a spectrum, or a single one of several.
    """
    networks, density = networks or {}, density_of(atoms)
    carbon = atoms.numbers == CARBON
    good = [site for site in sites if site.spectrum is not None]
    if not good:
        why = next((f": {site.error}" for site in sites), "")
        raise AcgenError(f"none of {len(sites)} sites of {name or 'the structure'} has a spectrum{why}")
    population = Counter(int(n) for n in coordination_numbers(atoms)[carbon])
    spectra = np.stack([site.spectrum for site in good if site.spectrum is not None])
    found = stratified_mean(spectra, np.array([site.coordination for site in good]), population)
    corrected = found
    if correction is not None:
        mean, covariance = found.mean + correction.at(density), found.covariance + correction.covariance
        corrected = SampledMean(mean, covariance, found.unseen)
    at = Instrument()
    if target is not None:
        at = Beamline(target, instrument).instrument(networks.get("forward", corrected.mean))
    matrix = instrument_matrix(at)
    seen, drawn = corrected.through(matrix), {each: matrix @ curve for each, curve in networks.items()}
    distances, misfits = {}, {}
    if target is not None:
        noise = np.zeros(ENERGY.size) if target.noise is None else target.noise
        distances["target"] = _distance(seen, target.intensity, np.diag(noise**2), target.mask)
        misfits = {each: target.misfit(curve) for each, curve in drawn.items()}
    model, every = matrix @ error_covariance() @ matrix.T, np.ones(ENERGY.size, dtype=bool)
    distances |= {each: _distance(seen, curve, model, every) for each, curve in drawn.items()}
    return Check(
        name=name,
        density=density,
        carbon=int(carbon.sum()),
        sites=tuple(sites),
        sampled=found,
        corrected=corrected,
        networks=networks,
        target=target,
        instrument=at,
        distances=distances,
        misfits=misfits,
        notes=_notes(sites, found, correction, density, bool(carbon.all())),
    )


def change_along(before: SampledMean, after: SampledMean, direction: np.ndarray) -> Along:
    """Whether the mean spectrum of a structure moved where it should have, as FEFF or DFT sees it.

    Parameters
    ----------
    before, after
        Means of two structures of one density, so that what the code leaves out cancels.
    direction
        The change that was asked for, such as target minus the first structure's spectrum by the judge, shape (100,).

    Raises
    ------
    AcgenError
        If the direction has no length.
    """
    asked = float(np.linalg.norm(direction))
    if not asked > 0:
        raise AcgenError("no change was asked for: give a direction that is not zero")
    unit = np.asarray(direction, dtype=float) / asked
    error = float(np.sqrt(unit @ (before.covariance + after.covariance) @ unit))
    return Along(float(unit @ (after.mean - before.mean)), error, asked)


def changes(checks: Sequence[Check]) -> dict[str, dict[str, Along]]:
    """How far each structure moved from the first towards the target, by the check and by each network.

    The direction is the target minus the first structure's spectrum by the judge, over the measured points. A network's
    change has no sampling error.

    Parameters
    ----------
    checks
        Of two structures or more, of one target, all of carbon.

    Returns
    -------
    dict
        By the name of each structure but the first: ``check``, ``forward`` and ``judge``.

    Raises
    ------
    AcgenError
        If there is no target, or networks do not know the first structure.
    """
    before, *others = checks
    if before.target is None or not before.networks:
        raise AcgenError("a change is asked for by a target, of structures of carbon: give both")
    direction = np.where(before.target.mask, before.target.intensity - before.networks["judge"], 0.0)
    exact = np.zeros((ENERGY.size, ENERGY.size))
    found = {}
    for after in others:
        found[after.name] = {"check": change_along(before.sampled, after.sampled, direction)}
        for name, curve in after.networks.items():
            old, new = SampledMean(before.networks[name], exact, 0.0), SampledMean(curve, exact, 0.0)
            found[after.name][name] = change_along(old, new, direction)
    return found


def change_words(own: Mapping[str, Along]) -> str:
    """What `changes` says of a structure, in words."""
    by_check = own["check"]
    told = f"the check moved by {by_check.moved:.2f} ± {by_check.error:.2f} of {by_check.asked:.2f} towards the target"
    others = ", ".join(f"the {_CALLED[name]} by {each.moved:.2f}" for name, each in own.items() if name != "check")
    sure = "certain" if abs(by_check.moved) > 2 * by_check.error else "not certain (within 2 σ)"
    return f"{told}, {others}; its sign is {sure}"


def verdict(found: Check) -> str:
    """What a check says, in sentences."""
    good = sum(site.spectrum is not None for site in found.sites)
    words = [f"{good} of {found.carbon} sites."]
    for name, distance in found.distances.items():
        told = f"{distance.value:.2f} ± {distance.error:.2f} from the {_CALLED[name]}"
        meant = "no contradiction" if distance.explained else "MORE THAN ERRORS EXPLAIN"
        words.append(f"{told}, where errors alone make {distance.expected:.2f}: {meant}.")
    if found.misfits:
        own = " and ".join(f"{misfit:.2f} by the {_CALLED[each]}" for each, misfit in found.misfits.items())
        words.append(f"The distance to the target is {own}.")
    return " ".join([*words, *found.notes])


_CALLED = {"target": "target", "forward": "forward model", "judge": "judge"}


def _site(label: Label) -> Site:
    about: dict[str, Any] = {"seconds": label.seconds, "converged": label.converged}
    if label.error:
        return Site(label.site, label.coordination, None, label.error, **about)
    try:
        return Site(label.site, label.coordination, on_grid(label.spectrum), **about)
    except AcgenError as error:
        return Site(label.site, label.coordination, None, str(error), **about)


def _distance(found: SampledMean, curve: np.ndarray, other: np.ndarray, mask: np.ndarray) -> Distance:
    """Norm of the difference from a curve over the points of a mask; `other` is the covariance of the curve's error."""
    difference, own = found.mean - curve, found.covariance
    value = float(np.linalg.norm(difference[mask]))
    unit = np.where(mask, difference, 0) / value if value > 0 else np.zeros(mask.size)
    expected = np.diag(own)[mask].sum() + np.diag(other)[mask].sum()
    return Distance(value, float(np.sqrt(unit @ own @ unit)), float(np.sqrt(expected)))


def _notes(
    sites: Sequence[Site], found: SampledMean, correction: FeffCorrection | None, density: float, pure: bool
) -> tuple[str, ...]:
    notes = []
    failed = [site.index for site in sites if site.spectrum is None]
    if failed:
        notes.append(f"No spectrum of {'site' if len(failed) == 1 else 'sites'} {', '.join(map(str, failed))}.")
    loose = [site.index for site in sites if site.spectrum is not None and not site.converged]
    if loose:
        notes.append(f"Potentials are not self-consistent at {', '.join(map(str, loose))}.")
    if found.unseen > 0:
        notes.append(f"{100 * found.unseen:.2g} % of the carbon atoms have a coordination that no checked site has.")
    if correction is None:
        return tuple(notes)
    if not correction.covers(density):
        notes.append(f"No reference network is near {density:.2f} g/cm³: the correction is that of the nearest.")
    if not pure:
        notes.append("The correction is that of pure carbon.")
    return (*notes, LIMIT)
