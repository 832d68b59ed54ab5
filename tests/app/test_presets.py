"""Presets, links, and branches: settings that come from elsewhere than the controls."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np
import pytest
from app_fakes import MODELS, fake_generate
from waiting import LIMIT

from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import Settings
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets
from app.page import link_of
from app.session.branch import OF_THE_FRAME, go_on, noise_candidate, noise_frame
from app.session.presets import FROM_DIAMOND, PRESETS, apply_plan, apply_preset, plan_of, query_of, restore
from app.session.runner import Runner
from app.session.state import NO_TARGET, State


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_settings_that_the_core_takes_whatever_was_set_before(name):
    state, other = State(), State()
    state.param.update(density=1.0, cubic=False, cell_b=20.0, seed=9)
    for one in (state, other):
        apply_preset(one, name)
    assert state.settings.to_dict() == other.settings.to_dict()
    assert state.target_name == PRESETS[name]["target_name"]
    assert (state.settings.target is None) == (state.target_name == NO_TARGET)


def test_the_presets_of_the_paper_have_its_cell_and_number_of_structures():
    state = State()
    apply_preset(state, "paper Fig. 5, sp")
    settings = state.settings
    assert (settings.density, settings.candidates) == (2.0, 16)
    assert abs(settings.n_atoms - 216) <= 1
    assert 180 <= settings.xi / 216**0.5 <= 250
    apply_preset(state, "paper Fig. 8, ten restarts at 1.5")
    assert abs(state.settings.n_atoms - 216) <= 1


def test_the_preset_from_diamond_starts_from_it_and_others_do_not():
    state = State()
    apply_preset(state, FROM_DIAMOND)
    settings = state.settings
    assert len(settings.start) == 216
    assert settings.start.info["name"] == "diamond"
    assert settings.start_t * 0.8 == pytest.approx(0.4)
    assert settings.xi / 216**0.5 == pytest.approx(250, rel=1e-3)
    apply_preset(state, "ta-C 3.2")
    assert state.settings.start is None


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_of_the_page_is_that_of_the_command_line(name):
    state = State()
    apply_plan(state, name)
    assert plan_of(state) == name
    assert sum(step.phase != "refine" for step in state.settings.plan.steps) == PLANS[name].total
    assert state.settings.refine == PLANS[name].refine
    assert state.settings.xi == PLANS[name].pull * Settings(target=builtin_targets()["sp"]).xi
    state.restarts += 1
    assert plan_of(state) == ""


def test_a_link_restores_the_settings():
    state, other = State(), State()
    state.param.update(
        target_name="sp3", density=2.5, cubic=False, cell=10.0, cell_b=11.0, cell_c=12.0, xi=340.0, candidates=2, seed=7
    )
    query = dict(parse_qsl(link_of(state).removeprefix("?")))
    assert restore(other, query) == []
    assert other.settings.to_dict() == state.settings.to_dict()
    assert query_of(State()) == {}
    assert link_of(State()) == ""


@pytest.mark.parametrize(
    "query",
    [
        {"density": "900"},
        {"density": "<script>"},
        {"xi": "nan"},
        {"seed": "1e9999"},
        {"candidates": "2.5"},
        {"cubic": "maybe"},
        {"target_name": "../../etc/passwd"},
    ],
)
def test_a_link_that_cannot_be_used_changes_nothing_and_says_so(query):
    state = State()
    (problem,) = restore(state, query | {"dark": "true", "steps": "48"})
    assert "cannot be used" in problem
    assert query_of(state) == {"steps": "48"}, "the rest of the link is used"
    assert not state.dark


def test_a_link_takes_numbers_as_people_write_them_and_names_what_may_be():
    state = State()
    (problem,) = restore(state, {"density": "2,5", "seed": "1e3", "steps": "900"})
    assert (state.density, state.seed) == (2.5, 1000)
    assert problem == "The link's First-pass steps “900” cannot be used: it goes from 8 to 256."


def test_a_spectrum_of_ones_own_is_not_part_of_a_link():
    state = State()
    target = builtin_targets()["sp"]
    state.add_target(Target(target.intensity, target.mask, "secret sample"))
    assert query_of(state) == {}


@pytest.fixture(scope="module")
def snapshot():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(Settings(cell=7.0, density=2.5, steps=12, restarts=1, candidates=2, target=builtin_targets()["sp"]))
    runner.join(LIMIT)
    return runner.snapshot


def test_going_on_keeps_cell_and_steps_and_takes_the_rest_from_the_controls(snapshot):
    state = State()
    state.param.update(xi=900.0, target_name="sp3", candidates=3, density=1.5)
    settings, origin = go_on(state, snapshot, snapshot.trajectory[5])
    assert settings.resume is snapshot.trajectory[5].frame
    assert (settings.density, len(settings.plan)) == (2.5, len(snapshot.settings.plan))
    assert (settings.xi, settings.target.name, settings.candidates) == (900.0, "sp3", 3)
    assert origin == "step 6 of candidate 1.1, continued"


@pytest.mark.parametrize("fitted", [True, False])
def test_going_on_takes_the_instrument_of_the_page(snapshot, fitted):
    state = State()
    target = builtin_targets()["sp"]
    state.add_target(Target(target.intensity, target.mask, "film"))
    state.instrument = fitted
    settings, _ = go_on(state, snapshot, snapshot.trajectory[5])
    assert settings.instrument is fitted
    assert noise_frame(state, snapshot, snapshot.trajectory[5], 0.3)[0].instrument is fitted


def test_all_that_the_page_sets_is_taken_or_decided_by_the_frame(snapshot):
    state = State()
    settings, _ = go_on(state, snapshot, snapshot.trajectory[5])
    for name, value in state.choices.items():
        taken = snapshot.settings if name in OF_THE_FRAME else state.settings
        assert getattr(settings, name) is getattr(taken, name) or getattr(settings, name) == value, name


def test_the_last_frame_cannot_go_on(snapshot):
    with pytest.raises(ValueError, match="noise it again"):
        go_on(State(), snapshot, snapshot.trajectory[-1])


def test_noising_again_starts_from_the_clean_estimate_or_a_candidate(snapshot):
    event = snapshot.trajectory[7]
    settings, origin = noise_frame(State(), snapshot, event, 0.3)
    inverse = np.linalg.inv(snapshot.settings.box)
    moved = (settings.start.positions - event.frame.denoised) @ inverse
    assert np.allclose(moved, np.round(moved), atol=1e-5), "the same atoms, perhaps in another image of the cell"
    assert settings.start_t == 0.3
    assert origin == "step 8 of candidate 1.1, noised to t = 0.3"
    assert settings.to_dict()["start"]["name"] == "step 8 of candidate 1.1"
    settings, origin = noise_candidate(State(), snapshot.finished[1], 0.5)
    assert np.allclose(settings.start.positions, snapshot.finished[1].candidate.atoms.positions)
    assert origin == "candidate 1.2, noised to t = 0.5"


def test_the_instrument_is_fitted_for_measured_targets_unless_the_user_says_otherwise():
    state = State()
    assert not state.settings.instrument
    target = state.target
    state.add_target(Target(target.intensity, target.mask, "film", measured=True))
    assert state.settings.instrument
    state.instrument = False
    assert not state.settings.instrument
    state.target_name = "film"
    state.target_name = "sp2"
    assert not state.instrument
    assert restore(state, {"instrument": "true"}) == []
    assert state.settings.instrument
    state.target_name = NO_TARGET
    assert not state.settings.instrument, "nothing guides"
