"""A guide for known shares of sp, sp² and sp³ atoms, whose score adds to that of a spectrum's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from acgen.errors import AcgenError
from acgen.networks.graph import edge_vectors, equal_graphs, scatter_sum
from acgen.sampling.guidance import REFERENCE_ATOMS
from acgen.structures.analysis import BOND_CUTOFF

SHARE_TOLERANCE = 0.03
"""Distance below which the pull fades: by chance the shares of 216 atoms scatter by 0.02 to 0.03."""
SOFTNESS = 0.1
"""Width in Å of the step from bonded to not bonded, in the gradient alone."""
REACH = 8.0
"""Widths beyond the longest bond at which an atom no longer counts."""


class CoordinationGuide:
    """Pulls the shares of atoms by coordination number of the clean estimate towards known ones.

    The penalty is 2 xi d N / 216, d being the distance of the shares, so that an atom is pulled alike at every size, as
    by `acgen.sampling.guidance.SpectrumGuide`. Below `tolerance` the pull fades: d becomes the fourth root of
    d⁴ + tolerance⁴. Shares are those of whole neighbours within `BOND_CUTOFF`, as every result counts them; the
    gradient is that of `soft_shares`. No network takes part.

    Parameters
    ----------
    shares
        Fraction of the atoms by coordination number; of numbers that are left out nothing is asked.
    xi
        Strength, not negative.

    Raises
    ------
    AcgenError
        If xi is no strength, or nothing is asked.
    """

    def __init__(self, shares: Mapping[int, float], xi: float, tolerance: float = SHARE_TOLERANCE):
        if not (np.isfinite(xi) and xi >= 0):
            raise AcgenError(f"xi of the coordination is {xi}; give a number that is not negative")
        if not shares:
            raise AcgenError("no share of atoms is asked for; give one of coordination number 2, 3 or 4")
        self.shares, self.xi, self.tolerance = dict(shares), xi, tolerance

    def __call__(self, denoised: Tensor, cell: Tensor) -> tuple[Tensor, list[None]]:
        atoms = denoised.shape[1]
        asked = denoised.new_tensor(list(self.shares.values()))
        soft, hard = soft_shares(denoised, cell, list(self.shares))
        distance = (soft + (hard - soft).detach() - asked).norm(dim=1)
        penalty = (distance**4 + self.tolerance**4) ** 0.25
        return 2 * self.xi * atoms / REFERENCE_ATOMS * penalty.sum(), [None] * len(denoised)


def soft_shares(positions: Tensor, cell: Tensor, numbers: list[int]) -> tuple[Tensor, Tensor]:
    """Shares of atoms by coordination number, differentiable, and those of whole neighbours, (structures, K) each.

    A neighbour at r counts 1 / (1 + exp((r - BOND_CUTOFF) / SOFTNESS)), and an atom with n of them is of number k by
    1 - abs(n - k), so that all shares add up to 1. Positions are (structures, N, 3) in Å, in equal cells (3, 3).
    """
    graph = equal_graphs(positions, cell, BOND_CUTOFF + REACH * SOFTNESS)
    distance = edge_vectors(graph).square().sum(1).clamp(min=1e-12).sqrt()  # in one place the root has no gradient
    bonded = torch.stack([torch.sigmoid((BOND_CUTOFF - distance) / SOFTNESS), (distance < BOND_CUTOFF).to(distance)], 1)
    counts = scatter_sum(bonded, graph.edge_index[1], len(graph.pos)).T.reshape(2, *positions.shape[:2], 1)
    of = torch.tensor(numbers, dtype=positions.dtype, device=positions.device)
    soft, hard = (1 - (counts - of).abs()).clamp(min=0).mean(2)
    return soft, hard
