"""A stand-in for the core: the same events as `acgen.ensemble.generate`, without networks."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import torch
from ase.build import bulk

from acgen.ensemble import Candidate, FrameEvent
from acgen.sampler import Frame
from acgen.spectra.targets import builtin_targets
from acgen.structure import carbon

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
