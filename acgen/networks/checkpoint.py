"""Weights on disk: one safetensors file with its configuration, provenance and checksum. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from acgen.errors import AcgenError
from acgen.networks.config import NetworkConfig
from acgen.networks.network import EnergyModel, ForwardModel, Network, ScoreModel, build

UNITS = {"length": "angstrom", "energy": "eV", "density": "g/cm3"}


class CheckpointError(AcgenError):
    """A weights file that is missing, corrupted or made for something else."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], info: Mapping[str, Any]) -> None:
    """Write tensors with JSON-ready `info` and a checksum of the tensors, atomically."""
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, {"acgen": json.dumps(dict(info)), "sha256": _digest(tensors)})
    os.replace(partial, path)


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and `info` of a file of `write_tensors`.

    Raises
    ------
    CheckpointError
        If the file is missing, is not a safetensors file of acgen, or fails its checksum.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there is no weights file {path}; give a .safetensors file made by `acgen train`")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        info = json.loads(header["acgen"])
        intact = header["sha256"] == _digest(tensors)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise CheckpointError(f"{path} is not a weights file of acgen or is damaged; get it again ({error})") from error
    if not intact:
        raise CheckpointError(f"{path} fails its checksum: the file is corrupted; get it again or train anew")
    return tensors, info


def save_model(path: str | Path, model: nn.Module, config: NetworkConfig, provenance: Mapping[str, Any]) -> None:
    """Write a network with its configuration, units and how it was trained."""
    info = {"config": asdict(config), "units": UNITS, "provenance": dict(provenance)}
    write_tensors(Path(path), model.state_dict(), info)


def load_score(path: str | Path) -> ScoreModel:
    """The score network in a weights file, ready to evaluate.

    Raises
    ------
    CheckpointError
        As `read_tensors`, and if the network is for another task or does not fit its configuration.
    """
    model = load_model(path)
    if not isinstance(model, ScoreModel):
        raise CheckpointError(f"{path} holds a {model.config.task} network where a score network is needed")
    return model


def load_forward(path: str | Path) -> ForwardModel:
    """The forward network in a weights file, ready to evaluate; raises as `load_score`."""
    model = load_model(path)
    if not isinstance(model, ForwardModel):
        raise CheckpointError(f"{path} holds a {model.config.task} network where a forward network is needed")
    return model


def load_energy(path: str | Path) -> EnergyModel:
    """The potential in a weights file, ready to evaluate; raises as `load_score`."""
    model = load_model(path)
    if not isinstance(model, EnergyModel):
        raise CheckpointError(f"{path} holds a {model.config.task} network where a potential is needed")
    return model


def load_model(path: str | Path) -> Network:
    """The network in a weights file, whatever its task; raises as `load_score`."""
    tensors, info = read_tensors(path)
    try:
        config = NetworkConfig(**info["config"])
        model = build(config)
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not hold a network this version of acgen can build: {error}") from error
    return model.eval().requires_grad_(False)


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(tensors: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.numpy().tobytes())
    return total.hexdigest()
