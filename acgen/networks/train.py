"""Training of score and forward networks (§4.4 and Table 1 of arXiv:2312.05472) and of a potential."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import huber_loss
from torch.optim.swa_utils import AveragedModel

from acgen.data.cells import LabelledCell
from acgen.errors import AcgenError
from acgen.memory import keep_freed_memory
from acgen.networks.checkpoint import CheckpointError, file_sha256, load_model, read_tensors, save_model, write_tensors
from acgen.networks.graph import batch_graphs, periodic_graph
from acgen.networks.network import EnergyModel, Network, start_from
from acgen.networks.noise import T_MAX, T_MIN, NoiseSchedule
from acgen.networks.teacher import COPIES, taught_copies


@dataclass(frozen=True)
class TrainConfig:
    """How to train; stored with the weights.

    Parameters
    ----------
    updates, minutes
        The end: a number of updates, or, where that is None, a time spent training. The learning rate follows
        whichever is given, so only a run with `updates` is repeated exactly.
    batch
        Cells per update.
    rate, warmup, constant
        Peak learning rate, reached linearly within `warmup` updates, held for the `constant` part of the run, then
        lowered to zero along a cosine. `constant=1` never lowers it, as in the paper.
    ema
        Decay of the moving average of the weights, which is what is kept. It rises to this value as (1 + n) / (10 + n)
        with the updates n, so that a short run forgets its random start.
    clip
        Largest norm of a gradient; infinity does not clip.
    focus, focused
        Noise times: this part of them is drawn uniformly from this interval of t, where the structure is decided,
        the rest uniformly from (0.001, 0.999), as all are in the paper (`focused=0`).
    jitter
        Forward training displaces the atoms by a standard deviation drawn from 0 to this many Å for every cell: a
        network that knows only thermal structures is easily fooled by a guided one. Spectra stay, unless `taught`.
    taught
        Forward training learns what `acgen.networks.teacher.Teacher`, who knows the cells with spectra, makes of
        displaced copies of all cells (`taught_copies` there); cells need no spectra then.
    seed
        Seed of everything random.
    """

    updates: int | None = None
    minutes: float | None = None
    batch: int = 2
    rate: float = 1.5e-3
    warmup: int = 500
    constant: float = 0.3
    ema: float = 0.999
    clip: float = 1.0
    focus: tuple[float, float] = (0.02, 0.62)
    focused: float = 0.85
    jitter: float = 0.0
    taught: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.updates is None and self.minutes is None:
            raise AcgenError("training needs an end: give a number of updates or of minutes")
        if min(self.updates or 1, self.minutes or 1, self.batch, self.rate, self.clip) <= 0:
            raise AcgenError(f"updates, minutes, batch, rate and clip must be positive: {self}")
        if not (0 <= self.ema < 1 and 0 <= self.constant <= 1 and 0 <= self.focused <= 1 and self.jitter >= 0):
            raise AcgenError(f"ema lies in [0, 1), constant and focused in [0, 1], jitter is not negative: {self}")

    def done(self, update: int, seconds: float) -> float:
        """Part of the run that lies behind, from 0 to 1."""
        end = update / self.updates if self.updates else seconds / (60 * (self.minutes or 1))
        return min(end, 1.0)

    def rate_at(self, update: int, done: float) -> float:
        """Learning rate of an update."""
        rate = self.rate * min(1.0, (update + 1) / max(self.warmup, 1))
        if done <= self.constant:
            return rate
        return rate * 0.5 * (1 + math.cos(math.pi * (done - self.constant) / (1 - self.constant)))


DEFAULTS: dict[tuple[str, str], TrainConfig] = {
    ("score", "default"): TrainConfig(minutes=1, ema=0.9995),
    ("score", "shallow"): TrainConfig(minutes=1, ema=0.9995),
    ("score", "weak"): TrainConfig(minutes=1),
    ("forward", "default"): TrainConfig(minutes=1, batch=1, rate=2e-3, warmup=200, jitter=0.25, taught=True),
    ("forward", "guide"): TrainConfig(minutes=1, batch=1, rate=2e-3, warmup=200, jitter=0.25),
    ("forward", "judge"): TrainConfig(minutes=1, batch=1, rate=1e-3, warmup=200, jitter=0.25),
    ("energy", "default"): TrainConfig(minutes=1, batch=4, rate=2e-3, ema=0.999, clip=10.0),
    ("score", "paper"): TrainConfig(updates=1_000_000, batch=64, rate=1e-3, constant=1.0, focused=0.0),
    ("forward", "paper"): TrainConfig(updates=400_000, batch=8, rate=1e-4, constant=1.0),
}
"""How the networks of `config.CONFIGS` are trained; `paper` is Table 1, of which the end is replaced."""

ENERGY_WEIGHT = 100.0
"""Weight of the squared error of the energy per atom in eV² beside that of the forces in (eV/Å)²."""
SITE_WEIGHT = 4.0
"""The same of twice the Huber loss of each atom's own energy in eV, where the labels have it; no other was tried."""


@dataclass(frozen=True)
class Progress:
    """Where a training run stands.

    `loss` is the mean since the last report: per atom and summed over x, y, z for a score (3 knows nothing), per atom
    and energy for a forward network, and for a potential twice the Huber loss of a force component in (eV/Å)² plus the
    weighted error of the energies. `seconds` is time spent training, over all resumptions; `done` runs from 0 to 1.
    """

    update: int
    loss: float
    rate: float
    seconds: float
    done: float


def train(
    model: Network,
    cells: Sequence[LabelledCell],
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    start: Path | None = None,
    every: int = 100,
    checkpoint_s: float = 120.0,
    compile: bool = False,
) -> Iterator[Progress]:
    """Train `model` in place; yield progress every `every` updates.

    The averaged weights go to `out`, and all that a resumption needs to `out` with the suffix `.state.safetensors`,
    every `checkpoint_s` seconds and when the generator ends or is closed.

    Parameters
    ----------
    cells
        Structures, for a forward network with spectra, for a potential with energies and forces. Every kind of cell is
        drawn equally often; for a potential every structure is.
    resume
        Continue from the state beside `out`.
    start
        Weights to start from, of this network or of one with fewer interactions, instead of random ones.
    compile
        Fuse operations with `torch.compile`; needs a C++ compiler, and is about twice as fast. Not for a potential,
        whose forces are a gradient already.

    Raises
    ------
    AcgenError
        If there is nothing to train on, a cell lacks the spectra or forces that the network needs, the weights to start
        from do not fit, or the loss is not finite.
    """
    keep_freed_memory()
    if compile and isinstance(model, EnergyModel):
        raise AcgenError("a potential is trained without compile: its forces are a gradient already")
    run = _Run(model, cells, config, out)
    if start is not None:
        start_from(model, load_model(start))
        run.start = {"sha256": file_sha256(start)} | read_tensors(start)[1]["provenance"]
    if resume:
        run.load()
    elif start is None and isinstance(model, EnergyModel):
        model.shift.fill_(torch.stack([labels[0, 3] for _, _, labels in run.cells]).mean())
    step: Callable[..., Tensor] = torch.compile(model, dynamic=True) if compile else model
    saved, losses = time.monotonic(), []
    try:
        while (done := config.done(run.update, run.seconds)) < 1:
            began = time.monotonic()
            losses.append(run.advance(step, config.rate_at(run.update, done)))
            run.seconds += time.monotonic() - began
            if run.update % every == 0:
                loss = float(torch.stack(losses).mean())
                losses.clear()
                if not math.isfinite(loss):
                    raise AcgenError(f"the loss is {loss} at update {run.update}; lower the learning rate or the clip")
                yield Progress(run.update, loss, run.optimizer.param_groups[0]["lr"], run.seconds, done)
            if time.monotonic() - saved > checkpoint_s:
                run.save()
                saved = time.monotonic()
    finally:
        run.save()


class _Run:
    """The mutable state of a training run, and one update of it."""

    def __init__(self, model: Network, cells: Sequence[LabelledCell], config: TrainConfig, out: Path):
        if not cells:
            raise AcgenError("there are no cells to train on; name a folder with structures")
        self.model, self.config, self.out = model, config, Path(out)
        self.state_file = self.out.with_name(self.out.name.removesuffix(".safetensors") + ".state.safetensors")
        self.cells = [_prepare(cell, model.config.task, config.taught) for cell in cells]
        kinds = defaultdict(list)
        for index, cell in enumerate(cells):
            kinds[kind(cell)].append(index)
        # structures with forces are frames of a run, and each counts as much as another
        self.groups = list(kinds.values()) if model.config.task != "energy" else [list(range(len(cells)))]
        self.kinds = {name: len(members) for name, members in sorted(kinds.items())}
        self.optimizer = torch.optim.RAdam(model.parameters(), lr=config.rate)
        self.averaged = AveragedModel(model, avg_fn=_moving_average(config.ema))
        self.generator = torch.Generator().manual_seed(config.seed)
        self.copies = taught_copies(cells, config.jitter, self.generator) if config.taught else []
        self.update, self.seconds = 0, 0.0
        self.start: dict[str, Any] | None = None

    def advance(self, step: Callable[..., Tensor], rate: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = [self._cell(self._draw()) for _ in range(self.config.batch)]
        losses = {"score": self._score_loss, "forward": self._forward_loss, "energy": self._energy_loss}
        loss = losses[self.model.config.task](step, batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.averaged.update_parameters(self.model)
        self.update += 1
        return loss.detach()

    def _draw(self) -> int:
        group = self.groups[int(torch.randint(len(self.groups), (), generator=self.generator))]
        return group[int(torch.randint(len(group), (), generator=self.generator))]

    def _cell(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """A cell to learn from: for a forward network a displaced copy."""
        if self.copies:
            return self.copies[index][int(torch.randint(COPIES, (), generator=self.generator))]
        positions, cell, labels = self.cells[index]
        if self.model.config.task == "forward":
            jitter = self.config.jitter * torch.rand((), generator=self.generator)
            positions = positions + jitter * torch.randn(positions.shape, generator=self.generator)
        return positions, cell, labels

    def _noise_times(self, count: int) -> Tensor:
        u, where = torch.rand(2, count, generator=self.generator)
        low, high = self.config.focus
        return torch.where(where < self.config.focused, low + u * (high - low), T_MIN + u * (T_MAX - T_MIN))

    def _score_loss(self, step: Callable[..., Tensor], batch: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        """Denoising score matching, Eq. 14: the squared norm of sigma s + eps, per atom."""
        t = self._noise_times(len(batch))
        graphs, noises = [], []
        for (positions, cell, _), sigma in zip(batch, NoiseSchedule(self.model.config.k).sigma(t), strict=True):
            positions, cell = self._rotated(positions, cell)
            noise = torch.randn(positions.shape, generator=self.generator)
            graphs.append(periodic_graph(positions + sigma * noise, cell, self.model.config.cutoff))
            noises.append(noise)
        return (step(batch_graphs(graphs), t) + torch.cat(noises)).square().sum(-1).mean()

    def _forward_loss(self, step: Callable[..., Tensor], batch: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        """Mean squared error of the sites' spectra, plus that of their mean over each cell."""
        graphs, targets = [], []
        for positions, cell, spectra in batch:
            positions, cell = self._rotated(positions, cell)
            graphs.append(periodic_graph(positions, cell, self.model.config.cutoff))
            targets.append(spectra)
        error = step(batch_graphs(graphs)) - torch.cat(targets)
        cells = error.split([len(target) for target in targets])
        return error.square().mean() + torch.stack([cell.mean(0) for cell in cells]).square().mean()

    def _energy_loss(self, step: Callable[..., Tensor], batch: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        """Huber loss of the forces' components, plus the squared error of the energy per atom times `ENERGY_WEIGHT`.

        Beyond 1 eV/Å the loss is linear, so that the few hot and close pairs do not drown what holds a glass together.
        Where labels say how the energy is shared out among the atoms, that counts too (`SITE_WEIGHT`): it tells a bond
        that costs energy from one that does not, which the sum over a cell hardly does.
        """
        cutoff = self.model.config.cutoff
        graph = batch_graphs([periodic_graph(positions, cell, cutoff) for positions, cell, _ in batch])
        model: Any = self.model
        energies, forces = model.energies_and_forces(graph)
        labels, sizes = torch.cat([label for _, _, label in batch]), [len(label) for _, _, label in batch]
        off = torch.stack([each.mean() for each in (energies - labels[:, 3]).split(sizes)])
        loss = 2 * huber_loss(forces, labels[:, :3]) + ENERGY_WEIGHT * off.square().mean()
        known = labels[:, 4].isfinite()
        if not known.any():
            return loss
        return loss + SITE_WEIGHT * 2 * huber_loss(energies[known], labels[known, 4])

    def _rotated(self, positions: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        if self.model.config.equivariant:
            return positions, cell
        q, r = torch.linalg.qr(torch.randn(3, 3, generator=self.generator))
        q = q * r.diagonal().sign()
        return positions @ q, cell @ q

    def save(self) -> None:
        names = dict(self.model.named_parameters())
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.averaged.module.state_dict().items()}
        for name, parameter in names.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{name}:{key}"] = value
        tensors["generator"] = self.generator.get_state()
        tensors["averages"] = self.averaged.n_averaged
        info: dict[str, Any] = {"config": asdict(self.model.config), "start": self.start}
        info |= {"update": self.update, "seconds": self.seconds}
        write_tensors(self.state_file, {name: value.clone() for name, value in tensors.items()}, info)
        save_model(self.out, self.averaged.module, self.model.config, self.provenance())

    def provenance(self) -> dict[str, Any]:
        return {
            "training": asdict(self.config),
            "updates": self.update,
            "minutes": round(self.seconds / 60, 2),
            "cells": self.kinds,
            "start": self.start,
            "torch": torch.__version__,
        }

    def load(self) -> None:
        tensors, info = read_tensors(self.state_file)
        if info["config"] != asdict(self.model.config):
            raise CheckpointError(f"{self.state_file} is of another network: {info['config']}; give that configuration")
        part: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}}
        for name, value in tensors.items():
            head, _, rest = name.partition(".")
            if head in part:
                part[head][rest] = value
        self.model.load_state_dict(part["model"])
        self.averaged.module.load_state_dict(part["average"])
        self.averaged.n_averaged.copy_(tensors["averages"])
        for name, parameter in self.model.named_parameters():
            prefix = f"optimizer.{name}:"
            state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            if state:
                self.optimizer.state[parameter] = state
        self.generator.set_state(tensors["generator"])
        self.update, self.seconds, self.start = info["update"], info["seconds"], info.get("start")


def _moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    def update(averaged: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        n = int(updates)
        return torch.lerp(averaged, current, 1 - min(decay, (1 + n) / (10 + n)))

    return update


def kind(cell: LabelledCell) -> str:
    """What a cell is one sample of: its network of atoms (`LabelledCell.network`) and, from a quench, its time."""
    quench = cell.atoms.info.get("quench_fs")
    return cell.network if quench is None else f"{cell.network}, {quench} fs quench"


def _prepare(cell: LabelledCell, task: str, taught: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Positions (N, 3), cell (3, 3) and, for a forward network that nobody teaches, spectra (N, points).

    For a potential (N, 5): the force on every atom in eV/Å, the mean energy of an atom in eV, and the atom's own, NaN
    where it is not known.
    """
    learned = task == "forward" and not taught
    if learned and cell.spectra is None:
        raise AcgenError(f"{cell.name} has no spectra; train a forward network on cells that have them")
    positions = torch.tensor(cell.atoms.positions, dtype=torch.float32)
    box = torch.tensor(cell.atoms.cell.array, dtype=torch.float32)
    labels = torch.empty(0)
    if learned:
        labels = torch.tensor(cell.spectra, dtype=torch.float32)
    elif task == "energy":
        labels = torch.tensor(_energy_labels(cell), dtype=torch.float32)
    return positions, box, labels


def _energy_labels(cell: LabelledCell) -> np.ndarray:
    results = getattr(cell.atoms.calc, "results", {})
    if not {"energy", "forces"} <= results.keys():
        raise AcgenError(
            f"{cell.name} has no energy or forces; train a potential on extxyz files that have both, such as those of "
            "`acgen data energies`"
        )
    atoms = len(cell.atoms)
    sites = results.get("energies", np.full(atoms, np.nan))
    return np.column_stack([results["forces"], np.full(atoms, results["energy"] / atoms), sites])
