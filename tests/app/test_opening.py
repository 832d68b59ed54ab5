"""A downloaded session opened again, in the page without a browser: what comes back, what is refused, what is kept."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from app_fakes import MODELS, SETTINGS, fake_generate, session
from waiting import LIMIT, until

from acgen.results.describe import flags_of
from acgen.sampling.settings import Settings
from acgen.spectra.targets import builtin_targets
from app.page import Dashboard
from app.session import opening
from app.session.archive import example, results_zip, snapshot_from_zip
from app.session.opening import ZipInput, follow
from app.session.snapshot import Status
from app.session.state import NO_TARGET, State

pytestmark = [
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]


@pytest.fixture
def dashboard():
    now = itertools.count(0.0, 10.0)
    dashboard = Dashboard(fake_generate, lambda: MODELS, clock=lambda: next(now))
    yield dashboard
    dashboard.runner.stop()
    dashboard.runner.join(LIMIT)


@pytest.fixture(scope="module")
def packed() -> bytes:
    return results_zip(session()).getvalue()


def send(widget: ZipInput, data: bytes, size: int = 10_000) -> None:
    """What the browser sends for one file."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    chunk = {"status": "upload_event", "name": "x.zip", "total_chunks": len(parts), "mime_type": "application/zip"}
    for number, part in enumerate(parts, start=1):
        widget._handle_msg(chunk | {"chunk": number, "data": part})
    widget._handle_msg({"status": "finished"})


def upload(dashboard: Dashboard, data: bytes) -> None:
    """Open a file and wait until it is read."""
    send(dashboard.transport.open, data)
    until(lambda: (dashboard.tick(), not dashboard.background.busy("open"))[1], "the file is read")
    dashboard.tick()


def test_an_opened_session_is_there_to_replay_compare_branch_and_add_to(dashboard, packed):
    upload(dashboard, packed)
    state, before = dashboard.state, session()
    assert dashboard.transport.problem.text == "The session is open. Its First-pass steps was 2: new runs have 8."
    assert [item.name for item in state.snapshot.finished] == ["1.1", "1.2", "2.1"]
    assert len(state.snapshot.trajectory) == len(before.trajectory)
    assert (state.xi, state.steps, state.candidates, state.seed, state.cell) == (400.0, 8, 2, 5, 7.0)
    assert state.target.misfit(before.settings.target.intensity) == 0
    state.picked = ((1, 1), (2, 0))
    dashboard.tick()
    assert [shown.name for shown in state.compared] == ["1.2", "2.1"]

    state.param.update(moment=0, picked=())
    dashboard.transport.branch(0.3)
    dashboard.runner.join(LIMIT)
    dashboard.tick()
    assert [item.run for item in dashboard.runner.snapshot.finished] == [1, 1, 2, 3, 3]
    log = [entry.text for run in dashboard.runner.snapshot.runs for entry in run.log]
    assert "Brought back from a file" in log
    assert any("Run 3 started from step 1 of candidate 2.1, noised to t = 0.3" in text for text in log)


def test_candidates_of_the_session_stay_and_runs_are_numbered_on(dashboard, packed):
    upload(dashboard, packed)
    upload(dashboard, packed)
    snapshot = dashboard.runner.snapshot
    assert [item.name for item in snapshot.finished] == ["1.1", "1.2", "2.1", "3.1", "3.2", "4.1"]
    assert snapshot.run == 4
    assert snapshot.log[-1].text == "Its runs are numbered from 3: its run 1 is run 3 here"


def test_a_bad_file_says_why_and_loses_nothing(dashboard, packed):
    upload(dashboard, packed)
    held = dashboard.runner.snapshot
    for data in (b"PK\x03\x04 and no more", packed[: len(packed) // 2], b"energy,intensity\n1,2\n"):
        upload(dashboard, data)
        assert dashboard.transport.problem.text.startswith("Not opened: ")
        assert dashboard.runner.snapshot is held
    upload(dashboard, packed)
    assert dashboard.transport.problem.text.startswith("The session is open.")


def test_more_bytes_than_allowed_are_not_kept_whatever_the_client_claims(monkeypatch):
    monkeypatch.setattr(opening, "MAX_ZIP", 1000)
    widget = ZipInput(label="Open")
    send(widget, bytes(2000), 300)
    assert "larger than" in widget.refused
    assert (widget.content, widget._parts) == (b"", [])
    for number in (7, -1, "1", None):
        widget._handle_msg({"status": "upload_event", "chunk": number, "total_chunks": 10**9, "data": b"x"})
    widget._handle_msg({"status": "upload_event", "chunk": 1, "data": 10**12})
    widget._handle_msg({"status": "finished"})
    assert widget.content == b""
    send(widget, b"x" * 1000, 300)
    assert widget.content == b"x" * 1000


def test_a_file_that_comes_while_a_run_is_active_waits_for_another_day(dashboard, packed):
    dashboard.state.param.update(cell=7.0, candidates=32)
    dashboard.transport.start.clicks += 1
    dashboard.runner.pause()
    dashboard.tick()
    assert dashboard.transport.open.disabled
    upload(dashboard, packed)
    assert "a run is active" in dashboard.transport.problem.text
    assert dashboard.runner.snapshot.status.active
    dashboard.runner.stop()
    dashboard.runner.join(LIMIT)
    assert dashboard.runner.snapshot.status is Status.STOPPED


def test_controls_follow_a_run_and_say_what_they_cannot_express():
    state = State()
    edges = Settings(density=1.8, cell=(8.0, 9.0, 10.0), target=None, steps=8, restarts=0)
    assert follow(state, edges) == []
    assert (state.cubic, state.cell, state.cell_b, state.cell_c) == (False, 8.0, 9.0, 10.0)
    assert state.target_name == NO_TARGET
    assert state.settings.n_atoms == edges.n_atoms
    skew = np.array([[8.0, 0, 0], [1.0, 8, 0], [0, 0, 8]])
    told = follow(state, Settings(cell=skew, candidates=40, guide="site"))
    assert [any(part in text for text in told) for part in ("rectangular", "Candidates was 40", "Guide was site")]
    assert state.candidates == 32


def test_a_target_of_the_same_name_with_other_numbers_is_another_one():
    state, target = State(), builtin_targets()["sp2"]
    follow(state, replace(SETTINGS, target=target))
    assert state.target_name == "sp2"
    follow(state, replace(SETTINGS, target=replace(target, intensity=2 * target.intensity)))
    assert state.target_name == "sp2 (2)"
    assert builtin_targets()["sp2"].misfit(state.targets["sp2"].intensity) == 0


def test_the_example_is_a_session_like_any_other():
    found = snapshot_from_zip(example())
    assert found.status is Status.DONE
    assert len(found.finished) == 3
    assert len(found.trajectory) > 20
    assert max(item.candidate.judge_misfit for item in found.finished) < 0.2, "something worth looking at"
    assert not any(flags_of(item.candidate) for item in found.finished)
