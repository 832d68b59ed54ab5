"""Which density and coordination a spectrum speaks for, judged by structures of the prior at every density.

The unguided prior knows which coordinations go with a density. Its structures, weighted by how close their predicted
spectra lie to the target, give a posterior over density and coordination before any guided run (importance sampling).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from acgen.analysis import coordination_fractions
from acgen.assets import asset
from acgen.ensemble import Candidate, Models, Settings, generate, predict_sites
from acgen.models.network import ForwardModel
from acgen.spectra.instrument import fit_instrument
from acgen.spectra.spectrum import Target
from acgen.structure import density as density_of
from acgen.structure import edge_of

GRID = tuple(float(density) for density in np.arange(1.25, 3.8, 0.125).round(3))
"""Densities in g/cm³ of the shipped structures of the prior."""

WIDTH = 0.1
"""Misfit above the best one at which a structure's weight has fallen to 0.6. The misfit of the right structure is the
forward model's error on a network of atoms it has not seen, 0.1-0.2, but most of that is common to all structures."""


TRUSTED = 0.25
"""Misfit of the closest structure up to which the answer is about the structure: the forward model errs by 0.10-0.23 on
networks of atoms it has not seen."""


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
        Whether the posterior piles up at an end of the grid, beyond which nothing is known.
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

    @property
    def words(self) -> str:
        """The answer in one line."""
        shares = ", ".join(
            f"{name} {100 * self.cn_fraction[cn]:.0f} ± {100 * self.cn_error[cn]:.0f} %"
            for cn, name in (("2", "sp"), ("3", "sp²"), ("4", "sp³"))
        )
        edge = " (at the end of what is known: take it as a bound)" if self.at_the_edge else ""
        answer = f"density {self.density:.2f} ± {self.density_error:.2f} g/cm³{edge}, {shares}"
        if self.best_misfit <= TRUSTED:
            return answer
        return (
            f"{answer}. Do not trust this: the closest structure is {self.best_misfit:.2f} away, and the forward model "
            f"errs by at most {TRUSTED}. Measurement and model differ by more than structure: check how the target was "
            "prepared"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self) | {"words": self.words}


@cache
def prior_cells() -> tuple[Atoms, ...]:
    """Read the shipped structures of the prior (`assets/prior/cells.extxyz`); `info` has density and seed."""
    return tuple(ase.io.iread(asset("prior/cells.extxyz"), index=":"))


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
    instrument: bool = True,
    width: float = WIDTH,
) -> DensityEstimate:
    """Weigh structures of the prior by exp(-(d² - d_min²) / (2 width²)), where d is their misfit to the target.

    Parameters
    ----------
    target
        A prepared spectrum.
    model
        Predicts the structures' spectra.
    cells
        Structures at several densities instead of the shipped ones; `info["density"]` in g/cm³ or that of the cell.
    instrument
        Let the predictions of each density be shifted, scaled, sloped and broadened alike, within bounds, so that their
        mean comes closest to the target (`acgen.spectra.instrument`), as a measured spectrum needs.

    Raises
    ------
    ValueError
        If there are fewer than two densities.
    """
    cells = prior_cells() if cells is None else tuple(cells)
    at = np.array([atoms.info.get("density", density_of(atoms)) for atoms in cells])
    grid = np.unique(at)
    if len(grid) < 2:
        raise ValueError(f"the structures have {len(grid)} densities; give structures of at least two")
    fractions = [coordination_fractions(atoms) for atoms in cells]
    cn = np.array([[fraction[k] for k in (2, 3, 4)] for fraction in fractions])
    spectra = np.array([predict_sites(model, atoms).mean(0) for atoms in cells])
    for density in grid if instrument else ():
        seen = fit_instrument(target, spectra[at == density].mean(0)).instrument
        spectra[at == density] = [seen.apply(spectrum) for spectrum in spectra[at == density]]
    misfit = np.array([target.misfit(spectrum) for spectrum in spectra])
    count = np.array([(at == density).sum() for density in grid])
    weight = np.exp(-(misfit**2 - misfit.min() ** 2) / (2 * width**2)) / count[np.searchsorted(grid, at)]
    weight /= weight.sum()
    probability = np.array([weight[at == density].sum() for density in grid])
    mean, error = _moments(weight, at[:, None])
    shares, errors = _moments(weight, cn)
    return DensityEstimate(
        density=float(mean[0]),
        density_error=float(np.hypot(error[0], _half_step(grid))),
        cn_fraction=dict(zip("234", shares.tolist(), strict=True)),
        cn_error=dict(zip("234", errors.tolist(), strict=True)),
        densities=tuple(grid.tolist()),
        misfit=tuple(float(misfit[at == density].mean()) for density in grid),
        misfit_spread=tuple(float(misfit[at == density].std()) for density in grid),
        probability=tuple(probability.tolist()),
        best_misfit=float(misfit.min()),
        at_the_edge=bool(probability[0] > probability[1] or probability[-1] > probability[-2]),
    )


def _moments(weight: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of columns of `values` (n, k) under weights (n,)."""
    mean = weight @ values
    return mean, np.sqrt(weight @ (values - mean) ** 2)


def _half_step(grid: np.ndarray) -> float:
    return float(np.diff(grid).min() / 2)
