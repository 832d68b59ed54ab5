"""Equivariant message passing with scalar and vector features (PaiNN, Schütt et al., arXiv:2102.03150)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from acgen.networks.aggregate import neighbour_sum
from acgen.networks.atom_kernels import SCALE
from acgen.networks.frozen import fits, frozen
from acgen.networks.graph import Graph, edge_vectors, gather
from acgen.networks.layers import BesselBasis, GaussianRFF, mlp


class PaiNN(nn.Module):
    """Scalars (N, C) and vectors (N, 3, C) per atom after a few interactions; exactly E(3)-equivariant.

    Against the original, scalars pass a LayerNorm and vectors are divided by their root mean square before they
    are used (without it, training on noisy structures diverges), and, for a score network, the noise time shifts
    and scales the normalised scalars of every interaction.
    """

    def __init__(self, width: int, interactions: int, radial: int, cutoff: float, *, timed: bool):
        super().__init__()
        self.cutoff = cutoff
        self.species = nn.Parameter(torch.randn(width))
        self.time = nn.Sequential(GaussianRFF(width), mlp(width, width, width)) if timed else None
        self.basis = BesselBasis(radial, cutoff)
        self.messages = nn.ModuleList(
            Message(width, radial, timed=timed, first=k == 0) for k in range(interactions)
        )
        self.updates = nn.ModuleList(Update(width) for _ in range(interactions))

    @torch.no_grad()
    def silence(self, first: int) -> None:
        """Let the interactions from number `first` on change nothing, until they are trained."""
        for interaction in [*self.messages[first:], *self.updates[first:]]:
            interaction.phi[-1].weight.zero_()
            interaction.phi[-1].bias.zero_()

    def forward(self, graph: Graph, t: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if fits(self, graph):
            return frozen(self)(graph, t)
        return self.plain(graph, t)

    def plain(self, graph: Graph, t: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The same in operations of torch: for training, compilers and GPUs."""
        r = edge_vectors(graph)
        length = r.square().sum(-1).clamp(min=1e-8).sqrt()
        direction, basis = r / length[:, None], self.basis(length)
        s = self.species.expand(len(graph.pos), -1)
        v = s.new_zeros(len(s), 3, s.shape[1])
        time = None
        if self.time is not None:
            time = self.time(t)
            time = time.expand(len(s), -1) if len(time) == 1 else gather(time, graph.batch)
        for message, update in zip(self.messages, self.updates, strict=True):
            s, v = message(s, v, graph.edge_index, basis, direction, time)
            s, v = update(s, v)
        return s, v


class Message(nn.Module):
    """Sum of filtered neighbour features (Eq. 7-8 of PaiNN)."""

    def __init__(self, width: int, radial: int, *, timed: bool, first: bool):
        super().__init__()
        self.first = first
        parts = 2 if first else 3
        self.norm = nn.LayerNorm(width)
        self.time = nn.Linear(width, 2 * width) if timed else None
        self.phi = mlp(width, width, parts * width)
        self.filter = nn.Linear(radial, parts * width, bias=False)

    def forward(
        self, s: Tensor, v: Tensor, edge_index: Tensor, basis: Tensor, direction: Tensor, time: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        (senders, receivers), (atoms, width) = edge_index, s.shape
        h = self.norm(s)
        if self.time is not None:
            scale, shift = self.time(time).chunk(2, dim=-1)
            h = h * (1 + scale) + shift
        scalar, radial, *tangent = self.phi(h).split(width, dim=1)
        features = [scalar, radial]
        if not self.first:
            features.append((rms_normalised(v) * tangent[0][:, None]).reshape(atoms, 3 * width))
        summed = neighbour_sum(torch.cat(features, dim=1), self.filter(basis), direction, senders, receivers) * SCALE
        return s + summed[:, :width], v + summed[:, width:].view_as(v)


class Update(nn.Module):
    """Mixing of an atom's own scalars and vectors (Eq. 9-10 of PaiNN)."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 2 * width, bias=False)
        self.phi = mlp(2 * width, width, 3 * width)

    def forward(self, s: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        a, b = self.mix(rms_normalised(v)).chunk(2, dim=-1)
        length = b.square().sum(1).add(1e-6).sqrt()
        gate, cross, self_ = self.phi(torch.cat([self.norm(s), length], dim=-1)).chunk(3, dim=-1)
        return s + self_ + cross * (a * b).sum(1), v + gate[:, None] * a


def rms_normalised(v: Tensor) -> Tensor:
    """Vectors (N, 3, C) over the root mean square of their lengths."""
    return v * (v.square().sum(1, keepdim=True).mean(-1, keepdim=True) + 1e-3).rsqrt()


class PaiNNScore(nn.Module):
    """Predicts sigma times the score, shape (N, 3), without unit; see `acgen.networks.ScoreModel`."""

    def __init__(self, width: int, interactions: int, radial: int, cutoff: float):
        super().__init__()
        self.body = PaiNN(width, interactions, radial, cutoff, timed=True)
        self.gate = mlp(width, width, width)
        self.out = nn.Linear(width, 1, bias=False)

    def forward(self, graph: Graph, t: Tensor) -> Tensor:
        s, v = self.body(graph, t)
        return self.out(v * self.gate(s)[:, None]).squeeze(-1)


class PaiNNEnergy(nn.Module):
    """Predicts the energy of every atom, shape (N,), in eV."""

    def __init__(self, width: int, interactions: int, radial: int, cutoff: float):
        super().__init__()
        self.body = PaiNN(width, interactions, radial, cutoff, timed=False)
        self.out = mlp(width, width, 1)

    def forward(self, graph: Graph) -> Tensor:
        return self.out(self.body(graph)[0]).squeeze(-1)


class PaiNNForward(nn.Module):
    """Predicts the spectrum of every atom, shape (N, points), in the unit of the training spectra, never negative."""

    def __init__(self, width: int, interactions: int, radial: int, cutoff: float, points: int):
        super().__init__()
        self.body = PaiNN(width, interactions, radial, cutoff, timed=False)
        self.out = mlp(width, 2 * width, points)

    def forward(self, graph: Graph) -> Tensor:
        return nn.functional.softplus(self.out(self.body(graph)[0]))
