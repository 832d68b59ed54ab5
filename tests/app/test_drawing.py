"""The spectrum's plot as a tool: what lies over it, derivative, offset, difference, legend, figure and map."""

from __future__ import annotations

import base64
import itertools
from dataclasses import replace

import numpy as np
import pytest
from app_fakes import MODELS, SETTINGS, fake_generate

from acgen.errors import AcgenError
from acgen.results.sheet import printed, sheet_figure
from acgen.sampling.generate import Candidate
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.match import single_correlation
from acgen.spectra.model_error import error_covariance, site_covariance
from acgen.spectra.targets import builtin_targets
from app.session.drawing import BAND, MEAN, TARGET
from app.session.shown import show_candidate
from app.session.snapshot import Finished, Snapshot
from app.session.state import State
from app.views.candidate_map import CandidateMap
from app.views.candidates import CandidatesView
from app.views.save import Saver
from app.views.spectrum_card import SpectrumCard

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture
def items() -> list[Finished]:
    """Two candidates with spectra that differ."""
    made = [event for event in fake_generate(SETTINGS, MODELS) if isinstance(event, Candidate)]
    spectra = [builtin_targets()[name].intensity for name in ("sp2", "a-C-2.0")]
    pairs = zip(made, spectra, strict=True)
    misfit = SETTINGS.target.misfit
    known = [replace(each, spectrum=s, misfit=misfit(s), judge_misfit=0.1 + each.index) for each, s in pairs]
    return [Finished(1, SETTINGS, each) for each in known]


@pytest.fixture
def state(items) -> State:
    state = State()
    shown = tuple(show_candidate(item.candidate, item.name, item.colour) for item in items)
    picked = tuple(item.key for item in items)
    snapshot = Snapshot(settings=SETTINGS, finished=tuple(items))
    state.param.update(snapshot=snapshot, picked=picked, shown=shown[0], compared=shown)
    return state


def test_ticked_candidates_and_overlaid_targets_have_names_and_colours_of_their_own(state, items):
    card = SpectrumCard(state)
    state.drawing.overlaid = ["diamond", "sp"]
    each = card.spectrum.data["each"].data
    assert each["name"] == ["1.1", "1.2", "diamond", "sp"]
    assert len(set(each["colour"])) == 4
    assert each["colour"][:2] == [item.colour for item in items]
    np.testing.assert_allclose(each["ys"][2], builtin_targets()["diamond"].intensity)
    assert [entry["name"] for entry in card.spectrum.key.entries] == ["target", "mean of 2", "± std", *each["name"]]
    state.drawing.offset = 0.2
    moved = card.spectrum.data["each"].data["ys"]
    for number, (before, after) in enumerate(zip(each["ys"], moved, strict=True), start=1):
        np.testing.assert_allclose(after - before, 0.2 * number)
    assert "0.2" in card.spectrum.figure.yaxis[0].axis_label
    assert np.isfinite(card.spectrum.table()["target diamond"]).all(), "the table has them where they are"
    np.testing.assert_allclose(card.spectrum.table()["target diamond"], builtin_targets()["diamond"].intensity)


def test_the_band_of_one_structure_and_of_an_atom_is_what_the_forward_model_errs_by(state, items):
    candidate = items[0].candidate
    through = Instrument(shift=0.3, scale=2.0, slope=0.01, sigma=0.2)
    shown = replace(show_candidate(candidate, "1.1", "red"), site_spectra=candidate.site_spectra)
    state.param.update(compared=(shown,), shown=shown, atom=3)
    card = SpectrumCard(state)
    table = card.spectrum.table()
    np.testing.assert_allclose(table["prediction_error"], np.sqrt(np.diag(error_covariance())))
    np.testing.assert_allclose(table["atom error"], np.sqrt(np.diag(site_covariance())))
    assert len(card.spectrum.data["atom"].data["xs"]) == 1
    assert "± model error" in card.spectrum.legend()
    state.compared = (replace(shown, instrument=through, prediction=through.apply(shown.prediction)),)
    wider = card.spectrum.table()["prediction_error"] / table["prediction_error"]
    assert 1.2 < np.median(wider[ENERGY > 290]) < 2.8, "twice as high, and a little smoother"
    state.drawing.derivative = True
    assert not any("error" in name for name in card.spectrum.table()), "of a derivative it is not known"


def test_what_the_legend_hides_is_neither_drawn_nor_exported(state):
    card = SpectrumCard(state)
    left = card.residual.data["curves"].data["residual"].copy()
    card.spectrum.key.hidden = [MEAN, "prediction 1.2"]
    assert state.drawing.hidden == [MEAN, "prediction 1.2"]
    assert not np.isfinite(card.spectrum.data["curves"].data["mean"]).any()
    assert card.spectrum.data["each"].data["name"] == ["1.1"]
    assert card.spectrum.data["band"].data["xs"] == []
    assert "prediction_mean" not in card.spectrum.table()
    np.testing.assert_array_equal(card.residual.data["curves"].data["residual"], left)
    card.spectrum.key.hidden = [BAND]
    assert np.isfinite(card.spectrum.data["curves"].data["mean"]).all()
    assert card.spectrum.data["band"].data["xs"] == []


def test_derivatives_of_all_curves_with_the_spread_of_the_derivatives(state, items):
    card = SpectrumCard(state)
    state.drawing.derivative = True
    slopes = np.array([np.gradient(item.candidate.spectrum, ENERGY) for item in items])
    np.testing.assert_allclose(card.spectrum.data["curves"].data["mean"], slopes.mean(0))
    np.testing.assert_allclose(card.spectrum.data["each"].data["ys"], slopes)
    low, high = np.split(card.spectrum.data["band"].data["ys"][0], 2)
    np.testing.assert_allclose(high[::-1] - low, 2 * slopes.std(0, ddof=1), atol=1e-12)
    assert "eV)" in card.spectrum.figure.yaxis[0].axis_label
    wanted = np.gradient(np.where(SETTINGS.target.mask, SETTINGS.target.intensity, np.nan), ENERGY) - slopes.mean(0)
    np.testing.assert_allclose(card.residual.data["curves"].data["residual"], wanted)


def test_the_difference_of_any_two_stands_below(state, items):
    card = SpectrumCard(state)
    state.drawing.overlaid = ["diamond"]
    state.drawing.param.update(minuend="target diamond", subtrahend="prediction 1.1")
    wanted = builtin_targets()["diamond"].intensity - items[0].candidate.spectrum
    np.testing.assert_allclose(card.residual.data["curves"].data["residual"], wanted)
    assert card.residual.figure.yaxis[0].axis_label == "diamond − 1.1"
    card.tools.button.value = True
    assert set(card.tools.first.options.values()) == set(card.spectrum.spectra.curves)
    assert (card.tools.first.value, card.tools.second.value) == ("target diamond", "prediction 1.1")
    state.param.update(compared=(), shown=None, picked=())
    card.refresh()
    assert card.residual.figure.yaxis[0].axis_label == "diamond − prediction 1.1", "what was chosen stays chosen"
    card.tools.first.value, card.tools.second.value = TARGET, MEAN
    assert (state.drawing.minuend, state.drawing.subtrahend) == (TARGET, MEAN)
    assert card.residual.figure.yaxis[0].axis_label == "Residual"


def test_the_choices_change_nothing_when_they_are_opened(state):
    card = SpectrumCard(state)
    card.tools.button.value = True
    assert card.tools.panel.visible
    assert (state.drawing.minuend, state.drawing.subtrahend) == (TARGET, MEAN)
    assert "diamond" in card.tools.overlaid.options
    card.tools.overlaid.value = ["diamond"]
    assert "diamond" in card.spectrum.data["each"].data["name"]


def test_the_figure_for_a_journal_has_what_is_drawn_at_the_size_that_is_asked_for(state):
    sent = []
    saver = Saver()
    saver._hand.param.watch(lambda event: sent.append(event.new), "message")
    card = SpectrumCard(state, saver)
    state.drawing.overlaid = ["diamond"]
    figure = card.spectrum.paper()(120.0)
    above, below = figure.axes
    assert [line.get_label() for line in above.lines] == ["target", "mean of 2", "1.1", "1.2", "diamond"]
    assert [text.get_text() for text in above.get_legend().get_texts()] == [line.get_label() for line in above.lines]
    assert "(eV)" in below.get_xlabel()
    assert "arb. units" in above.get_ylabel()
    assert below.get_ylabel() == "Residual"
    assert figure.get_size_inches()[0] == pytest.approx(120 / 25.4)
    saver.param.update(width_mm=60.0, dpi=100)
    for kind, begin in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("PDF", b"%PDF"), ("Copy picture", b"\x89PNG")):
        card.spectrum.save(kind)
        assert base64.b64decode(sent[-1]["data"]).startswith(begin)
        assert sent[-1]["copy"] == (kind == "Copy picture")
    header = base64.b64decode(sent[-1]["data"])[16:20]
    assert int.from_bytes(header, "big") == pytest.approx(100 * 60 / 25.4, abs=1)
    card.spectrum.save("Copy numbers")
    assert sent[-1]["text"].startswith("energy_eV\ttarget\t")
    with pytest.raises(AcgenError, match="60 to 300 mm"):
        card.spectrum.paper()(1.0)
    with pytest.raises(AcgenError, match="dots per inch"):
        printed(card.spectrum.paper()(85.0), "png", 5)


def test_the_map_has_the_numbers_and_colours_of_the_table_and_a_click_picks(state, items):
    view = CandidatesView(state)
    analysed = {item.key: shown for item, shown in zip(items, state.compared, strict=True)}
    view.refresh(tuple(items), analysed)
    correlation = single_correlation(SETTINGS.target.intensity, items[1].candidate.seen, SETTINGS.target.mask)
    assert view.table.value["slopes"].tolist() == pytest.approx([1.0, correlation])
    view.choice.value = "Map"
    assert isinstance(view.map, CandidateMap)
    assert not view.table.visible
    points = view.map.data["points"]
    assert list(points.data["x"]) == [item.candidate.misfit for item in items]
    assert list(points.data["y"]) == [item.candidate.judge_misfit for item in items]
    assert points.data["colour"] == [item.colour for item in items]
    assert points.selected.indices == [0, 1]
    points.selected.indices = [1]
    assert state.picked == (items[1].key,)
    state.picked = (items[0].key,)
    assert points.selected.indices == [0]
    view.map.x = "cn4"
    assert list(points.data["x"]) == [100 * shown.fractions[4] for shown in state.compared]
    assert view.map.figure.xaxis[0].axis_label == "CN4, sp³ (%)"
    view.map.y = "energy"
    assert "Energy" in view.map.empty()


def test_colours_of_neighbours_differ(items):
    keys = itertools.product(range(1, 3), range(3))
    candidate = items[0].candidate
    found = [Finished(run, SETTINGS, replace(candidate, index=index)).colour for run, index in keys]
    assert len(set(found)) == len(found)


def test_a_sheet_without_anything_is_an_empty_frame(state):
    state.param.update(compared=(), shown=None, picked=())
    card = SpectrumCard(state)
    sheet = card.spectrum.paper().args[0]
    assert [curve.name for curve in sheet.curves] == ["target"]
    assert printed(sheet_figure(sheet), "svg").startswith(b"<svg")
