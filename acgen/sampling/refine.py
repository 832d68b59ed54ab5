"""Refining a structure by a short guided anneal: Langevin dynamics under a potential and the guides' pull.

A score network leaves strain in the network of bonds that no relaxation takes out; two picoseconds from 2000 K do. The
guides' penalty -log p(y|x) counts as an energy of `WORTH` k_B T times itself, with T the temperature that the anneal
begins at: with 1, what is sampled there would be the posterior of Eq. 9 of arXiv:2312.05472 with the potential's
Boltzmann factor as prior. While the cell cools, the pull stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from ase import units
from torch import Tensor

from acgen.errors import AcgenError
from acgen.networks.graph import Graph, NearList
from acgen.networks.network import EnergyModel
from acgen.sampling.guidance import Guide, Seen, SeenPairs, by_kind
from acgen.sampling.schedule import MD_STEPS, TIMESTEP, Step
from acgen.structures.cell import CARBON_MASS

FRICTION = 0.05
"""Friction of the thermostat in 1/fs: an atom forgets its velocity within 20 fs, and what a pull heats flows off."""
WORTH = 3.0
"""What a guide's penalty is multiplied with in an anneal: with 1 candidates of a-C-2.0 lost a quarter of their fit."""
PULL_LIMIT = 3.0
"""Largest pull of an atom in eV/Å; thermal forces at 1500 K are about as large."""
HOT = 6000.0
"""Temperature in K of the atoms beyond which an anneal has left what the potential was trained for."""

ACCELERATION = units.fs**2 / CARBON_MASS
"""Acceleration in Å/fs² of a carbon atom by 1 eV/Å."""


Told = tuple[Seen | None, SeenPairs | None]


class AnnealError(AcgenError):
    """An anneal that went wrong, with what to lower; the structure before it is as good as it was."""


@dataclass(frozen=True)
class Annealed:
    """Structures after a step of an anneal: positions in Å and velocities in Å/fs, shape (structures, N, 3).

    `temperature` in K of the atoms and `energy` in eV per atom, without the guides', are one for each structure;
    `seen` is what the guides saw last of each: a spectrum and a pair distribution, None without such a guide.
    """

    positions: Tensor
    velocities: Tensor
    temperature: Tensor
    energy: Tensor
    seen: Sequence[Told]


class Refiner:
    """Carries structures of one size in equal cells through the steps of an anneal.

    Parameters
    ----------
    potential
        Gives energies and forces.
    cell
        Cell vectors (3, 3) in Å.
    temperature
        Temperature in K at which the anneal begins; it sets what the guides' penalties are worth.
    """

    def __init__(self, potential: EnergyModel, cell: Tensor, temperature: float):
        self.potential, self.cell = potential, cell
        self.worth = WORTH * units.kB * temperature
        self._near: NearList | None = None

    def start(self, positions: Tensor, temperature: float, generators: Sequence[torch.Generator]) -> Tensor:
        """Velocities (structures, N, 3) in Å/fs of a Maxwell-Boltzmann distribution at a temperature in K."""
        return _thermal(temperature) * _noise(positions, generators)

    def __call__(
        self,
        positions: Tensor,
        velocities: Tensor,
        step: Step,
        generators: Sequence[torch.Generator],
        guides: Sequence[Guide] = (),
    ) -> Annealed:
        """The `MD_STEPS` steps of the dynamics that are one step of a plan (BAOAB, Leimkuhler and Matthews 2013).

        The guides pull once, as strongly as so many steps: they cost more than the potential.

        Raises
        ------
        AnnealError
            If the atoms become hotter than `HOT`.
        """
        x, v = positions.clone(), velocities.clone()
        keep = math.exp(-FRICTION * TIMESTEP)
        kick = math.sqrt(1 - keep**2) * _thermal(step.temperature)
        seen: Sequence[Told] = [(None, None)] * len(x)
        if guides:
            pull, seen = self.pull(x, guides)
            v = v + MD_STEPS * TIMESTEP * ACCELERATION * pull
        energy, force = self._forces(x)
        for _ in range(MD_STEPS):
            v = v + 0.5 * TIMESTEP * ACCELERATION * force
            x = x + 0.5 * TIMESTEP * v
            v = keep * v + kick * _noise(x, generators)
            x = x + 0.5 * TIMESTEP * v
            energy, force = self._forces(x)
            v = v + 0.5 * TIMESTEP * ACCELERATION * force
            hot = temperature_of(v)
            if not bool((hot < HOT).all()):
                raise AnnealError(
                    f"the anneal heated a structure to {float(hot.max()):.0f} K: give a lower refine temperature or xi"
                )
        return Annealed(x, v, hot, energy, seen)

    def _forces(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energies in eV per atom (structures,) and forces in eV/Å."""
        energies, forces = self.potential.energies_and_forces(self._graph(x))
        return energies.view(x.shape[:2]).mean(1), forces.view(x.shape)

    def _graph(self, x: Tensor) -> Graph:
        if self._near is None or not self._near.holds(x):
            self._near = NearList(x, self.cell, self.potential.config.cutoff)
        return self._near.graph(x)

    def pull(self, x: Tensor, guides: Sequence[Guide]) -> tuple[Tensor, Sequence[Told]]:
        """Force of the guides in eV/Å, and what they see."""
        with torch.enable_grad():
            pos = x.detach().clone().requires_grad_(True)
            penalties, told = zip(*(guide(pos, self.cell) for guide in guides), strict=True)
            (gradient,) = torch.autograd.grad(torch.stack(penalties).sum(), pos)
        force = -self.worth * gradient
        limited = force * (PULL_LIMIT / (force.norm(dim=-1, keepdim=True) + 1e-12)).clamp(max=1.0)
        return limited, [by_kind(each) for each in zip(*told, strict=True)]


def temperature_of(velocities: Tensor) -> Tensor:
    """Temperatures in K of structures, shape (structures,), from velocities (structures, N, 3) in Å/fs."""
    return velocities.square().mean((1, 2)) / (units.kB * ACCELERATION)


def _thermal(temperature: float) -> float:
    """Standard deviation in Å/fs of a velocity's component at a temperature in K."""
    return math.sqrt(units.kB * temperature * ACCELERATION)


def _noise(like: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    return torch.stack([torch.randn(like.shape[1:], generator=each) for each in generators]).to(like.device)
