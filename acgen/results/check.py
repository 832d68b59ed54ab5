"""Whether what was restored from a file is a run: every part is checked before anything uses it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import torch
from ase import Atoms

from acgen.errors import AcgenError
from acgen.results.run import LogEntry, Run
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.sampler import Frame
from acgen.sampling.settings import Settings
from acgen.spectra.grid import N_POINTS
from acgen.spectra.instrument import Instrument
from acgen.spectra.instrument_fit import Fit

#: Bounds of what is read: candidates and frames of a run, atoms of each.
MAX_CANDIDATES, MAX_FRAMES, MAX_ATOMS = 1_000, 100_000, 100_000
_PHASES = ("denoise", "restart", "final")


class ResultsError(AcgenError):
    """A result that cannot be written or read; the message says why and what to do."""


def check_run(run: Run) -> None:
    """Raise ResultsError unless every part of a restored run, but for its earlier runs, is what it should be."""
    want(isinstance(run.settings, Settings), "its settings are missing")
    want(type(run.number) is int and 0 < run.number <= MAX_FRAMES, "its number is missing")
    want(all_of(run.candidates, Candidate, MAX_CANDIDATES), f"expected at most {MAX_CANDIDATES} candidates")
    want(all_of(run.frames, FrameEvent, MAX_FRAMES), f"expected at most {MAX_FRAMES} frames")
    want(all_of(run.log, LogEntry, MAX_FRAMES), "its log has no entries")
    said = [word for entry in run.log for word in (entry.when, entry.text)]
    want(all(isinstance(word, str) for word in said), "its log is not text")
    words = [*run.weights.keys(), *run.weights.values()]
    want(all(isinstance(word, str) for word in words), "its weights have no checksums")
    want(run.settings.n_atoms <= MAX_ATOMS, f"{run.settings.n_atoms} atoms are too many, at most {MAX_ATOMS}")
    target, start = run.settings.target, run.settings.start
    texts = [] if target is None else [target.name, *target.history, *target.warnings, target.sha256, target.recipe]
    texts += [] if start is None else [start.info.get("name", "")]
    want(all(isinstance(text, str) for text in texts), "the name or history of its target or start is no text")
    for candidate in run.candidates:
        _check_candidate(candidate)
    for event in run.frames:
        want(type(event.candidate) is int and event.candidate >= 0 and _number(event.xi), "a frame is of no candidate")
        _check_frame(event.frame)
    if run.settings.resume is not None:
        _check_frame(run.settings.resume)


def _check_candidate(candidate: Candidate) -> None:
    where = f"candidate {candidate.index!r:.20}"
    want(isinstance(candidate.atoms, Atoms) and len(candidate.atoms) <= MAX_ATOMS, f"{where} has no fit structure")
    want(type(candidate.index) is int and type(candidate.seed) is int, f"{where} has no whole number and seed")
    want(_array(candidate.spectrum, N_POINTS) and _array(candidate.judge_spectrum, N_POINTS), f"{where}: spectrum")
    want(_array(candidate.site_spectra, len(candidate.atoms), N_POINTS), f"{where} lacks spectra of its atoms")
    for value in (candidate.misfit, candidate.judge_misfit):
        want(value is None or _number(value), f"{where} has a misfit that is no number")
    want(_number(candidate.wall_s), f"{where} has a time that is no number")
    pairs = [len(pair) == 2 and type(pair[0]) is int and _number(pair[1]) for pair in candidate.xi]
    want(all(pairs), f"{where} has strengths that are no numbers")
    want(candidate.instrument is None or _is_fit(candidate.instrument), f"{where} has no fit instrument")


def _is_fit(fit: Any) -> bool:
    names = {field.name for field in fields(Instrument)}
    return (
        isinstance(fit, Fit)
        and isinstance(fit.instrument, Instrument)
        and all(_number(getattr(fit.instrument, name)) for name in names)
        and set(fit.errors) == names
        and all(map(_number, fit.errors.values()))
        and all_of(fit.at_bounds, str, len(names))
        and _array(fit.prediction, N_POINTS)
        and _array(fit.shares, 1)
    )


def _check_frame(frame: Frame) -> None:
    atoms = len(frame.positions)
    numbers = (frame.step, frame.steps, frame.cycle)
    want(all(type(number) is int and number >= 0 for number in numbers), "a frame has no whole step numbers")
    want(_number(frame.t) and _number(frame.sigma), "a frame has no time")
    want(frame.phase in _PHASES and 0 < atoms <= MAX_ATOMS, f"a frame has phase {frame.phase!r:.20}, {atoms} atoms")
    want(_array(frame.positions, atoms, 3) and _array(frame.denoised, atoms, 3), "a frame has unfit positions")
    want(frame.prediction is None or _array(frame.prediction, N_POINTS), "a frame has an unfit prediction")
    want(frame.misfit is None or _number(frame.misfit), "a frame has an unfit misfit")
    state = frame.rng_state
    want(isinstance(state, torch.Tensor) and state.dtype == torch.uint8 and state.ndim == 1, "a frame has no state")


def want(holds: bool, problem: str) -> None:
    """Raise ResultsError with the problem unless something holds."""
    if not holds:
        raise ResultsError(f"the zip file does not hold a run that can be restored: {problem}")


def all_of(values: Any, kind: type, most: int) -> bool:
    """Whether values are a tuple of at most so many of a kind."""
    return isinstance(values, tuple) and len(values) <= most and all(isinstance(value, kind) for value in values)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _array(value: Any, *shape: int) -> bool:
    return isinstance(value, np.ndarray) and value.shape == shape and bool(np.isfinite(value).all())
