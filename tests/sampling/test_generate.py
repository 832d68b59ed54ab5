"""Candidates from the shipped networks, small and quick."""

import json
from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read

from acgen.networks.models import load_models, predict_sites
from acgen.sampling.generate import Candidate, FrameEvent, generate, summary, write_results
from acgen.sampling.settings import LiveXi, Settings
from acgen.spectra.instrument import Instrument
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets
from acgen.structures.reference import reference_cells

SMALL = Settings(density=2.0, cell=7.0, steps=6, restarts=1, restart_steps=4, candidates=2, seed=5)


@pytest.fixture(scope="module")
def models():
    return load_models()


def candidates(settings, models):
    return [event for event in generate(settings, models) if isinstance(event, Candidate)]


def test_candidates_have_the_density_and_reproduce(models):
    settings = replace(SMALL, target=builtin_targets()["sp2"])
    once, again = candidates(settings, models), candidates(settings, models)
    assert [c.seed for c in once] == [5, 6]
    for a, b in zip(once, again, strict=True):
        assert np.array_equal(a.atoms.positions, b.atoms.positions)
        assert len(a.atoms) == settings.n_atoms == 34
        assert a.misfit == pytest.approx(settings.target.misfit(a.spectrum))
        assert a.atoms.info["misfit"] == a.misfit
    alone = candidates(replace(settings, candidates=1, seed=6), models)[0]
    assert np.array_equal(alone.atoms.positions, once[1].atoms.positions)


def test_frames_come_in_order_and_carry_what_guides(models):
    settings = replace(SMALL, target=builtin_targets()["sp2"], candidates=1)
    frames = [event.frame for event in generate(settings, models) if not isinstance(event, Candidate)]
    assert [frame.step for frame in frames] == list(range(1, len(settings.plan) + 1))
    guided = [frame for frame in frames if frame.misfit is not None]
    assert len(frames) - 3 <= len(guided) < len(frames)
    assert all(frame.misfit > 0 and frame.prediction.shape == (100,) for frame in guided)
    free = [event.frame for event in generate(replace(settings, target=None), models) if hasattr(event, "frame")]
    assert all(frame.misfit is None and frame.prediction is None for frame in free)


def test_without_a_target_there_is_no_misfit(models):
    found = candidates(replace(SMALL, candidates=1), models)[0]
    assert found.misfit is None
    assert found.judge_misfit is None
    assert "misfit" not in found.atoms.info


def test_a_start_sets_cell_and_density_and_small_noise_keeps_it(models):
    diamond = bulk("C", "diamond", a=3.567, cubic=True).repeat((2, 2, 2))
    settings = Settings(start=diamond, start_t=0.05, steps=6, restarts=0, candidates=1)
    assert settings.n_atoms == 64
    assert settings.density == pytest.approx(3.515, abs=0.01)
    found = candidates(settings, models)[0].atoms
    moved = found.positions - diamond.positions
    moved -= np.round(moved @ np.linalg.inv(diamond.cell.array)) @ diamond.cell.array
    assert np.sqrt((moved**2).sum(1).mean()) < 0.15


def test_any_cell_shape(models):
    cell = [[8.0, 0, 0], [-4, 7, 0], [1, 1, 7.5]]
    found = candidates(replace(SMALL, cell=cell, candidates=1), models)[0]
    assert np.allclose(found.atoms.cell.array, cell)
    assert found.atoms.get_scaled_positions(wrap=False).min() >= 0


def test_a_cell_in_which_atoms_see_themselves_is_refused(models):
    with pytest.raises(ValueError, match="two images"):
        next(generate(replace(SMALL, cell=[12, 12, 5.0]), models))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"density": 7.0}, "density"),
        ({"xi": -1.0}, "xi"),
        ({"candidates": 0}, "candidates"),
        ({"seed": -1}, "seed"),
        ({"guide": "all"}, "guide"),
        ({"steps": 0}, "steps"),
        ({"cell": -1.0}, "cell"),
    ],
)
def test_wrong_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_what_is_written_can_be_read(models, tmp_path):
    target = builtin_targets()["sp3"]
    masked = Target(target.intensity, np.arange(100) > 20, "cut")
    settings = replace(SMALL, target=masked)
    found = candidates(settings, models)
    write_results(tmp_path, settings, models, found)
    frames = read(tmp_path / "candidates.extxyz", index=":")
    assert [frame.info["seed"] for frame in frames] == [5, 6]
    assert {"density", "seed", "xi", "restarts", "misfit"} <= set(frames[0].info)
    table = np.genfromtxt(tmp_path / "spectra.csv", delimiter=",", names=True)
    assert table.dtype.names == ("energy_eV", "target", "candidate_000", "candidate_001")
    assert np.isnan(table["target"]).sum() == 21
    assert np.allclose(table["candidate_001"], found[1].spectrum, atol=1e-6)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written == json.loads(json.dumps(summary(settings, models, found)))
    entry = written["candidates"][0]
    assert set(entry) == {"index", "seed", "n_atoms", "cn_fraction", "misfit", "judge_misfit", "wall_s", "xi"}
    assert set(written["weights"]) == {"score", "weak", "forward", "judge"}
    assert all(len(digest) == 64 for digest in written["weights"].values())


def test_sites_average_to_the_cell(models):
    diamond = bulk("C", "diamond", a=3.567)
    sites = predict_sites(models.forward, diamond)
    assert sites.shape == (2, 100)
    assert np.allclose(sites[0], sites[1], atol=2e-3)  # single precision
    assert (sites >= 0).all()


GUIDED = replace(SMALL, target=builtin_targets()["sp3"], steps=8, candidates=1)


def frames_of(settings, models, strength=None):
    return [event.frame for event in generate(settings, models, strength) if isinstance(event, FrameEvent)]


def test_a_strength_changed_on_the_way_is_taken_by_the_next_step_and_can_be_repeated(models):
    live, events = LiveXi(0.0), []
    for event in generate(GUIDED, models, live):
        events.append(event)
        if isinstance(event, FrameEvent) and event.frame.step == 5:
            live.xi = 2000.0
    *frames, candidate = events
    assert [event.xi for event in frames] == 5 * [0.0] + (len(frames) - 5) * [2000.0]
    assert candidate.xi == ((1, 0.0), (6, 2000.0))
    assert candidate.to_dict()["xi"] == [[1, 0.0], [6, 2000.0]]
    assert candidate.atoms.info["xi"] == 2000.0
    free = frames_of(replace(GUIDED, xi=0.0), models)
    assert np.array_equal(frames[4].frame.positions, free[4].positions)
    assert not np.allclose(frames[5].frame.positions, free[5].positions)
    repeated = frames_of(GUIDED, models, lambda _candidate, step: 2000.0 if step >= 6 else 0.0)
    assert np.array_equal(repeated[-1].positions, frames[-1].frame.positions)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_what_is_no_strength_is_refused(wrong):
    live = LiveXi(200)
    with pytest.raises(ValueError, match="xi"):
        live.xi = wrong
    assert live.xi == 200


def test_a_frame_goes_on_bit_by_bit_and_with_other_settings(models):
    whole = frames_of(GUIDED, models)
    for number in (3, 8, 9):  # the eighth ends the first pass, the next begins with noise
        rest = frames_of(replace(GUIDED, resume=whole[number - 1]), models)
        assert [frame.step for frame in rest] == list(range(number + 1, len(whole) + 1))
        assert np.array_equal(rest[-1].positions, whole[-1].positions)
    stronger, again = (frames_of(replace(GUIDED, resume=whole[4], xi=2000.0), models) for _ in range(2))
    assert np.array_equal(stronger[-1].positions, again[-1].positions)
    assert not np.allclose(stronger[-1].positions, whole[-1].positions)


def test_several_continuations_of_a_frame_differ(models):
    frame = frames_of(GUIDED, models)[4]
    settings = replace(GUIDED, resume=frame, candidates=2)
    first, second = candidates(settings, models)
    assert first.xi == ((6, GUIDED.xi),)
    assert not np.allclose(first.atoms.positions, second.atoms.positions)
    assert settings.to_dict()["resume"]["step"] == 5


def test_a_frame_that_does_not_fit_is_refused(models):
    frames = frames_of(GUIDED, models)
    for wrong in ({"steps": 9}, {"density": 3.0}, {"restarts": 0}):
        with pytest.raises(ValueError, match="noise it again"):
            replace(GUIDED, resume=frames[2], **wrong)
    with pytest.raises(ValueError, match="the last of its run"):
        replace(GUIDED, resume=frames[-1])


def test_what_the_instrument_did_is_found_on_the_way_and_the_structure_is_better_for_it(models):
    known = reference_cells()[7]
    true, judged = (predict_sites(model, known).mean(0) for model in (models.forward, models.judge))
    did = Instrument(shift=0.4, slope=0.005, sigma=0.3)
    target = Target(did.apply(true), np.ones(100, bool), "distorted")
    base = Settings(density=3.0, cell=9.4, target=target, restarts=4, candidates=1, seed=50)
    plain, fitted = (candidates(replace(base, instrument=instrument), models)[0] for instrument in (False, True))
    found = fitted.instrument.instrument
    assert found.shift == pytest.approx(did.shift, abs=0.15)
    assert found.slope == pytest.approx(did.slope, abs=0.003)
    assert found.sigma == pytest.approx(did.sigma, abs=0.2)
    assert fitted.instrument.at_bounds == ()
    assert np.linalg.norm(fitted.judge_spectrum - judged) < np.linalg.norm(plain.judge_spectrum - judged)
    assert fitted.misfit == pytest.approx(target.misfit(fitted.seen))
    assert fitted.misfit < plain.misfit
    assert plain.instrument is None
    assert np.array_equal(plain.seen, plain.spectrum)


def test_a_run_with_an_instrument_goes_on_bit_by_bit(models):
    settings = replace(SMALL, target=builtin_targets()["sp2"], candidates=1, instrument=True)
    events = list(generate(settings, models))
    resumed = candidates(replace(settings, resume=events[4].frame), models)[0]
    assert np.array_equal(resumed.atoms.positions, events[-1].atoms.positions)
    with pytest.raises(ValueError, match="cell"):
        replace(settings, guide="site")
