"""A second forward network of another kind: continuous filters of the distance (SchNet, arXiv:1706.08566)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from acgen.networks.graph import Graph, edge_vectors, gather, scatter_sum
from acgen.networks.layers import mlp

PART = 200_000
"""Edges done at a time where no gradient is asked for, so that memory is bounded in large cells."""


class SchNetForward(nn.Module):
    """Predicts the spectrum of every atom, shape (N, points), never negative; exactly E(3)-invariant.

    It knows angles only through the distances of second neighbours, so its cutoff should reach well beyond them; what
    it shares with PaiNN is little, which is its use. The blocks are PyTorch Geometric's, parameter by parameter and
    under the same names; written out, because importing those takes seconds.
    """

    def __init__(self, width: int, interactions: int, radial: int, cutoff: float, points: int):
        super().__init__()
        self.species = nn.Parameter(torch.randn(width))
        self.basis = GaussianSmearing(cutoff, radial)
        self.blocks = nn.ModuleList(InteractionBlock(width, radial, cutoff) for _ in range(interactions))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(interactions))
        self.out = mlp(width, 2 * width, points)

    def forward(self, graph: Graph) -> Tensor:
        length = edge_vectors(graph).square().sum(-1).clamp(min=1e-8).sqrt()
        basis = self.basis(length)
        h = self.species.expand(len(graph.pos), -1)
        for block, norm in zip(self.blocks, self.norms, strict=True):
            h = norm(h + block(h, graph.edge_index, length, basis))
        return nn.functional.softplus(self.out(h))


class GaussianSmearing(nn.Module):
    """Gaussians of a distance on evenly spaced centres from 0 to the cutoff, (E,) to (E, size)."""

    offset: Tensor

    def __init__(self, cutoff: float, size: int):
        super().__init__()
        centres = torch.linspace(0.0, cutoff, size)
        self.coefficient = -0.5 / float(centres[1] - centres[0]) ** 2
        self.register_buffer("offset", centres)

    def forward(self, r: Tensor) -> Tensor:
        return torch.exp(self.coefficient * (r[:, None] - self.offset).square())


class InteractionBlock(nn.Module):
    """Features (N, C) filtered by distance and summed over neighbours, then mixed (Fig. 2 of the paper)."""

    def __init__(self, width: int, radial: int, cutoff: float):
        super().__init__()
        self.mlp = nn.Sequential(_linear(radial, width), ShiftedSoftplus(), _linear(width, width))
        self.conv = _Convolution(width, self.mlp, cutoff)
        self.act = ShiftedSoftplus()
        self.lin = _linear(width, width)

    def forward(self, h: Tensor, edge_index: Tensor, length: Tensor, basis: Tensor) -> Tensor:
        return self.lin(self.act(self.conv(h, edge_index, length, basis)))


class _Convolution(nn.Module):
    """Sum over neighbours of their features times a filter of the distance that ends at the cutoff."""

    def __init__(self, width: int, filters: nn.Module, cutoff: float):
        super().__init__()
        self.lin1 = _linear(width, width, bias=False)
        self.lin2 = _linear(width, width)
        self.nn = filters
        self.cutoff = cutoff

    def forward(self, h: Tensor, edge_index: Tensor, length: Tensor, basis: Tensor) -> Tensor:
        x = self.lin1(h)
        if torch.is_grad_enabled():
            return self.lin2(self._summed(x, edge_index, length, basis))
        edges = range(0, len(length), PART)
        parts = (self._summed(x, edge_index[:, e : e + PART], length[e : e + PART], basis[e : e + PART]) for e in edges)
        return self.lin2(sum(parts, torch.zeros_like(x)))

    def _summed(self, x: Tensor, edge_index: Tensor, length: Tensor, basis: Tensor) -> Tensor:
        senders, receivers = edge_index
        filters = self.nn(basis) * (0.5 * (torch.cos(length * (math.pi / self.cutoff)) + 1))[:, None]
        return scatter_sum(gather(x, senders) * filters, receivers, len(x))


class ShiftedSoftplus(nn.Module):
    """ln(1 + e^x) - ln 2, which is 0 at 0."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.softplus(x) - math.log(2.0)


def _linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
