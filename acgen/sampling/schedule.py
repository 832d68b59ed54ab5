"""Noise times of a run: first pass and restarts (Alg. 1 and §4.6 of arXiv:2312.05472)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acgen.errors import AcgenError
from acgen.networks.noise import T_MAX, T_MIN


def placed_times(steps: int, start: float = T_MAX, end: float = T_MIN, rho: float = 1.0) -> np.ndarray:
    """`steps` steps from `start` down to `end`, equal in t^(1 / rho), shape (steps + 1,).

    `rho` 1 is Alg. 1; above it steps are shorter at low noise (Karras et al., arXiv:2206.00364, Eq. 5), where the
    structure is decided.
    """
    if steps < 1:
        raise AcgenError(f"a pass of {steps} steps was asked for; give at least one step")
    if not 0 < end < start < 1:
        raise AcgenError(f"times run from {start} to {end}; give 1 > start > end > 0")
    times = np.linspace(start ** (1 / rho), end ** (1 / rho), steps + 1) ** rho
    times[0], times[-1] = start, end
    return times


PHASES = ("denoise", "restart", "final", "refine")
"""What a step can be part of, see `Step`."""

TIMESTEP = 2.0
"""Step of the dynamics of an anneal in fs: a bond vibrates once in 20 fs or more."""
MD_STEPS = 3
"""Steps of the dynamics in one step of a plan, which then takes about as long as a step of denoising. The guides pull
once in each: from 10 fs on what they pull at has moved away."""
REFINE_TEMPERATURE = 2000.0
"""Temperature in K at which an anneal begins."""
ROOM = 300.0
"""Temperature in K at which it ends."""
HELD = 0.5
"""Part of an anneal at the first temperature; after it the temperature falls geometrically."""


@dataclass(frozen=True)
class Step:
    """One step of a sampler.

    Parameters
    ----------
    phase
        `denoise` (first pass), `restart` (a cycle of re-noising and denoising), `final` (the jump to
        the clean estimate) or `refine` (an anneal by molecular dynamics).
    cycle
        0 in the first pass, then the number of the restart.
    t, t_next
        Times the step runs between; a final step has t_next = 0 and adds no noise.
    renoise
        Whether the atoms, taken as clean, are noised to `t` before the step.
    temperature
        Of the thermostat in K, in a step of an anneal; its times are 0.
    """

    phase: str
    cycle: int
    t: float
    t_next: float
    renoise: bool = False
    temperature: float = 0.0


@dataclass(frozen=True)
class Plan:
    """All steps of a run, in order; `len` and indexing as of a tuple."""

    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Step:
        return self.steps[index]


GUIDE_BELOW = 0.7
"""Time above which nothing guides: there the clean estimate knows nothing yet."""
END_T = 0.02
"""Time at which a pass jumps to the clean estimate."""
RHO = 2.0
"""How steps are placed, see `placed_times`."""
ANNEALED = (0.35, 0.2)
"""Times of the first and the last restart, between which the default falls geometrically."""


@dataclass(frozen=True)
class Effort:
    """How much work a candidate is.

    Parameters
    ----------
    steps, restarts, restart_steps
        Steps of the first pass, restart cycles, steps of each cycle.
    pull
        What the usual guidance strength is multiplied with: fewer steps bear less.
    refine
        Duration of an anneal at the end in ps.
    """

    steps: int
    restarts: int
    restart_steps: int
    pull: float = 1.0
    refine: float = 0.0

    @property
    def total(self) -> int:
        """Evaluations of the score network for a candidate from random atoms."""
        return self.steps + self.restarts * self.restart_steps


PLANS = {
    "quick": Effort(24, 6, 8, 0.5),
    "default": Effort(32, 8, 12),
    "thorough": Effort(32, 20, 12),
    "refined": Effort(32, 8, 12, refine=2.0),
}
"""Named plans: a look, what is usual, more restarts, and what is usual with the strain taken out by an anneal."""
DEFAULT_EFFORT = PLANS["default"]


def restart_times(cycles: int, first: float = ANNEALED[0], last: float = ANNEALED[1]) -> np.ndarray:
    """Times to which `cycles` restarts noise the atoms, shape (cycles,), falling geometrically.

    Every time has a stationary quality set by the error of the score there, so that repeating one time stops helping
    after a few cycles and lower times then still do. `first == last` is the paper's restart (§4.6: 0.3).
    """
    return np.geomspace(first, last, cycles) if cycles else np.empty(0)


def refine_temperatures(steps: int, first: float = REFINE_TEMPERATURE) -> np.ndarray:
    """Temperatures in K of an anneal: `HELD` of the steps at the first, then geometrically down to `ROOM`."""
    held = round(HELD * steps)
    return np.concatenate([np.full(held, first), np.geomspace(first, ROOM, steps - held + 1)[1:]])


def make_plan(
    steps: int = DEFAULT_EFFORT.steps,
    restarts: int = DEFAULT_EFFORT.restarts,
    restart_steps: int = DEFAULT_EFFORT.restart_steps,
    *,
    start_t: float = T_MAX,
    restart_t: tuple[float, float] = ANNEALED,
    end_t: float = END_T,
    rho: float = RHO,
    refine: float = 0.0,
    refine_temperature: float = REFINE_TEMPERATURE,
) -> Plan:
    """A first pass from `start_t` and `restarts` cycles, each ended by a noise-free jump to the clean estimate.

    Parameters
    ----------
    steps, restart_steps
        Number of steps of the first pass and of each cycle, the jump included.
    restart_t
        Times of the first and the last restart, see `restart_times`.
    end_t
        Time at which a pass jumps to the clean estimate: below it the noise is smaller than thermal motion.
    rho
        How steps are placed, see `placed_times`.
    refine, refine_temperature
        Duration in ps of an anneal at the end, and the temperature in K that it begins at.

    Raises
    ------
    AcgenError
        If a count is too small or a time lies outside (0, 1).
    """
    if steps < 2 or restart_steps < 2 or restarts < 0:
        raise AcgenError(
            f"got {steps} steps, {restarts} restarts of {restart_steps} steps; "
            "a pass needs at least 2 steps and restarts cannot be negative"
        )
    passes = [("denoise", 0, start_t, steps)]
    passes += [("restart", k + 1, float(t), restart_steps) for k, t in enumerate(restart_times(restarts, *restart_t))]
    plan = []
    for phase, cycle, t0, count in passes:
        times = placed_times(count - 1, t0, min(end_t, t0 / 2), rho)
        for k, (t, t_next) in enumerate(zip(times[:-1], times[1:], strict=True)):
            plan.append(Step(phase, cycle, float(t), float(t_next), renoise=phase == "restart" and k == 0))
        plan.append(Step("final", cycle, float(times[-1]), 0.0))
    anneal = refine_temperatures(round(refine * 1000 / (TIMESTEP * MD_STEPS)), refine_temperature)
    plan += [Step("refine", restarts + 1, 0.0, 0.0, temperature=float(each)) for each in anneal]
    return Plan(tuple(plan))
