"""A guide for a measured pair distribution, whose score adds to that of a spectrum's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from acgen.errors import AcgenError
from acgen.networks.graph import ALL_PAIRS_ATOMS, edge_vectors, gather, periodic_graph
from acgen.sampling.guidance import REFERENCE_ATOMS, SeenPairs
from acgen.scattering.pairs import REACH
from acgen.scattering.target import STEP, PairTarget

PAIR_TOLERANCE = 0.12
"""Misfit below which the pull fades: two cells of 216 atoms that were quenched alike differ by 0.13 to 0.27."""
CLOSEST = 0.5
"""Atoms closer than this in Å, which noise brings about, count as if they were this far apart: 1 / r has no end."""


class PairGuide:
    """Pulls the pair distribution of the clean estimate towards a measured one.

    The penalty is 2 xi R_w N / 216, R_w being the misfit of `acgen.scattering.target.PairTarget.compare`, so that an
    atom is pulled alike at every size, as by `acgen.sampling.guidance.SpectrumGuide`. Below `tolerance` the pull fades:
    R_w becomes the fourth root of R_w⁴ + tolerance⁴. No network takes part.

    Parameters
    ----------
    target
        The measurement.
    xi
        Strength, not negative.

    Raises
    ------
    AcgenError
        If xi is no strength.
    """

    def __init__(self, target: PairTarget, xi: float, tolerance: float = PAIR_TOLERANCE):
        if not (np.isfinite(xi) and xi >= 0):
            raise AcgenError(f"xi of the pair distribution is {xi}; give a number that is not negative")
        self.target, self.xi, self.tolerance = target, xi, tolerance

    def __call__(self, denoised: Tensor, cell: Tensor) -> tuple[Tensor, list[SeenPairs]]:
        target, atoms = self.target, denoised.shape[1]
        points = target.points(cell.detach().cpu().numpy().astype(float))
        density = atoms / abs(float(torch.linalg.det(cell)))
        measured = torch.tensor(target.values[:points], dtype=denoised.dtype, device=denoised.device)
        penalties, seen = [], []
        for positions in denoised:
            reduced = differentiable_pdf(positions, cell, measured.new_tensor(target.r[:points]), target.sigma)
            curve = target.unit(density) * reduced
            # at its best the scale does not change the misfit: the gradient is that with it held
            curve = target.scale(_plain(curve)) * curve
            misfit = (curve - measured).norm() / target.norm(points)
            penalties.append((misfit**4 + self.tolerance**4) ** 0.25)
            seen.append(SeenPairs(float(misfit.detach()), _plain(curve)))
        return 2 * self.xi * atoms / REFERENCE_ATOMS * torch.stack(penalties).sum(), seen


def differentiable_pdf(positions: Tensor, cell: Tensor, r: Tensor, sigma: float) -> Tensor:
    """As `acgen.scattering.pairs.reduced_pdf`, differentiable in positions (N, 3) in Å.

    Parameters
    ----------
    r
        Points in Å, shape (points,), `STEP` apart; `REACH` σ beyond the last may be half the lowest height of the cell
        (3, 3), so that a pair has one image at most there.
    """
    atoms, points = len(positions), len(r)
    distance = _distances(positions, cell, float(r[-1]) + REACH * sigma)
    # A pair adds to the points that its Gaussian reaches alone: a matrix of all takes ten times as long.
    wide = int(np.ceil(REACH * sigma / STEP))
    around = torch.arange(-wide, wide + 1, device=r.device)
    near = ((distance.detach() - r[0]) / STEP).round().long()[:, None] + around
    gaussian = torch.exp(-0.5 * ((r[0] + STEP * near - distance[:, None]) / sigma) ** 2)
    weight = gaussian / distance.clamp(min=CLOSEST)[:, None] * ((near >= 0) & (near < points))
    gained = torch.zeros_like(r).index_add(0, near.clamp(0, points - 1).flatten(), weight.flatten())
    density = atoms / torch.linalg.det(cell).abs()
    return 2 * gained / (atoms * sigma * (2 * np.pi) ** 0.5) - 4 * np.pi * density * r


def _distances(positions: Tensor, cell: Tensor, reach: float) -> Tensor:
    """Distances in Å of all pairs, each once, that are closer than `reach`, which is half the lowest height at most.

    Of up to `ALL_PAIRS_ATOMS` all pairs are looked at, which is ten times as fast as a neighbour list for 216 atoms.
    """
    if len(positions) > ALL_PAIRS_ATOMS:
        graph = periodic_graph(positions, cell, reach)
        once = graph.edge_index[0] < graph.edge_index[1]
        return edge_vectors(graph)[once].norm(dim=1)
    first, second = torch.triu_indices(len(positions), len(positions), 1, device=positions.device)
    with torch.no_grad():
        between = positions[second] - positions[first]
        shift = (between @ torch.linalg.inv(cell)).round() @ cell
        close = (between - shift).square().sum(1) < reach**2
    first, second, shift = first[close], second[close], shift[close]
    squared = (gather(positions, second) - gather(positions, first) - shift).square().sum(1)
    return squared.clamp(min=1e-12).sqrt()  # of two atoms in one place the root has no gradient


def _plain(curve: Tensor) -> np.ndarray:
    return curve.detach().cpu().numpy().astype(np.float64)
