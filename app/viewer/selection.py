"""The user's selection: an atom of the structure, or a range of photon energies, and the site spectra both need."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from acgen.networks.models import Models, predict_sites
from acgen.sampling.settings import Settings
from acgen.spectra.grid import PI_STAR_WINDOW, SIGMA_STAR_WINDOW
from acgen.structures.analysis import bonds
from acgen.structures.cell import carbon
from app.session.shown import Shown, see
from app.session.snapshot import Status
from app.session.state import State
from app.viewer.colouring import shares
from app.workers.background import Background
from app.workers.explain import explain

#: What atoms can be coloured by: ranges of photon energies in eV; None is their coordination number.
RANGES = {"Coordination": None} | {
    f"{name} ({low:g}-{high:g} eV)": (low, high)
    for name, (low, high) in {"π*": PI_STAR_WINDOW, "σ*": SIGMA_STAR_WINDOW}.items()
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


class SiteSpectra:
    """Predicts the spectra of all atoms on display, in a thread, once something that needs them was picked.

    Parameters
    ----------
    state
        Its `shown` gets them.
    load
        Gives the networks.
    background
        Does the work.
    tell
        Called with what went wrong; the next pick, or the next structure, tries again.
    """

    def __init__(
        self, state: State, load: Callable[[], Models], background: Background, tell: Callable[[str], None]
    ):
        self.state, self._load, self._background, self._tell = state, load, background, tell
        self._asked: Shown | None = None  # what was asked for last, with or without success
        state.param.watch(self._picked, ["atom", "energies"])

    def tick(self) -> None:
        """Begin where site spectra are needed; while a run is going on, frames change too fast."""
        state, shown = self.state, self.state.shown
        if (
            shown is not None
            and shown is not self._asked
            and shown.site_spectra is None
            and state.snapshot.status is not Status.RUNNING
            and (state.atom is not None or state.energies is not None)
        ):
            self._asked = shown
            work = functools.partial(with_sites, shown, state.snapshot.settings, self._load)
            self._background.do("site spectra", work, functools.partial(self._take, shown))

    def _picked(self, *_events) -> None:
        if not self._background.busy("site spectra"):
            self._asked = None

    def _take(self, asked: Shown, known: Shown | None, error: Exception | None) -> None:
        if error is not None:
            self._tell(f"No spectra of the atoms: {explain(error)}")
        elif asked is self.state.shown:
            self.state.param.update(shown=known, compared=(known, *self.state.compared[1:]))


def with_sites(shown: Shown, settings: Settings | None, load: Callable[[], Models]) -> Shown:
    """A frame of a run with the spectra of its atoms, and what that run sees them through."""
    clean = shown.atoms if shown.denoised is None else carbon(shown.denoised, shown.atoms.cell.array)
    sites = predict_sites(load().forward, clean)
    if shown.instrument is not None:
        return replace(shown, site_spectra=sites)
    target, instrument = (None, False) if settings is None else (settings.target, settings.instrument)
    known = see(replace(shown, prediction=sites.mean(0), site_spectra=sites), target, instrument)
    return known if shown.prediction is None else replace(known, prediction=shown.prediction)
