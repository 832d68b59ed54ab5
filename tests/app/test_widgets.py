"""The notebook's objects as Python objects: what they take, what they give, and what they tell the browser."""

import asyncio

import ipywidgets
import numpy as np
import pytest
from app_fakes import MODELS, fake_generate
from ase import Atoms
from ase.build import bulk
from ase.io import write
from bokeh.events import DocumentReady
from waiting import LIMIT

import app.notebook.sampler
from acgen.errors import AcgenError
from acgen.results.archive import read_zip
from acgen.spectra.grid import ENERGY
from acgen.spectra.references import reference_spectra
from acgen.spectra.spectrum import Spectrum
from acgen.spectra.targets import builtin_targets, load_target
from app.notebook.inputs import atoms_of, target_of
from app.notebook.sampler import GuidedSampler
from app.notebook.widgets import SpectrumView, StructureView

DIAMOND = bulk("C", cubic=True).repeat(2)


def a_sampler(**options) -> GuidedSampler:
    small = {"density": 2.0, "cell": 7.2, "steps": 8, "restarts": 0, "candidates": 2, "models": MODELS}
    return GuidedSampler("sp2", **small | options)


@pytest.fixture(autouse=True)
def _without_networks(monkeypatch):
    monkeypatch.setattr(
        app.notebook.sampler, "generate", lambda settings, models, strength: fake_generate(settings, models)
    )


class Browser:
    """Answers a view as nglview's front end does, and keeps what it is told."""

    def __init__(self, view: StructureView, monkeypatch):
        self.frames = []
        self.widget = view.stream.widget
        monkeypatch.setattr(self.widget, "send", lambda message, buffers=None: self.told(message))

    def told(self, message):
        if message["methodName"] == "acgenShow":
            self.frames.append(message["args"][0])

    def open(self):
        for kind in ("request_loaded", "acgen_ready"):
            self.widget._handle_custom_msg({"type": kind}, [])


def test_structures_of_every_kind_are_the_same(tmp_path):
    write(tmp_path / "diamond.cif", DIAMOND)
    for source in (DIAMOND, tmp_path / "diamond.cif", str(tmp_path / "diamond.cif")):
        found = StructureView(source).atoms
        np.testing.assert_allclose(found.cell, DIAMOND.cell, atol=1e-3)
        assert len(found) == 64
    assert StructureView(DIAMOND.positions, DIAMOND.cell.lengths()[0]).atoms == atoms_of(DIAMOND)


@pytest.mark.parametrize(
    ("source", "cell", "reason"),
    [
        (np.zeros((3, 2)), 5.0, "shape"),
        (np.zeros((3, 3)), None, "need a cell"),
        (np.full((3, 3), np.nan), 5.0, "finite"),
        (bulk("Si", cubic=True), None, "give carbon"),
        (Atoms("C"), None, "periodic cell"),
        ("nowhere.cif", None, "does not exist"),
    ],
)
def test_what_is_no_structure_is_refused(source, cell, reason):
    view = StructureView(DIAMOND)
    with pytest.raises(ValueError, match=reason):
        view.show(source, cell)
    assert len(view.atoms) == 64


def test_spectra_of_every_kind_make_the_same_target(tmp_path):
    curve = reference_spectra()["a-C-2.0"]
    table = np.column_stack([ENERGY, curve])
    np.savetxt(tmp_path / "s.csv", table, delimiter=",")
    wanted = target_of(Spectrum(ENERGY, curve))
    for source in (table, table.T, tmp_path / "s.csv"):
        np.testing.assert_allclose(SpectrumView(source).target.intensity, wanted.intensity, atol=1e-9)
    assert target_of("sp3").name == "sp3"
    assert target_of(wanted) is wanted
    with pytest.raises(ValueError, match="energies in eV and intensities"):
        SpectrumView(np.zeros(7))


def test_predictions_are_arrays_or_structures():
    view = SpectrumView("diamond", DIAMOND, reference_spectra()["sp3"])
    assert len(view.predictions) == 2
    assert load_target("sp3").misfit(view.predictions[0]) < 2.5
    np.testing.assert_array_equal(view.predictions[1], reference_spectra()["sp3"])
    view.show()
    assert view.predictions == []
    with pytest.raises(ValueError, match="shape"):
        view.show(np.zeros(99))


def test_a_curve_reaches_the_figure_that_the_notebook_shows():
    view = SpectrumView("sp2")
    figure = view.plot.figure
    spectrum = reference_spectra()["a-C-3.5"]
    view.show(spectrum)
    assert view.plot.children[1].render_bundle["render_items"][0]["roots"].keys() == {figure.id}
    sources = [renderer.data_source.data for renderer in figure.renderers]
    assert any(np.array_equal(values, spectrum) for data in sources for values in data.values())


def test_a_view_that_opens_twice_shows_its_atoms_twice(monkeypatch):
    view = StructureView(DIAMOND)
    browser = Browser(view, monkeypatch)
    browser.open()
    known = len(browser.frames)
    assert known > 0
    view.stream._awaited.clear()  # the browser has drawn it, and is closed
    browser.open()
    assert len(browser.frames) > known
    assert len({frame["positions"] for frame in browser.frames}) == 1


def test_a_sampler_gives_atoms_spectra_and_a_file(tmp_path):
    sampler = a_sampler()
    assert sampler.candidates == []
    assert sampler.spectra.shape == (0, 100)
    found = sampler.wait(LIMIT)
    assert all(isinstance(atoms, Atoms) for atoms in found)
    assert [len(atoms) for atoms in found] == [sampler.settings.n_atoms] * 2
    assert sampler.spectra.shape == (2, 100)
    assert sampler.structure.atoms.positions.shape == found[-1].positions.shape
    assert "Done: 2 of 2" in sampler.text.value
    assert sampler.buttons["Stop"].disabled
    sampler.save(tmp_path / "run.zip")
    assert [candidate.seed for candidate in read_zip(tmp_path / "run.zip").candidates] == [0, 1]


def test_a_sampler_in_a_notebook_follows_its_run():
    async def cell():
        sampler = a_sampler()
        sampler.buttons["Start"].click()
        while not sampler.candidates or sampler.snapshot.status.active:
            await asyncio.sleep(0.05)
        await sampler._follower
        return sampler

    sampler = asyncio.run(asyncio.wait_for(cell(), LIMIT))
    assert "Done: 2 of 2" in sampler.text.value
    assert sampler.structure.atoms is not None


def test_a_cell_can_await_a_run():
    async def cell():
        sampler = a_sampler()
        found = await sampler.finished()
        return found, sampler.candidates

    found, candidates = asyncio.run(asyncio.wait_for(cell(), LIMIT))
    assert len(found) == 2
    assert found == candidates


def test_a_view_that_opens_later_gets_the_curves_of_now():
    view = SpectrumView("sp2")
    view.show(reference_spectra()["sp3"])
    sent = []
    figure = view.plot.figure
    figure.document.on_change(sent.append)
    figure.document.callbacks.trigger_event(DocumentReady())
    again = {event.model for event in sent}
    assert {renderer.data_source for renderer in figure.renderers} <= again


def test_a_blocked_kernel_says_so(monkeypatch):
    monkeypatch.setattr(app.notebook.sampler, "in_notebook", lambda: True)
    sampler = a_sampler()
    told = []
    sampler.text.observe(lambda change: told.append((change["new"], sampler.buttons["Pause"].disabled)), "value")
    sampler.wait(LIMIT)
    assert all(off for text, off in told if "buttons rest" in text)
    assert "rest" not in sampler.text.value


def test_strength_can_be_changed_from_python_and_in_the_display():
    sampler = a_sampler()
    sampler.steer(350)
    assert sampler.xi.value == 350
    sampler.xi.value = 120
    assert sampler.runner._strength.xi == 120
    with pytest.raises(ValueError, match="at least 0"):
        sampler.steer(-1)
    assert sampler.xi.value == 120


def test_a_run_that_fails_says_why(monkeypatch):
    def broken(settings, models, strength):
        raise AcgenError("the cell is too small; give more")
        yield

    monkeypatch.setattr(app.notebook.sampler, "generate", broken)
    sampler = a_sampler()
    with pytest.raises(AcgenError, match="too small"):
        sampler.wait(LIMIT)
    assert "too small" in sampler.text.value

    def odd(settings, models, strength):
        yield [][0]

    monkeypatch.setattr(app.notebook.sampler, "generate", odd)
    with pytest.raises(IndexError):
        a_sampler().wait(LIMIT)


def test_the_instrument_is_fitted_to_a_measured_file(tmp_path):
    known = builtin_targets()["a-C-2.0"]
    film = tmp_path / "film.csv"
    np.savetxt(film, np.column_stack([ENERGY, known.intensity]), delimiter=",")
    assert GuidedSampler(film).settings.instrument
    assert GuidedSampler(np.column_stack([ENERGY, known.intensity])).settings.instrument
    assert not GuidedSampler(film, instrument=False).settings.instrument
    assert not GuidedSampler("a-C-2.0").settings.instrument


def test_settings_that_make_no_sense_are_refused_at_once():
    with pytest.raises(ValueError, match="density is 99"):
        GuidedSampler(density=99)


def test_views_stand_in_layouts_of_ipywidgets():
    box = ipywidgets.HBox([StructureView(DIAMOND), SpectrumView("sp")])
    assert len(box.children) == 2
