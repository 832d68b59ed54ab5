"""Several candidates from one set of settings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from acgen.checks import is_array, is_count, is_curve, is_number, want
from acgen.errors import AcgenError
from acgen.memory import keep_freed_memory
from acgen.networks.energies import energy_above_reference
from acgen.networks.models import Models, predict_sites
from acgen.sampling.beside import Helpers, worth_it
from acgen.sampling.coordination_guide import CoordinationGuide
from acgen.sampling.guidance import Guide, GuidedScore, SpectrumGuide
from acgen.sampling.pair_guide import PairGuide
from acgen.sampling.refine import AnnealError, Refiner
from acgen.sampling.sampler import Frame, random_positions, sample_together
from acgen.sampling.settings import LiveXi, Settings, Strength, XiChanges
from acgen.spectra.grid import N_POINTS
from acgen.spectra.instrument_fit import Beamline, Fit
from acgen.structures.analysis import Analysis, analyse, coordination_fractions
from acgen.structures.cell import carbon, heights
from acgen.structures.cell import density as density_of
from acgen.structures.environments import copied_from_shipped

ATOMS_TOGETHER = 16_384
"""Atoms that one graph holds, all candidates together."""


@dataclass(frozen=True)
class Candidate:
    """A finished structure.

    `spectrum` is the forward model's mean over atoms, `site_spectra` (N, points) of every atom, `judge_spectrum` the
    judge's mean; `misfit` and `judge_misfit` their distances to the target over the measured points, None without one.
    `xi` are the guidance strengths it was made with, by the step from which each held. `instrument` is what was fitted
    to `spectrum` if `Settings.instrument` says so: both misfits are then of spectra seen through it.
    `pdf` is its pair distribution (points,) beside a measured one, as `acgen.scattering.target.PairTarget.values`, and
    `pdf_misfit` their distance. `energy` is that by the potential in eV per atom above the reference of the density,
    not relaxed; None where the candidate is older than the potential.
    `copied` is the part of its atoms whose surroundings are those of shipped cells of molecular dynamics, see
    `acgen.structures.environments.copied_from_shipped`; None where that is not known.
    `unfinished` is the step after which it was kept, if its run did not finish it. `unrefined` says why its anneal was
    given up, if it was: the atoms are then as they were before.
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
    unfinished: int | None = None
    pdf_misfit: float | None = None
    pdf: np.ndarray | None = field(default=None, repr=False)
    unrefined: str = ""
    energy: float | None = None
    copied: float | None = None

    def __post_init__(self) -> None:
        where = f"candidate {self.index!r:.20}"
        want(is_count(self.index) and is_count(self.seed), f"{where} has no whole number and seed")
        want(isinstance(self.atoms, Atoms), f"{where} has no structure")
        want(is_array(self.spectrum, N_POINTS), f"{where} has no spectrum of {N_POINTS} points")
        want(is_array(self.judge_spectrum, N_POINTS), f"{where} has no spectrum by the judge")
        want(is_array(self.site_spectra, len(self.atoms), N_POINTS), f"{where} lacks spectra of its atoms")
        want(self.pdf is None or is_curve(self.pdf), f"{where} has an unfit pair distribution")
        for value in (self.misfit, self.judge_misfit, self.pdf_misfit, self.energy, self.copied):
            want(value is None or is_number(value), f"{where} has a misfit, an energy or a share that is no number")
        want(is_number(self.wall_s), f"{where} has a time that is no number")
        pairs = [len(pair) == 2 and is_count(pair[0]) and is_number(pair[1]) for pair in self.xi]
        want(all(pairs), f"{where} has strengths that are no numbers")
        want(self.instrument is None or isinstance(self.instrument, Fit), f"{where} has no fit instrument")
        want(self.unfinished is None or is_count(self.unfinished), f"{where} was kept at a step that is no number")
        want(isinstance(self.unrefined, str), f"{where} does not say why it was not refined")

    @property
    def seen(self) -> np.ndarray:
        """The predicted spectrum as it is compared with the target: through the instrument, if one was fitted."""
        return self.spectrum if self.instrument is None else self.instrument.prediction

    @property
    def judge_seen(self) -> np.ndarray:
        """The judge's spectrum through the same instrument."""
        return self.judge_spectrum if self.instrument is None else self.instrument.instrument.apply(self.judge_spectrum)

    @cached_property
    def analysis(self) -> Analysis:
        """Coordination, bonds, angles, g(r) and bond order of the atoms."""
        return analyse(self.atoms)

    def to_dict(self) -> dict[str, Any]:
        """The entry of `summary.json`."""
        fractions = coordination_fractions(self.atoms)
        return {
            "index": self.index,
            "seed": self.seed,
            "n_atoms": len(self.atoms),
            "cn_fraction": {str(cn): share for cn, share in fractions.items()},
            "misfit": self.misfit,
            "judge_misfit": self.judge_misfit,
            **({} if self.pdf_misfit is None else {"pdf_misfit": self.pdf_misfit}),
            "energy_above_reference_eV": self.energy,
            "copied_fraction": self.copied,
            "wall_s": round(self.wall_s, 3),
            "xi": [list(change) for change in self.xi],
            **({} if self.instrument is None else {"instrument": self.instrument.to_dict()}),
            **({} if self.unfinished is None else {"unfinished_step": self.unfinished}),
            **({"unrefined": self.unrefined} if self.unrefined else {}),
        }


@dataclass(frozen=True)
class FrameEvent:
    """A frame of the candidate with this index, and the guidance strength of its step, 0 where nothing guides."""

    candidate: int
    frame: Frame
    xi: float = 0.0

    def __post_init__(self) -> None:
        known = is_count(self.candidate) and isinstance(self.frame, Frame) and is_number(self.xi)
        want(known, "a frame is of no candidate")


def generate(
    settings: Settings,
    models: Models,
    strength: Strength | None = None,
    *,
    together: int = 1,
    joined: bool | None = None,
) -> Iterator[FrameEvent | Candidate]:
    """Generate candidates: every frame of each, then the candidate itself.

    Close the generator to stop; what it has yielded stays valid.

    Parameters
    ----------
    settings
        What to generate, or which frame of an earlier run to go on from.
    models
        The networks.
    strength
        Guidance strengths instead of `settings.xi`, such as a `LiveXi` to change them while the run goes on.
    together
        How many candidates to work on at a time: a step of each, in their order, then the next. All where their mean
        is guided (`Settings.joint`).
    joined
        Whether these go through the networks as one graph, or each in a process of its own, if there is enough to do
        (`acgen.sampling.beside.WORTH`): a candidate is then the same, bit by bit, as one that is made alone on one
        thread. By default processes on a CPU and one graph elsewhere.

    Raises
    ------
    AcgenError
        If the cell is too small for the edges of the networks (`SamplingError` if a run explodes).
    """
    keep_freed_memory()
    check_cell(settings.box, models.score.config.cutoff)
    strength = strength or LiveXi(settings.xi)
    joined = models.device.type != "cpu" if joined is None else joined
    if settings.joint:
        together, joined = settings.candidates, True
    together = min(together, settings.candidates)
    if not joined and together > 1:
        yield from _side_by_side(settings, models, strength, together if worth_it(settings) else 1)
        return
    for first in range(0, settings.candidates, together):
        indices = range(first, min(first + together, settings.candidates))
        yield from _joined(settings, models, indices, strength)


def _side_by_side(
    settings: Settings, models: Models, strength: Strength, together: int
) -> Iterator[FrameEvent | Candidate]:
    """Candidates as many at a time, a step of each in turns: one here, the others by `Helpers`.

    One graph of all cells would take no less time on a CPU, where what a step works on should stay in the cache of a
    core, and its rounding would depend on what else is in it.
    """
    helpers = Helpers(together - 1, models)
    try:
        for first in range(0, settings.candidates, together):
            streams = [candidate_events(settings, models, first, strength)]
            others = range(first + 1, min(first + together, settings.candidates))
            streams += [helpers.stream(k, settings, index, strength) for k, index in enumerate(others)]
            while found := [event for stream in streams if (event := next(stream, None)) is not None]:
                yield from found
    finally:
        helpers.close()


def candidate_events(
    settings: Settings, models: Models, index: int, strength: Strength
) -> Iterator[FrameEvent | Candidate]:
    """The frames of the candidate of an index, then the candidate, as of `generate`."""
    return _joined(settings, models, [index], strength)


def fit_together(atoms: int) -> int:
    """How many candidates of so many atoms one graph takes on a GPU, by `ATOMS_TOGETHER`; at least 1."""
    return max(1, ATOMS_TOGETHER // atoms)


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


def _joined(
    settings: Settings, models: Models, indices: Sequence[int], strength: Strength
) -> Iterator[FrameEvent | Candidate]:
    """Some candidates in one graph: a frame of each, step by step, then the candidates."""
    begin, device = time.perf_counter(), models.device
    generators = [torch.Generator().manual_seed(settings.seed + index) for index in indices]
    cell = torch.tensor(settings.box, dtype=torch.float32)
    target = settings.target
    guide = None
    known = tuple(_guides_beside(settings))
    if target is not None:
        guide = SpectrumGuide(
            models.guide,
            target,
            settings.xi,
            settings.guide,
            settings.tolerance,
            instrument=settings.instrument,
            joint=settings.joint,
        )
    score = GuidedScore(
        models.score,
        cell.to(device),
        known,
        guide_below=settings.guide_below,
        weak=models.weak,
        autoguidance=settings.autoguidance,
        gradient=settings.gradient,
    )
    first = 0 if settings.resume is None else settings.resume.step
    each = zip(generators, indices, strict=True)
    starts = torch.stack([starting_positions(settings, models, cell, generator, index) for generator, index in each])
    options: dict[str, Any] = {"noise_scale": settings.noise_scale, "first": first}
    options["refiner"] = Refiner(models.potential, cell.to(device), settings.refine_temperature)
    options["guides"] = lambda: score.guides
    if settings.resume is not None and settings.resume.velocities is not None:
        moving = torch.tensor(settings.resume.velocities, device=device)
        options["velocities"] = moving.expand(len(indices), -1, -1)
    plan, schedule = settings.plan, models.score.schedule
    stream = sample_together(score.together, starts.to(device), plan, schedule, generators, **options)
    held: list[XiChanges] = [()] * len(indices)
    frames: list[Frame] = []
    settled: list[Frame] = []
    unrefined = ""
    for step in range(first + 1, len(plan) + 1):
        xis = [0.0 if guide is None else strength(index, step) for index in indices]
        if guide is not None:
            guide.xi = torch.tensor(xis, device=device)
            score.guides = (guide, *known) if max(xis) > 0 else known
        held = [old if old and xi == old[-1][1] else (*old, (step, xi)) for old, xi in zip(held, xis, strict=True)]
        try:
            frames = next(stream)
        except AnnealError as error:
            if not settled:
                raise
            frames, unrefined = settled, str(error)
            break
        settled = settled if frames[0].phase == "refine" else frames
        yield from map(FrameEvent, indices, frames, xis)
    for index, frame, xi in zip(indices, frames, held, strict=True):
        atoms = carbon(frame.positions.astype(float), settings.box)
        made = finish(settings, models, index, atoms, (time.perf_counter() - begin) / len(indices), xi)
        yield replace(made, unrefined=unrefined)


def _guides_beside(settings: Settings) -> Iterator[Guide]:
    """The guides beside that of the spectrum, which no network takes part in."""
    if settings.pdf is not None and settings.xi_pdf > 0:
        yield PairGuide(settings.pdf, settings.xi_pdf)
    if settings.shares and settings.xi_cn > 0:
        yield CoordinationGuide(settings.shares, settings.xi_cn)


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
    spectrum, by_judge = sites.mean(0), predict_sites(models.judge, atoms).mean(0)
    target = settings.target
    made = Candidate(index, settings.seed + index, atoms, spectrum, sites, by_judge, None, None, wall_s, xi)
    energy, share = energy_above_reference(atoms, models.potential), copied_from_shipped(atoms)
    made = replace(judged(settings, made), energy=energy, copied=share)
    atoms.info = {
        "density": density_of(atoms),
        "seed": settings.seed + index,
        "xi": xi[-1][1] if xi else settings.xi if target is not None else 0.0,
        "restarts": settings.restarts,
        "energy_above_reference": made.energy,
    }
    if target is not None:
        atoms.info |= {"target": target.name, "misfit": made.misfit, "judge_misfit": made.judge_misfit}
    if settings.pdf is not None:
        atoms.info |= {"pdf": settings.pdf.name, "xi_pdf": settings.xi_pdf, "pdf_misfit": made.pdf_misfit}
    return made


def judged(settings: Settings, made: Candidate) -> Candidate:
    """A candidate with the instrument and the misfits that it has beside the target of `settings` and the PDF."""
    target, pdf = settings.target, settings.pdf
    misfit, curve = (None, None) if pdf is None else pdf.compare(made.atoms)
    made = replace(made, pdf_misfit=misfit, pdf=curve)
    if target is None:
        return replace(made, instrument=None, misfit=None, judge_misfit=None)
    made = replace(made, instrument=Beamline(target, settings.instrument).fit(made.spectrum))
    return replace(made, misfit=target.misfit(made.seen), judge_misfit=target.misfit(made.judge_seen))
