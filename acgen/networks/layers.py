"""Building blocks shared by the networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class GaussianRFF(nn.Module):
    """Gaussian random Fourier features of a scalar (Tancik et al. 2020), as in Eq. 15 of arXiv:2312.05472.

    Maps (B,) to (B, width) by cos and sin of 2 pi f t with fixed f ~ N(0, scale²).
    """

    frequency: Tensor

    def __init__(self, width: int, scale: float = 1.0):
        super().__init__()
        self.register_buffer("frequency", torch.randn(width // 2) * scale)

    def forward(self, t: Tensor) -> Tensor:
        phase = 2 * math.pi * t[:, None] * self.frequency
        return torch.cat([phase.cos(), phase.sin()], dim=-1)


class BesselBasis(nn.Module):
    """Radial basis sin(n pi r / rc) / r under a smooth cutoff (Gasteiger et al. 2020), (E,) to (E, size)."""

    n: Tensor

    def __init__(self, size: int, cutoff: float):
        super().__init__()
        self.cutoff = cutoff
        self.register_buffer("n", torch.arange(1, size + 1) * math.pi / cutoff, persistent=False)

    def forward(self, r: Tensor) -> Tensor:
        return torch.sin(r[:, None] * self.n) * (envelope(r, self.cutoff) / r)[:, None]


def envelope(r: Tensor, cutoff: float) -> Tensor:
    """Polynomial that falls from 1 at r = 0 to 0 at the cutoff with two vanishing derivatives there."""
    x = (r / cutoff).clamp(max=1.0)
    return 1 - x**3 * (10 - 15 * x + 6 * x**2)


def mlp(inputs: int, width: int, outputs: int, *, norm: bool = False) -> nn.Sequential:
    """Two linear layers with SiLU between them and, if asked, a layer normalisation behind (§4.5)."""
    layers = [nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, outputs)]
    return nn.Sequential(*layers, nn.LayerNorm(outputs)) if norm else nn.Sequential(*layers)
