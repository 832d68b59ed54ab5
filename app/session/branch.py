"""Settings of a run that goes on from what an earlier one made."""

from __future__ import annotations

from dataclasses import replace

from acgen.sampling.generate import FrameEvent
from acgen.sampling.settings import Settings
from acgen.structures.cell import carbon
from app.session.snapshot import Finished, Snapshot
from app.session.state import State

#: What a frame that a run goes on from has decided already.
OF_THE_FRAME = frozenset({"density", "cell", "steps", "restarts", "refine", "start", "start_t"})


def go_on(state: State, snapshot: Snapshot, event: FrameEvent) -> tuple[Settings, str]:
    """Continue a frame of the run: cell and steps are those of the run, the rest is what is chosen now.

    Returns
    -------
    settings, origin
        What to run, and what the log says of it.

    Raises
    ------
    AcgenError
        If the frame is the last of its candidate.
    """
    chosen = {name: value for name, value in state.choices.items() if name not in OF_THE_FRAME}
    settings = replace(snapshot.settings, resume=event.frame, **chosen)
    return settings, f"{_place(snapshot, event)}, continued"


def noise_frame(state: State, snapshot: Snapshot, event: FrameEvent, t: float) -> tuple[Settings, str]:
    """Noise the clean estimate of a frame to time `t`, and denoise it with what is chosen now."""
    atoms = carbon(event.frame.denoised.astype(float), snapshot.settings.box)
    return _noised(state, atoms, _place(snapshot, event), t)


def noise_candidate(state: State, item: Finished, t: float) -> tuple[Settings, str]:
    """Noise a finished candidate to time `t`, and denoise it with what is chosen now."""
    atoms = item.candidate.atoms
    return _noised(state, carbon(atoms.positions, atoms.cell.array), f"candidate {item.name}", t)


def _noised(state: State, atoms, place: str, t: float) -> tuple[Settings, str]:
    atoms.info["name"] = place
    return replace(state.settings, start=atoms, start_t=t), f"{place}, noised to t = {t:g}"


def _place(snapshot: Snapshot, event: FrameEvent) -> str:
    return f"step {event.frame.step} of candidate {snapshot.run}.{event.candidate + 1}"
