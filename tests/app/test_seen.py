"""What is drawn is what the misfit beside it belongs to: every view sees predictions through the fitted instrument."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from app_fakes import MODELS, SETTINGS, fake_generate
from ase.build import bulk

import app.notebook.widgets
from acgen.networks.models import load_models
from acgen.results.describe import flags_of
from acgen.sampling.generate import Candidate
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument, instrument_matrix
from acgen.spectra.instrument_fit import Beamline, fit_instrument
from acgen.spectra.model_error import GUIDE_ERROR, UNSEEN_ERROR, error_covariance, site_covariance
from acgen.spectra.targets import builtin_targets
from app.session.shown import Shown, show_candidate, show_frame
from app.session.snapshot import Finished, Snapshot
from app.session.state import State
from app.viewer.selection import with_sites
from app.views.candidates import CandidatesView
from app.views.gallery import Gallery, figure, spectra
from app.views.instrument import InstrumentView
from app.views.save import csv_text
from app.views.spectra import model_error
from app.views.spectrum import ResidualView, SpectrumView

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
INSTRUMENT = Instrument(shift=0.6, scale=1.3, slope=0.02, sigma=0.2)


@pytest.fixture
def item() -> Finished:
    """A candidate whose spectrum is the target's but for the instrument, and whose atoms differ."""
    spectrum = builtin_targets()["sp2"].intensity
    target = replace(builtin_targets()["sp2"], intensity=INSTRUMENT.apply(spectrum), name="film")
    settings = replace(SETTINGS, target=target, instrument=True, candidates=1)
    made = next(event for event in fake_generate(settings, MODELS) if isinstance(event, Candidate))
    fit = fit_instrument(target, spectrum)
    weights = 1 + 0.5 * np.linspace(-1, 1, len(made.atoms))
    sites = weights[:, None] * spectrum / weights.mean()
    misfit = target.misfit(fit.prediction)
    candidate = replace(made, spectrum=spectrum, site_spectra=sites, instrument=fit, misfit=misfit, judge_misfit=misfit)
    assert misfit < 0.05 < 0.5 < target.misfit(spectrum)
    return Finished(1, settings, candidate)


@pytest.fixture
def state(item) -> State:
    state = State()
    shown = show_candidate(item.candidate, item.name)
    snapshot = Snapshot(settings=item.settings, finished=(item,))
    state.param.update(snapshot=snapshot, picked=(item.key,), shown=shown, compared=(shown,), atom=3)
    return state


def test_the_gallery_draws_the_curve_of_its_caption(item):
    html = figure(item, show_candidate(item.candidate, item.name))
    paths = re.findall(r'd="M([^"h]*)" stroke="[^"]*" stroke-width="1.6"', html)
    target, found = (np.array([float(pair.split(" ")[1]) for pair in path.split("L")]) for path in paths)
    top = max(item.candidate.seen.max(), item.settings.target.intensity.max())
    drawn = np.linalg.norm((target - found) * top / 54)
    told = float(re.search(r"misfit ([\d.]+)", html).group(1))
    assert drawn == pytest.approx(told, abs=0.02), "to what is rounded in the picture"
    assert "through the fitted instrument" in html


def test_the_gallery_turns_plain_with_the_page_and_its_misfit_stays(item, state):
    gallery = Gallery(state)
    shown = show_candidate(item.candidate, item.name)
    gallery.show([(item, shown)])
    assert gallery.plain.visible
    seen = gallery.body.object
    state.plain = True
    plain = gallery.body.object
    assert plain != seen
    assert spectra(item.candidate.spectrum, item.settings.target) in plain
    assert "Plain spectrum" in plain
    for html in (seen, plain):
        assert f"misfit {item.candidate.misfit:.3f}" in html


def test_the_spectrum_and_its_residual_are_those_of_the_misfit(item, state):
    view, left = SpectrumView(state), ResidualView(state)
    curves = view.data["curves"].data
    misfit = item.candidate.misfit
    assert np.linalg.norm(curves["target"] - curves["mean"]) == pytest.approx(misfit, abs=1e-9)
    assert np.linalg.norm(left.data["curves"].data["residual"]) == pytest.approx(misfit, abs=1e-9)


def test_an_atom_is_drawn_through_the_instrument_of_the_mean(item, state):
    view = SpectrumView(state)
    sites = item.candidate.site_spectra
    seen = item.candidate.instrument.instrument.apply(sites[3])
    np.testing.assert_allclose(view.data["curves"].data["atom"], seen, atol=1e-9)
    np.testing.assert_allclose(state.shown.seen_sites.mean(0), item.candidate.seen, atol=1e-9)
    matrix = instrument_matrix(item.candidate.instrument.instrument)
    for name, covariance in (("band", error_covariance()), ("atom", site_covariance())):
        low, high = np.split(view.data[name].data["ys"][0], 2)
        error = np.sqrt(np.diag(matrix @ covariance @ matrix.T))
        np.testing.assert_allclose(high[::-1] - low, 2 * error, atol=1e-9)


def test_the_band_of_a_frame_is_that_of_the_network_that_guides(item):
    candidate = show_candidate(item.candidate, "1")
    frame = replace(candidate, denoised=candidate.atoms.positions)
    ratio = model_error(frame, error_covariance) / model_error(candidate, error_covariance)
    np.testing.assert_allclose(ratio, GUIDE_ERROR / UNSEEN_ERROR)


def test_the_export_has_the_curves_of_the_plot(item, state):
    view = SpectrumView(state)
    rows = list(csv.DictReader(io.StringIO(csv_text(view.table()))))
    table = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    for column, drawn in (("target", "target"), ("prediction_mean", "mean"), ("atom 4", "atom")):
        np.testing.assert_allclose(table[column], view.data["curves"].data[drawn], rtol=1e-5)
    assert np.linalg.norm(table["residual"]) == pytest.approx(item.candidate.misfit, abs=1e-3)


def test_a_plain_prediction_is_drawn_as_it_is_with_its_residual(item, state):
    view, left = SpectrumView(state), ResidualView(state)
    state.plain = True
    assert view.refresh()
    assert left.refresh()
    assert not view.refresh(), "nothing is new"
    curves, target = view.data["curves"].data, item.settings.target
    np.testing.assert_allclose(curves["mean"], item.candidate.spectrum, atol=1e-9)
    np.testing.assert_allclose(curves["atom"], item.candidate.site_spectra[3], atol=1e-9)
    raw = target.misfit(item.candidate.spectrum)
    assert np.linalg.norm(left.data["curves"].data["residual"]) == pytest.approx(raw, abs=1e-9)
    assert "plain" in view.legend()


def test_the_instrument_is_told_beside_the_plot_and_in_the_table_with_the_bound_that_it_reached(item, state):
    told = InstrumentView(state)
    assert told.row.visible
    for words in ("shift +0.60 ± ", " eV · scale 1.3", "slope +2.0", "broadening 0.20 ± "):
        assert words in told.text.object
    assert "bound" not in told.text.object
    assert not any("bound" in flag for flag in flags_of(item.candidate))
    fit = replace(item.candidate.instrument, at_bounds=("sigma",))
    candidate = replace(item.candidate, instrument=fit)
    shown = show_candidate(candidate, item.name)
    state.compared = (shown,)
    assert told.refresh()
    assert not told.refresh(), "nothing is new"
    assert "⚠" in told.text.object
    assert "broadening 0.20 (at its bound) eV" in told.text.object
    table = CandidatesView(state)
    bound = replace(item, candidate=candidate)
    table.refresh((bound,), {bound.key: shown})
    row = table.table.value.iloc[0]
    assert "broadening of the instrument reached a bound" in row["flags"]
    assert row["shift"] == pytest.approx(0.6, abs=0.02)
    assert row["slope"] == pytest.approx(2.0, abs=0.1)
    assert "sigma" not in table.table.hidden_columns
    state.compared = (replace(shown, fit=None),)
    told.refresh()
    assert not told.row.visible


def test_a_frame_of_a_run_tells_its_instrument_and_is_drawn_plain_too(item, state):
    spectrum, fit = item.candidate.spectrum, item.candidate.instrument
    frame = next(event.frame for event in fake_generate(item.settings, MODELS) if not isinstance(event, Candidate))
    early = replace(frame, misfit=None, prediction=None)
    guided = replace(frame, misfit=0.1, prediction=fit.prediction, instrument=fit.instrument, spectrum=spectrum)
    told, view = InstrumentView(state), SpectrumView(state)
    for each, words in ((early, "as soon as the spectrum guides"), (guided, "shift +0.60 ± ")):
        shown = show_frame(each, item.settings)
        state.param.update(picked=(), atom=None, shown=shown, compared=(shown,))
        told.refresh()
        view.refresh()
        assert told.row.visible, "the plot below keeps its height"
        assert words in told.text.object
    assert state.shown.fitted.errors == pytest.approx(fit.errors)
    np.testing.assert_array_equal(view.data["curves"].data["mean"], fit.prediction)
    state.plain = True
    view.refresh()
    np.testing.assert_array_equal(view.data["curves"].data["mean"], spectrum)
    wide = replace(fit.instrument, sigma=0.5)
    state.compared = (show_frame(replace(guided, instrument=wide), item.settings),)
    told.refresh()
    assert "⚠" in told.text.object
    assert "broadening 0.50 (at its bound) eV" in told.text.object
    sites = with_sites(shown, item.settings, load_models)
    assert sites.instrument == shown.instrument
    assert sites.prediction is shown.prediction


def test_the_notebook_draws_the_same(item):
    view = app.notebook.widgets.SpectrumView(item.settings.target, item.candidate)
    curves = view.plot.figure.select_one({"name": "mean"}).data_source.data
    np.testing.assert_allclose(curves["mean"], item.candidate.seen)
    measured = replace(item.settings.target, measured=True)
    for target, seen in ((measured, item.candidate.seen), (item.settings.target, item.candidate.spectrum)):
        view = app.notebook.widgets.SpectrumView(target, item.candidate.spectrum)
        curves = view.plot.figure.select_one({"name": "mean"}).data_source.data
        np.testing.assert_allclose(curves["mean"], seen, atol=2e-3, err_msg="as a run by default would see it")


def test_a_frame_of_a_run_that_fits_an_instrument_shows_its_atoms_through_it(item):
    models = load_models()
    frame = Shown("step 1", bulk("C", cubic=True), item.candidate.seen)
    known = with_sites(frame, item.settings, lambda: models)
    assert known.prediction is frame.prediction
    beamline = Beamline(item.settings.target, True)
    mean = known.site_spectra.mean(0)
    assert known.instrument == beamline.instrument(mean)
    np.testing.assert_allclose(known.seen_sites.mean(0), beamline.seen(mean), atol=1e-6)
    plain = with_sites(frame, replace(item.settings, instrument=False), lambda: models)
    assert plain.seen_sites is plain.site_spectra
    assert plain.seen_sites.shape == (8, ENERGY.size)
