"""What is on display, kept as a file or as a candidate."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from app_fakes import MODELS, SETTINGS, fake_generate, session
from ase.io import read
from waiting import LIMIT, until

from acgen.errors import AcgenError
from acgen.networks.models import load_models
from acgen.results.describe import flags_of
from app.session.archive import results_zip, snapshot_from_zip
from app.session.keeping import as_candidate, structure_file
from app.session.runner import Runner
from app.session.snapshot import Snapshot, Status
from app.session.state import State


def test_the_frame_on_display_is_a_structure_file_with_what_it_is():
    state, snapshot = State(), session()
    state.moment = 0
    name, text = structure_file(state, snapshot)
    assert name == "acgen_run-2_candidate-1_step-1.extxyz"
    atoms = read(io.StringIO(text), format="extxyz")
    frame = snapshot.trajectory[0].frame
    assert np.allclose(atoms.positions, frame.positions, atol=1e-6)
    assert np.allclose(atoms.cell.array, snapshot.settings.box)
    assert atoms.info["step"] == 1
    state.param.update(snapshot=snapshot, picked=((1, 1), (2, 0)))
    name, text = structure_file(state, snapshot)
    assert name == "acgen_candidate-1.2-2.1.extxyz"
    assert len(read(io.StringIO(text), format="extxyz", index=":")) == 2
    with pytest.raises(AcgenError, match="start a run first"):
        structure_file(State(), Snapshot())


def test_a_frame_is_judged_as_a_finished_candidate_is_and_flagged():
    settings = replace(SETTINGS, candidates=1)
    event = next(event for event in fake_generate(settings, MODELS) if hasattr(event, "frame"))
    made = as_candidate(settings, load_models(), event)
    assert np.allclose(made.atoms.positions, event.frame.denoised)
    assert made.misfit == pytest.approx(settings.target.misfit(made.seen))
    assert made.judge_misfit == pytest.approx(settings.target.misfit(made.judge_seen))
    assert made.unfinished == event.frame.step == made.to_dict()["unfinished_step"]
    assert "unfinished: it was kept after step 1" in flags_of(made)[0]
    assert any("34 % of its atoms have the surroundings" in flag for flag in flags_of(replace(made, copied=0.34)))
    assert not any("surroundings" in flag for flag in flags_of(replace(made, copied=0.04)))


def test_a_paused_run_goes_on_after_one_of_its_frames_was_kept():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.pause()
    made = session().finished[0].candidate
    runner.start(replace(SETTINGS, steps=20))
    runner.pause()
    runner.step()
    until(lambda: runner.snapshot.status is Status.PAUSED and runner.snapshot.trajectory)
    runner.keep(replace(made, unfinished=1), runner.snapshot.trajectory[-1])
    assert [item.name for item in runner.snapshot.finished] == ["1.3"], "the run itself makes two"
    assert runner.snapshot.candidates == ()
    assert "kept as candidate 3" in runner.snapshot.log[-1].text
    runner.resume()
    runner.join(LIMIT)
    assert [item.name for item in runner.snapshot.finished] == ["1.3", "1.1", "1.2"]
    assert runner.snapshot.log[-1].text == "Done with 2 of 2 candidates"
    runner.keep(replace(made, unfinished=3), runner.snapshot.trajectory[2])
    back = snapshot_from_zip(results_zip(runner.snapshot).getvalue())
    assert back.status is Status.DONE
    assert [item.candidate.unfinished for item in back.finished] == [1, None, None, 3]


def test_a_run_at_work_says_that_it_has_to_rest():
    runner = Runner(fake_generate, lambda: MODELS)
    runner._snapshot = Snapshot(1, 1, Status.RUNNING, settings=SETTINGS)
    with pytest.raises(AcgenError, match="pause or stop it"):
        runner.keep(session().finished[0].candidate, session().trajectory[0])
