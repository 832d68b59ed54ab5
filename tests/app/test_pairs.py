"""A pair distribution in the page: its upload, what it sets, its plot, and that it stays with the session."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from app_fakes import same

from acgen.sampling.generate import Candidate
from acgen.sampling.settings import Settings
from acgen.scattering.pairs import reduced_pdf
from acgen.scattering.read import read_pdf
from acgen.structures.reference import reference_cells
from app.controls.pdf import PairUpload
from app.controls.settings import _slider
from app.notebook.sampler import GuidedSampler
from app.session.opening import follow
from app.session.shown import show_candidate
from app.session.snapshot import Finished, Snapshot
from app.session.state import State
from app.session.store import Saved, Store
from app.session.undo import Undo
from app.views.candidates import COLUMNS, ORDER, _numbers
from app.views.pairs import PairsView
from app.workers.background import Background

pytestmark = pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning")
R = np.arange(0.05, 8, 0.05)


@pytest.fixture(scope="module")
def cells():
    return reference_cells()[4:6]


@pytest.fixture(scope="module")
def content(cells):
    rows = zip(R, reduced_pdf(cells[0], R, 0.05), strict=True)
    return "".join(f"{r:.3f} {g:.6f}\n" for r, g in rows).encode()


@pytest.fixture
def state():
    return State()


@pytest.fixture
def upload(state):
    return PairUpload(state, Background(None), _slider(state.param.xi_pdf))


def give(upload, data, name):
    upload.upload.param.update(filename=name, value=data)


def finished(cell, pdf, index=0):
    misfit, curve = pdf.compare(cell)
    nothing = np.zeros(100)
    sites = np.zeros((len(cell), 100))
    made = Candidate(index, 0, cell, nothing, sites, nothing, None, None, 1.0, pdf_misfit=misfit, pdf=curve)
    return Finished(1, Settings(pdf=pdf), made)


def test_a_file_guides_until_it_is_left_out(state, upload, content):
    assert not upload.slider.visible
    undo = Undo(state)
    give(upload, content, "folder/my <film>.gr")
    assert state.settings.pdf is state.pdf
    assert (state.pdf.kind, state.pdf.name) == ("G", "my <film>")
    assert "my &lt;film&gt;" in upload.text.object
    assert upload.slider.visible
    assert upload.row.visible
    assert not upload.message.visible
    upload.slider.value = 70.0
    assert state.settings.xi_pdf == 70
    upload.leave_out.clicks += 1
    assert state.settings.pdf is None
    assert not upload.slider.visible
    undo.back()
    assert state.pdf is not None


def test_what_is_no_pair_distribution_says_why_and_changes_nothing(state, upload, content):
    give(upload, content, "film.gr")
    before = state.pdf
    for data, name, said in ((content, "film.sq", "looks like G"), (b"", "film.gr", "empty"), (content, "a.iq", "raw")):
        give(upload, data, name)
        assert said in upload.message.text
        assert state.pdf is before
    give(upload, content, "film.gr")
    assert not upload.message.visible


def test_another_density_is_warned_of(state, upload, content):
    state.density = 2.5
    give(upload, content, "film.gr")
    assert not upload.warning.visible
    state.density = 1.5
    assert "2.50 g/cm³" in upload.warning.text


def test_the_plot_has_both_curves_and_their_difference(state, cells, content):
    view = PairsView(state)
    assert "Add a pair distribution" in view.empty()
    pdf = read_pdf(content, name="film.gr")
    items = [finished(cell, pdf, index) for index, cell in enumerate(cells)]
    state.pdf = pdf
    assert view.refresh()
    assert view.empty() == ""
    assert np.isnan(view.data["curves"].data["prediction"]).all()
    assert np.array_equal(view.data["curves"].data["measured"], pdf.values)
    shown = tuple(show_candidate(item.candidate, item.name) for item in items)
    snapshot = Snapshot(settings=items[0].settings, finished=tuple(items))
    state.param.update(snapshot=snapshot, picked=tuple(item.key for item in items), compared=shown, shown=shown[0])
    assert view.refresh()
    curves, points = view.data["curves"].data, pdf.points(cells[0].cell.array)
    known = np.isfinite(curves["prediction"])
    assert known.sum() == points
    mean = np.mean([item.candidate.pdf for item in items], axis=0)
    assert np.allclose(curves["prediction"][:points], mean)
    residual = (curves["difference"] - curves["zero"])[:points]
    assert np.allclose(residual, pdf.values[:points] - mean)
    assert max(curves["difference"][:points]) < min(curves["measured"])
    assert set(view.table()) >= {"r_A", "measured_G_per_A2", "residual", "prediction_std"}
    assert view.figure.yaxis[0].axis_label == "G(r) (Å⁻²)"
    assert len(view.paper()().axes) == 2
    assert "pdf" in ORDER
    assert "pdf" in COLUMNS
    assert _numbers(items[0].candidate, shown[0])["pdf"] == items[0].candidate.pdf_misfit


def test_a_plot_of_g_says_so(state, cells):
    g = 1 + reduced_pdf(cells[0], R, 0.05) / (4 * np.pi * len(cells[0]) / cells[0].get_volume() * R)
    view = PairsView(state)
    state.pdf = read_pdf("".join(f"{r:.3f} {y:.6f}\n" for r, y in zip(R, g, strict=True)).encode())
    view.refresh()
    assert view.figure.yaxis[0].axis_label == "g(r)"
    assert "measured_g" in view.table()


def test_it_comes_back_with_a_run_and_with_a_session(state, content, tmp_path):
    pdf = read_pdf(content, name="film.gr")
    follow(state, Settings(pdf=pdf, xi_pdf=50.0))
    assert (state.pdf, state.xi_pdf) == (pdf, 50.0)
    store, name = Store(tmp_path / "kept"), "0" * 64
    store.write(name, Saved(state.snapshot, state.carried, {}))
    other = State()
    back = store.read(name)
    other.carry(back.choices, back.targets)
    assert same(other.pdf, pdf)
    assert SimpleNamespace(**other.choices).xi_pdf == 50


def test_it_guides_in_a_notebook(content, tmp_path):
    file = tmp_path / "film.gr"
    file.write_bytes(content)
    sampler = GuidedSampler(pdf=str(file), density=2.0, cell=9.0, steps=4, restarts=0, candidates=1)
    curves = sampler.plots[-1]._plot.data["curves"]
    assert sampler.plots[-1].figure.xaxis[0].axis_label == "Distance r (Å)"
    assert len(curves.data["measured"]) > 40
    assert np.isnan(curves.data["prediction"]).all()
    sampler.wait()
    candidate = sampler.results[0]
    points = len(candidate.pdf)
    assert candidate.pdf_misfit > 0
    drawn = sampler.settings.pdf.drawn(candidate.pdf)
    np.testing.assert_allclose(curves.data["prediction"][:points], drawn, rtol=1e-6)
