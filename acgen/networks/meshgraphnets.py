"""The paper's network: encoder, MeshGraphNets processor, decoder (§4.5 and Table 1 of arXiv:2312.05472)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from acgen.networks.graph import Graph, edge_vectors, gather, scatter_sum
from acgen.networks.layers import GaussianRFF, mlp


class MeshGraphNets(nn.Module):
    """Encode-process-decode network of Pfaff et al. (arXiv:2010.03409) with a single kind of edge.

    Translation and permutation invariant, not rotation equivariant: it learns that from randomly rotated cells.

    Parameters
    ----------
    width
        Width of node, edge and time features.
    interactions
        Number of graph convolutions.
    cutoff
        Reach of an edge in Å.
    outputs
        Values per atom: 3 for a score, the number of energies for a spectrum.
    timed
        Whether the noise time t is an input (score) or not (forward).
    """

    def __init__(self, width: int, interactions: int, cutoff: float, outputs: int, *, timed: bool):
        super().__init__()
        self.cutoff = cutoff
        self.node_encoder = mlp(1, width, width, norm=True)
        self.time_encoder = nn.Sequential(GaussianRFF(width), mlp(width, width, width, norm=True)) if timed else None
        self.edge_encoder = mlp(4, width, width, norm=True)
        self.edge_updates = nn.ModuleList(mlp(3 * width, width, width, norm=True) for _ in range(interactions))
        self.node_updates = nn.ModuleList(mlp(2 * width, width, width, norm=True) for _ in range(interactions))
        self.decoder = mlp(width, width, outputs)

    def forward(self, graph: Graph, t: Tensor | None = None) -> Tensor:
        """Values per atom, shape (N, outputs); `t` (graphs,) for a score network."""
        senders, receivers = graph.edge_index
        atoms = len(graph.pos)
        one_hot = graph.pos.new_ones(atoms, 1)  # carbon is the only species
        h = self.node_encoder(one_hot)
        if self.time_encoder is not None:
            time = self.time_encoder(t)
            h = h + (time if len(time) == 1 else gather(time, graph.batch))
        r = edge_vectors(graph)
        length = r.square().sum(-1, keepdim=True).clamp(min=1e-8).sqrt()
        e = self.edge_encoder(torch.cat([r, length], dim=-1))
        for edge_update, node_update in zip(self.edge_updates, self.node_updates, strict=True):
            e = e + edge_update(torch.cat([gather(h, receivers), gather(h, senders), e], dim=-1))
            h = h + node_update(torch.cat([h, scatter_sum(e, receivers, atoms)], dim=-1))
        return self.decoder(h)
