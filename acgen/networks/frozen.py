"""The body of PaiNN for weights that stay as they are, on a CPU: few and large operations, gradients written out.

It gives what `acgen.networks.painn.PaiNN` gives, and the gradient at the positions; that network, in plain operations
of torch, is what trains, what a GPU or a compiler gets, and what the tests compare with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from acgen.networks.frozen_edges import Edges
from acgen.networks.frozen_layer import FrozenLayer, Kept, Norm

if TYPE_CHECKING:
    from acgen.networks.graph import Graph
    from acgen.networks.painn import PaiNN

KEPT = 8192
"""Atoms up to which everything is kept for the gradient; of more, a layer is worked out again when it is needed."""


def fits(body: PaiNN, graph: Graph) -> bool:
    """Whether the frozen form serves: on a CPU, and no weight needs a gradient."""
    if torch.compiler.is_compiling() or not graph.pos.is_cpu:
        return False
    return not torch.is_grad_enabled() or not any(weight.requires_grad for weight in _weights(body))


def frozen(body: PaiNN) -> FrozenPaiNN:
    """The frozen form of a network, made once and again whenever a weight has changed."""
    key = tuple((weight.data_ptr(), weight._version) for weight in _weights(body))
    kept: FrozenPaiNN | None = body.__dict__.get("_frozen")
    if kept is None or kept.key != key:
        kept = body.__dict__["_frozen"] = FrozenPaiNN(body, key)
    return kept


def _weights(body: PaiNN) -> tuple[Tensor, ...]:
    """The parameters; looking for them takes a tenth of an evaluation, so they are found once."""
    found: tuple[Tensor, ...] | None = body.__dict__.get("_found_weights")
    if found is None or found[0] is not body.species:
        found = body.__dict__["_found_weights"] = tuple(body.parameters())
    return found


class FrozenPaiNN:
    """The body of a network with fixed weights; a call gives scalars (N, C) and vectors (N, 3, C)."""

    def __init__(self, body: PaiNN, key: tuple[tuple[int, int], ...]):
        self.key, self.time, self.width = key, body.time, len(body.species)
        self.species = body.species.detach()
        pairs: Any = zip(body.messages, body.updates, strict=True)
        self.layers = [FrozenLayer(body, message, update) for message, update in pairs]

    def __call__(self, graph: Graph, t: Tensor | None) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            norms = self._norms(t, len(graph.cell))
        if graph.pos.requires_grad and torch.is_grad_enabled():
            s, v = _Frozen.apply(graph.pos, self, graph, norms)
        else:
            s, v = self.forward(Edges.of(graph), norms, None)
        return s, v.view(len(s), 3, self.width)

    def _norms(self, t: Tensor | None, graphs: int) -> list[Norm]:
        if self.time is None:
            return [(layer.gamma[0].repeat(graphs, 1), layer.beta[0].repeat(graphs, 1)) for layer in self.layers]
        time, norms = self.time(t), []
        for layer in self.layers:
            (gamma, _), (beta, _) = layer.gamma, layer.beta
            scale, shift = linear(time, *layer.embedding).repeat(graphs // len(time), 1).chunk(2, dim=-1)
            norms.append((gamma + gamma * scale, torch.addcmul(beta + shift, beta, scale)))
        return norms

    @torch.no_grad()
    def forward(self, edges: Edges, norms: list[Norm], kept: list[Kept] | None) -> tuple[Tensor, Tensor]:
        """Scalars (N, C) and vectors (N, 3 C); `kept`, unless it is None, takes what the gradient needs."""
        s = self.species.expand(edges.atoms, -1).contiguous()
        v = s.new_zeros(len(s), 3 * self.width)
        for layer, norm in zip(self.layers, norms, strict=True):
            full = kept is not None and len(s) <= KEPT
            record = Kept(s, v, full)
            s, v = layer.forward(edges, norm, record, in_place=kept is None)
            if kept is not None:
                kept.append(record)
        return s, v

    @torch.no_grad()
    def backward(self, edges: Edges, norms: list[Norm], kept: list[Kept], gs: Tensor, gv: Tensor) -> Tensor:
        """The gradient at the positions, (N, 3), from that at scalars and vectors; both are used up."""
        d_edge = gs.new_zeros(len(edges.senders), 4)
        for layer, norm in zip(reversed(self.layers), reversed(norms), strict=True):
            record = kept.pop()
            if not record.full:
                record = Kept(record.s, record.v, True)
                layer.forward(edges, norm, record, in_place=False)
            layer.backward(edges, norm, record, gs, gv, d_edge)
        return edges.gradient(d_edge)


class _Frozen(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pos: Tensor, body: FrozenPaiNN, graph: Graph, norms: list[Norm]) -> tuple[Tensor, Tensor]:
        kept: list[Kept] = []
        edges = Edges.of(graph)
        ctx.body, ctx.edges, ctx.norms, ctx.kept = body, edges, norms, kept
        return body.forward(edges, norms, kept)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gs: Tensor, gv: Tensor) -> tuple[Tensor, None, None, None]:
        kept = list(ctx.kept)  # a second gradient finds them again
        clones = (g.clone(memory_format=torch.contiguous_format) for g in (gs, gv))
        return ctx.body.backward(ctx.edges, ctx.norms, kept, *clones), None, None, None
