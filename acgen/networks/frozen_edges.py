"""Edges of a graph as the compiled kernels want them, and the filters along them as a table."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from acgen.networks import edge_kernels

if TYPE_CHECKING:
    from acgen.networks.graph import Graph
    from acgen.networks.layers import BesselBasis

KNOTS = 1024
"""Intervals of a table of filters; cubic interpolation then errs by about as much as single precision does."""


@dataclass(frozen=True)
class Edges:
    """Sorted by receiver, in both directions: atoms, where each one's edges begin (N + 1,), lengths, directions."""

    graph: np.ndarray
    first: np.ndarray
    senders: np.ndarray
    receivers: np.ndarray
    length: np.ndarray
    direction: np.ndarray

    @classmethod
    def of(cls, graph: Graph) -> Edges:
        """The edges of a graph."""
        senders, receivers = (index.contiguous().numpy() for index in graph.edge_index)
        pos, offset = graph.pos.detach().contiguous().numpy(), graph.offset.contiguous().numpy()
        first = np.empty(len(pos) + 1, np.int64)
        length, direction = np.empty(len(senders), pos.dtype), np.empty((len(senders), 3), pos.dtype)
        edge_kernels.geometry(pos, offset, senders, receivers, length, direction, first)
        return cls(graph.batch.numpy(), first, senders, receivers, length, direction)

    @property
    def atoms(self) -> int:
        """Number of atoms N."""
        return len(self.first) - 1

    def gradient(self, d_edge: Tensor) -> Tensor:
        """The gradient at positions (N, 3), from that at length and direction of the reverse of every edge, (E, 4)."""
        d_pos = d_edge.new_zeros(self.atoms, 3)
        edge_kernels.geometry_gradient(
            d_edge.numpy(), self.length, self.direction, self.senders, self.receivers, d_pos.numpy()
        )
        return d_pos


def basis_table(basis: BesselBasis) -> Tensor:
    """Radial functions on evenly spaced distances and, below, their slopes times the spacing, (2 knots, radial)."""
    basis = copy.deepcopy(basis).double()
    spacing = basis.cutoff / KNOTS
    r = (torch.arange(KNOTS + 1, dtype=torch.float64) * spacing).clamp(min=1e-4)
    with torch.enable_grad():
        values = basis(r.requires_grad_(True))
        slopes = [torch.autograd.grad(column.sum(), r, retain_graph=True)[0] for column in values.unbind(1)]
    return torch.cat([values.detach(), torch.stack(slopes, 1) * spacing])


def filter_table(basis: Tensor, filters: Tensor) -> Tensor:
    """Values and slopes side by side, (knots, 2 parts), of filters (parts, radial) of a `basis_table`."""
    value, slope = (basis @ filters.double().T).chunk(2)
    return torch.cat([value, slope], 1).to(filters.dtype)
