"""What the user chose and what is shown: the one object that controls change and views read."""

from __future__ import annotations

import param
from ase import Atoms

from acgen.sampling.settings import DEFAULT_XI, Settings
from acgen.spectra.spectrum import Target, fits_instrument
from acgen.spectra.targets import builtin_targets
from app.session.shown import Shown
from app.session.snapshot import Finished, Snapshot

NO_TARGET = "none (unguided)"
DEFAULT_TARGET = "a-C-2.0"


def _edge(label: str) -> param.Number:
    return param.Number(
        Settings.cell,
        bounds=(6.0, 40.0),
        step=0.01,
        label=label,
        doc="Edge of the periodic cell. 12.93 Å cubed holds 217 atoms at 2.0 g/cm³; time grows with the volume.",
    )


class State(param.Parameterized):
    """Settings of the next run, the newest snapshot of the current one, and the structures on display."""

    density = param.Number(
        Settings.density,
        bounds=(0.5, 4.0),
        step=0.05,
        label="Density (g/cm³)",
        doc="Mass density of the structure. It sets, with the cell, the number of atoms. References: 1.5 to 3.5 g/cm³.",
    )
    cubic = param.Boolean(True, label="Cubic cell", doc="One edge for the whole cell, or one each along x, y and z.")
    cell = _edge("Cell edge a (Å)")
    cell_b = _edge("b (Å)")
    cell_c = _edge("c (Å)")
    start = param.ClassSelector(
        class_=Atoms, default=None, allow_None=True, doc="Structure to start from instead of random atoms."
    )
    start_t = param.Number(
        Settings.start_t,
        bounds=(0.05, 0.95),
        step=0.05,
        label="Noise time t",
        doc="How far the structure is noised before it is denoised again: 0.3 keeps the medium-range order (the "
        "paper's restarts), 0.9 keeps next to nothing. The noise is 0.8 t Å along each axis.",
    )
    xi = param.Number(
        DEFAULT_XI["cell"],
        bounds=(0.0, 10000.0),
        step=50.0,
        label="Guidance ξ",
        doc="How strongly the target spectrum pulls on the atoms; 0 switches guidance off. The paper's 180-250, "
        "for a loss of every atom, correspond to 2600-3700 here. "
        "More fits the spectrum better, at the cost of strained bonds and of fitting the model's own errors. "
        "It can be changed while a run goes on: the next step takes it.",
    )
    instrument = param.Boolean(
        False,
        label="Fit the instrument",
        doc="Shift (up to 1 eV), scale, slope and broadening of the prediction are fitted to the target in every step, "
        "and reported: what a beamline does to a spectrum is then not blamed on the atoms. On for measured targets.",
    )
    restarts = param.Integer(
        Settings.restarts,
        bounds=(0, 20),
        label="Restart cycles",
        doc="How often the finished structure is partly noised and denoised again. It heals broken bonds; the paper "
        "uses 6-10.",
    )
    steps = param.Integer(
        Settings.steps,
        bounds=(8, 256),
        label="First-pass steps",
        doc="Denoising steps from random atoms to the first structure. Each restart cycle adds its own, shorter pass.",
    )
    candidates = param.Integer(
        Settings.candidates,
        bounds=(1, 32),
        label="Candidates",
        doc="How many structures to generate, each from its own random start. The spread over several says what the "
        "spectrum leaves open; the paper's Fig. 5 has 16.",
    )
    seed = param.Integer(
        0,
        bounds=(0, 2**31 - 1),
        label="Seed",
        doc="Start of the random numbers. The same seed and settings give the same structures; candidate i "
        "uses seed + i.",
    )
    target_name = param.Selector(
        default=DEFAULT_TARGET,
        objects=[],
        label="Target spectrum",
        doc="What the structures should look like to X-rays: a reference computed for known structures, or your own "
        "measured C K-edge spectrum.",
    )
    targets = param.Dict(default={}, doc="Targets by the name under which they are offered; None is no target.")
    snapshot = param.ClassSelector(class_=Snapshot, default=Snapshot(), doc="Newest state of the run.")
    moment = param.Integer(
        None, allow_None=True, bounds=(0, None), doc="Frame of the trajectory on display; None follows the run."
    )
    picked = param.ClassSelector(
        class_=tuple, default=(), doc="Keys of the candidates to compare, see `Finished.key`; the first leads."
    )
    shown = param.ClassSelector(class_=Shown, default=None, allow_None=True, doc="Structure on display, analysed.")
    compared = param.ClassSelector(
        class_=tuple, default=(), doc="All structures on display, analysed; the first is `shown`."
    )
    atom = param.Integer(None, allow_None=True, bounds=(0, None), doc="Atom that was clicked, by its index.")
    energies = param.Tuple(
        None, length=2, allow_None=True, doc="Range of photon energies in eV by which atoms are coloured."
    )
    dark = param.Boolean(False, doc="Whether the page is dark.")

    def __init__(self, **params):
        super().__init__(**params)
        self.targets = {NO_TARGET: None} | builtin_targets()
        self.param.target_name.objects = list(self.targets)
        self.param.watch(self._measured, "target_name")

    def _measured(self, *_events) -> None:
        """Fit the instrument to measured targets, until the user says otherwise."""
        self.instrument = fits_instrument(self.target)

    @property
    def target(self) -> Target | None:
        """The chosen target."""
        return self.targets[self.target_name]

    @property
    def settings(self) -> Settings:
        """What Start would run.

        Raises
        ------
        AcgenError
            If the core refuses the combination.
        """
        return Settings(
            density=self.density,
            cell=self.cell if self.cubic else (self.cell, self.cell_b, self.cell_c),
            target=self.target,
            xi=self.xi,
            instrument=self.instrument and self.target is not None,
            steps=self.steps,
            restarts=self.restarts,
            candidates=self.candidates,
            seed=self.seed,
            start=self.start,
            start_t=self.start_t,
        )

    @property
    def chosen(self) -> tuple[Finished, ...]:
        """The candidates to compare, in the order in which they were picked."""
        known = {item.key: item for item in self.snapshot.finished}
        return tuple(known[key] for key in self.picked if key in known)

    @staticmethod
    def builtin_names() -> list[str]:
        """Names of the targets that every session has."""
        return [NO_TARGET, *builtin_targets()]

    def add_target(self, target: Target) -> None:
        """Offer a target and choose it."""
        self.targets = self.targets | {target.name: target}
        self.param.target_name.objects = list(self.targets)
        self.target_name = target.name
