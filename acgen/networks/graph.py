"""Periodic atomic graphs: one neighbour list for every cell, network and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from matscipy.neighbours import neighbour_list
from torch import Tensor

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Graph:
    """Atoms and the edges between them, of one cell or of several side by side.

    PyTorch Geometric's `Data` has the same fields, but importing it takes longer than predicting a spectrum.
    """

    pos: Tensor
    """Cartesian positions in Å, shape (N, 3); they may lie outside their cell."""
    cell: Tensor
    """Cell vectors as rows in Å, shape (graphs, 3, 3)."""
    edge_index: Tensor
    """Rows *sender* j and *receiver* i, shape (2, E), sorted by receiver."""
    offset: Tensor
    """What the periodic image of the sender adds in Å, shape (E, 3): r_ij = pos[j] - pos[i] + offset."""
    batch: Tensor
    """Which cell an atom belongs to, shape (N,)."""

    def to_pyg(self) -> Data:
        """The same as PyTorch Geometric's `Data`, for its networks, transforms and loaders."""
        from torch_geometric.data import Data

        return Data(pos=self.pos, cell=self.cell, edge_index=self.edge_index, offset=self.offset, batch=self.batch)


def periodic_graph(positions: Tensor, cell: Tensor, cutoff: float) -> Graph:
    """Connect every pair of atoms, periodic images included, closer than `cutoff`.

    Small cells are handled: an atom may be its own neighbour, and a pair may have several edges.

    Parameters
    ----------
    positions
        Cartesian positions in Å, shape (N, 3); they may lie outside the cell.
    cell
        Cell vectors as rows in Å, shape (3, 3), of any shape.
    cutoff
        Radius in Å.

    Returns
    -------
    Graph
        Of one cell.
    """
    xyz = positions.detach().cpu().numpy().astype(np.float64)
    box = cell.detach().cpu().numpy().astype(np.float64).reshape(3, 3)
    receivers, senders, shift = neighbour_list("ijS", cutoff=cutoff, positions=xyz, cell=box, pbc=[True] * 3)
    device = positions.device
    return Graph(
        pos=positions,
        cell=cell.reshape(1, 3, 3),
        edge_index=torch.as_tensor(np.stack([senders, receivers]), dtype=torch.long, device=device),
        offset=torch.as_tensor(shift @ box, dtype=positions.dtype, device=device),
        batch=torch.zeros(len(positions), dtype=torch.long, device=device),
    )


def batch_graphs(graphs: Sequence[Graph]) -> Graph:
    """Join graphs into one whose parts have no edges between them."""
    sizes = [len(graph.pos) for graph in graphs]
    atoms = np.cumsum([0, *sizes[:-1]])
    cells = np.cumsum([0, *(len(graph.cell) for graph in graphs[:-1])])
    return Graph(
        pos=torch.cat([graph.pos for graph in graphs]),
        cell=torch.cat([graph.cell for graph in graphs]),
        edge_index=torch.cat([graph.edge_index + int(first) for graph, first in zip(graphs, atoms, strict=True)], 1),
        offset=torch.cat([graph.offset for graph in graphs]),
        batch=torch.cat([graph.batch + int(first) for graph, first in zip(graphs, cells, strict=True)]),
    )


def edge_vectors(graph: Graph) -> Tensor:
    """Vectors r_ij from receiver i to sender j in Å, shape (E, 3), differentiable in `graph.pos`."""
    senders, receivers = graph.edge_index
    return gather(graph.pos, senders) - gather(graph.pos, receivers) + graph.offset


def gather(values: Tensor, index: Tensor) -> Tensor:
    """Rows of `values` (N, C) at `index` (E,), shape (E, C).

    `torch.gather` with an expanded index: forward and backward are 3 to 5 times faster than `values[index]` on a CPU.
    """
    return values.gather(0, index[:, None].expand(-1, values.shape[1]))


def scatter_sum(values: Tensor, index: Tensor, size: int) -> Tensor:
    """Sum rows of `values` (E, C) that share an `index` (E,), shape (size, C)."""
    out = values.new_zeros(size, values.shape[1])
    return out.scatter_add(0, index[:, None].expand(-1, values.shape[1]), values)
