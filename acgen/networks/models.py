"""The networks of a run, shipped or your own, and what they predict of a structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ase import Atoms

from acgen.assets import asset
from acgen.networks.checkpoint import CheckpointError, file_sha256, load_energy, load_forward, load_score
from acgen.networks.graph import Graph, periodic_graph
from acgen.networks.network import EnergyModel, ForwardModel, ScoreModel


@dataclass(frozen=True)
class Models:
    """The networks of a run and the SHA-256 of their files.

    `weak` is a small score network, away from which autoguidance leads the prior. `forward` predicts the spectra of
    finished structures. `guide` is a forward network for the blurred structures of a run, whose spectrum it takes for
    that of what they become; nothing but the guide uses it. `judge` is a third of another kind: what it finds tells a
    fitted structure from one that merely fools the others.
    `potential` gives the energies of structures, and the forces that refine them.
    """

    score: ScoreModel
    weak: ScoreModel
    forward: ForwardModel
    guide: ForwardModel
    judge: ForwardModel
    potential: EnergyModel
    sha256: Mapping[str, str]

    @property
    def device(self) -> torch.device:
        """Where the networks are, and what is computed with them."""
        return self.score.device

    def to(self, device: torch.device) -> Models:
        """The same networks on another device; these move there."""
        for role in ROLES:
            getattr(self, role).to(device)
        return self


ROLES = ("score", "weak", "forward", "guide", "judge", "potential")
"""What the networks of a run are for."""


def weights_files(**given: str | Path | None) -> dict[str, Path]:
    """The files of all networks by what they are for, the `ROLES`: given, or the shipped ones."""
    return {name: Path(given.get(name) or asset(f"weights/{name}.safetensors")) for name in ROLES}


def load_models(
    score: str | Path | None = None,
    forward: str | Path | None = None,
    judge: str | Path | None = None,
    guide: str | Path | None = None,
    weak: str | Path | None = None,
    potential: str | Path | None = None,
) -> Models:
    """Load networks from files, or the shipped ones.

    Raises
    ------
    CheckpointError
        If a file is missing, corrupted, or holds another kind of network, or if the score networks are made for
        different noise.
    """
    files = weights_files(score=score, forward=forward, guide=guide, judge=judge, weak=weak, potential=potential)
    models = Models(
        load_score(files["score"]),
        load_score(files["weak"]),
        load_forward(files["forward"]),
        load_forward(files["guide"]),
        load_forward(files["judge"]),
        load_energy(files["potential"]),
        {name: file_sha256(path) for name, path in files.items()},
    )
    if models.weak.schedule != models.score.schedule:
        both = f"{files['score']} and {files['weak']}"
        raise CheckpointError(f"{both} are trained for different noise; give two of the same k")
    return models


def load_potential(path: str | Path | None = None) -> EnergyModel:
    """The potential in a weights file, or the shipped one; raises as `load_models`."""
    return load_energy(weights_files(potential=path)["potential"])


@torch.no_grad()
def predict_sites(model: ForwardModel, atoms: Atoms) -> np.ndarray:
    """Spectra of all atoms of a periodic structure on `acgen.spectra.grid.ENERGY`, shape (N, points)."""
    return model(_graph(model, atoms)).double().cpu().numpy()


@torch.no_grad()
def predict_energies(model: EnergyModel, atoms: Atoms) -> np.ndarray:
    """Energies of all atoms of a periodic structure in eV, shape (N,)."""
    return model(_graph(model, atoms)).double().cpu().numpy()


def predict_forces(model: EnergyModel, atoms: Atoms) -> np.ndarray:
    """Forces on all atoms of a periodic structure in eV/Å, shape (N, 3)."""
    return model.energies_and_forces(_graph(model, atoms))[1].double().cpu().numpy()


def _graph(model: ForwardModel | EnergyModel, atoms: Atoms) -> Graph:
    positions = torch.tensor(atoms.positions, dtype=torch.float32)
    cell = torch.tensor(atoms.cell.array, dtype=torch.float32)
    return periodic_graph(positions.to(model.device), cell.to(model.device), model.config.cutoff)
