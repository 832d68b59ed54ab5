"""A stand-in for the core: the same events as `acgen.sampling.generate.generate`, without networks."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import torch
from ase.build import bulk

from acgen.results.run import LogEntry
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.sampler import Frame
from acgen.sampling.settings import Settings
from acgen.spectra.targets import builtin_targets, load_target
from acgen.structures.cell import carbon
from app.session.snapshot import Finished, Snapshot, Status

MODELS = SimpleNamespace(sha256={"score": "0" * 64, "forward": "1" * 64, "judge": "2" * 64})


def fake_generate(settings, models, strength=None, seconds_per_step: float = 0.0):
    """Atoms that move from random places to a strained diamond lattice while the spectrum moves to the target."""
    cell = settings.box
    count = settings.n_atoms
    repeats = int(np.ceil((count / 8) ** (1 / 3)))
    lattice = bulk("C", cubic=True).repeat(repeats).get_scaled_positions()[:count] @ cell
    begun, ended = builtin_targets()["sp"].intensity, builtin_targets()["diamond"].intensity
    total = len(settings.plan)
    first = 0 if settings.resume is None else settings.resume.step
    for index in range(settings.candidates):
        begin = time.perf_counter()
        rng = np.random.default_rng(settings.seed + index)
        scattered = rng.random((count, 3)) @ cell
        for number, step in enumerate(settings.plan.steps[first:], start=first + 1):
            xi = 0.0 if settings.target is None else settings.xi if strength is None else strength(index, number)
            time.sleep(seconds_per_step)
            order = min(1.0, 1.2 * number / total) * (0.9 + 0.1 * ((settings.seed + index) % 2))
            positions = (1 - order) * scattered + order * lattice + rng.normal(0, 0.08, (count, 3))
            prediction = (1 - order) * begun + order * ended
            misfit = None if settings.target is None else settings.target.misfit(prediction)
            yield FrameEvent(
                index,
                Frame(
                    number,
                    total,
                    step.phase,
                    step.cycle,
                    step.t_next,
                    0.8 * step.t_next,
                    positions.astype(np.float32),
                    lattice.astype(np.float32),
                    misfit,
                    None if misfit is None else prediction,
                    torch.get_rng_state(),
                ),
                xi,
            )
        yield Candidate(
            index,
            settings.seed + index,
            carbon(positions, cell),
            prediction,
            np.tile(prediction, (count, 1)),
            prediction,
            misfit,
            misfit,
            time.perf_counter() - begin,
            ((first + 1, xi),),
        )


TARGET = replace(load_target("sp2"), name="my film/../2")
SETTINGS = Settings(cell=7.0, target=TARGET, steps=2, restarts=0, candidates=2, seed=5)


def session() -> Snapshot:
    """Two runs: the first done, the second stopped after its first candidate."""
    first, second = list(fake_generate(SETTINGS, MODELS)), list(fake_generate(replace(SETTINGS, xi=400.0), MODELS))
    made = [event for event in first if isinstance(event, Candidate)]
    more = next(event for event in second if isinstance(event, Candidate))
    frames = tuple(event for event in second if not isinstance(event, Candidate))
    changed = replace(SETTINGS, xi=400.0)
    return Snapshot(
        version=7,
        run=2,
        status=Status.STOPPED,
        settings=changed,
        weights=MODELS.sha256,
        candidate=frames[-1].candidate,
        frame=frames[-1].frame,
        xi=frames[-1].xi,
        trajectory=frames,
        misfits=tuple(
            tuple((event.frame.step, event.frame.misfit) for event in frames if event.candidate == index)
            for index in (0, 1)
        ),
        finished=(
            *(Finished(1, SETTINGS, item, weights=MODELS.sha256) for item in made),
            Finished(2, changed, more, weights=MODELS.sha256),
        ),
        log=(LogEntry("2026-05-01T10:00:00+02:00", "Run 2 started"),),
    )


def same(one, other) -> bool:
    """Whether two values are equal, dataclasses and arrays by their content and kind."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (np.ndarray, torch.Tensor)):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    if hasattr(one, "arrays") and hasattr(one, "info"):
        return one == other and same(dict(one.info), dict(other.info))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return one == other
