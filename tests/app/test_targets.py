"""The targets as a list: rename, merge, delete, and the next scan like the one before."""

from __future__ import annotations

import numpy as np
import pytest

from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import builtin_targets
from app.controls.settings import Controls
from app.session.state import DEFAULT_TARGET, State


def table(name: str = "a-C-2.0", scale: float = 1.0) -> bytes:
    values = scale * builtin_targets()[name].intensity
    return "".join(f"{e:.3f} {v:.6f}\n" for e, v in zip(ENERGY, values, strict=True)).encode()


def scan(scale: float = 3.0) -> bytes:
    """A beamline file of four columns: an index, energies, a signal and a beam that decays."""
    beam = np.linspace(2.0, 1.5, ENERGY.size)
    signal = scale * beam * (0.2 + builtin_targets()["a-C-2.0"].intensity)
    rows = zip(range(ENERGY.size), ENERGY, signal, beam, strict=True)
    return ("# index energy tey beam\n" + "".join(f"{i} {e:.3f} {s:.6f} {b:.6f}\n" for i, e, s, b in rows)).encode()


@pytest.fixture
def controls() -> Controls:
    return Controls(State())


def test_a_target_gets_another_name_and_keeps_its_files_and_its_instrument(controls):
    state, targets = controls.state, controls.targets
    assert targets.ticked.options == {}
    assert targets.empty.visible
    controls.intake.take([(table(), "one.txt"), (table("sp3"), "two.txt")])
    state.instrument = False
    targets.ticked.value = ["two.txt"]
    assert targets.new_name.value == "two.txt"
    targets.new_name.value = "  film <2>  "
    targets.rename.clicks += 1
    assert list(state.own_targets) == ["one.txt", "film <2>"]
    assert state.target_name == state.target.name == "film <2>"
    assert not state.instrument, "as it was"
    state.target_name = "one.txt"
    controls.prepare.button.clicks += 1
    state.target_name = "film <2>"
    controls.prepare.button.clicks += 1
    assert controls.preparation.sample.source.name == "two.txt"
    for bad in ("one.txt", "sp3", "  "):
        targets.new_name.value = bad
        targets.rename.clicks += 1
        assert "give a new one" in targets.message.text
    assert list(state.own_targets) == ["one.txt", "film <2>"]


def test_scans_are_merged_and_deleted(controls):
    state, targets = controls.state, controls.targets
    controls.intake.take([(table("a-C-2.0"), "one.txt"), (table("a-C-2.5"), "two.txt")])
    targets.ticked.value = ["one.txt"]
    assert targets.merge.disabled
    targets.ticked.value = ["one.txt", "two.txt"]
    targets.merge.clicks += 1
    assert state.target_name == "one.txt (mean of 2)"
    mean = (state.targets["one.txt"].intensity + state.targets["two.txt"].intensity) / 2
    assert np.allclose(state.target.intensity, mean)
    assert state.target.noise.max() > 0
    targets.ticked.value = ["one.txt (mean of 2)", "one.txt"]
    targets.delete.clicks += 1
    assert list(state.own_targets) == ["two.txt"]
    assert state.target_name == DEFAULT_TARGET
    assert list(state.param.target_name.objects) == list(state.targets)
    assert targets.ticked.value == []


def test_scans_of_one_upload_are_asked_about_once(controls):
    state, panel = controls.state, controls.preparation
    controls.intake.take([(scan(3.0), "a.dat"), (table(), "other.txt"), (scan(2.0), "b.dat")])
    assert controls.prepare.dialog.open
    panel.sample.param.update(energy=2, numerator=3, denominator=4)
    panel.shift = 0.1
    controls.prepare.view._use()
    assert not controls.prepare.dialog.open
    assert list(state.own_targets) == ["a.dat", "other.txt", "b.dat"]
    made = state.targets["b.dat"]
    assert made.shift == 0.1
    assert np.allclose(made.intensity, state.targets["a.dat"].intensity, atol=1e-4)


def test_the_next_upload_is_prepared_like_the_one_before_if_one_says_so(controls):
    controls.intake.take([(scan(3.0), "a.dat")])
    panel, view = controls.preparation, controls.prepare.view
    assert not view.like.visible
    panel.sample.param.update(energy=2, numerator=3, denominator=4)
    panel.post_range = (20.0, 30.0)
    view._use()
    controls.intake.take([(scan(2.0), "b.dat")])
    assert controls.prepare.dialog.open, "nothing is guessed"
    assert view.like.label == "As for a.dat"
    view.like.clicks += 1
    assert panel.sample.denominator == 4
    assert panel.post_range == (20.0, 30.0)
    assert panel.name_of_target == "b.dat"
    assert not view.like.visible
    view._use()
    assert controls.state.target_name == "b.dat"
