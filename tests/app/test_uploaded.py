"""A structure from a file is seen beside the target at once, like a candidate, and belongs to no run."""

from __future__ import annotations

import io
import itertools
import zipfile

import numpy as np
import pytest
from app_fakes import fake_generate, same, session
from ase.build import bulk
from ase.io import write

from acgen.networks.models import load_models, predict_sites
from acgen.spectra.compare import compare
from app.page import Dashboard
from app.session.archive import opened, results_zip
from app.session.shelf import name_of
from app.session.state import State
from app.session.store import Saved, Store
from app.session.uploaded import join
from app.workers.background import Background
from app.workers.models import shared_models

pytestmark = [
    # panel-material-ui gives its own buttons both names of one option.
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),  # Bokeh's, of a table that Panel shows
]
DIAMOND = bulk("C", cubic=True).repeat(2)


@pytest.fixture
def dashboard(monkeypatch):
    monkeypatch.setattr("app.page.Background", lambda: Background(pool=None))
    now = itertools.count(0.0, 10.0)
    dashboard = Dashboard(fake_generate, shared_models, clock=lambda: next(now))
    yield dashboard
    dashboard.close()


def upload(dashboard: Dashboard, name: str, atoms=DIAMOND) -> None:
    text = io.StringIO()
    write(text, atoms, format="extxyz")
    data = text.getvalue().encode()
    chunk = {"status": "upload_event", "name": name, "chunk": 1, "total_chunks": 1, "mime_type": "", "data": data}
    dashboard.controls.structure._handle_msg(chunk)
    dashboard.controls.structure._handle_msg({"status": "finished"})
    dashboard.tick()


def test_a_structure_is_shown_with_its_spectrum_and_misfit_and_joins_the_table(dashboard):
    state = dashboard.state
    upload(dashboard, "film <1>.xyz")
    shown = state.shown
    assert shown.name == "film <1>.xyz"
    assert shown.fractions[4] == 1.0
    predicted = predict_sites(load_models().forward, DIAMOND).mean(0)
    assert np.allclose(shown.spectrum, predicted, atol=1e-4)
    (row,) = dashboard.candidates.table.value.to_dict("records")
    assert row["name"] == "film <1>.xyz"
    assert "film &lt;1&gt;.xyz" in dashboard.spectrum.spectrum.legend()
    assert row["misfit"] == pytest.approx(compare(state.target, predicted).misfit, abs=1e-3)
    assert row["seed"] is None
    assert "&lt;1&gt;" in dashboard.player.text.object
    assert state.snapshot.finished == (), "it is no candidate of a run"
    assert dashboard.transport.download.disabled


def test_another_target_is_compared_with_it(dashboard):
    state = dashboard.state
    upload(dashboard, "one.xyz")
    upload(dashboard, "two.xyz", DIAMOND * (1, 1, 2))
    state.target_name = "diamond"
    dashboard.tick()
    predicted = predict_sites(load_models().forward, DIAMOND).mean(0)
    wanted = compare(state.targets["diamond"], predicted).misfit
    assert dashboard.candidates.table.value["misfit"].tolist() == pytest.approx([wanted, wanted], abs=0.02)
    assert [item.name for item in state.chosen] == ["two.xyz"], "what is picked stays"
    assert state.chosen[0].settings.target is state.target
    state.target_name = "none (unguided)"
    dashboard.tick()
    assert dashboard.candidates.table.value["misfit"].isna().all()


def test_a_run_starts_from_it_if_one_says_so(dashboard):
    state, button = dashboard.state, dashboard.controls.random
    assert not button.visible
    upload(dashboard, "one.xyz")
    assert state.start is None
    assert button.label == "Start from one.xyz"
    button.clicks += 1
    assert state.settings.n_atoms == len(DIAMOND)
    assert button.label == "Use random atoms instead"
    button.clicks += 1
    assert state.start is None


def test_structures_from_files_survive_a_reload_and_a_server_that_ends(dashboard, tmp_path):
    state, store, name = dashboard.state, Store(tmp_path), name_of("a key")
    upload(dashboard, "one.xyz")
    upload(dashboard, "two.xyz")
    store.write(name, Saved(session(), state.carried, state.own_targets))
    back = store.read(name)
    other = State()
    other.carry(back.choices, back.targets)
    assert [item.name for item in other.uploaded] == ["one.xyz", "two.xyz"]
    assert all(same(new.candidate, old.candidate) for new, old in zip(other.uploaded, state.uploaded, strict=True))
    assert other.picked == state.picked
    assert [item.run for item in back.snapshot.finished] == [item.run for item in session().finished]
    state.uploaded = other.uploaded
    upload(dashboard, "three.xyz")
    assert len({item.key for item in state.uploaded}) == 3, "a new one does not take the place of an old one"
    state.uploaded = state.uploaded[1:]
    store.write(name, Saved(session(), state.carried, state.own_targets))
    assert [item.name for item in store.read(name).choices["uploaded"]] == ["two.xyz", "three.xyz"]


def test_structures_from_files_are_in_the_download_and_come_back_from_it(dashboard):
    state = dashboard.state
    upload(dashboard, "film <1>.xyz")
    packed = results_zip(session(), uploaded=state.uploaded)
    with zipfile.ZipFile(packed) as pack:
        names = set(pack.namelist())
        assert b"energy_eV" in pack.read("uploaded/spectra.csv")
    assert {"uploaded/candidates.extxyz", "uploaded/structures/000.cif", "report.html"} <= names
    snapshot, uploaded = opened(packed.getvalue())
    assert len(snapshot.finished) == len(session().finished)
    join(state, uploaded)
    first, second = state.uploaded
    assert (first.name, second.name) == ("film <1>.xyz", "film <1>.xyz")
    assert first.key != second.key
    assert np.array_equal(first.candidate.site_spectra, second.candidate.site_spectra)
    assert second.candidate.misfit == first.candidate.misfit
    dashboard.tick()
    assert len(dashboard.candidates.table.value) == 2
    with zipfile.ZipFile(results_zip(session())) as pack:
        assert not any(name.startswith("uploaded/") for name in pack.namelist())
