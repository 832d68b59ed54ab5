"""Periodic atomic graphs: one neighbour list for every cell, network and purpose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matscipy.neighbours import neighbour_list
from torch import Tensor
from torch_geometric.data import Batch, Data


def periodic_graph(positions: Tensor, cell: Tensor, cutoff: float) -> Data:
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
    Data
        `pos` (N, 3) in Å, `cell` (1, 3, 3) in Å, `edge_index` (2, E) with rows *sender* j and *receiver* i,
        sorted by receiver, and `offset` (E, 3) in Å, so that r_ij = pos[j] - pos[i] + offset.
    """
    xyz = positions.detach().cpu().numpy().astype(np.float64)
    box = cell.detach().cpu().numpy().astype(np.float64).reshape(3, 3)
    receivers, senders, shift = neighbour_list("ijS", cutoff=cutoff, positions=xyz, cell=box, pbc=[True] * 3)
    device = positions.device
    return Data(
        pos=positions,
        cell=cell.reshape(1, 3, 3),
        edge_index=torch.as_tensor(np.stack([senders, receivers]), dtype=torch.long, device=device),
        offset=torch.as_tensor(shift @ box, dtype=positions.dtype, device=device),
    )


def batch_graphs(graphs: Sequence[Data]) -> Batch:
    """Join graphs into one disconnected graph; `batch` (N,) says which atom belongs to which."""
    return Batch.from_data_list(list(graphs))


def edge_vectors(graph: Data) -> Tensor:
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
