"""The user's selection: an atom, a range of photon energies, rings or chains, and what has to be found out for them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from acgen.networks.models import Models, predict_sites
from acgen.sampling.settings import Settings
from acgen.spectra.grid import PI_STAR_WINDOW, SIGMA_STAR_WINDOW
from acgen.structures.analysis import bonds
from acgen.structures.cell import carbon
from acgen.structures.rings import RING_SIZES, rings
from app.session.shown import CHAINS, Shown, see
from app.session.snapshot import Status
from app.session.state import State
from app.viewer.colouring import shares
from app.workers.background import Background
from app.workers.explain import explain

#: What atoms can be coloured by, with the state for it: coordination, ranges of photon energies in eV, rings, chains.
COLOURINGS: dict[str, dict[str, Any]] = {
    "Coordination": {"energies": None, "motif": None},
    **{
        f"{name} ({low:g}-{high:g} eV)": {"energies": (low, high), "motif": None}
        for name, (low, high) in {"π*": PI_STAR_WINDOW, "σ*": SIGMA_STAR_WINDOW}.items()
    },
    **{f"Rings of {size}": {"energies": None, "motif": size} for size in RING_SIZES},
    "Chains": {"energies": None, "motif": CHAINS},
}


def describe_atom(shown: Shown, atom: int, energies: tuple[float, float] | None) -> str:
    """Coordination number, bond lengths and share of the chosen energies of an atom, in one line."""
    pairs, lengths = bonds(shown.atoms)
    own = np.sort(lengths[(pairs == atom).any(axis=1)])
    text = f"Atom {atom + 1} · CN {shown.coordination[atom]}"
    if len(own):
        text += " · bonds " + ", ".join(f"{length:.2f}" for length in own) + " Å"
    if energies is not None and shown.site_spectra is not None:
        text += f" · {shares(shown.seen_sites, energies)[atom]:.2f} of the average at {in_words(energies)}"
    return text


def measured(shown: Shown, atoms: Sequence[int]) -> str:
    """Distance between two atoms in Å, of three also the angle at the second one; the nearest images count."""
    numbers = [atom + 1 for atom in atoms]
    lengths = [shown.atoms.get_distance(a, b, mic=True) for a, b in itertools.pairwise(atoms)]
    parts = [f"{a}–{b} {length:.2f} Å" for (a, b), length in zip(itertools.pairwise(numbers), lengths, strict=True)]
    if len(atoms) == 3 and min(lengths) > 0:
        parts.append(f"angle {'–'.join(map(str, numbers))} {shown.atoms.get_angle(*atoms, mic=True):.1f}°")
    return " · ".join(parts)


def in_words(energies: tuple[float, float]) -> str:
    """A range of photon energies."""
    return f"{energies[0]:.1f}-{energies[1]:.1f} eV"


def motif_in_words(shown: Shown, motif: int | str) -> str:
    """How many rings of a size there are, or chains, and how many atoms are in them."""
    found = shown.motif(motif)
    if found is None:
        return f"Rings of {motif}: as soon as the run pauses or ends"
    name = ("chain" if motif == CHAINS else "ring") + "s" * (len(found) != 1) + f" of {motif}" * (motif != CHAINS)
    inside = len(np.unique(np.concatenate(found))) if len(found) else 0
    return f"{len(found)} {name}: {inside} of {len(shown.atoms)} atoms"


class Completion:
    """Finds out more of the structure on display, in a thread, once something that needs it was picked.

    Parameters
    ----------
    state
        Its `shown` gets what was found.
    background
        Does the work.
    tell
        Called with what went wrong; the next pick, or the next structure, tries again.
    """

    #: What is found out, and the parameters of the state that ask for it.
    what: ClassVar[str]
    picks: ClassVar[list[str]]

    def __init__(self, state: State, background: Background, tell: Callable[[str], None]):
        self.state, self._background, self._tell = state, background, tell
        self._asked: Shown | None = None  # what was asked for last, with or without success
        state.param.watch(self._picked, self.picks)

    def wanted(self, shown: Shown) -> bool:
        """Whether it is asked for and not known."""
        raise NotImplementedError

    def work(self, shown: Shown) -> Callable[[], Shown]:
        """What gives the structure with what is asked for."""
        raise NotImplementedError

    def tick(self) -> None:
        """Begin where something is needed; while a run is going on, frames change too fast."""
        shown = self.state.shown
        if shown is None or shown is self._asked or self.state.snapshot.status is Status.RUNNING:
            return
        if self.wanted(shown):
            self._asked = shown
            self._background.do(self.what, self.work(shown), functools.partial(self._take, shown))

    def _picked(self, *_events) -> None:
        if not self._background.busy(self.what):
            self._asked = None

    def _take(self, asked: Shown, known: Shown | None, error: Exception | None) -> None:
        if error is not None:
            self._tell(f"No {self.what}: {explain(error)}")
        elif asked is self.state.shown:
            self.state.param.update(shown=known, compared=(known, *self.state.compared[1:]))


class SiteSpectra(Completion):
    """Predicts the spectra of all atoms; `load` gives the networks."""

    what, picks = "spectra of the atoms", ["atom", "energies"]

    def __init__(
        self, state: State, load: Callable[[], Models], background: Background, tell: Callable[[str], None]
    ):
        super().__init__(state, background, tell)
        self._load = load

    def wanted(self, shown):
        return shown.site_spectra is None and (self.state.atom is not None or self.state.energies is not None)

    def work(self, shown):
        return functools.partial(with_sites, shown, self.state.snapshot.settings, self._load)


class Rings(Completion):
    """Looks for the rings."""

    what, picks = "rings", ["motif"]

    def wanted(self, shown):
        return shown.rings is None and self.state.motif in RING_SIZES

    def work(self, shown):
        return lambda: replace(shown, rings=rings(shown.atoms))


def with_sites(shown: Shown, settings: Settings | None, load: Callable[[], Models]) -> Shown:
    """A structure with the spectra of its atoms, and what its run sees them through; a frame by what guides."""
    frame = shown.denoised is not None
    clean = carbon(shown.denoised, shown.atoms.cell.array) if frame else shown.atoms
    sites = predict_sites(load().guide if frame else load().forward, clean)
    if shown.instrument is not None:
        return replace(shown, site_spectra=sites)
    target, instrument = (None, False) if settings is None else (settings.target, settings.instrument)
    known = see(replace(shown, prediction=sites.mean(0), site_spectra=sites), target, instrument)
    return known if shown.prediction is None else replace(known, prediction=shown.prediction)
