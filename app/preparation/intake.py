"""Uploaded spectra on their way to targets, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import param

from acgen.spectra.spectrum import Target
from app.preparation.choices import Preparation
from app.preparation.dialog import PreparationDialog
from app.preparation.files import Source
from app.preparation.jobs import named
from app.session.state import State


class Intake:
    """Makes a target of every file that leaves no choice, and asks about any other; once for scans of one upload.

    Parameters
    ----------
    state
        Gets the targets; the last one is chosen.
    preparation, dialog
        How a target is made, and where it is asked about.
    tell
        Called with what was not taken and why, or with an empty text when a new upload begins.
    """

    def __init__(
        self, state: State, preparation: Preparation, dialog: PreparationDialog, tell: Callable[[str], None]
    ):
        self.state, self.preparation, self.dialog, self._tell = state, preparation, dialog, tell
        self._waiting: deque[tuple[bytes, str]] = deque()
        self._name = ""  # of the file that is being taken; empty if none is
        self._awaited: Source | None = None  # becomes the target as soon as it is prepared
        self._batch: set[str] = set()  # targets of this upload; its other scans with the same columns follow them
        self._problems: list[str] = []
        preparation.param.watch(self._prepared, "prepared")
        dialog.dialog.param.watch(self._answered, "open")

    def take(self, files: Sequence[tuple[bytes, str]]) -> None:
        """Take files, each its content and its name."""
        if not self._name:
            self._batch.clear()
            self._problems.clear()
            self._tell("")
        self._waiting.extend(files)
        self._next()

    def refuse(self, reason: str) -> None:
        """Say that a file was not even taken."""
        self._problems.append(reason)
        self._tell("; ".join(self._problems))

    def _next(self) -> None:
        if not self._name and self._waiting:
            data, name = self._waiting.popleft()
            self._name = name or "the file"
            self.preparation.open("sample", data, name, self._opened, afresh=True)

    def _opened(self, source: Source | None, reason: str) -> None:
        if source is None:
            self._done(reason)
        elif source.prepared is not None:
            self._add(source.prepared)
        else:
            like = [name for name in self.preparation.alike() if name in self._batch]
            if self.preparation.missing and like:
                self.preparation.like(like[0])
            if self.preparation.missing:
                self.dialog.open()  # and go on when it is closed
                return
            self._awaited = source
            self._prepared()

    def _prepared(self, *_events) -> None:
        prepared = self.preparation.prepared
        if prepared is None or prepared.job.sample is not self._awaited:
            return
        self._awaited = None
        if prepared.target is None:
            self._done(prepared.problem)
        else:
            self._add(prepared.recorded())

    def _answered(self, event: param.parameterized.Event) -> None:
        if self._name and not event.new:
            self._batch.add(self.state.target_name)
            self._done()

    def _add(self, target: Target) -> None:
        target = named(target, State.builtin_names())
        self.state.add_target(target)
        self.preparation.keep(target.name)
        self.state.keep_files(target.name, self.preparation.files)
        self._batch.add(target.name)
        self._done()

    def _done(self, problem: str = "") -> None:
        if problem:
            self.refuse(f"“{self._name}”: {problem}" if self._waiting or self._problems else problem)
        self._name = ""
        self._next()
