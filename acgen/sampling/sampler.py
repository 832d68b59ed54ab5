"""Guided sampling as a generator of frames (Alg. 1 and §4.6 of arXiv:2312.05472)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from acgen.checks import is_array, is_count, is_curve, is_number, want
from acgen.errors import AcgenError
from acgen.networks.noise import NoiseSchedule
from acgen.sampling.guidance import Evaluation, Guide, GuidedScore
from acgen.sampling.refine import Annealed, Refiner
from acgen.sampling.schedule import PHASES, Plan
from acgen.spectra.grid import N_POINTS
from acgen.spectra.instrument import Instrument

MAX_STEP = 10.0
"""Displacement in Å in one step beyond which a run has exploded: noise and a limited pull move atoms less."""


class SamplingError(AcgenError):
    """A run that went wrong, with what to lower."""


@dataclass(frozen=True)
class Frame:
    """The state after one step of a run.

    Parameters
    ----------
    step, steps
        Number of this step, from 1, and of all steps.
    phase, cycle
        As in `acgen.sampling.schedule.Step`.
    t, sigma
        Time and noise in Å that the atoms have now.
    positions
        Noisy atoms, shape (N, 3), float32, in Å, not wrapped into the cell.
    denoised
        Estimate of the clean atoms from before the step, shape (N, 3), float32, in Å (Eq. 12).
    misfit, prediction
        Distance of the predicted spectrum of `denoised` to the target, and that spectrum, shape (points,); None where
        nothing guides.
    rng_state
        State of the random generator, from which a run continues bit by bit.
    instrument, spectrum
        Where an instrument was fitted: what it was, and the predicted spectrum before it, shape (points,); `prediction`
        is the one seen through the other.
    pdf_misfit, pdf
        Misfit to a measured pair distribution and the predicted one, shape (points,), as
        `acgen.scattering.target.PairTarget.values`; None where that does not guide.
    velocities, temperature, energy
        In a step of an anneal: velocities in Å/fs, shape (N, 3), float32, temperature of the atoms in K, and energy by
        the potential in eV per atom.
    """

    step: int
    steps: int
    phase: str
    cycle: int
    t: float
    sigma: float
    positions: np.ndarray
    denoised: np.ndarray
    misfit: float | None
    prediction: np.ndarray | None
    rng_state: Tensor
    instrument: Instrument | None = None
    spectrum: np.ndarray | None = None
    pdf_misfit: float | None = None
    pdf: np.ndarray | None = None
    velocities: np.ndarray | None = None
    temperature: float | None = None
    energy: float | None = None

    def __post_init__(self) -> None:
        atoms = len(self.positions)
        numbers = (self.step, self.steps, self.cycle)
        want(all(map(is_count, numbers)), f"a frame has step, steps and cycle {numbers!r:.60}: give whole numbers")
        want(is_number(self.t) and is_number(self.sigma), "a frame has no time")
        want(self.phase in PHASES, f"a frame has phase {self.phase!r:.20}; there are {', '.join(PHASES)}")
        want(atoms > 0 and is_array(self.positions, atoms, 3), "the positions of a frame are not finite (N, 3)")
        want(is_array(self.denoised, atoms, 3), "the clean estimate of a frame does not fit its positions")
        for curve in (self.prediction, self.spectrum):
            want(curve is None or is_array(curve, N_POINTS), "a frame has an unfit prediction")
        known = isinstance(self.instrument, Instrument) and self.spectrum is not None
        none = self.instrument is None and self.spectrum is None
        want(known or none, "a frame has an instrument without the spectrum before it, or the other way round")
        for value in (self.misfit, self.pdf_misfit):
            want(value is None or is_number(value), "a frame has a misfit that is no number")
        want(self.pdf is None or is_curve(self.pdf), "a frame has an unfit pair distribution")
        refined = (self.velocities is not None, self.temperature is not None, self.energy is not None)
        want(refined == (self.phase == "refine",) * 3, "a frame of an anneal lacks something, or has it without one")
        want(self.velocities is None or is_array(self.velocities, atoms, 3), "a frame has unfit velocities")
        for value in (self.temperature, self.energy):
            want(value is None or is_number(value), "a frame has a temperature or an energy that is no number")
        state = self.rng_state
        known = isinstance(state, Tensor) and state.dtype == torch.uint8 and state.ndim == 1
        want(known, "a frame has no state of its random generator")


def random_positions(count: int, cell: Tensor, generator: torch.Generator) -> Tensor:
    """Uniformly random positions in Å in a cell (3, 3), shape (count, 3): the start of Alg. 1."""
    return torch.rand(count, 3, generator=generator, dtype=torch.float64).to(cell) @ cell


@torch.no_grad()
def sample(
    score: GuidedScore | Callable[[Tensor, float], Evaluation],
    start: Tensor,
    plan: Plan,
    schedule: NoiseSchedule,
    generator: torch.Generator,
    *,
    noise_scale: float = 1.0,
    first: int = 0,
) -> Iterator[Frame]:
    """Denoise atoms along a plan; one frame a step. Stop by closing the generator.

    Parameters
    ----------
    score
        The prior or posterior score.
    start
        Atoms in Å, shape (N, 3), already at the noise of the plan's first step; it is not changed.
    generator
        The only source of randomness.
    noise_scale
        Factor of the noise that the reverse SDE adds in each step; 1 is the paper's. Errors of a learned score heat the
        atoms, and somewhat less noise makes up for it; 0 follows the drift alone.
    first
        Number of steps of the plan to leave out: to resume, give a frame's `step`, its positions and its `rng_state`.

    Raises
    ------
    SamplingError
        If positions become NaN or explode.
    """

    def alone(x: Tensor, t: float) -> list[Evaluation]:
        return [score(x[0], t)]

    options: dict[str, Any] = {"noise_scale": noise_scale, "first": first}
    for frames in sample_together(alone, start[None], plan, schedule, [generator], **options):
        yield frames[0]


@torch.no_grad()
def sample_together(
    score: Callable[[Tensor, float], Sequence[Evaluation]],
    starts: Tensor,
    plan: Plan,
    schedule: NoiseSchedule,
    generators: Sequence[torch.Generator],
    *,
    noise_scale: float = 1.0,
    first: int = 0,
    refiner: Refiner | None = None,
    guides: Callable[[], Sequence[Guide]] = tuple,
    velocities: Tensor | None = None,
) -> Iterator[list[Frame]]:
    """As `sample`, for several structures of one size in equal cells: a frame of each a step.

    Each draws from its own generator, on the CPU, so that its noise is the same in whatever company and on whatever
    device.

    Parameters
    ----------
    score
        Evaluates structures (structures, N, 3) at a time, as `GuidedScore.together`.
    starts
        Shape (structures, N, 3).
    refiner
        For the anneal of a plan that has one.
    guides
        What pulls in the next step of the anneal.
    velocities
        Shape (structures, N, 3) in Å/fs, to resume in the middle of an anneal.
    """
    x = starts.clone()

    def noise() -> Tensor:
        drawn = [torch.randn(x.shape[1:], generator=each) for each in generators]
        return torch.stack(drawn).to(x.device)

    for index in range(first, len(plan)):
        step = plan[index]
        if step.phase == "refine":
            if refiner is None:
                raise AcgenError("the plan has an anneal, for which there is no potential: give a refiner")
            if velocities is None:
                velocities = refiner.start(x, step.temperature, generators)
            annealed = refiner(x, velocities, step, generators, guides())
            x, velocities = annealed.positions, annealed.velocities
            where = (index + 1, len(plan), step.phase, step.cycle, 0.0, 0.0)
            yield [_annealed_frame(where, annealed, k, each) for k, each in enumerate(generators)]
            continue
        if step.renoise:
            x = x + schedule.sigma(step.t) * noise()
        now = score(x, step.t)
        if step.phase == "final":
            moved = torch.stack([each.denoised for each in now])
        else:
            scores = torch.stack([each.score for each in now])
            moved = euler_maruyama(x, scores, step.t, step.t_next, noise_scale * noise(), schedule)
        _check(moved - x, index + 1)
        x = moved
        sigma = float(schedule.sigma(step.t_next))
        where = (index + 1, len(plan), step.phase, step.cycle, step.t_next, sigma)
        yield [_frame(where, *parts) for parts in zip(x, now, generators, strict=True)]


def _frame(
    where: tuple[int, int, str, int, float, float],
    x: Tensor,
    now: Evaluation,
    generator: torch.Generator,
    **moving: Any,
) -> Frame:
    """A frame of one structure; `where` in the plan is the same for all, `moving` is what an anneal adds."""
    seen, pairs = now.seen, now.pairs
    return Frame(
        *where,
        x.cpu().numpy().copy(),
        now.denoised.cpu().numpy().copy(),
        None if seen is None else seen.misfit,
        None if seen is None else seen.prediction,
        generator.get_state(),
        None if seen is None else seen.instrument,
        None if seen is None else seen.spectrum,
        None if pairs is None else pairs.misfit,
        None if pairs is None else pairs.prediction,
        **moving,
    )


def _annealed_frame(
    where: tuple[int, int, str, int, float, float], annealed: Annealed, number: int, generator: torch.Generator
) -> Frame:
    """The same of structure `number` in an anneal, where atoms are as clean as they can be."""
    x = annealed.positions[number]
    return _frame(
        where,
        x,
        Evaluation(x, x, *annealed.seen[number]),
        generator,
        velocities=annealed.velocities[number].cpu().numpy().copy(),
        temperature=float(annealed.temperature[number]),
        energy=float(annealed.energy[number]),
    )


def euler_maruyama(
    x: Tensor, score: Tensor, t: float, t_next: float, noise: Tensor, schedule: NoiseSchedule
) -> Tensor:
    """One Euler-Maruyama step of the reverse SDE from t to t_next < t (Eq. 7 and Alg. 1); noise ~ N(0, 1)."""
    dt, g2 = t - t_next, schedule.g2(t)
    return x + g2 * dt * score + (g2 * dt) ** 0.5 * noise


def _check(moved: Tensor, step: int) -> None:
    largest = float(moved.abs().max()) if moved.numel() else 0.0
    if not np.isfinite(largest):
        raise SamplingError(f"positions became NaN at step {step}; lower xi or use more steps")
    if largest > MAX_STEP:
        raise SamplingError(
            f"an atom moved {largest:.1f} Å in step {step}: the run explodes; lower xi or use more steps"
        )
