"""Download of a session and its way back, by what the runner publishes."""

import io
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from app_fakes import MODELS, SETTINGS, same, session

from acgen.results.run import LogEntry, ResultsError, Run
from app.session.archive import FRAME_BYTES, MAX_ZIP, results_zip, run_of, snapshot_from_zip, thinned, zip_name
from app.session.snapshot import Snapshot, Status


def test_a_session_comes_back():
    snapshot = replace(session(), elapsed=12.5)  # of two candidates at a time: less than their times together
    back = snapshot_from_zip(results_zip(snapshot).getvalue(), version=8)
    assert back.version == 8
    kept = ("run", "status", "settings", "weights", "candidate", "frame", "xi", "trajectory", "misfits", "elapsed")
    for name in kept:
        assert same(getattr(back, name), getattr(snapshot, name)), name
    assert [item.key for item in back.finished] == [(1, 0), (1, 1), (2, 0)]
    for one, other in zip(back.finished, snapshot.finished, strict=True):
        assert same(one.candidate, other.candidate)
        assert same(one.settings, other.settings)
        assert one.weights == other.weights
    assert back.log[0] == snapshot.log[0]
    assert back.weights == MODELS.sha256
    again = snapshot_from_zip(results_zip(back).getvalue(), version=9)
    assert same(again.finished[-1].candidate, back.finished[-1].candidate)


def test_the_names_of_the_file_and_its_folders_are_harmless():
    snapshot = session()
    assert zip_name(snapshot) == "acgen_my-film----2_2gcm3_seed5.zip"
    with zipfile.ZipFile(results_zip(snapshot)) as pack:
        assert not any(".." in name or name.startswith("/") for name in pack.namelist())
        assert "run-01/report.html" in pack.namelist()


def test_a_run_that_has_just_begun_does_not_hide_the_one_before():
    snapshot = replace(session(), run=3, settings=replace(SETTINGS, density=3.0))
    run = run_of(snapshot)
    assert run.number == 2
    assert run.frames == ()


def test_the_log_of_every_run_is_packed_and_comes_back_with_or_without_candidates():
    begun = LogEntry("2026-05-01T09:00:00+02:00", "Run 1 started")
    snapshot = replace(session(), earlier=(Run(SETTINGS, (), MODELS.sha256, log=(begun,), number=1),))
    stopped = LogEntry("2026-05-01T11:00:00+02:00", "Run 3 started and stopped")
    snapshot = replace(
        snapshot, run=3, settings=SETTINGS, trajectory=(), frame=None, log=(stopped,), earlier=snapshot.runs
    )
    packed = results_zip(snapshot).getvalue()
    with zipfile.ZipFile(io.BytesIO(packed)) as pack:
        logs = [pack.read(name).decode() for name in ("run-01/log.txt", "log.txt", "run-03/log.txt")]
        assert "run-03/report.html" not in pack.namelist()
    assert [text.split(" ", 1)[1] for text in logs] == [
        "Run 1 started\n", "Run 2 started\n", "Run 3 started and stopped\n"
    ]
    back = snapshot_from_zip(packed)
    assert [run.number for run in back.runs] == [1, 2, 3]
    assert [run.log[0] for run in back.runs] == [begun, session().log[0], stopped]
    assert back.status is Status.STOPPED
    assert same([item.candidate for item in back.finished], [item.candidate for item in snapshot.finished])


def test_nothing_to_pack_and_nothing_to_unpack_are_said_plainly():
    with pytest.raises(ResultsError, match="no candidate is finished"):
        results_zip(Snapshot())
    with pytest.raises(ResultsError, match="not a zip file"):
        snapshot_from_zip(b"energy,intensity\n1,2\n")
    with pytest.raises(ResultsError, match="at most 50 MB"):
        snapshot_from_zip(b"0" * (MAX_ZIP + 1))


def test_many_frames_are_thinned_and_the_last_is_kept():
    one = session().trajectory[-1]
    frame = one.frame
    size = frame.positions.nbytes + frame.denoised.nbytes + frame.rng_state.nbytes
    events = tuple(SimpleNamespace(frame=frame, number=number) for number in range(101))
    assert thinned(events, 101 * size) == events
    kept = thinned(events, 40 * size)
    assert len(kept) <= 40
    assert kept[-1] is events[-1]
    assert thinned((), FRAME_BYTES) == ()
