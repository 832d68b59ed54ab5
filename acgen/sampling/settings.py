"""Settings of a run, each with its default, bounds, unit, label and meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from acgen.errors import AcgenError
from acgen.networks.noise import T_MAX, T_MIN
from acgen.sampling.options import docstring, option, options_of
from acgen.sampling.schedule import (
    ANNEALED,
    DEFAULT_EFFORT,
    END_T,
    GUIDE_BELOW,
    REFINE_TEMPERATURE,
    RHO,
    ROOM,
    Plan,
    make_plan,
)
from acgen.scattering.target import PairTarget
from acgen.spectra.model_error import GUIDE_ERROR
from acgen.spectra.spectrum import Target, fits_instrument
from acgen.structures.cell import DENSITY_RANGE, cell_matrix, n_atoms
from acgen.structures.cell import density as density_of

if TYPE_CHECKING:  # settings are made without torch
    from acgen.sampling.guidance import GuideGradient, GuideMode
    from acgen.sampling.sampler import Frame

Strength = Callable[[int, int], float]
"""Guidance strength by candidate (from 0) and step (from 1); a run asks once, before each step."""

XiChanges = tuple[tuple[int, float], ...]
"""Steps from which a guidance strength held, and that strength: ((1, 200.0), (57, 400.0))."""


DEFAULT_XI: dict[GuideMode, float] = {"cell": 1500.0, "site": 100.0}
"""Strengths that pull an atom equally hard: for the mean it is √216 times that for every site. Half of what is good in
twice as many steps, which each pull less: candidates are then as little strained, and fit and judge as well."""

DEFAULT_XI_PDF = 200.0
"""Strength of a measured pair distribution: the misfit falls by 40 %, and energies are those of unguided ones."""

DEFAULT_XI_CN = 200.0
"""Strength of known shares of sp, sp² and sp³: with an anneal, shares that lie 20 points off come within 6."""

HYBRIDS = {2: "sp", 3: "sp2", 4: "sp3"}
"""What atoms are called by their coordination number, and the setting that asks for so many of them."""
ROUNDING = 1.0
"""Percent by which three rounded percentages may miss 100."""

MAX_STEPS = 100_000
"""Steps of one candidate; a longer plan is not built."""


def _share(label: str, neighbours: str) -> Any:
    return option(
        None,
        label,
        f"Percentage of atoms with {neighbours} neighbours that the structures should have, as EELS or NMR tells it. "
        "Those that are not given stay free.",
        kind=float,
        unit="%",
        bounds=(0.0, 100.0),
        soft=(0.0, 100.0),
        step=1.0,
        otherwise="free",
    )


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    Parameters
    ----------
    target
        Spectrum to guide towards, or None.
    pdf
        Measured pair distribution to guide towards as well, or alone; or None. See `acgen.scattering.read.read_pdf`.
    start
        A structure to start from, noised to time `start_t`, instead of random atoms; it then sets density and cell.
        `info["name"]` says in the results what it is.
    resume
        A frame to go on from: its atoms, at its step of the plan. Candidate 0 continues its random numbers too, so that
        with the settings of its run nothing differs; the others have their own. Cell, density, steps and restarts
        have to be those of its run, everything else may change. To noise a frame again, make it `start` instead.
    """

    density: float = option(
        2.0,
        "Density",
        "Mass density of the structure. It sets, with the cell, the number of atoms. References: 1.5 to 3.5 g/cm³.",
        unit="g/cm³",
        bounds=DENSITY_RANGE,
        soft=DENSITY_RANGE,
        step=0.05,
    )
    cell: Any = option(
        12.93,
        "Cell edge",
        "Edge of the periodic cell, or three edges. In Python also three vectors. 12.93 Å cubed holds 217 atoms at "
        "2.0 g/cm³; time grows with the volume.",
        kind=float,
        unit="Å",
        soft=(6.0, 40.0),
        step=0.01,
        counts=(1, 3),
        names=("A",),
    )
    target: Target | None = None
    guide: GuideMode = option(
        "cell",
        "Guide",
        "What has the target's spectrum: the mean over atoms (cell), as an experiment sees it, or every atom (site).",
        choices=tuple(DEFAULT_XI),
    )
    xi: float = option(
        None,
        "Guidance ξ",
        "How strongly the target spectrum pulls on the atoms; 0 switches guidance off. The paper's 180-250, "
        "for a loss of every atom, correspond to 2600-3700 here. "
        "More fits the spectrum better, at the cost of strained bonds and of fitting the model's own errors. "
        "It can be changed while a run goes on: the next step takes it.",
        kind=float,
        bounds=(0.0, None),
        soft=(0.0, 10_000.0),
        step=50.0,
        otherwise=", with guide site ".join(f"{xi:g}" for xi in DEFAULT_XI.values()),
    )
    pdf: PairTarget | None = None
    xi_pdf: float = option(
        DEFAULT_XI_PDF,
        "ξ of the PDF",
        "How strongly a measured pair distribution pulls on the atoms; 0 switches that off. It adds to the pull of the "
        "spectrum.",
        bounds=(0.0, None),
        soft=(0.0, 1_000.0),
        step=10.0,
    )
    sp: float | None = _share("sp", "two")
    sp2: float | None = _share("sp²", "three")
    sp3: float | None = _share("sp³", "four")
    xi_cn: float = option(
        DEFAULT_XI_CN,
        "ξ of the shares",
        "How strongly known shares of sp, sp² and sp³ pull on the atoms; 0 switches that off. It adds to the pull of "
        "the spectrum.",
        bounds=(0.0, None),
        soft=(0.0, 1_000.0),
        step=10.0,
    )
    joint: bool = option(
        False,
        "Joint",
        "Guide the mean spectrum of all candidates towards the target, as a beam sees many places at once, instead of "
        "the spectrum of each. Single candidates may then differ. They are worked on together. Only for guide cell.",
    )
    gradient: GuideGradient = option(
        "estimate",
        "Gradient of the guide",
        "Where the gradient of the guide is taken: at the estimate of the clean atoms alone (estimate), which takes "
        "half the time, or through the score network (score), as in the paper's Eq. 13.",
        choices=("estimate", "score"),
        before="score",
    )
    steps: int = option(
        DEFAULT_EFFORT.steps,
        "First-pass steps",
        "Denoising steps from random atoms to the first structure. Each restart cycle adds its own, shorter pass.",
        bounds=(2, MAX_STEPS),
        soft=(8, 256),
        step=1,
    )
    restarts: int = option(
        DEFAULT_EFFORT.restarts,
        "Restart cycles",
        "How often the finished structure is partly noised and denoised again. It heals broken bonds; the paper uses "
        "6-10.",
        bounds=(0, MAX_STEPS),
        soft=(0, 40),
        step=1,
    )
    restart_steps: int = option(
        DEFAULT_EFFORT.restart_steps,
        "Steps of a restart",
        "Denoising steps of each restart cycle.",
        bounds=(2, MAX_STEPS),
        soft=(8, 64),
        step=1,
    )
    restart_t: tuple[float, float] = option(
        ANNEALED,
        "Times of the restarts",
        "Noise times of the first and last restart, between which they fall geometrically; 0.3 0.3 is the paper's.",
        kind=float,
        bounds=(T_MIN, T_MAX),
        counts=(2,),
        names=("FIRST", "LAST"),
    )
    refine: float = option(
        0.0,
        "Refine",
        "Duration of a guided anneal after the restarts, which takes strain out of the bonds; 0 leaves it out. The "
        "cell is held at 2000 K, or at `refine_temperature`, for one half and cooled to 300 K in the other, under the "
        "shipped potential and the guide's pull.",
        unit="ps",
        bounds=(0.0, 100.0),
        soft=(0.0, 4.0),
        step=0.1,
    )
    refine_temperature: float = option(
        REFINE_TEMPERATURE,
        "Refine at",
        "Temperature at which the anneal begins. Higher takes more strain out and forgets more of the structure; "
        "from 4000 K on it melts.",
        unit="K",
        bounds=(ROOM, 4000.0),
        soft=(500.0, 3000.0),
        step=100.0,
    )
    rho: float = option(
        RHO,
        "Placing of steps ρ",
        "Steps are equal in t to the power of 1 / ρ. 1 is the paper's; above it steps are shorter at low noise, where "
        "the structure is decided.",
        bounds=(1.0, 10.0),
        soft=(1.0, 4.0),
        step=0.5,
        before=1.0,
    )
    noise_scale: float = option(
        0.8,
        "Noise of a step",
        "Factor of the noise that each step adds; 1 is the paper's. See `acgen.sampling.sampler.sample`.",
        bounds=(0.0, 1.0),
        soft=(0.0, 1.0),
        step=0.05,
    )
    autoguidance: float = option(
        3.0,
        "Autoguidance",
        "How far the prior is led away from a weaker network; 1 is the paper's prior. See `acgen.sampling.guidance`.",
        bounds=(1.0, 5.0),
        soft=(1.0, 5.0),
        step=0.1,
    )
    candidates: int = option(
        4,
        "Candidates",
        "How many structures to generate, each from its own random start. The spread over several says what the "
        "spectrum leaves open; the paper's Fig. 5 has 16.",
        bounds=(1, 1_000),
        soft=(1, 32),
        step=1,
    )
    seed: int = option(
        0,
        "Seed",
        "Start of the random numbers. The same seed and settings give the same structures; candidate i uses seed + i.",
        bounds=(0, 2**62),
        soft=(0, 2**31 - 1),
        step=1,
    )
    start: Atoms | None = None
    start_t: float = option(
        0.5,
        "Noise time t",
        "How far the structure to start from is noised before it is denoised again. 0.3 keeps the medium-range order "
        "(the paper's restarts), 0.9 keeps next to nothing. The noise is 0.8 t Å along each axis.",
        bounds=(T_MIN, T_MAX),
        soft=(0.05, 0.95),
        step=0.05,
    )
    resume: Frame | None = None
    instrument: bool = option(
        None,
        "Fit the instrument",
        "Fit shift (up to 1 eV), scale, slope and broadening of the prediction to the target in every step. What a "
        "beamline does to a spectrum is then not blamed on the atoms. Only for guide cell.",
        kind=bool,
        otherwise="on for measured targets",
    )
    tolerance: float = option(
        GUIDE_ERROR,
        "Tolerance of the guide",
        "Misfit below which the guide's pull fades: the own error of the network that guides. A closer fit would fit "
        "that error.",
        bounds=(0.0, 10.0),
        soft=(0.0, 0.5),
        step=0.01,
    )
    guide_below: float = option(
        GUIDE_BELOW,
        "Guide below t",
        "Time above which nothing guides: there the estimate of the clean atoms knows nothing yet.",
        bounds=(0.0, 1.0),
        soft=(0.1, 1.0),
        step=0.05,
    )
    end_t: float = option(
        END_T,
        "Last time",
        "Time at which a pass jumps to the clean estimate. Below it the noise is smaller than thermal motion.",
        bounds=(T_MIN, 0.5),
        soft=(T_MIN, 0.1),
        step=0.001,
    )

    def __post_init__(self) -> None:
        for name, each in OPTIONS.items():
            if name != "cell":
                object.__setattr__(self, name, each.checked(getattr(self, name)))
        if self.start is not None:
            if not isinstance(self.start.info.get("name", ""), str):
                raise AcgenError("the name of the structure to start from is no text")
            object.__setattr__(self, "cell", self.start.cell.array)
            object.__setattr__(self, "density", density_of(self.start))
        n_atoms(self.density, self.box)
        if self.xi is None:
            object.__setattr__(self, "xi", DEFAULT_XI[self.guide])
        if self.joint and self.guide != "cell":
            raise AcgenError(f"joint candidates share the mean spectrum: use guide 'cell', not {self.guide!r}")
        if self.instrument and self.guide != "cell":
            raise AcgenError(f"the instrument is fitted to the mean over atoms: use guide 'cell', not {self.guide!r}")
        fitted = self.guide == "cell" and fits_instrument(self.target, self.instrument)
        object.__setattr__(self, "instrument", fitted)
        if self.pdf is not None:
            self.pdf.points(self.box)
        whole = 100 * sum(self.shares.values())
        if whole > 100 + ROUNDING or (len(self.shares) == len(HYBRIDS) and whole < 100 - ROUNDING):
            names = ", ".join(HYBRIDS[number] for number in self.shares)
            raise AcgenError(f"{names} add up to {whole:g} %, not 100: correct them, or leave one out")
        total = self.steps + self.restarts * self.restart_steps
        if total > MAX_STEPS:
            raise AcgenError(f"a run of {total} steps is too long, at most {MAX_STEPS}; give fewer steps or restarts")
        if self.resume is not None:
            _check_resume(self.resume, len(self.plan), self.n_atoms)

    @property
    def box(self) -> np.ndarray:
        """Cell vectors as rows in Å, shape (3, 3)."""
        return cell_matrix(self.cell)

    @property
    def shares(self) -> dict[int, float]:
        """Asked fraction of the atoms by coordination number; empty if nothing is."""
        return asked_shares(self)

    @property
    def n_atoms(self) -> int:
        """Number of atoms of each candidate."""
        return len(self.start) if self.start is not None else n_atoms(self.density, self.box)

    @property
    def plan(self) -> Plan:
        """All steps of one candidate."""
        t = T_MAX if self.start is None else self.start_t
        return make_plan(
            self.steps,
            self.restarts,
            self.restart_steps,
            start_t=t,
            restart_t=self.restart_t,
            end_t=self.end_t,
            rho=self.rho,
            refine=self.refine,
            refine_temperature=self.refine_temperature,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form: every option, the number of atoms, and what target, PDF, start and resumed frame are."""
        target, pdf, start, resume = self.target, self.pdf, self.start, self.resume
        plain = {name: getattr(self, name) for name in OPTIONS}
        return plain | {
            "cell": self.box.tolist(),
            "restart_t": list(self.restart_t),
            "n_atoms": self.n_atoms,
            "target": None if target is None else {"name": target.name, "history": list(target.record)},
            "pdf": None if pdf is None else {"name": pdf.name, "history": list(pdf.record)},
            "start": None if start is None else {"n_atoms": len(start), "name": start.info.get("name", "")},
            "resume": None if resume is None else {"step": resume.step, "steps": resume.steps, "t": resume.t},
        }


OPTIONS = options_of(Settings)
"""What a user can choose, by the name of its field."""

Settings.__doc__ = f"{(Settings.__doc__ or '').rstrip()}\n{docstring(OPTIONS)}    "


def asked_shares(settings: Any) -> dict[int, float]:
    """Fraction of the atoms by coordination number that the percentages of any settings ask for."""
    known = {number: getattr(settings, name) for number, name in HYBRIDS.items()}
    return {number: percent / 100 for number, percent in known.items() if percent is not None}


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


def check_xi(value: float) -> float:
    """The same number, or AcgenError if it is no guidance strength."""
    if value is None:
        raise AcgenError("xi is None; give a number that is not negative")
    return OPTIONS["xi"].checked(value)
