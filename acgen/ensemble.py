"""Several candidates from one set of settings, and what is written of them."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.io import write
from torch import Tensor

from acgen.analysis import coordination_fractions
from acgen.assets import asset
from acgen.checkpoint import CheckpointError, file_sha256, load_forward, load_score
from acgen.graph import periodic_graph
from acgen.guidance import GuidedScore, GuideMode, SpectrumGuide
from acgen.memory import keep_freed_memory
from acgen.models.network import ForwardModel, ScoreModel
from acgen.sampler import Frame, sample
from acgen.schedule import ANNEALED, RESTART_STEPS, T_MAX, Plan, make_plan
from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import Target
from acgen.structure import carbon, cell_matrix, heights, n_atoms, random_positions
from acgen.structure import density as density_of


@dataclass(frozen=True)
class Models:
    """The networks of a run and the SHA-256 of their files.

    `weak` is a small score network, away from which autoguidance leads the prior. `judge` is a second forward network
    of another kind that never guides: what it finds tells a fitted structure from one that merely fools the first.
    """

    score: ScoreModel
    weak: ScoreModel
    forward: ForwardModel
    judge: ForwardModel
    sha256: Mapping[str, str]


def load_models(
    score: str | Path | None = None,
    forward: str | Path | None = None,
    judge: str | Path | None = None,
    weak: str | Path | None = None,
) -> Models:
    """Load networks from files, or the shipped ones.

    Raises
    ------
    CheckpointError
        If a file is missing, corrupted, or holds another kind of network, or if the score networks are made for
        different noise.
    """
    score = score or asset("weights/score.safetensors")
    forward = forward or asset("weights/forward.safetensors")
    judge = judge or asset("weights/judge.safetensors")
    weak = weak or asset("weights/weak.safetensors")
    files = {"score": score, "weak": weak, "forward": forward, "judge": judge}
    models = Models(
        load_score(score),
        load_score(weak),
        load_forward(forward),
        load_forward(judge),
        {name: file_sha256(path) for name, path in files.items()},
    )
    if models.weak.schedule != models.score.schedule:
        raise CheckpointError(f"{score} and {weak} are trained for different noise; give two of the same k")
    return models


@dataclass(frozen=True)
class Settings:
    """What to generate.

    Parameters
    ----------
    density
        g/cm³, 0.5-4.
    cell
        One edge, three edges, or three vectors, in Å.
    target
        Spectrum to guide towards, or None.
    guide
        `cell` (the mean over atoms has the target's spectrum) or `site` (every atom has it).
    xi
        Guidance strength, scale-agnostic; the paper uses 180-250.
    steps, restarts, restart_steps, restart_t
        See `acgen.schedule.make_plan`.
    noise_scale
        See `acgen.sampler.sample`.
    autoguidance
        How far the prior is led away from a weaker one, from 1 (not at all, the paper); see `acgen.guidance`.
    candidates
        How many structures.
    seed
        Candidate i uses seed + i.
    start, start_t
        A structure to start from, noised to time `start_t`, instead of random atoms; it then sets density and cell.
    """

    density: float = 2.0
    cell: Any = 12.93
    target: Target | None = None
    guide: GuideMode = "cell"
    xi: float = 200.0
    steps: int = 64
    restarts: int = 8
    restart_steps: int = RESTART_STEPS
    restart_t: tuple[float, float] = ANNEALED
    noise_scale: float = 0.8
    autoguidance: float = 2.5
    candidates: int = 4
    seed: int = 0
    start: Atoms | None = None
    start_t: float = 0.5

    def __post_init__(self) -> None:
        if self.start is not None:
            object.__setattr__(self, "cell", self.start.cell.array)
            object.__setattr__(self, "density", density_of(self.start))
        n_atoms(self.density, self.box)
        if self.candidates < 1 or self.seed < 0:
            raise ValueError(f"got {self.candidates} candidates and seed {self.seed}; give at least 1 and at least 0")
        if not (np.isfinite(self.xi) and self.xi >= 0):
            raise ValueError(f"xi is {self.xi}; give a number that is not negative (the paper: 180-250)")
        if self.guide not in ("cell", "site"):
            raise ValueError(f"guide is {self.guide!r}; use 'cell' or 'site'")
        if not 0 <= self.noise_scale <= 1:
            raise ValueError(f"noise_scale is {self.noise_scale}; give 0 to 1, where 1 is the paper's")
        if not 1 <= self.autoguidance <= 5:
            raise ValueError(f"autoguidance is {self.autoguidance}; give 1 (off, as in the paper) to 5")
        self.plan  # noqa: B018 - checks steps, restarts and start_t

    @property
    def box(self) -> np.ndarray:
        """Cell vectors as rows in Å, shape (3, 3)."""
        return cell_matrix(self.cell)

    @property
    def n_atoms(self) -> int:
        """Number of atoms of each candidate."""
        return len(self.start) if self.start is not None else n_atoms(self.density, self.box)

    @property
    def plan(self) -> Plan:
        """All steps of one candidate."""
        t = T_MAX if self.start is None else self.start_t
        return make_plan(self.steps, self.restarts, self.restart_steps, start_t=t, restart_t=self.restart_t)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        target = None if self.target is None else {"name": self.target.name, "history": list(self.target.history)}
        numbers = ("xi", "steps", "restarts", "restart_steps", "noise_scale", "autoguidance", "candidates", "seed")
        plain = {name: getattr(self, name) for name in ("density", "guide", *numbers)}
        start = None if self.start is None else {"n_atoms": len(self.start), "t": self.start_t}
        return plain | {
            "cell": self.box.tolist(),
            "n_atoms": self.n_atoms,
            "restart_t": list(self.restart_t),
            "target": target,
            "start": start,
        }


@dataclass(frozen=True)
class Candidate:
    """A finished structure.

    `spectrum` is the forward model's mean over atoms, `site_spectra` (N, points) of every atom, `judge_spectrum` the
    judge's mean; `misfit` and `judge_misfit` their distances to the target over the measured points, None without one.
    """

    index: int
    seed: int
    atoms: Atoms
    spectrum: np.ndarray = field(repr=False)
    site_spectra: np.ndarray = field(repr=False)
    judge_spectrum: np.ndarray = field(repr=False)
    misfit: float | None
    judge_misfit: float | None
    wall_s: float

    def to_dict(self) -> dict[str, Any]:
        """The entry of `summary.json`."""
        fractions = coordination_fractions(self.atoms)
        return {
            "index": self.index,
            "seed": self.seed,
            "n_atoms": len(self.atoms),
            "cn_fraction": {str(cn): fractions[cn] for cn in range(1, 6)},
            "misfit": self.misfit,
            "judge_misfit": self.judge_misfit,
            "wall_s": round(self.wall_s, 3),
        }


@dataclass(frozen=True)
class FrameEvent:
    """A frame of the candidate with this index."""

    candidate: int
    frame: Frame


def generate(settings: Settings, models: Models) -> Iterator[FrameEvent | Candidate]:
    """Generate candidates one after the other: every frame of each, then the candidate itself.

    Close the generator to stop; what it has yielded stays valid.

    Raises
    ------
    ValueError
        If the cell is so small that an atom sees its own images (`acgen.sampler.SamplingError` if a run explodes).
    """
    keep_freed_memory()
    check_cell(settings.box, models.score.config.cutoff)
    for index in range(settings.candidates):
        yield from _one(settings, models, index)


def check_cell(box: np.ndarray, cutoff: float) -> None:
    """Raise ValueError if a cell (3, 3) in Å is lower than twice the reach of the score network's edges."""
    low = float(heights(box).min())
    if low < 2 * cutoff:
        raise ValueError(
            f"the cell is {low:.2f} Å between its closest faces, and an atom would see its own images; "
            f"give at least {2 * cutoff:.1f} Å"
        )


def _one(settings: Settings, models: Models, index: int) -> Iterator[FrameEvent | Candidate]:
    begin = time.perf_counter()
    seed = settings.seed + index
    generator = torch.Generator().manual_seed(seed)
    cell = torch.tensor(settings.box, dtype=torch.float32)
    guides = []
    if settings.target is not None and settings.xi > 0:
        guides.append(SpectrumGuide(models.forward, settings.target, settings.xi, settings.guide))
    score = GuidedScore(models.score, cell, guides, weak=models.weak, autoguidance=settings.autoguidance)
    start = starting_positions(settings, models, cell, generator)
    frames = sample(
        score, start, settings.plan, models.score.schedule, generator, noise_scale=settings.noise_scale
    )
    for frame in frames:
        yield FrameEvent(index, frame)
    atoms = carbon(frame.positions.astype(float), settings.box)
    yield finish(settings, models, index, atoms, time.perf_counter() - begin)


def starting_positions(settings: Settings, models: Models, cell: Tensor, generator: torch.Generator) -> Tensor:
    """Random atoms, or those of `settings.start` noised to `settings.start_t`, shape (N, 3) in Å."""
    if settings.start is None:
        return random_positions(settings.n_atoms, cell, generator)
    clean = torch.tensor(settings.start.positions, dtype=torch.float32)
    return clean + models.score.schedule.sigma(settings.start_t) * torch.randn(clean.shape, generator=generator)


def finish(settings: Settings, models: Models, index: int, atoms: Atoms, wall_s: float) -> Candidate:
    """A candidate with its spectra and misfits, and settings and misfit in the `info` of its atoms."""
    sites = predict_sites(models.forward, atoms)
    spectrum, judged = sites.mean(0), predict_sites(models.judge, atoms).mean(0)
    target = settings.target
    misfit = None if target is None else target.misfit(spectrum)
    judge_misfit = None if target is None else target.misfit(judged)
    atoms.info = {
        "density": density_of(atoms),
        "seed": settings.seed + index,
        "xi": settings.xi if target is not None else 0.0,
        "restarts": settings.restarts,
    } | ({} if target is None else {"target": target.name, "misfit": misfit, "judge_misfit": judge_misfit})
    return Candidate(
        index, settings.seed + index, atoms, spectrum, sites, judged, misfit, judge_misfit, wall_s
    )


@torch.no_grad()
def predict_sites(model: ForwardModel, atoms: Atoms) -> np.ndarray:
    """Spectra of all atoms of a periodic structure on `acgen.spectra.grid.ENERGY`, shape (N, points)."""
    positions = torch.tensor(atoms.positions, dtype=torch.float32)
    cell = torch.tensor(atoms.cell.array, dtype=torch.float32)
    return model(periodic_graph(positions, cell, model.config.cutoff)).double().numpy()


def summary(settings: Settings, models: Models, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """The content of `summary.json`."""
    return {
        "settings": settings.to_dict(),
        "weights": dict(models.sha256),
        "candidates": [candidate.to_dict() for candidate in candidates],
    }


def write_results(directory: Path, settings: Settings, models: Models, candidates: Sequence[Candidate]) -> None:
    """Write `candidates.extxyz`, `spectra.csv` and `summary.json`; whole, however many candidates are finished."""
    write(directory / "candidates.extxyz", [candidate.atoms for candidate in candidates], format="extxyz")
    write_spectra(directory / "spectra.csv", settings.target, candidates)
    text = json.dumps(summary(settings, models, candidates), indent=1)
    (directory / "summary.json").write_text(text + "\n", encoding="utf-8")


def write_spectra(path: Path, target: Target | None, candidates: Sequence[Candidate]) -> None:
    """Write columns energy_eV, target (empty where masked), candidate_000 …"""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["energy_eV", "target", *(f"candidate_{candidate.index:03d}" for candidate in candidates)])
        for k, energy in enumerate(ENERGY):
            shown = f"{target.intensity[k]:.6f}" if target is not None and target.mask[k] else ""
            table.writerow([f"{energy:.1f}", shown, *(f"{candidate.spectrum[k]:.6f}" for candidate in candidates)])
