"""What the user picked: an atom of the structure, or a range of photon energies, and the site spectra both need."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from acgen.networks.models import Models, predict_sites
from acgen.structures.analysis import bonds
from acgen.structures.cell import carbon
from app.session.shown import Shown
from app.session.snapshot import Status
from app.session.state import State
from app.viewer.colouring import shares

#: What atoms can be coloured by: ranges of photon energies in eV; None is their coordination number.
RANGES = {"Coordination": None, "π* (284-286.5 eV)": (284.0, 286.5), "σ* (291-294 eV)": (291.0, 294.0)}


def describe_atom(shown: Shown, atom: int, energies: tuple[float, float] | None) -> str:
    """Coordination number, bond lengths and share of the chosen energies of an atom, in one line."""
    pairs, lengths = bonds(shown.atoms)
    own = np.sort(lengths[(pairs == atom).any(axis=1)])
    text = f"Atom {atom + 1} · CN {shown.coordination[atom]}"
    if len(own):
        text += " · bonds " + ", ".join(f"{length:.2f}" for length in own) + " Å"
    if energies is not None and shown.site_spectra is not None:
        text += f" · {shares(shown.site_spectra, energies)[atom]:.2f} of the average at {in_words(energies)}"
    return text


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
    """

    def __init__(self, state: State, load: Callable[[], Models]):
        self.state, self._load = state, load
        self._thread: threading.Thread | None = None
        self._found: tuple[Shown, np.ndarray] | None = None

    def tick(self) -> None:
        """Hand on what was found, or begin; while a run is going on, frames change too fast."""
        state, shown = self.state, self.state.shown
        if self._found is not None:
            (asked, sites), self._found, self._thread = self._found, None, None
            if asked is shown:
                known = replace(shown, site_spectra=sites)
                state.param.update(shown=known, compared=(known, *state.compared[1:]))
        elif (
            self._thread is None
            and shown is not None
            and shown.site_spectra is None
            and state.snapshot.status is not Status.RUNNING
            and (state.atom is not None or state.energies is not None)
        ):
            self._thread = threading.Thread(target=self._predict, args=(shown,), daemon=True, name="acgen-sites")
            self._thread.start()

    def _predict(self, shown: Shown) -> None:
        clean = shown.atoms if shown.denoised is None else carbon(shown.denoised, shown.atoms.cell.array)
        self._found = shown, predict_sites(self._load().forward, clean)
