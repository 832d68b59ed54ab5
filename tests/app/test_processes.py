"""The sampler in a process of its own: the same frames, steered, ended early, and what happens when it dies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acgen.networks.models import load_models
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import LiveXi, Settings
from acgen.spectra.targets import load_target
from app.workers.pool import Processes

SETTINGS = Settings(density=2.0, cell=6.0, target=load_target("sp2"), steps=8, restarts=0, candidates=1, seed=3)


@pytest.fixture(scope="module")
def processes():
    processes = Processes(limit=1)
    yield processes
    processes.close()


def test_a_process_gives_what_the_core_gives_and_takes_the_strength_of_every_step(processes):
    known, steered = LiveXi(100.0), LiveXi(100.0)
    frames = []
    for mine, other in zip(
        generate(SETTINGS, load_models(), known), processes.generate(SETTINGS, None, steered), strict=True
    ):
        if isinstance(mine, Candidate):
            np.testing.assert_allclose(other.atoms.positions, mine.atoms.positions, atol=1e-4)
            assert other.misfit == pytest.approx(mine.misfit, abs=1e-5)
        else:
            frames.append(other)
            assert other.xi == mine.xi
            known.xi, steered.xi = steered.xi, 100.0 + 10 * len(frames)  # the process is one step ahead
    assert [event.xi for event in frames] == [100.0 + 10 * max(i - 1, 0) for i in range(len(frames))]


def test_a_run_that_is_ended_leaves_its_process_for_the_next(processes):
    events = processes.generate(SETTINGS, None, LiveXi(0.0))
    first = next(events)
    events.close()
    (process,) = processes._idle
    again = processes.generate(SETTINGS, None, LiveXi(0.0))
    np.testing.assert_array_equal(next(again).frame.positions, first.frame.positions)
    assert not processes._idle, "it is at work"
    again.close()
    assert processes._idle == [process]
    almost = processes.generate(SETTINGS, None, LiveXi(0.0))
    while not isinstance(next(almost), Candidate):
        pass
    almost.close()  # when the process has ended the run on its side already
    whole = list(processes.generate(SETTINGS, None, LiveXi(0.0)))
    assert len(whole) == SETTINGS.steps + 1, "and a candidate"
    np.testing.assert_array_equal(whole[0].frame.positions, first.frame.positions)
    assert processes._idle == [process]


def test_a_failed_run_says_why_and_so_does_a_process_that_dies(processes):
    broken = replace(SETTINGS, resume=None)
    object.__setattr__(broken, "steps", "many")
    with pytest.raises(ValueError, match="TypeError|many"):
        list(processes.generate(broken, None, LiveXi(0.0)))
    events = processes.generate(SETTINGS, None, LiveXi(0.0))
    next(events)
    running = events.gi_frame.f_locals["process"]
    running.kill()
    with pytest.raises(ValueError, match="start again"):
        list(events)
    assert isinstance(next(processes.generate(SETTINGS, None, LiveXi(0.0))).frame.step, int), "another takes its place"
