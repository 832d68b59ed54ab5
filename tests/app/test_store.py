"""Sessions on disk: what comes back, what is refused, what is removed."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace

import pytest
from app_fakes import MODELS, SETTINGS, TARGET, fake_generate, same, session

from acgen.errors import AcgenError
from acgen.spectra.beamline import BeamlineProfile
from app.session.shelf import name_of
from app.session.snapshot import Snapshot, Status
from app.session.state import State
from app.session.store import SESSION, Saved, Store

NAME = name_of("a key")
BEAMLINE = BeamlineProfile("SXR", -0.42, 0.02, 0.3, 0.03, "graphite", ("E", "tey", "i0"), pre_edge="linear")


def state() -> State:
    made = State()
    made.add_target(replace(TARGET, name="film", recipe='{"shift": 0.1}'))
    made.param.update(xi=900.0, cell=7.5, picked=((1, 1),), beamlines={BEAMLINE.name: BEAMLINE})
    return made


def saved(snapshot: Snapshot | None = None) -> Saved:
    chosen = state()
    return Saved(session() if snapshot is None else snapshot, chosen.carried, chosen.own_targets)


def test_a_session_comes_back_whole_to_another_state(tmp_path):
    store, kept = Store(tmp_path / "sessions"), saved()
    store.write(NAME, kept)
    back = store.read(NAME)
    for name in ("run", "status", "settings", "weights", "candidate", "xi", "trajectory", "misfits", "finished", "log"):
        assert same(getattr(back.snapshot, name), getattr(kept.snapshot, name)), name
    assert same(back.snapshot.frame, kept.snapshot.frame)
    other = State()
    other.carry(back.choices, back.targets)
    assert (other.xi, other.cell, other.target_name, other.picked) == (900.0, 7.5, "film", ((1, 1),))
    assert other.target.recipe == '{"shift": 0.1}'
    assert other.beamlines == {"SXR": BEAMLINE}
    assert store.about(NAME).candidates == 3
    assert store.about(NAME).targets == 1


def test_targets_without_a_run_are_kept(tmp_path):
    store = Store(tmp_path)
    store.write(NAME, saved(Snapshot()))
    assert store.about(NAME).worth
    back = store.read(NAME)
    assert list(back.targets) == ["film"]
    assert back.snapshot.status is Status.IDLE
    assert not back.cut_off


def test_a_run_that_was_cut_off_is_stopped_and_can_be_gone_on_with(tmp_path):
    events = [event for event in fake_generate(SETTINGS, MODELS) if hasattr(event, "frame")]
    beside = replace(events[1], candidate=1)  # one more that is at work
    running = Snapshot(3, 1, Status.RUNNING, settings=SETTINGS, trajectory=(events[0],), beside=(beside,))
    store = Store(tmp_path)
    store.write(NAME, saved(running))
    back = store.read(NAME)
    assert back.cut_off
    assert back.snapshot.status is Status.STOPPED
    assert "after step 1 of candidate 1" in back.snapshot.log[-1].text
    assert same(back.snapshot.trajectory, (beside, events[0])), "each can be gone on with"
    assert same(back.snapshot.frame, events[0].frame)


def test_a_candidate_is_written_once_and_goes_when_it_is_forgotten(tmp_path):
    store, snapshot = Store(tmp_path), session()
    store.write(NAME, saved(snapshot))
    files = sorted((tmp_path / NAME).glob("candidate-*"))
    before = [file.stat().st_mtime_ns for file in files]
    store.write(NAME, saved(snapshot))
    assert [file.stat().st_mtime_ns for file in files] == before
    store.write(NAME, saved(replace(snapshot, finished=snapshot.finished[1:])))
    assert len(list((tmp_path / NAME).glob("candidate-*"))) == len(files) - 1
    assert len(files) == 3


def test_nobody_else_can_look_into_the_folder(tmp_path):
    store = Store(tmp_path / "sessions")
    store.write(NAME, saved())
    for folder in (tmp_path / "sessions", tmp_path / "sessions" / NAME):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("key", ["", "another key", "../..", "/etc", "a key\0", NAME])
def test_another_key_finds_nothing(tmp_path, key):
    store = Store(tmp_path)
    store.write(NAME, saved())
    assert store.about(name_of(key)) is None
    with pytest.raises(AcgenError, match="cannot be read"):
        store.read(name_of(key))
    assert store.about(name_of("a key", "another user")) is None


@pytest.mark.parametrize("name", ["..", "../..", "", "a" * 63 + "/", NAME.upper() + "\n"])
def test_a_name_that_is_none_leads_nowhere(tmp_path, name):
    with pytest.raises(AcgenError, match="64 hexadecimal digits"):
        Store(tmp_path / "sessions").read(name)


def test_a_damaged_session_says_so(tmp_path):
    store = Store(tmp_path)
    store.write(NAME, saved())
    file = tmp_path / NAME / SESSION
    for content in (b"", b"PK\x03\x04", file.read_bytes()[:-200]):
        file.write_bytes(content)
        with pytest.raises(AcgenError, match="cannot be read"):
            store.read(NAME)


def test_old_sessions_go_and_the_oldest_of_too_much_but_none_in_use(tmp_path):
    names = [name_of(str(number)) for number in range(4)]
    store = Store(tmp_path, age=1000.0)
    for days, name in enumerate(names):
        store.write(name, saved(Snapshot()))
        for file in (tmp_path / name).iterdir():
            os.utime(file, (time.time() - 600 * days,) * 2)
    (tmp_path / "not a session").mkdir()
    store.prune(in_use={names[3]})
    assert {path.name for path in tmp_path.iterdir()} == {names[0], names[1], names[3], "not a session"}
    size = sum(file.stat().st_size for file in (tmp_path / names[0]).iterdir())
    Store(tmp_path, all_bytes=1.5 * size).prune()
    assert {path.name for path in tmp_path.iterdir()} == {names[0], "not a session"}


def test_a_folder_that_cannot_be_used_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AcgenError, match="choose another folder"):
        Store(tmp_path / "file" / "sessions")
