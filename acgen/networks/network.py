"""Score models, forward models and potentials."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from acgen.errors import AcgenError
from acgen.networks.config import NetworkConfig
from acgen.networks.graph import Graph
from acgen.networks.meshgraphnets import MeshGraphNets
from acgen.networks.noise import NoiseSchedule
from acgen.networks.painn import PaiNNEnergy, PaiNNForward, PaiNNScore
from acgen.networks.schnet import SchNetForward


class ScoreModel(nn.Module):
    """A network that predicts sigma(t) s(x, t), and with it score and clean estimate."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        c = config
        self.network: nn.Module = (
            PaiNNScore(c.width, c.interactions, c.radial, c.cutoff)
            if c.kind == "painn"
            else MeshGraphNets(c.width, c.interactions, c.cutoff, 3, timed=True)
        )

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def schedule(self) -> NoiseSchedule:
        """The noise it was trained for."""
        return NoiseSchedule(self.config.k)

    def forward(self, graph: Graph, t: Tensor) -> Tensor:
        """sigma(t) times the score, shape (N, 3), without unit; `t` has one value per graph, shape (graphs,)."""
        return self.network(graph, t)


class ForwardModel(nn.Module):
    """A network that predicts the spectrum of every atom on the energy grid of the training spectra."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        c = config
        self.network: nn.Module
        if c.kind == "meshgraphnets":
            self.network = MeshGraphNets(c.width, c.interactions, c.cutoff, c.points, timed=False)
        else:
            invariant = PaiNNForward if c.kind == "painn" else SchNetForward
            self.network = invariant(c.width, c.interactions, c.radial, c.cutoff, c.points)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def forward(self, graph: Graph) -> Tensor:
        """Spectra of all atoms, shape (N, points), in the intensity unit of the training set."""
        return self.network(graph)


class EnergyModel(nn.Module):
    """A potential: the energy is a sum over atoms, and forces are exactly its negative gradient."""

    shift: Tensor

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        c = config
        self.network = PaiNNEnergy(c.width, c.interactions, c.radial, c.cutoff)
        self.register_buffer("shift", torch.zeros(()))

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.shift.device

    def forward(self, graph: Graph) -> Tensor:
        """Energies of all atoms in eV, shape (N,)."""
        return self.network(graph) + self.shift

    def energies_and_forces(self, graph: Graph) -> tuple[Tensor, Tensor]:
        """Energies of all atoms in eV, shape (N,), and the forces on them in eV/Å, shape (N, 3)."""
        with torch.enable_grad():
            pos = graph.pos.detach().clone().requires_grad_(True)
            energies = self(replace(graph, pos=pos))
            (gradient,) = torch.autograd.grad(energies.sum(), pos, create_graph=self.training)
        return (energies, -gradient) if self.training else (energies.detach(), -gradient)


Network = ScoreModel | ForwardModel | EnergyModel


def start_from(model: Network, weights: Network) -> None:
    """Copy the weights of a network into a deeper one, in place; the interactions that it lacks start as no change.

    Raises
    ------
    AcgenError
        If they differ in anything but the number of interactions of a `painn` network.
    """
    same = replace(weights.config, interactions=model.config.interactions)
    if model.config != same or weights.config.interactions > model.config.interactions:
        raise AcgenError(f"cannot start {model.config} from {weights.config}: only the number of interactions may grow")
    if model.config.interactions > weights.config.interactions and model.config.kind != "painn":
        raise AcgenError(f"a network of kind {model.config.kind} cannot start from one with fewer interactions")
    model.load_state_dict(weights.state_dict(), strict=False)
    if isinstance(model.network, PaiNNScore | PaiNNForward | PaiNNEnergy):
        model.network.body.silence(weights.config.interactions)


def build(config: NetworkConfig) -> Network:
    """A freshly initialised network of this configuration."""
    made: dict[str, type[Network]] = {"score": ScoreModel, "forward": ForwardModel, "energy": EnergyModel}
    return made[config.task](config)
