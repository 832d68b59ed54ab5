"""Ctrl+Z takes settings back, one change at a time."""

from __future__ import annotations

from app.session.presets import apply_preset
from app.session.snapshot import Snapshot, Status
from app.session.state import NO_TARGET, State
from app.session.undo import Undo


def test_changes_are_taken_back_one_by_one_and_a_preset_at_once():
    state = State()
    undo = Undo(state)
    assert not undo.back(), "nothing was changed"
    first = state.density, state.xi, state.target_name
    state.density = 2.5
    apply_preset(state, "sp-rich at 2.0")
    assert undo.back()
    assert (state.density, state.target_name) == (2.5, first[2])
    assert undo.back()
    assert (state.density, state.xi, state.target_name) == first
    assert not undo.back()


def test_a_run_keeps_its_settings_and_a_choice_its_instrument():
    state = State()
    undo = Undo(state)
    state.target_name = NO_TARGET
    state.instrument = True
    state.snapshot = Snapshot(status=Status.RUNNING)
    assert not undo.back()
    state.snapshot = Snapshot(status=Status.DONE)
    assert undo.back()
    assert (state.target_name, state.instrument) == (NO_TARGET, False)
