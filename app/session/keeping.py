"""What is on display, kept: as a structure file, or as a candidate of a run that has not finished it."""

from __future__ import annotations

import io
from dataclasses import replace

from ase import Atoms
from ase.io import write

from acgen.errors import AcgenError
from acgen.networks.models import Models
from acgen.results.files import trajectory
from acgen.sampling.generate import Candidate, FrameEvent, finish
from acgen.sampling.settings import Settings
from acgen.structures.cell import carbon
from app.session.snapshot import Snapshot
from app.session.state import State


def on_display(state: State, snapshot: Snapshot) -> FrameEvent:
    """The frame of the run that is shown.

    Raises
    ------
    AcgenError
        If there is none.
    """
    if not snapshot.trajectory:
        raise AcgenError("there is no frame yet: start a run first")
    return snapshot.trajectory[-1 if state.moment is None else min(state.moment, len(snapshot.trajectory) - 1)]


def structure_file(state: State, snapshot: Snapshot) -> tuple[str, str]:
    """Name and content of an extxyz file of the candidates that are picked, or else of the frame on display.

    Raises
    ------
    AcgenError
        If nothing is on display.
    """
    if state.chosen:
        name = "candidate-" + "-".join(item.name for item in state.chosen[:3]).replace("/", "-")
        return f"acgen_{name}.extxyz", _extxyz([item.candidate.atoms for item in state.chosen])
    event = on_display(state, snapshot)
    name = f"acgen_run-{snapshot.run}_candidate-{event.candidate + 1}_step-{event.frame.step}.extxyz"
    return name, _extxyz(trajectory([event], snapshot.settings.box))


def as_candidate(settings: Settings, models: Models, event: FrameEvent) -> Candidate:
    """A frame as a candidate: its estimate of the clean atoms, with spectra and misfits as of a finished one."""
    frame = event.frame
    atoms = carbon(frame.denoised.astype(float), settings.box)
    made = finish(settings, models, event.candidate, atoms, 0.0, ((frame.step, event.xi),))
    atoms.info["unfinished_step"] = frame.step
    return replace(made, unfinished=frame.step)


def _extxyz(images: list[Atoms]) -> str:
    text = io.StringIO()
    write(text, images, format="extxyz")
    return text.getvalue()
