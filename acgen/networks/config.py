"""Which networks there are. Nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acgen.errors import AcgenError

Task = Literal["score", "forward", "energy"]
Kind = Literal["painn", "meshgraphnets", "schnet"]


@dataclass(frozen=True)
class NetworkConfig:
    """Everything needed to build a network again; stored as JSON beside its weights.

    Parameters
    ----------
    task
        `score`, `forward` or `energy`.
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
        kinds = {
            "score": ("painn", "meshgraphnets"),
            "forward": ("painn", "meshgraphnets", "schnet"),
            "energy": ("painn",),
        }
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
    ("forward", "guide"): NetworkConfig("forward", interactions=3),
    ("energy", "default"): NetworkConfig("energy", width=32, interactions=2, cutoff=3.7),
    ("score", "paper"): NetworkConfig("score", "meshgraphnets", width=256, interactions=5),
    ("forward", "paper"): NetworkConfig("forward", "meshgraphnets", width=256, interactions=3),
    ("forward", "judge"): NetworkConfig("forward", "schnet", width=96, interactions=3, cutoff=4.0, radial=32),
}
"""Named configurations of `acgen train TASK --config NAME`; `paper` is Table 1 of arXiv:2312.05472, `shallow`
the first stage of the default, `weak` what autoguidance leads away from, `guide` the forward network that guides,
`judge` what judges guided structures."""
