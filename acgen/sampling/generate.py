"""Several candidates from one set of settings, and what is written of them."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from acgen.errors import AcgenError
from acgen.memory import keep_freed_memory
from acgen.networks.models import Models, predict_sites
from acgen.sampling.guidance import GuidedScore, SpectrumGuide
from acgen.sampling.sampler import Frame, random_positions, sample
from acgen.sampling.settings import LiveXi, Settings, Strength, XiChanges
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument_fit import Beamline, Fit
from acgen.spectra.spectrum import Target
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import carbon, heights
from acgen.structures.cell import density as density_of


@dataclass(frozen=True)
class Candidate:
    """A finished structure.

    `spectrum` is the forward model's mean over atoms, `site_spectra` (N, points) of every atom, `judge_spectrum` the
    judge's mean; `misfit` and `judge_misfit` their distances to the target over the measured points, None without one.
    `xi` are the guidance strengths it was made with, by the step from which each held. `instrument` is what was fitted
    to `spectrum` if `Settings.instrument` says so: both misfits are then of spectra seen through it.
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
    xi: XiChanges = ()
    instrument: Fit | None = field(default=None, repr=False)

    @property
    def seen(self) -> np.ndarray:
        """The predicted spectrum as it is compared with the target: through the instrument, if one was fitted."""
        return self.spectrum if self.instrument is None else self.instrument.prediction

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
            "xi": [list(change) for change in self.xi],
        } | ({} if self.instrument is None else {"instrument": self.instrument.to_dict()})


@dataclass(frozen=True)
class FrameEvent:
    """A frame of the candidate with this index, and the guidance strength of its step, 0 where nothing guides."""

    candidate: int
    frame: Frame
    xi: float = 0.0


def generate(
    settings: Settings, models: Models, strength: Strength | None = None
) -> Iterator[FrameEvent | Candidate]:
    """Generate candidates one after the other: every frame of each, then the candidate itself.

    Close the generator to stop; what it has yielded stays valid.

    Parameters
    ----------
    settings
        What to generate, or which frame of an earlier run to go on from.
    models
        The networks.
    strength
        Guidance strengths instead of `settings.xi`, such as a `LiveXi` to change them while the run goes on.

    Raises
    ------
    AcgenError
        If the cell is too small for the edges of the networks (`SamplingError` if a run explodes).
    """
    keep_freed_memory()
    check_cell(settings.box, models.score.config.cutoff)
    strength = strength or LiveXi(settings.xi)
    for index in range(settings.candidates):
        yield from _one(settings, models, index, strength)


def check_cell(box: np.ndarray, cutoff: float) -> None:
    """Raise AcgenError if a cell (3, 3) in Å is lower than twice the reach of the score network's edges.

    In a lower cell an atom has two images of one neighbour within reach, and would see one atom as two.
    """
    low = float(heights(box).min())
    if low < 2 * cutoff:
        raise AcgenError(
            f"the cell is {low:.2f} Å between its closest faces, and an atom would see two images of one neighbour "
            f"within the {cutoff:.1f} Å of the networks; give at least {2 * cutoff:.1f} Å"
        )


def _one(settings: Settings, models: Models, index: int, strength: Strength) -> Iterator[FrameEvent | Candidate]:
    begin = time.perf_counter()
    generator = torch.Generator().manual_seed(settings.seed + index)
    cell = torch.tensor(settings.box, dtype=torch.float32)
    target = settings.target
    guide = None
    if target is not None:
        guide = SpectrumGuide(
            models.forward, target, settings.xi, settings.guide, settings.tolerance, instrument=settings.instrument
        )
    score = GuidedScore(
        models.score,
        cell,
        guide_below=settings.guide_below,
        weak=models.weak,
        autoguidance=settings.autoguidance,
    )
    first = 0 if settings.resume is None else settings.resume.step
    start = starting_positions(settings, models, cell, generator, index)
    scale = settings.noise_scale
    frames = sample(score, start, settings.plan, models.score.schedule, generator, noise_scale=scale, first=first)
    held: XiChanges = ()
    for step in range(first + 1, len(settings.plan) + 1):
        xi = 0.0
        if guide is not None:
            xi = guide.xi = strength(index, step)
            score.guides = (guide,) if xi > 0 else ()
        if not held or xi != held[-1][1]:
            held += ((step, xi),)
        frame = next(frames)
        yield FrameEvent(index, frame, xi)
    atoms = carbon(frame.positions.astype(float), settings.box)
    yield finish(settings, models, index, atoms, time.perf_counter() - begin, held)


def starting_positions(
    settings: Settings, models: Models, cell: Tensor, generator: torch.Generator, index: int = 0
) -> Tensor:
    """Random atoms, those of `settings.start` noised to `settings.start_t`, or those of a frame; (N, 3) in Å.

    For the first candidate of a resumed run it also sets the generator to the state of that frame.
    """
    if settings.resume is not None:
        if index == 0:
            generator.set_state(settings.resume.rng_state)
        return torch.tensor(settings.resume.positions)
    if settings.start is None:
        return random_positions(settings.n_atoms, cell, generator)
    clean = torch.tensor(settings.start.positions, dtype=torch.float32)
    return clean + models.score.schedule.sigma(settings.start_t) * torch.randn(clean.shape, generator=generator)


def finish(
    settings: Settings, models: Models, index: int, atoms: Atoms, wall_s: float, xi: XiChanges = ()
) -> Candidate:
    """A candidate with its spectra and misfits, and settings and misfit in the `info` of its atoms."""
    sites = predict_sites(models.forward, atoms)
    spectrum, judged = sites.mean(0), predict_sites(models.judge, atoms).mean(0)
    target, fit = settings.target, None
    misfit = judge_misfit = None
    if target is not None:
        fit = Beamline(target, settings.instrument).fit(spectrum)
        seen, judge_seen = (spectrum, judged) if fit is None else (fit.prediction, fit.instrument.apply(judged))
        misfit, judge_misfit = target.misfit(seen), target.misfit(judge_seen)
    atoms.info = {
        "density": density_of(atoms),
        "seed": settings.seed + index,
        "xi": xi[-1][1] if xi else settings.xi if target is not None else 0.0,
        "restarts": settings.restarts,
    } | ({} if target is None else {"target": target.name, "misfit": misfit, "judge_misfit": judge_misfit})
    return Candidate(
        index, settings.seed + index, atoms, spectrum, sites, judged, misfit, judge_misfit, wall_s, xi, fit
    )


def summary(settings: Settings, models: Models, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """The content of `summary.json`."""
    return {
        "settings": settings.to_dict(),
        "weights": dict(models.sha256),
        "candidates": [candidate.to_dict() for candidate in candidates],
    }


def write_results(directory: Path, settings: Settings, models: Models, candidates: Sequence[Candidate]) -> None:
    """Write `candidates.extxyz`, `spectra.csv` and `summary.json`; whole, however many candidates are finished."""
    from ase.io import write  # half a second that a process which only samples does without

    write(directory / "candidates.extxyz", [candidate.atoms for candidate in candidates], format="extxyz")
    write_spectra(directory / "spectra.csv", settings.target, candidates)
    text = json.dumps(summary(settings, models, candidates), indent=1)
    (directory / "summary.json").write_text(text + "\n", encoding="utf-8")


def write_spectra(path: Path, target: Target | None, candidates: Sequence[Candidate]) -> None:
    """Write columns energy_eV, target (empty where masked), candidate_000 …; where an instrument was fitted, also
    candidate_000_seen …, the spectra through it."""
    columns = {f"candidate_{candidate.index:03d}": candidate.spectrum for candidate in candidates}
    columns |= {f"candidate_{c.index:03d}_seen": c.seen for c in candidates if c.instrument is not None}
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["energy_eV", "target", *columns])
        for k, energy in enumerate(ENERGY):
            shown = f"{target.intensity[k]:.6f}" if target is not None and target.mask[k] else ""
            table.writerow([f"{energy:.1f}", shown, *(f"{spectrum[k]:.6f}" for spectrum in columns.values())])
