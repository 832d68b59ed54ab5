"""Which networks there are, and the two things they are used for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn

from acgen.errors import AcgenError
from acgen.networks.graph import Graph
from acgen.networks.meshgraphnets import MeshGraphNets
from acgen.networks.noise import NoiseSchedule
from acgen.networks.painn import PaiNNForward, PaiNNScore
from acgen.networks.schnet import SchNetForward

Task = Literal["score", "forward"]
Kind = Literal["painn", "meshgraphnets", "schnet"]


@dataclass(frozen=True)
class NetworkConfig:
    """Everything needed to build a network again; stored as JSON beside its weights.

    Parameters
    ----------
    task
        `score` or `forward`.
    kind
        `painn` (equivariant, the default), `meshgraphnets` (the paper's) or `schnet` (invariant, `forward` only).
    width, interactions
        Feature channels and number of message-passing layers.
    cutoff
        Reach of an edge in Å.
    radial
        Number of radial functions (not `meshgraphnets`).
    points
        Energies of a spectrum (`forward` only).
    k
        Noise at t = 1 in Å (`score` only).
    """

    task: Task
    kind: Kind = "painn"
    width: int = 64
    interactions: int = 4
    cutoff: float = 3.0
    radial: int = 16
    points: int = 100
    k: float = 0.8

    def __post_init__(self) -> None:
        kinds = {"score": ("painn", "meshgraphnets"), "forward": ("painn", "meshgraphnets", "schnet")}
        if self.kind not in kinds.get(self.task, ()):
            raise AcgenError(f"no network for task {self.task!r} and kind {self.kind!r}; there are {kinds}")
        if min(self.width, self.interactions, self.radial, self.points) < 1 or self.cutoff <= 0 or self.k <= 0:
            raise AcgenError(f"every size of a network must be positive: {self}")

    @property
    def equivariant(self) -> bool:
        """Whether the network is equivariant by construction, so that training needs no random rotations."""
        return self.kind != "meshgraphnets"


CONFIGS: dict[tuple[str, str], NetworkConfig] = {
    ("score", "default"): NetworkConfig("score", interactions=6),
    ("score", "shallow"): NetworkConfig("score", interactions=4),
    ("score", "weak"): NetworkConfig("score", width=32, interactions=2),
    ("forward", "default"): NetworkConfig("forward", interactions=3),
    ("score", "paper"): NetworkConfig("score", "meshgraphnets", width=256, interactions=5),
    ("forward", "paper"): NetworkConfig("forward", "meshgraphnets", width=256, interactions=3),
    ("forward", "judge"): NetworkConfig("forward", "schnet", width=96, interactions=3, cutoff=4.0, radial=32),
}
"""Named configurations of `acgen train TASK --config NAME`; `paper` is Table 1 of arXiv:2312.05472, `shallow`
the first stage of the default, `weak` what autoguidance leads away from, `judge` what judges guided structures."""


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

    def forward(self, graph: Graph) -> Tensor:
        """Spectra of all atoms, shape (N, points), in the intensity unit of the training set."""
        return self.network(graph)


def start_from(model: ScoreModel | ForwardModel, weights: ScoreModel | ForwardModel) -> None:
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
    if isinstance(model.network, PaiNNScore | PaiNNForward):
        model.network.body.silence(weights.config.interactions)


def build(config: NetworkConfig) -> ScoreModel | ForwardModel:
    """A freshly initialised network of this configuration."""
    return ScoreModel(config) if config.task == "score" else ForwardModel(config)
