"""Periodic atomic graphs: one neighbour list for every cell, network and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from matscipy.neighbours import neighbour_list
from torch import Tensor

if TYPE_CHECKING:
    from torch_geometric.data import Data


ALL_PAIRS_ATOMS = 1000
"""Up to so many atoms a GPU looks at all pairs: their vectors to all images then take 0.3 GB."""


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


def equal_graphs(positions: Tensor, cell: Tensor, cutoff: float) -> Graph:
    """One graph of several structures in equal cells; for each the edges of `periodic_graph`.

    On a CPU they are found one after the other; elsewhere, up to `ALL_PAIRS_ATOMS`, all pairs and images are looked at
    where the positions are.

    Parameters
    ----------
    positions
        Cartesian positions in Å, shape (structures, N, 3); they may lie outside the cell.
    cell
        Cell vectors as rows in Å, shape (3, 3); at least `cutoff` between its faces.
    cutoff
        Radius in Å.
    """
    find = periodic_graph if positions.device.type == "cpu" or positions.shape[1] > ALL_PAIRS_ATOMS else all_pairs
    graphs = [find(each, cell, cutoff) for each in positions]
    return graphs[0] if len(graphs) == 1 else batch_graphs(graphs)


def all_pairs(positions: Tensor, cell: Tensor, cutoff: float) -> Graph:
    """As `periodic_graph`, by looking at all pairs and the 26 images around, on the device of the positions."""
    turns = torch.linalg.solve(cell.T, positions.detach().T).T.floor() @ cell
    inside = positions.detach() - turns
    steps = torch.tensor([-1.0, 0.0, 1.0], dtype=cell.dtype, device=cell.device)
    images = torch.cartesian_prod(steps, steps, steps) @ cell
    between = inside[None, :, None] + images - inside[:, None, None]  # from receiver i to image of sender j
    near = between.square().sum(-1) < cutoff**2
    near.diagonal()[13] = False  # an atom is no neighbour of itself, but its images may be
    receivers, senders, image = near.nonzero(as_tuple=True)
    return Graph(
        pos=positions,
        cell=cell.reshape(1, 3, 3),
        edge_index=torch.stack([senders, receivers]),
        offset=images[image] - turns[senders] + turns[receivers],
        batch=torch.zeros(len(positions), dtype=torch.long, device=positions.device),
    )


class NearList:
    """The pairs of structures within a cutoff and a margin, from which graphs are made while atoms move little.

    Parameters
    ----------
    positions
        Cartesian positions in Å, shape (structures, N, 3).
    cell
        Cell vectors as rows in Å, shape (3, 3).
    cutoff
        Radius of the edges in Å.
    margin
        Pairs up to so many Å farther apart are kept in mind: graphs are right until an atom has moved by half of it.
    """

    def __init__(self, positions: Tensor, cell: Tensor, cutoff: float, margin: float = 0.5):
        self.cutoff, self.margin = cutoff, margin
        self._origin = positions.detach().clone()
        found = equal_graphs(self._origin, cell, cutoff + margin)
        # an order that does not depend on when the pairs were looked for, so that a resumed run has the same bits
        keys = (*found.offset.cpu().numpy().T.round(3), *found.edge_index.cpu().numpy())
        order = torch.as_tensor(np.lexsort(keys), device=positions.device)
        self._all = replace(found, edge_index=found.edge_index[:, order], offset=found.offset[order])

    def holds(self, positions: Tensor) -> bool:
        """Whether no atom has moved too far since."""
        moved = (positions.detach() - self._origin).square().sum(-1).max()
        return bool(moved < (self.margin / 2) ** 2)

    def graph(self, positions: Tensor) -> Graph:
        """The graph of `equal_graphs` at these positions."""
        flat = positions.reshape(-1, 3)
        senders, receivers = self._all.edge_index
        r = gather(flat.detach(), senders) - gather(flat.detach(), receivers) + self._all.offset
        near = r.square().sum(-1) < self.cutoff**2
        return Graph(flat, self._all.cell, self._all.edge_index[:, near], self._all.offset[near], self._all.batch)


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
