"""What a run is told to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from acgen.errors import AcgenError
from acgen.networks.noise import T_MAX
from acgen.sampling.guidance import GuideMode
from acgen.sampling.sampler import Frame
from acgen.sampling.schedule import ANNEALED, RESTART_STEPS, Plan, make_plan
from acgen.spectra.spectrum import Target
from acgen.structures.cell import cell_matrix, n_atoms
from acgen.structures.cell import density as density_of

Strength = Callable[[int, int], float]
"""Guidance strength by candidate (from 0) and step (from 1); a run asks once, before each step."""

XiChanges = tuple[tuple[int, float], ...]
"""Steps from which a guidance strength held, and that strength: ((1, 200.0), (57, 400.0))."""


DEFAULT_XI: dict[GuideMode, float] = {"cell": 3000.0, "site": 200.0}
"""Strengths that pull an atom equally hard: 200 for every site, as in the paper, is √216 times that for the mean."""


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
        Guidance strength, scale-agnostic; by default that of `DEFAULT_XI` for the guide.
    instrument
        Guide by what an instrument of fitted shift, scale, slope and broadening would see of the prediction, as
        measured spectra need (`acgen.sampling.guidance.SpectrumGuide`); not for guide `site`.
    steps, restarts, restart_steps, restart_t
        See `acgen.sampling.schedule.make_plan`.
    noise_scale
        See `acgen.sampling.sampler.sample`.
    autoguidance
        How far the prior is led away from a weaker one, from 1 (not at all, the paper); see `acgen.sampling.guidance`.
    candidates
        How many structures.
    seed
        Candidate i uses seed + i.
    start, start_t
        A structure to start from, noised to time `start_t`, instead of random atoms; it then sets density and cell.
        `info["name"]` says in the results what it is.
    resume
        A frame to go on from: its atoms, at its step of the plan. Candidate 0 continues its random numbers too, so that
        with the settings of its run nothing differs; the others have their own. Cell, density, steps and restarts
        have to be those of its run, everything else may change. To noise a frame again, make it `start` instead.
    """

    density: float = 2.0
    cell: Any = 12.93
    target: Target | None = None
    guide: GuideMode = "cell"
    xi: float = None  # type: ignore[assignment]  # replaced by a number below
    steps: int = 64
    restarts: int = 8
    restart_steps: int = RESTART_STEPS
    restart_t: tuple[float, float] = ANNEALED
    noise_scale: float = 0.8
    autoguidance: float = 3.0
    candidates: int = 4
    seed: int = 0
    start: Atoms | None = None
    start_t: float = 0.5
    resume: Frame | None = None
    instrument: bool = False

    def __post_init__(self) -> None:
        if self.start is not None:
            object.__setattr__(self, "cell", self.start.cell.array)
            object.__setattr__(self, "density", density_of(self.start))
        n_atoms(self.density, self.box)
        if self.candidates < 1 or self.seed < 0:
            raise AcgenError(f"got {self.candidates} candidates and seed {self.seed}; give at least 1 and at least 0")
        if self.guide not in DEFAULT_XI:
            raise AcgenError(f"guide is {self.guide!r}; use 'cell' or 'site'")
        if self.xi is None:
            object.__setattr__(self, "xi", DEFAULT_XI[self.guide])
        check_xi(self.xi)
        if self.instrument and self.guide != "cell":
            raise AcgenError(f"the instrument is fitted to the mean over atoms: use guide 'cell', not {self.guide!r}")
        if not 0 <= self.noise_scale <= 1:
            raise AcgenError(f"noise_scale is {self.noise_scale}; give 0 to 1, where 1 is the paper's")
        if not 1 <= self.autoguidance <= 5:
            raise AcgenError(f"autoguidance is {self.autoguidance}; give 1 (off, as in the paper) to 5")
        steps = len(self.plan)
        if self.resume is not None:
            _check_resume(self.resume, steps, self.n_atoms)

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
        plain = {name: getattr(self, name) for name in ("density", "guide", "instrument", *numbers)}
        start, resume = self.start, self.resume
        name = "" if start is None else start.info.get("name", "")
        return plain | {
            "cell": self.box.tolist(),
            "n_atoms": self.n_atoms,
            "restart_t": list(self.restart_t),
            "target": target,
            "start": None if start is None else {"n_atoms": len(start), "t": self.start_t, "name": name},
            "resume": None if resume is None else {"step": resume.step, "steps": resume.steps, "t": resume.t},
        }


def _check_resume(frame: Frame, steps: int, atoms: int) -> None:
    if len(frame.positions) != atoms or frame.steps != steps:
        raise AcgenError(
            f"the frame to resume has {len(frame.positions)} atoms and is one of {frame.steps} steps, the settings "
            f"make {atoms} atoms in {steps} steps; give density, cell, steps and restarts of its run, or noise it again"
        )
    if frame.step == steps:
        raise AcgenError("the frame to resume is the last of its run; resume an earlier one, or noise it again")


class LiveXi:
    """A guidance strength that any thread may change while a run goes on; the next step takes it.

    Parameters
    ----------
    xi
        The strength to begin with.

    Raises
    ------
    AcgenError
        If it is, or is set to, what is not a strength.
    """

    def __init__(self, xi: float):
        self.xi = xi

    @property
    def xi(self) -> float:
        """The strength that the next step takes."""
        return self._xi

    @xi.setter
    def xi(self, value: float) -> None:
        self._xi = check_xi(value)

    def __call__(self, candidate: int, step: int) -> float:
        return self._xi


def recorded_xi(changes: Mapping[int, XiChanges]) -> Strength:
    """The strengths of an earlier run, from `Candidate.xi` by index, so that its seed gives the same structures again.

    Raises
    ------
    AcgenError
        When a step is asked that nothing was recorded for.
    """

    def strength(candidate: int, step: int) -> float:
        held = [xi for first, xi in changes.get(candidate, ()) if first <= step]
        if not held:
            raise AcgenError(f"no strength is recorded for step {step} of candidate {candidate}; record whole runs")
        return held[-1]

    return strength


def check_xi(value: float) -> float:
    """The same number, or AcgenError if it is no guidance strength."""
    if not (np.isfinite(value) and value >= 0):
        raise AcgenError(f"xi is {value}; give a number that is not negative, such as 3000 (cell) or 200 (site)")
    return float(value)
