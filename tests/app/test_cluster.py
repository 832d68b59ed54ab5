"""A run of the page on a real scheduler with a real worker."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from waiting import LIMIT, until

from acgen.inference.tasks import Load
from acgen.networks.models import load_models
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings
from acgen.spectra.targets import load_target
from app.session.runner import Runner
from app.session.snapshot import Snapshot, Status
from app.views.progress import describe
from app.workers.cluster import on_scheduler

distributed = pytest.importorskip("distributed")

NETWORKS = SimpleNamespace(sha256={})
QUICK = Settings(cell=7.0, target=load_target("sp2"), steps=4, restarts=0, candidates=3, seed=3)


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and one worker in a process of its own, on this machine."""
    here = "127.0.0.1"
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, host=here, dashboard_address=None) as made:
        yield made


def no_process(*_args):
    raise AssertionError("a run on a cluster takes no process of the server")


def test_candidates_of_a_cluster_are_those_of_this_machine(cluster):
    runner = Runner(on_scheduler(cluster.scheduler_address, no_process), lambda: NETWORKS)
    runner.start(QUICK)
    runner.join(LIMIT)
    snapshot = runner.snapshot
    assert snapshot.status is Status.DONE, snapshot.error
    models = load_models()
    assert snapshot.weights == dict(models.sha256)
    known = [event for event in generate(QUICK, models) if isinstance(event, Candidate)]
    for one, other in zip(sorted(snapshot.candidates, key=lambda each: each.index), known, strict=True):
        assert (one.index, one.seed) == (other.index, other.seed)
        assert np.array_equal(one.atoms.positions, other.atoms.positions)
    assert snapshot.progress == 1.0


def test_a_run_on_a_cluster_stops_and_gives_its_tasks_back(cluster):
    runner = Runner(on_scheduler(cluster.scheduler_address, no_process), lambda: NETWORKS)
    runner.start(replace(QUICK, candidates=200))
    until(lambda: runner.snapshot.load is not None and len(runner.snapshot.candidates) > 0)
    assert runner.snapshot.load.threads == 1
    assert "On the cluster" in describe(runner.snapshot)
    assert 0 < runner.snapshot.progress < 1
    runner.stop()
    runner.join(LIMIT)
    assert runner.snapshot.status is Status.STOPPED
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        until(lambda: not any(client.processing().values()))


def test_a_scheduler_that_does_not_answer_is_said():
    runner = Runner(on_scheduler("tcp://127.0.0.1:9", no_process), lambda: NETWORKS)
    runner.start(QUICK)
    runner.join(LIMIT)
    assert runner.snapshot.status is Status.FAILED
    assert "no Dask scheduler answers" in runner.snapshot.error


def test_a_server_without_dask_says_what_to_install(monkeypatch):
    monkeypatch.setattr("app.workers.cluster.has_dask", lambda: False)
    runner = Runner(on_scheduler("tcp://127.0.0.1:9", no_process), lambda: NETWORKS)
    runner.start(QUICK)
    runner.join(LIMIT)
    assert "acgen[cluster]" in runner.snapshot.error


def test_words_for_what_a_cluster_does():
    run = Snapshot(status=Status.RUNNING, settings=QUICK, load=Load(8, 5, 3))
    assert describe(run) == "On the cluster: 0 of 3 candidates finished · 5 tasks for 8 threads"
    assert "no worker yet" in describe(replace(run, load=Load(0, 0, 3)))
    assert "paused" in describe(replace(run, status=Status.PAUSED))
