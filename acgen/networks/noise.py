"""Variance-exploding noise (Eq. 6 of arXiv:2312.05472), which a score network is trained for."""

from __future__ import annotations

from dataclasses import dataclass

from acgen.errors import AcgenError

T_MIN, T_MAX = 0.001, 0.999
"""Times between which networks are trained and samplers run."""


@dataclass(frozen=True)
class NoiseSchedule:
    """sigma(t) = k t and g²(t) = 2 k² t for t in (0, 1); lengths in Å.

    Parameters
    ----------
    k
        Noise at t = 1 in Å. 0.8 Å makes carbon at any density of interest uniformly random.
    """

    k: float = 0.8

    def __post_init__(self) -> None:
        if not self.k > 0:
            raise AcgenError(f"the noise scale k is {self.k} Å; give a positive length, such as 0.8")

    def sigma(self, t):
        """Standard deviation of the displacement of every coordinate at time t, in Å."""
        return self.k * t

    def g2(self, t):
        """Squared diffusion coefficient d sigma² / dt, in Å²."""
        return 2 * self.k**2 * t
