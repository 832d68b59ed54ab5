"""Uploaded spectra as a series in the page."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from acgen.errors import AcgenError
from acgen.inference.density import DensityEstimate
from acgen.inference.series import Member
from acgen.spectra.targets import load_target
from app.session.state import State
from app.views.save import Saver
from app.views.series import SeriesView, series_rows
from app.workers.background import Background


def estimate(density: float, distance: float = 0.1) -> DensityEstimate:
    shares = {"2": 0.1, "3": 0.7, "4": 0.2}
    return DensityEstimate(density, 0.1, shares, dict.fromkeys(shares, 0.05), (), (), (), (), distance, False)


@pytest.fixture
def state() -> State:
    """With two uploads whose names sort otherwise as words."""
    state = State()
    for name in ("film 10", "film 2"):
        state.add_target(replace(load_target("sp2"), name=name, measured=True))
    return state


@pytest.fixture
def view(state, monkeypatch):
    def answers(targets, _model, *_args):
        for number, target in enumerate(targets, 1):
            yield Member(target.name, number, estimate(1.5 + number / 4, 0.1 if number == 1 else 0.5))

    monkeypatch.setattr("app.views.series.series", answers)
    return SeriesView(state, Background(None), Saver(), lambda: SimpleNamespace(forward=None))


def test_it_asks_for_two_spectra_and_takes_uploads_alone():
    view = SeriesView(State(), Background(None), Saver())
    assert view.targets == []
    assert view.ask.disabled
    assert "two or more" in view.text.object


def test_answers_come_as_plots_table_and_file_in_the_order_of_the_names(view):
    assert [target.name for target in view.targets] == ["film 2", "film 10"]
    assert not view.ask.disabled
    view.ask.clicks += 1
    assert np.allclose(view.density.data["density"].data["y"], [1.75, 2.0])
    assert np.allclose(view.density.data["density ±"].data["ys"][0], [1.65, 1.85])
    assert np.allclose(view.bonds.data["sp2"].data["y"], [70, 70])
    assert view.text.object.index("film 2") < view.text.object.index("film 10")
    assert "do not trust" in view.text.object
    view.export.clicks += 1
    rows = list(csv.DictReader(io.StringIO(view._saver._hand.message["text"])))
    assert [row["name"] for row in rows] == ["film 2", "film 10"]
    assert [row["flags"] for row in rows] == ["", "do not trust"]


def test_an_error_is_said_and_what_was_answered_stays(view, monkeypatch):
    def fails(targets, _model, *_args):
        yield Member("one", 1, estimate(2.0))
        raise AcgenError("broken")

    monkeypatch.setattr("app.views.series.series", fails)
    view.ask.clicks += 1
    assert "one" in view.text.object
    assert len(view.density.members) == 1
    assert view.text.object.startswith("<p>broken")


def test_names_are_no_markup():
    assert "<b>" not in series_rows([Member("<b>film</b>", 1, estimate(2.0))])
