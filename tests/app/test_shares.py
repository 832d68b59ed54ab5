"""Known shares of sp, sp² and sp³ in the page: their fields, what they set, and their marks in the plot."""

from __future__ import annotations

import numpy as np
import pytest
from app_fakes import same

from acgen.errors import AcgenError
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import Settings
from acgen.structures.reference import reference_cells
from app.controls.settings import _slider
from app.controls.shares import SharesInput
from app.look.fields import limits_of
from app.session.opening import follow
from app.session.presets import PRESETS, apply_preset, query_of, restore
from app.session.shown import show_candidate
from app.session.snapshot import Finished, in_words
from app.session.state import State
from app.views.coordination import CoordinationView


@pytest.fixture
def state():
    return State()


@pytest.fixture
def shares(state):
    return SharesInput(state, _slider(state.param.xi_cn))


def test_an_empty_field_leaves_a_share_free(state, shares):
    assert state.settings.shares == {}
    assert not shares.slider.visible
    assert not shares.row.visible
    sp, _sp2, sp3 = shares.fields
    sp3.value, sp.value = 40.0, 0.0
    assert state.settings.shares == {2: 0, 4: 0.4}
    assert shares.slider.visible
    assert shares.row.visible
    shares.slider.value = 70.0
    assert state.settings.xi_cn == 70
    assert "0 % sp, 40 % sp³, ξ 70" in in_words(state.settings)
    sp3.value = sp.value = None
    assert state.settings.shares == {}
    assert not shares.slider.visible


def test_what_cannot_be_is_said(state, shares):
    shares.fields[1].value = shares.fields[2].value = 60.0
    with pytest.raises(AcgenError, match="add up to 120 %"):
        _ = state.settings


def test_only_these_fields_may_be_empty(state):
    limits = limits_of(state)
    assert {name for name, each in limits.items() if each["empty"]} >= {"acgen-sp", "acgen-sp2", "acgen-sp3"}
    assert not limits["acgen-density"]["empty"]
    assert not limits["acgen-seed"]["empty"]


def test_a_link_a_preset_and_an_opened_run_bring_them_back(state):
    state.param.update(sp3=40.0, xi_cn=70.0)
    other = State()
    assert restore(other, query_of(state)) == []
    assert (other.shares, other.xi_cn) == ({4: 0.4}, 70)
    assert restore(other, {"sp3": "many"}) != []
    assert other.shares == {4: 0.4}
    other.carry(state.carried | {"sp": 5.0}, {})
    assert same(other.shares, {2: 0.05, 4: 0.4})
    assert follow(other, Settings(sp2=80.0)) == []
    assert other.shares == {3: 0.8}
    apply_preset(other, next(iter(PRESETS)))
    assert other.shares == {}


def test_marks_stand_where_shares_were_asked_for(state):
    view = CoordinationView(state)
    assert view.data["asked"].data["x"] == []
    state.sp3 = 40.0
    assert view.refresh()
    assert (view.data["asked"].data["x"], view.data["asked"].data["y"]) == ([4], [40])
    assert "asked" in view.key.object
    assert not view.refresh()  # nothing has changed
    assert np.nansum(view.table()["asked_percent"]) == 40

    # a candidate has its own, whatever is set for the next run
    cell, curve = reference_cells()[4], np.zeros(100)
    made = Candidate(0, 0, cell, curve, np.zeros((len(cell), 100)), curve, None, None, 1.0)
    item = Finished(1, Settings(sp=5.0), made)
    state.uploaded, state.picked = (item,), (item.key,)
    state.compared = (show_candidate(made, "1"),)
    assert view.refresh()
    assert (view.data["asked"].data["x"], view.data["asked"].data["y"]) == ([2], [5])
