"""Structures from files, compared with the chosen target as candidates are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ase import Atoms

from acgen.networks.models import Models
from acgen.sampling.generate import finish, judged
from acgen.sampling.settings import Settings
from acgen.spectra.spectrum import Target
from acgen.structures.cell import carbon
from app.session.snapshot import Finished
from app.session.state import State
from app.workers.background import Background
from app.workers.explain import explain

#: Structures that a session keeps.
KEPT_UPLOADS = 16


@dataclass(frozen=True, eq=False)
class Uploaded(Finished):
    """A structure from a file with its predicted spectra and misfits: listed with the candidates, of no run (0)."""

    label: str = "uploaded"

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.label


class Uploads:
    """Predicts the spectra of uploaded structures in a thread, and compares them anew when the target changes.

    Parameters
    ----------
    state
        Gets the structures in `uploaded`, and puts the newest on display.
    background, load
        Does the work, with these networks.
    tell
        Called when a structure is there, with an empty text or what went wrong.
    """

    def __init__(
        self, state: State, background: Background, load: Callable[[], Models], tell: Callable[[str], None]
    ):
        self.state, self._background, self._load, self._tell = state, background, load, tell
        self._count = 0
        state.param.watch(self._compare, ["target_name", "targets", "instrument"])

    def take(self, atoms: Atoms) -> None:
        """List a structure that was read; `info["name"]` is the name of its file."""
        work = functools.partial(examine, atoms, self._next(), self.state.target, self.state.instrument, self._load)
        self._background.do("uploaded structure", work, self._taken)

    def _next(self) -> int:
        self._count = 1 + max([self._count, *(item.candidate.index for item in self.state.uploaded)])
        return self._count

    def _taken(self, found: Uploaded | None, error: Exception | None) -> None:
        self._tell("" if error is None else explain(error))
        if found is not None:
            self.state.uploaded = (*self.state.uploaded, found)[-KEPT_UPLOADS:]
            self.state.picked = (found.key,)
            self._compare()  # the target may be another one by now

    def _compare(self, *_events) -> None:
        asked = target, instrument = self.state.target, self.state.instrument
        if any((item.settings.target, item.settings.instrument) != asked for item in self.state.uploaded):
            items = [(item, self._next()) for item in self.state.uploaded]
            work = functools.partial(_against, items, target, instrument)
            self._background.do("compare uploaded", work, functools.partial(self._compared, items))

    def _compared(
        self, items: list[tuple[Uploaded, int]], found: tuple[Uploaded, ...], error: Exception | None
    ) -> None:
        if error is not None:
            self._tell(explain(error))
            return
        new = {old.key: item for (old, _), item in zip(items, found, strict=True)}
        picked = tuple(new[key].key if key in new else key for key in self.state.picked)
        uploaded = tuple(new.get(item.key, item) for item in self.state.uploaded)
        self.state.param.update(uploaded=uploaded, picked=picked)


def join(state: State, brought: Sequence[Uploaded]) -> None:
    """List structures that were brought back from a file behind those that are here."""
    first = 1 + max((item.candidate.index for item in state.uploaded), default=0)
    new = tuple(
        replace(item, candidate=replace(item.candidate, index=index)) for index, item in enumerate(brought, first)
    )
    state.uploaded = (*state.uploaded, *new)[-KEPT_UPLOADS:]


def examine(
    atoms: Atoms, index: int, target: Target | None, instrument: bool, load: Callable[[], Models]
) -> Uploaded:
    """A structure with its predicted spectra and how far they are from a target."""
    models, settings = load(), Settings(target=target, instrument=instrument)
    made = finish(settings, models, index, carbon(atoms.positions, atoms.cell.array), 0.0)
    return Uploaded(0, settings, made, weights=models.sha256, label=atoms.info["name"])


def _against(items: list[tuple[Uploaded, int]], target: Target | None, instrument: bool) -> tuple[Uploaded, ...]:
    """The same structures beside another target, each with a new index."""
    settings = Settings(target=target, instrument=instrument)
    return tuple(
        replace(item, settings=settings, candidate=replace(judged(settings, item.candidate), index=index))
        for item, index in items
    )
