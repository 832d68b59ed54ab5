"""What the user chose and what is shown: the one object that controls change and views read."""

from __future__ import annotations

import param

from acgen.ensemble import Settings
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets
from app.runner import Snapshot
from app.structure import Shown

NO_TARGET = "none (unguided)"
DEFAULT_TARGET = "a-C-2.0"
LIVE = "live"


class State(param.Parameterized):
    """Settings of the next run, the newest snapshot of the current one, and the structure on display."""

    density = param.Number(
        2.0,
        bounds=(0.5, 4.0),
        step=0.05,
        label="Density (g/cm³)",
        doc="Mass density of the structure. It sets, with the cell, the number of atoms. References: 1.5 to 3.5 g/cm³.",
    )
    cell = param.Number(
        12.93,
        bounds=(6.0, 40.0),
        step=0.01,
        label="Cell edge (Å)",
        doc="Edge of the cubic periodic cell. 12.93 Å holds 217 atoms at 2.0 g/cm³; time grows with its volume.",
    )
    xi = param.Number(
        200.0,
        bounds=(0.0, 1000.0),
        step=10.0,
        label="Guidance ξ",
        doc="How strongly the target spectrum pulls on the atoms; 0 switches guidance off. The paper uses 180-250. "
        "More fits the spectrum better, at the cost of strained bonds and of fitting the model's own errors.",
    )
    restarts = param.Integer(
        8,
        bounds=(0, 20),
        label="Restart cycles",
        doc="How often the finished structure is partly noised and denoised again. It heals broken bonds; the paper "
        "uses 6-10.",
    )
    steps = param.Integer(
        64,
        bounds=(8, 256),
        label="First-pass steps",
        doc="Denoising steps from random atoms to the first structure. Each restart cycle adds its own, shorter pass.",
    )
    candidates = param.Integer(
        4, bounds=(1, 32), label="Candidates", doc="How many structures to generate, each from its own random start."
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
    choice = param.Selector(
        default=LIVE, objects={"Live": LIVE}, label="Show", doc="The run as it goes, or one of its finished candidates."
    )
    shown = param.ClassSelector(class_=Shown, default=None, allow_None=True, doc="Structure on display, analysed.")
    dark = param.Boolean(False, doc="Whether the page is dark.")

    def __init__(self, **params):
        super().__init__(**params)
        self.targets = {NO_TARGET: None} | builtin_targets()
        self.param.target_name.objects = list(self.targets)

    @property
    def target(self) -> Target | None:
        """The chosen target."""
        return self.targets[self.target_name]

    @property
    def settings(self) -> Settings:
        """What Start would run.

        Raises
        ------
        ValueError
            If the core refuses the combination.
        """
        return Settings(
            density=self.density,
            cell=self.cell,
            target=self.target,
            xi=self.xi,
            steps=self.steps,
            restarts=self.restarts,
            candidates=self.candidates,
            seed=self.seed,
        )

    def add_target(self, target: Target) -> None:
        """Offer a target and choose it."""
        self.targets = self.targets | {target.name: target}
        self.param.target_name.objects = list(self.targets)
        self.target_name = target.name
