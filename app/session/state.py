"""The state of a session: choices and what is shown. Controls change it, views read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import param
from ase import Atoms

from acgen.errors import AcgenError
from acgen.inference.check import Check
from acgen.sampling.settings import OPTIONS, Settings, asked_shares
from acgen.scattering.target import PairTarget
from acgen.spectra.spectrum import Target, fits_instrument
from acgen.spectra.targets import builtin_targets
from acgen.structures.rings import RING_SIZES
from app.session.drawing import Drawing
from app.session.shown import CHAINS, Shown
from app.session.snapshot import Finished, Snapshot

#: Bytes of measured files that a session keeps.
RAW_BYTES = 24_000_000
NO_TARGET = "none (unguided)"
DEFAULT_TARGET = "a-C-2.0"


_DEFAULT = Settings()


def _setting(name: str, label: str = "") -> param.Parameter:
    """The parameter of an option of the core, on the range of a slider; `label` where there is more than one of it."""
    each = OPTIONS[name]
    kind = {bool: param.Boolean, int: param.Integer, float: param.Number}[each.kind]
    ends = {} if each.kind is bool else {"bounds": each.soft, "step": each.step}
    default = each.default if each.counts else getattr(_DEFAULT, name)
    label = replace(each, label=label or each.label).title
    return kind(default, label=label, doc=each.doc, allow_None=default is None, **ends)


class State(param.Parameterized):
    """Settings of the next run, the newest snapshot of the current one, and the structures on display."""

    density = _setting("density")
    cubic = param.Boolean(True, label="Cubic cell", doc="One edge for the whole cell, or one each along x, y and z.")
    cell = _setting("cell", "Cell edge a")
    cell_b = _setting("cell", "b")
    cell_c = _setting("cell", "c")
    start = param.ClassSelector(
        class_=Atoms, default=None, allow_None=True, doc="Structure to start from instead of random atoms."
    )
    start_t = _setting("start_t")
    xi = _setting("xi")
    pdf = param.ClassSelector(
        class_=PairTarget, default=None, allow_None=True, doc="Measured pair distribution that guides too, or alone."
    )
    xi_pdf = _setting("xi_pdf")
    sp = _setting("sp")
    sp2 = _setting("sp2")
    sp3 = _setting("sp3")
    xi_cn = _setting("xi_cn")
    instrument = _setting("instrument")
    restarts = _setting("restarts")
    steps = _setting("steps")
    restart_steps = _setting("restart_steps")
    refine = _setting("refine")
    joint = _setting("joint")
    candidates = _setting("candidates")
    seed = _setting("seed")
    target_name = param.Selector(
        default=DEFAULT_TARGET,
        objects=[],
        label="Target spectrum",
        doc="What the structures should look like to X-rays: a reference computed for known structures, or your own "
        "measured C K-edge spectrum.",
    )
    targets = param.Dict(default={}, doc="Targets by the name under which they are offered; None is no target.")
    beamlines = param.Dict(default={}, doc="Settings of beamlines, each a `BeamlineProfile`, by their names.")
    raw = param.Dict(
        default={}, doc="Files behind targets, by the target's name: name and content by sample, i0, reference."
    )
    snapshot = param.ClassSelector(class_=Snapshot, default=Snapshot(), doc="Newest state of the run.")
    uploaded = param.ClassSelector(
        class_=tuple, default=(), doc="Structures from files, each a `Finished` of no run, listed with the candidates."
    )
    checks = param.Dict(
        default={}, doc="By the key of a candidate: the candidate and what FEFF says of it, see `check_of`."
    )
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
    motif = param.Selector(
        default=None, objects=[None, *RING_SIZES, CHAINS],
        doc="Of which rings, by their size, or that of chains, atoms are coloured.",
    )
    plain = param.Boolean(
        False,
        label="Plain",
        doc="Draw predictions as they are, not as the fitted instrument would see them; every misfit is of what the "
        "instrument sees.",
    )
    view = param.Dict(default={}, doc="How the structure is looked at, see `app.viewer.ngl.FrameStream.look`.")
    fronts = param.Dict(default={}, doc="Which view is in front, by the name of the card that has several.")
    drawing = param.ClassSelector(class_=Drawing, doc="How the spectrum is drawn.")
    dark = param.Boolean(False, doc="Whether the page is dark.")

    def __init__(self, **params):
        super().__init__(**params)
        self.drawing = Drawing()
        self.targets = {NO_TARGET: None} | builtin_targets()
        self._of_all = frozenset(self.targets)
        self.param.target_name.objects = list(self.targets)
        self.param.watch(self._measured, "target_name")
        self.param.watch(lambda event: event.new is None or self.param.update(motif=None), "energies")
        self.param.watch(lambda event: event.new is None or self.param.update(energies=None), "motif")

    def _measured(self, *_events) -> None:
        """Fit the instrument to measured targets, until the user says otherwise."""
        self.instrument = fits_instrument(self.target)

    @property
    def target(self) -> Target | None:
        """The chosen target."""
        return self.targets[self.target_name]

    @property
    def shares(self) -> dict[int, float]:
        """Asked fraction of the atoms by coordination number."""
        return asked_shares(self)

    @property
    def guiding(self) -> Settings | State:
        """What guides the structures on display, in `pdf` and `shares`; before the first, what is chosen."""
        settings = self.snapshot.settings
        if self.chosen:
            return self.chosen[0].settings
        if self.shown is None or settings is None or not self.snapshot.status.active:
            return self
        return settings

    @property
    def choices(self) -> dict[str, Any]:
        """Everything that the page sets of a run, by the fields of `Settings`."""
        return {name: getattr(self, name) for name in SET_HERE} | {
            "cell": self.cell if self.cubic else (self.cell, self.cell_b, self.cell_c),
            "target": self.target,
            "pdf": self.pdf,
            "start": self.start,
        }

    @property
    def settings(self) -> Settings:
        """What Start would run.

        Raises
        ------
        AcgenError
            If the core refuses the combination.
        """
        return Settings(**self.choices)

    @property
    def listed(self) -> tuple[Finished, ...]:
        """All candidates and uploaded structures."""
        return (*self.snapshot.finished, *self.uploaded)

    @property
    def chosen(self) -> tuple[Finished, ...]:
        """The candidates to compare, in the order in which they were picked."""
        known = {item.key: item for item in self.listed}
        return tuple(known[key] for key in self.picked if key in known)

    def check_of(self, item: Finished) -> Check | None:
        """What FEFF says of a candidate, if it was asked for this one and not for another of the same key."""
        candidate, found = self.checks.get(item.key, (None, None))
        return found if candidate is item.candidate else None

    @property
    def found_checks(self) -> dict[tuple[int, int], Check]:
        """What FEFF says of the finished candidates, by their keys."""
        pairs = ((item.key, self.check_of(item)) for item in self.snapshot.finished)
        return {key: found for key, found in pairs if found is not None}

    @property
    def carried(self) -> dict[str, Any]:
        """What goes along when the session goes on in another page, beside `own_targets`."""
        return {name: getattr(self, name) for name in CARRIED}

    @property
    def own_targets(self) -> dict[str, Target]:
        """The targets that not every session has, by name."""
        return {name: target for name, target in self.targets.items() if name not in self._of_all}

    def carry(self, choices: Mapping[str, Any], targets: Mapping[str, Target]) -> None:
        """Take `carried` and `own_targets` of another page.

        Raises
        ------
        ValueError
            If a value is out of the range that it has by now.
        """
        self.targets = self.targets | dict(targets)
        self.param.target_name.objects = list(self.targets)
        self.target_name = choices["target_name"]  # the instrument follows it
        self.param.update(**{name: choices[name] for name in CARRIED if name in choices})

    @staticmethod
    def builtin_names() -> list[str]:
        """Names of the targets that every session has."""
        return [NO_TARGET, *builtin_targets()]

    def add_target(self, target: Target) -> None:
        """Offer a target and choose it."""
        self.targets = self.targets | {target.name: target}
        self.param.target_name.objects = list(self.targets)
        self.target_name = target.name

    def keep_files(self, target: str, files: Mapping[str, tuple[str, bytes]]) -> None:
        """Keep the files behind a target with the session; of more than `RAW_BYTES`, the oldest targets' go."""
        kept, total = {target: dict(files)}, _size(files)
        for name, other in reversed(self.raw.items()):
            total += _size(other)
            if name != target and name in self.targets and total <= RAW_BYTES:
                kept[name] = other
        self.raw = dict(reversed(kept.items()))

    def rename_target(self, name: str, new: str) -> None:
        """Give a target of one's own another name.

        Raises
        ------
        AcgenError
            If there is none of that name, or one of the new name.
        """
        if name not in self.own_targets:
            raise AcgenError(f"“{name}” is no target of your own: choose one that you added")
        if not new or (new != name and new in self.targets):
            raise AcgenError(f"“{new}” is the name of another target, or none: give a new one")
        renamed = {new if key == name else key: target for key, target in self.targets.items()}
        renamed[new] = replace(renamed[new], name=new)
        self.raw = {new if key == name else key: files for key, files in self.raw.items()}
        self._replace_targets(renamed, new if self.target_name == name else self.target_name)

    def drop_targets(self, names: Sequence[str]) -> None:
        """Forget targets of one's own; if the chosen one is among them, the default is chosen."""
        kept = {key: target for key, target in self.targets.items() if key not in names or key not in self.own_targets}
        self.raw = {name: files for name, files in self.raw.items() if name in kept}
        self._replace_targets(kept, self.target_name if self.target_name in kept else DEFAULT_TARGET)

    def _replace_targets(self, targets: dict[str, Target | None], chosen: str) -> None:
        """Offer other targets; what is chosen is offered at every moment, and the instrument stays with its target."""
        instrument, same = self.instrument, targets[chosen] is not None and len(targets) == len(self.targets)
        self.targets = self.targets | targets
        self.param.target_name.objects = list(self.targets)
        self.target_name = chosen
        self.targets = targets
        self.param.target_name.objects = list(targets)
        if same:
            self.instrument = instrument


def _size(files: Mapping[str, tuple[str, bytes]]) -> int:
    return sum(len(data) for _name, data in files.values())


#: Options of the core that the page sets, and those that it leaves at their defaults.
SET_HERE = tuple(name for name in OPTIONS if name in State.param)
CARRIED = (
    *SET_HERE, "target_name", "pdf", "cubic", "cell_b", "cell_c", "start", "plain", "energies", "motif", "picked",
    "moment", "dark", "beamlines", "uploaded", "raw", "view", "fronts",
)
LEFT_ALONE = tuple(name for name in OPTIONS if name not in State.param)
