"""Which density and coordination a spectrum speaks for, judged by structures of the prior at every density.

The unguided prior knows which coordinations go with a density. Its structures, by how close their predicted spectra lie
to the target and by how the spectrum changes with density and coordination among them, give a posterior before any
guided run (`acgen.inference.posterior`), with the uncertainty that noise, instrument and forward model leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from acgen.assets import asset
from acgen.errors import AcgenError
from acgen.inference.posterior import Adjusted, adjust, best_misfits
from acgen.networks.models import Models, predict_sites
from acgen.networks.network import ForwardModel
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings
from acgen.spectra.bootstrap import resampled
from acgen.spectra.instrument import Instrument
from acgen.spectra.model_error import TRUSTED, error_covariance
from acgen.spectra.spectrum import Target, fits_instrument
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import DENSEST, edge_of
from acgen.structures.cell import density as density_of


@dataclass(frozen=True)
class DensityEstimate:
    """Posterior mean and standard deviation of density and coordination, and the curve they come from.

    Attributes
    ----------
    density, density_error
        g/cm³.
    cn_fraction, cn_error
        Fractions from 0 to 1 of coordination numbers "2", "3", "4".
    densities, misfit, misfit_spread, probability
        The grid in g/cm³, mean and standard deviation of the misfit there, and the posterior, which sums to 1.
    best_misfit
        Of the closest structure.
    at_the_edge
        Whether the posterior piles up at an end of what is known, or at the density of diamond.
    noise_error
        Standard deviation of "density" and the fractions when the noise of the target is drawn anew, a part of the
        errors above; 0 if the target has none.
    instrument
        What was fitted along the way.
    """

    density: float
    density_error: float
    cn_fraction: dict[str, float]
    cn_error: dict[str, float]
    densities: tuple[float, ...]
    misfit: tuple[float, ...]
    misfit_spread: tuple[float, ...]
    probability: tuple[float, ...]
    best_misfit: float
    at_the_edge: bool
    noise_error: dict[str, float] = field(default_factory=dict)
    instrument: Instrument = field(default_factory=Instrument)

    @property
    def trusted(self) -> bool:
        """Whether the closest structure is within what the forward model errs by."""
        return self.best_misfit <= TRUSTED

    @property
    def words(self) -> str:
        """The answer in one line."""
        sp, sp2, sp3 = (f"{100 * self.cn_fraction[cn]:.0f} ± {100 * self.cn_error[cn]:.0f} %" for cn in "234")
        edge = " (at the end of what is known: take it as a bound)" if self.at_the_edge else ""
        answer = f"density {self.density:.2f} ± {self.density_error:.2f} g/cm³{edge}, sp² {sp2} (sp {sp}, sp³ {sp3})"
        return answer if self.trusted else f"{answer}. {self.doubt}"

    @property
    def doubt(self) -> str:
        """Why the answer is not to be trusted, in words; empty if it may be."""
        if self.trusted:
            return ""
        return (
            f"Do not trust this: the closest structure is {self.best_misfit:.2f} away, and that of an amorphous "
            f"carbon at most {TRUSTED}. Measurement and model differ by more than structure: check how the target was "
            "prepared"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self) | {"words": self.words}


@cache
def prior_cells() -> tuple[Atoms, ...]:
    """Read the shipped structures of the prior (`assets/prior/cells.extxyz`); `info` has density and seed."""
    return tuple(ase.io.iread(asset("prior/cells.extxyz"), index=":"))


def prior_spectra(model: ForwardModel) -> np.ndarray:
    """Predicted mean spectrum of every structure of `prior_cells`, shape (structures, 100)."""
    return np.array([predict_sites(model, atoms).mean(0) for atoms in prior_cells()])


def sample_prior(models: Models, densities: Sequence[float], settings: Settings, atoms: int = 216) -> Iterator[Atoms]:
    """Unguided structures at each density, which `acgen library` writes to `assets/prior`."""
    for density in densities:
        for event in generate(replace(settings, density=density, cell=edge_of(atoms, density), target=None), models):
            if isinstance(event, Candidate):
                event.atoms.info = {"density": density, "seed": event.seed}
                yield event.atoms


def estimate_density(
    target: Target,
    model: ForwardModel,
    cells: Iterable[Atoms] | None = None,
    *,
    instrument: bool | None = None,
    leave_out: str | None = None,
    bootstraps: int = 20,
    spectra: np.ndarray | None = None,
) -> DensityEstimate:
    """Density and coordination of what a target was measured on.

    Parameters
    ----------
    target
        A prepared spectrum; its noise, if known, counts.
    model
        Predicts the structures' spectra.
    cells
        Structures at several densities instead of the shipped ones; `info["density"]` in g/cm³ or that of the cell.
    instrument
        Whether shift, scale, slope and broadening of the target are unknown; they are then fitted, and what they leave
        open widens the answer. By default for a measured target.
    leave_out
        A network of atoms whose forward error is not to be known (`acgen.spectra.model_error.error_covariance`).
    bootstraps
        How often the answer is found again with the target's noise added once more.
    spectra
        Predicted mean spectra of the cells, shape (structures, 100), where they are known already.

    Raises
    ------
    AcgenError
        If there are fewer than two densities.
    """
    cells = prior_cells() if cells is None else tuple(cells)
    at = np.array([atoms.info.get("density", density_of(atoms)) for atoms in cells])
    grid = np.unique(at)
    if len(grid) < 2:
        raise AcgenError(f"the structures have {len(grid)} densities; give structures of at least two")
    fractions = [coordination_fractions(atoms) for atoms in cells]
    asked = np.column_stack([at, [[fraction[k] for k in (2, 3, 4)] for fraction in fractions]])
    if spectra is None:
        spectra = np.array([predict_sites(model, atoms).mean(0) for atoms in cells])
    error, instrument = error_covariance(leave_out), fits_instrument(target, instrument)
    misfit, start = best_misfits(target, spectra, instrument)
    found = adjust(target, spectra, asked, error, misfit, start)
    limits = float(grid[0] - _half_step(grid)), min(float(grid[-1] + _half_step(grid)), DENSEST)
    mean, std = _within(found, limits)
    again = [
        _within(adjust(other, spectra, asked, error, misfit, found.instrument if instrument else None), limits)[0]
        for other in resampled(target, bootstraps)
    ]
    noise = mean_and_spread(again)[1] if again else np.zeros(4)
    edges = np.concatenate([[-np.inf], (grid[1:] + grid[:-1]) / 2, [np.inf]])
    normal = _truncated(found, limits)
    bands = [mean_and_spread(misfit[at == density]) for density in grid]
    return DensityEstimate(
        density=float(mean[0]),
        density_error=float(std[0]),
        cn_fraction=dict(zip("234", mean[1:].tolist(), strict=True)),
        cn_error=dict(zip("234", std[1:].tolist(), strict=True)),
        densities=tuple(grid.tolist()),
        misfit=tuple(float(mean) for mean, _ in bands),
        misfit_spread=tuple(float(spread) for _, spread in bands),
        probability=tuple(np.diff(normal.cdf(edges)).tolist()),
        best_misfit=float(misfit.min()),
        at_the_edge=not limits[0] <= found.mean[0] <= limits[1],
        noise_error=dict(zip(("density", *"234"), noise.tolist(), strict=True)),
        instrument=found.instrument,
    )


def _truncated(found: Adjusted, limits: tuple[float, float]) -> Any:
    """Density as a normal distribution within limits."""
    from scipy.stats import truncnorm  # half a second of imports, which a page does not need before

    mean, std = found.mean[0], max(float(np.sqrt(max(found.covariance[0, 0], 0.0))), 1e-3)
    mean = np.clip(mean, limits[0] - 4 * std, limits[1] + 4 * std)
    return truncnorm((limits[0] - mean) / std, (limits[1] - mean) / std, loc=mean, scale=std)


def _within(found: Adjusted, limits: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of density and coordination with the density within limits, which moves the
    coordination with it; its fractions are not negative and sum to no more than 1."""
    normal = _truncated(found, limits)
    along = found.covariance[0] / max(found.covariance[0, 0], 1e-12)
    mean = found.mean + along * (normal.mean() - found.mean[0])
    variance = np.diag(found.covariance) - along**2 * (found.covariance[0, 0] - normal.var())
    mean[0] = normal.mean()
    mean[1:] = np.clip(mean[1:], 0.0, 1.0)
    mean[1:] /= max(mean[1:].sum(), 1.0)
    return mean, np.sqrt(np.maximum(variance, 0.0))


def _half_step(grid: np.ndarray) -> float:
    return float(np.diff(grid).min() / 2)
