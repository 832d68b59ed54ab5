"""Download of a session and its way back, by what the runner publishes."""

import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from app_fakes import MODELS, fake_generate
from test_results import same

from acgen.ensemble import Candidate, Settings
from acgen.results import ResultsError
from acgen.spectra.targets import load_target
from app.export import FRAME_BYTES, MAX_ZIP, results_zip, run_of, snapshot_from_zip, thinned, zip_name
from app.snapshot import Finished, LogEntry, Snapshot, Status

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
        models=MODELS,
        candidate=frames[-1].candidate,
        frame=frames[-1].frame,
        xi=frames[-1].xi,
        trajectory=frames,
        misfits=tuple(
            tuple((event.frame.step, event.frame.misfit) for event in frames if event.candidate == index)
            for index in (0, 1)
        ),
        finished=(*(Finished(1, SETTINGS, item) for item in made), Finished(2, changed, more)),
        log=(LogEntry("2026-05-01T10:00:00+02:00", "Run 2 started"),),
    )


def test_a_session_comes_back():
    snapshot = session()
    back = snapshot_from_zip(results_zip(snapshot).getvalue(), version=8)
    assert back.version == 8
    for name in ("run", "status", "settings", "candidate", "frame", "xi", "trajectory", "misfits"):
        assert same(getattr(back, name), getattr(snapshot, name)), name
    assert [item.key for item in back.finished] == [(1, 0), (1, 1), (2, 0)]
    for one, other in zip(back.finished, snapshot.finished, strict=True):
        assert same(one.candidate, other.candidate)
        assert same(one.settings, other.settings)
    assert back.log[0] == snapshot.log[0]
    assert any("Made with score weights" in entry.text for entry in back.log)
    assert back.models is None
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
