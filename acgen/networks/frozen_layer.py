"""One interaction of a frozen PaiNN, message and update, and its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, silu

from acgen.networks import atom_kernels, edge_kernels
from acgen.networks.frozen_edges import Edges, basis_table, filter_table

if TYPE_CHECKING:
    from acgen.networks.painn import Message, PaiNN, Update

BLOCK = 512
"""Atoms done at a time, few enough for what lies between two products to stay in the cache of a core."""

Norm = tuple[Tensor, Tensor]
"""Factors and summands (graphs, C) of the normalised scalars of a message."""

silu_gradient = torch.ops.aten.silu_backward


@dataclass
class Kept:
    """Scalars and vectors before an interaction and, if `full`, what else its gradient needs, by blocks of atoms."""

    s: Tensor
    v: Tensor
    full: bool
    q: Tensor = field(init=False)
    vt: Tensor = field(init=False)
    message: list[Any] = field(default_factory=list)
    update: list[Any] = field(default_factory=list)


class FrozenLayer:
    """A message and an update with fixed weights."""

    def __init__(self, body: PaiNN, message: Message, update: Update):
        self.first, n = message.first, len(body.species)
        self.width, self.parts = n, 2 if message.first else 3
        self.species = body.species.detach()
        self.gamma = message.norm.weight.detach(), update.norm.weight.detach()
        self.beta = message.norm.bias.detach(), update.norm.bias.detach()
        self.embedding = [each.detach() for each in message.time.parameters()] if message.time is not None else []
        self.mix = update.mix.weight.detach()
        self.phi_message = [parameter.detach() for parameter in message.phi.parameters()]
        self.phi_update = [parameter.detach() for parameter in update.phi.parameters()]
        self.table = filter_table(basis_table(body.basis), message.filter.weight.detach()).numpy()
        self.scale = self.table.dtype.type((len(self.table) - 1) / body.cutoff)
        self.sums = edge_kernels.neighbour_sums(n, self.first)

    def forward(self, edges: Edges, norm: Norm, kept: Kept, *, in_place: bool) -> tuple[Tensor, Tensor]:
        """Scalars (N, C) and vectors (N, 3 C) after the interaction, from those in `kept`, which takes the rest."""
        s, v, n = kept.s, kept.v, self.width
        kept.q, kept.vt = s.new_empty(len(s), self.parts * n), s.new_empty(1 if self.first else len(s), 3 * n)
        if self.first:
            h = layer_norm(self.species, (n,)) * norm[0] + norm[1]  # the same for all atoms of a graph
            kept.q = _mlp(self.phi_message, h)[1][torch.from_numpy(edges.graph)]
        else:
            for low, high in _blocks(len(s)):
                found = self._features(edges, norm, kept, low, high)
                if kept.full:
                    kept.message.append(found)
        out = (s, v) if in_place else (torch.empty_like(s), torch.empty_like(v))
        for low, high in _blocks(len(s)):
            found = self._update(edges, kept, low, high, out)
            if kept.full:
                kept.update.append(found)
        return out

    def _features(self, edges: Edges, norm: Norm, kept: Kept, low: int, high: int) -> tuple[Tensor, ...]:
        """What the atoms of a block send: `kept.q` and `kept.vt`."""
        n, rows = self.width, high - low
        h, inverse = kept.s.new_empty(rows, n), kept.s.new_empty(rows)
        a, b = (each.numpy() for each in norm)
        atom_kernels.begin(n)(kept.s.numpy(), kept.v.numpy(), a, b, edges.graph, low, h.numpy(), inverse.numpy())
        z, _ = _mlp(self.phi_message, h, kept.q[low:high])
        atom_kernels.tangents(n)(kept.v.numpy(), inverse.numpy(), kept.q.numpy(), low, kept.vt.numpy())
        return z, inverse

    def _update(self, edges: Edges, kept: Kept, low: int, high: int, out: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
        """Sum over neighbours and mix; scalars and vectors of the block's atoms go to `out`."""
        n, rows, new = self.width, high - low, kept.s.new_empty
        sums, s1, v1, un = new(rows, 4 * n), new(rows, n), new(rows, 3 * n), new(rows, 3 * n)
        inverse, mixed, ab = new(rows), new(rows, 2 * n), new(3 * rows, 2 * n)
        q, vt, table, scale = kept.q.numpy(), kept.vt.numpy(), self.table, self.scale
        self.sums(q, vt, table, scale, edges.length, edges.direction, edges.senders, edges.first, low, sums.numpy())
        norm = self.gamma[1].numpy(), self.beta[1].numpy()
        settled = (each.numpy() for each in (s1, v1, un, inverse, mixed))
        atom_kernels.settle(n)(sums.numpy(), kept.s.numpy(), kept.v.numpy(), *norm, low, *settled)
        ab = torch.mm(un.view(3 * rows, n), self.mix.T).view(rows, 6 * n)
        atom_kernels.lengths(n)(ab.numpy(), mixed.numpy())
        z, gates = _mlp(self.phi_update, mixed)
        updated = (each.numpy() for each in (s1, v1, ab, gates))
        atom_kernels.finish(n)(*updated, low, out[0].numpy(), out[1].numpy())
        return s1, v1, inverse, mixed, ab, z, gates

    def backward(self, edges: Edges, norm: Norm, kept: Kept, gs: Tensor, gv: Tensor, d_edge: Tensor) -> None:
        """Turn the gradient at scalars and vectors after the interaction into that before it, in place.

        That at the reverse of every edge is added to `d_edge`, (E, 4).
        """
        ds, dv = torch.empty_like(gs), torch.empty_like(gv)
        for (low, high), found in zip(_blocks(len(gs)), kept.update, strict=True):
            self._update_gradient(found, low, high - low, (gs, gv, ds, dv))
        for block, (low, high) in enumerate(_blocks(len(gs))):
            found = () if self.first else kept.message[block]
            self._message_gradient(edges, norm, kept, found, low, high, (gs, gv, ds, dv), d_edge)

    def _update_gradient(self, found: tuple[Tensor, ...], low: int, rows: int, gradients: tuple[Tensor, ...]) -> None:
        n = self.width
        s1, v1, inverse, mixed, ab, z, gates = found
        gs, gv, ds, dv = (each.numpy() for each in gradients)
        ggates, gab = torch.empty_like(gates), torch.empty_like(ab)
        atom_kernels.finish_gradient(n)(gs, gv, ab.numpy(), low, ggates.numpy())
        gmixed = _mlp_gradient(self.phi_update, z, ggates)
        inputs = (each.numpy() for each in (gmixed, ab, gates, mixed))
        atom_kernels.lengths_gradient(n)(gs, gv, *inputs, low, gab.numpy())
        gun = torch.mm(gab.view(3 * rows, 2 * n), self.mix).view(rows, 3 * n)
        inputs = (each.numpy() for each in (gun, gmixed, s1, v1, inverse, self.gamma[1]))
        atom_kernels.settle_gradient(n)(*inputs, low, gs, gv, ds, dv)

    def _message_gradient(
        self,
        edges: Edges,
        norm: Norm,
        kept: Kept,
        found: tuple[Tensor, ...],
        low: int,
        high: int,
        gradients: tuple[Tensor, ...],
        d_edge: Tensor,
    ) -> None:
        n, rows = self.width, high - low
        gs, gv, ds, dv = (each.numpy() for each in gradients)
        gq, gvt = d_edge.new_empty(rows, self.parts * n), d_edge.new_empty(rows, 3 * n)
        outputs = (each.numpy() for each in (gq, gvt, d_edge))
        q, v, vt, along = kept.q.numpy(), kept.v.numpy(), kept.vt.numpy(), (edges.length, edges.direction)
        kernel = edge_kernels.neighbour_sums_gradient(n, self.first)
        kernel(ds, dv, q, vt, self.table, self.scale, *along, edges.senders, edges.first, low, *outputs)
        if self.first:
            return
        z, inverse = found
        atom_kernels.tangents_gradient(n)(gvt.numpy(), v, inverse.numpy(), q, low, gq.numpy(), gv)
        gh = _mlp_gradient(self.phi_message, z, gq)
        atom_kernels.begin_gradient(n)(gh.numpy(), kept.s.numpy(), norm[0].numpy(), edges.graph, low, gs)


def _blocks(atoms: int) -> Iterator[tuple[int, int]]:
    return ((low, min(low + BLOCK, atoms)) for low in range(0, atoms, BLOCK))


def _mlp(weights: list[Tensor], x: Tensor, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What `acgen.networks.layers.mlp` gives, and what its SiLU takes."""
    first, shift, second, bias = weights
    z = torch.addmm(shift, x, first.T)
    return z, torch.addmm(bias, silu(z), second.T, out=out)


def _mlp_gradient(weights: list[Tensor], z: Tensor, gradient: Tensor) -> Tensor:
    first, _, second, _ = weights
    return torch.mm(silu_gradient(torch.mm(gradient, second), z), first)
