"""Figures of merit of networks and guided runs, on data that the networks have not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from scipy.stats import norm

from acgen.data.cells import LabelledCell
from acgen.errors import AcgenError
from acgen.inference.density import DensityEstimate, estimate_density
from acgen.networks.models import Models, predict_sites
from acgen.networks.network import ForwardModel
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings
from acgen.spectra.instrument import Instrument
from acgen.spectra.model_error import covariance_of, root_mean_square
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import density as density_of
from acgen.structures.cell import edge_of
from acgen.structures.potential import energy_per_atom
from acgen.structures.reference import Realism, realism, reference_at


@dataclass(frozen=True)
class ForwardError:
    """Errors of a forward network on the cells of one network of atoms.

    Parameters
    ----------
    network
        Which network; it was left out of the training.
    cell_distance
        Mean over its cells of the norm of predicted minus true cell spectrum.
    cell_norm
        Mean norm of the true cell spectrum, for scale.
    site_mse, site_variance
        Mean squared error of the sites' spectra, and their variance about their cell's mean.
    """

    network: str
    cell_distance: float
    cell_norm: float
    site_mse: float
    site_variance: float


def forward_error(model: ForwardModel, cells: Sequence[LabelledCell]) -> ForwardError:
    """Errors on labelled cells of one network of atoms, none of which the model may have been trained on."""
    rows = []
    for cell in cells:
        known = _known(cell)
        sites, mean = predict_sites(model, cell.atoms), known.mean(0)
        rows.append(
            (
                np.linalg.norm(sites.mean(0) - mean),
                np.linalg.norm(mean),
                ((sites - known) ** 2).mean(),
                ((known - mean) ** 2).mean(),
            )
        )
    return ForwardError(cells[0].network, *(float(value) for value in np.mean(rows, axis=0)))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Predicted minus true spectra of a network of atoms, by a model that was trained without it."""

    network: str
    #: Of all sites of its cells, shape (sites, 100).
    sites: np.ndarray
    #: Of the mean of each cell, shape (cells, 100).
    cells: np.ndarray


@dataclass(frozen=True)
class Coverage:
    """Part of the points of a left-out network, over sites or cells and energies, that lie within a band."""

    network: str
    #: What part should.
    level: float
    sites: float
    cells: float


def left_out(model: ForwardModel, cells: Sequence[LabelledCell]) -> LeftOut:
    """Errors on labelled cells of one network of atoms, none of which the model may have been trained on."""
    errors = [predict_sites(model, cell.atoms) - _known(cell) for cell in cells]
    return LeftOut(cells[0].network, np.concatenate(errors), np.stack([each.mean(0) for each in errors]))


def _known(cell: LabelledCell) -> np.ndarray:
    """Spectra of the sites of a cell that has them."""
    if cell.spectra is None:
        raise AcgenError(f"{cell.name} has no spectra to compare with; use the public data set")
    return cell.spectra


def coverage(found: Sequence[LeftOut], levels: Sequence[float] = (0.5, 0.68, 0.9)) -> list[Coverage]:
    """How often the truth lies within the band that the errors of the other networks make.

    Parameters
    ----------
    found
        Errors of at least two networks of atoms, each left out of the training of its own model.
    levels
        Parts that should lie within, of a normal distribution.

    Raises
    ------
    AcgenError
        If there are fewer than two networks.
    """
    if len(found) < 2:
        raise AcgenError("the band of a network is that of the errors of others: give models of two networks or more")
    rows = []
    for one in found:
        others = [each for each in found if each is not one]
        of_sites = root_mean_square([root_mean_square(each.sites) for each in others])
        of_cells = np.sqrt(np.diag(covariance_of(np.stack([each.cells.mean(0) for each in others]))))
        for level in levels:
            width = norm.ppf((1 + level) / 2)
            inside = [float((np.abs(e) <= width * s).mean()) for e, s in ((one.sites, of_sites), (one.cells, of_cells))]
            rows.append(Coverage(one.network, level, *inside))
    return rows


@dataclass(frozen=True)
class Recovered:
    """What `acgen.inference.density.estimate_density` makes of a distorted DFT spectrum, and the truth.

    `truth` and `estimate` hold fractions of coordination numbers "2", "3", "4" and the density in g/cm³.
    """

    network: str
    truth: dict[str, float]
    estimate: DensityEstimate

    @property
    def density_error(self) -> float:
        """Estimated minus true density in g/cm³."""
        return self.estimate.density - self.truth["density"]

    @property
    def worst_cn_error(self) -> float:
        """Largest error of a coordination fraction, in percentage points."""
        return 100 * max(abs(self.estimate.cn_fraction[cn] - self.truth[cn]) for cn in "234")


def recover_density(
    model: ForwardModel, cells: Sequence[LabelledCell], instrument: Instrument, noise: float, seed: int = 0
) -> Recovered:
    """Estimate density and coordination from the mean DFT spectrum of one network, seen through an instrument.

    Parameters
    ----------
    cells
        Labelled cells of the network; `model` may not have been trained on them.
    instrument
        What the measurement does to the spectrum.
    noise
        Standard deviation added to every point, in the unit of the spectra (their edge is about 0.4 high).
    """
    mean = np.mean([cell.spectra.mean(0) for cell in cells if cell.spectra is not None], axis=0)
    seen = instrument.apply(mean) + np.random.default_rng(seed).normal(0, noise, mean.shape)
    target = Target(seen, np.ones(seen.shape, bool), cells[0].network, noise=np.full(seen.shape, noise), measured=True)
    fractions = [coordination_fractions(cell.atoms) for cell in cells]
    truth = {str(cn): float(np.mean([fraction[cn] for fraction in fractions])) for cn in (2, 3, 4)}
    truth["density"] = float(np.mean([density_of(cell.atoms) for cell in cells]))
    return Recovered(cells[0].network, truth, estimate_density(target, model, leave_out=cells[0].network))


def prior_realism(
    models: Models, densities: Sequence[float], settings: Settings, potential: Path | None, atoms: int = 216
) -> Iterator[tuple[Realism, list[Candidate]]]:
    """Unguided candidates at each density, compared with the reference cells of that density."""
    for density in densities:
        free = replace(settings, density=density, cell=edge_of(atoms, density), target=None)
        candidates = run(free, models)
        yield realism([candidate.atoms for candidate in candidates], density, potential), candidates


@dataclass(frozen=True)
class Guided:
    """What guidance towards one target did, averaged over candidates.

    Misfits are distances to the target by the guiding model and by the judge, and `free_` those of unguided candidates
    of the same seeds; CN fractions from 0 to 1; energies in eV per atom, None without a potential.
    """

    target: str
    xi: float
    misfit: float
    free_misfit: float
    judge_misfit: float
    free_judge_misfit: float
    cn2: float
    cn3: float
    cn4: float
    energy_over_free: float | None
    wall_s: float

    def to_dict(self) -> dict[str, float | str | None]:
        """JSON-ready form, with the relative changes of the misfits."""
        return asdict(self) | {
            "misfit_change": self.misfit / self.free_misfit - 1,
            "judge_misfit_change": self.judge_misfit / self.free_judge_misfit - 1,
        }


def guided(models: Models, names: Sequence[str], settings: Settings, potential: Path | None) -> Iterator[Guided]:
    """Guided against unguided candidates of the same settings and seeds, for each target."""
    free = run(replace(settings, target=None), models)
    free_energy = _energy(free, potential)
    for name in names:
        target = load_target(name)
        asked: dict[str, Any] = {"target": target, "instrument": None}  # as it suits this target
        found = run(replace(settings, **asked), models)
        cn = {k: float(np.mean([candidate.analysis.coordination[k] for candidate in found])) for k in (2, 3, 4)}
        yield Guided(
            target.name,
            settings.xi,
            float(np.mean([candidate.misfit for candidate in found])),
            float(np.mean([target.misfit(candidate.spectrum) for candidate in free])),
            float(np.mean([candidate.judge_misfit for candidate in found])),
            float(np.mean([target.misfit(candidate.judge_spectrum) for candidate in free])),
            cn[2],
            cn[3],
            cn[4],
            None if free_energy is None else (_energy(found, potential) or 0.0) - free_energy,
            float(np.mean([candidate.wall_s for candidate in found])),
        )


def energy_above_reference(atoms: Atoms, potential: str | Path) -> float:
    """Energy in eV per atom above that of the reference cells of the same density.

    Parameters
    ----------
    atoms
        Periodic carbon.
    potential
        That of the reference, `C_2022_NEP4.txt`; see `acgen.structures.potential`.

    Raises
    ------
    AcgenError
        If the potential cannot be used.
    """
    reference = reference_at(density_of(atoms)).energy
    if reference is None:
        raise AcgenError("the reference figures have no energies: build them with a potential")
    return energy_per_atom(atoms, potential) - reference


def run(settings: Settings, models: Models) -> list[Candidate]:
    """All candidates of a run, without its frames."""
    return [event for event in generate(settings, models) if isinstance(event, Candidate)]


def _energy(candidates: Sequence[Candidate], potential: Path | None) -> float | None:
    if potential is None:
        return None
    return float(np.mean([energy_per_atom(candidate.atoms, potential) for candidate in candidates]))
