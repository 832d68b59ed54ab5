"""The sampler in a process of its own: the same frames, steered, ended early, and what happens when it dies."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from app_fakes import MODELS, fake_generate

from acgen.errors import AcgenError
from acgen.networks.models import load_models
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import LiveXi, Settings
from acgen.spectra.targets import load_target
from app.session.archive import run_of
from app.session.runner import Runner
from app.workers.explain import Reported, explain
from app.workers.models import Loaded
from app.workers.pool import Processes

SETTINGS = Settings(density=2.0, cell=6.0, target=load_target("sp2"), steps=8, restarts=0, candidates=1, seed=3)


@pytest.fixture(scope="module")
def processes():
    processes = Processes(limit=1)
    yield processes
    processes.close()


def test_a_process_gives_what_the_core_gives_and_takes_the_strength_of_every_step(processes):
    known, steered = LiveXi(100.0), LiveXi(100.0)
    frames, models = [], load_models()
    events = processes.generate(SETTINGS, None, steered)
    assert next(events) == Loaded(models.sha256)
    for mine, other in zip(generate(SETTINGS, models, known), events, strict=True):
        if isinstance(mine, Candidate):
            np.testing.assert_allclose(other.atoms.positions, mine.atoms.positions, atol=1e-4)
            assert other.misfit == pytest.approx(mine.misfit, abs=1e-5)
        else:
            frames.append(other)
            assert other.xi == mine.xi
            known.xi, steered.xi = steered.xi, 100.0 + 10 * len(frames)  # the process is one step ahead
    assert [event.xi for event in frames] == [100.0 + 10 * max(i - 1, 0) for i in range(len(frames))]


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no priorities of processes")
def test_the_page_goes_before_the_sampler_where_both_want_a_core(processes):
    events = processes.generate(SETTINGS, None, LiveXi(0.0))
    next(events)
    process = events.gi_frame.f_locals["process"].process
    assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    events.close()


def test_a_run_that_is_ended_leaves_its_process_for_the_next(processes):
    events = processes.generate(SETTINGS, None, LiveXi(0.0))
    _, first = next(events), next(events)
    events.close()
    (process,) = processes._idle
    again = processes.generate(SETTINGS, None, LiveXi(0.0))
    next(again)
    np.testing.assert_array_equal(next(again).frame.positions, first.frame.positions)
    assert not processes._idle, "it is at work"
    again.close()
    assert processes._idle == [process]
    almost = processes.generate(SETTINGS, None, LiveXi(0.0))
    while not isinstance(next(almost), Candidate):
        pass
    almost.close()  # when the process has ended the run on its side already
    whole = list(processes.generate(SETTINGS, None, LiveXi(0.0)))
    assert len(whole) == SETTINGS.steps + 2, "the networks, and a candidate"
    np.testing.assert_array_equal(whole[1].frame.positions, first.frame.positions)
    assert processes._idle == [process]


def test_a_process_that_dies_says_what_to_do_and_another_takes_its_place(processes):
    events = processes.generate(SETTINGS, None, LiveXi(0.0))
    next(events)
    running = events.gi_frame.f_locals["process"]
    running.process.kill()
    with pytest.raises(AcgenError, match="start again"):
        list(events)
    again = processes.generate(SETTINGS, None, LiveXi(0.0))
    assert isinstance(next(again), Loaded)
    again.close()


def test_what_a_user_can_mend_stays_that_and_a_bug_is_told_as_one_with_its_place(processes):
    with pytest.raises(AcgenError, match="between its closest faces"):
        list(processes.generate(replace(SETTINGS, cell=3.0), None, LiveXi(0.0)))
    broken = replace(SETTINGS, resume=None)
    object.__setattr__(broken, "steps", "many")
    with pytest.raises(Reported, match=r"TypeError: .* \(\w+, line \d+ of \w+\.py\).*report this line") as caught:
        list(processes.generate(broken, None, LiveXi(0.0)))
    assert not isinstance(caught.value, AcgenError)
    assert explain(caught.value) == str(caught.value), "the place in the other process, not in this one"
    whole = list(processes.generate(SETTINGS, None, LiveXi(0.0)))
    assert len(whole) == SETTINGS.steps + 2


def test_the_networks_of_the_process_are_those_of_the_result():
    def elsewhere(settings, models, strength):
        yield Loaded({"score": "a" * 64})
        yield from fake_generate(settings, models, strength)

    runner = Runner(elsewhere, lambda: MODELS)
    runner.start(Settings(cell=7.0, steps=8, restarts=0, candidates=1))
    runner.join(10)
    assert runner.snapshot.weights == {"score": "a" * 64}
    assert run_of(runner.snapshot).weights == {"score": "a" * 64}
    runner._generate = fake_generate
    runner.start(Settings(cell=7.0, steps=8, restarts=0, candidates=1))
    runner.join(10)
    run = run_of(runner.snapshot)
    assert (run.weights, run.earlier[0].weights) == (MODELS.sha256, {"score": "a" * 64})
