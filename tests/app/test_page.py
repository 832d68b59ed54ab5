"""The page without a browser: what a tick brings to the views, and the downloaded result."""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import panel as pn
import pytest
from app_fakes import MODELS, fake_generate
from ase.build import bulk
from bokeh.core.serialization import Serializer
from waiting import LIMIT

from acgen.sampling.settings import OPTIONS, Settings
from acgen.scattering.pairs import reduced_pdf
from acgen.scattering.read import read_pdf
from acgen.spectra.targets import builtin_targets
from acgen.statistics import mean_and_spread
from acgen.structures.cell import carbon
from acgen.structures.reference import reference_cells
from app.controls.settings import size_text
from app.look import colours
from app.page import Dashboard
from app.session.archive import results_zip, zip_name
from app.session.runner import Runner
from app.session.shown import Shown
from app.session.snapshot import Snapshot, Status
from app.session.state import LEFT_ALONE, NO_TARGET, SET_HERE, State
from app.viewer import frontend
from app.views.coordination import _above
from app.views.progress import clock, describe

# panel-material-ui gives its own buttons both names of one option.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    # Bokeh's, of a table that Panel shows.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]


@pytest.fixture
def dashboard():
    now = itertools.count(0.0, 10.0)
    dashboard = Dashboard(fake_generate, lambda: MODELS, clock=lambda: next(now))
    dashboard.state.param.update(cell=8.0, steps=10, restarts=1, candidates=2, target_name="sp3")
    yield dashboard
    dashboard.runner.stop()
    dashboard.runner.join(LIMIT)


def finish(dashboard: Dashboard) -> None:
    """Run to the end and let every plot catch up."""
    dashboard.transport.start.clicks += 1
    dashboard.runner.join(LIMIT)
    for _ in range(len(dashboard.plots) + 1):
        dashboard.tick()


def figures(dashboard):
    """Every plot, those of the spectrum's card too."""
    card, *others = (dashboard.spectrum, dashboard.coordination, dashboard.angles, dashboard.radial, dashboard.misfit)
    return [card.spectrum, card.residual, *others]


def test_the_views_follow_a_run_to_its_end(dashboard):
    assert "press Start" in dashboard.structure.note.object
    assert dashboard.transport.download.disabled
    finish(dashboard)
    assert dashboard.state.snapshot.status is Status.DONE
    assert "WebGL" in dashboard.structure.note.object, "no browser has answered"
    assert dashboard.state.shown.coordination.shape == (dashboard.state.settings.n_atoms,)
    assert not any(view.note.visible for view in figures(dashboard) if view.active)
    assert not any(view.refresh() for view in dashboard.plots), "nothing is left to draw"
    assert "best of 2" in dashboard.misfit.legend()
    assert not dashboard.transport.download.disabled
    assert not dashboard.transport.start.disabled


def test_every_figure_can_be_sent_before_and_after_a_run(dashboard):
    for _ in range(2):
        for view in figures(dashboard):
            assert Serializer().serialize(view.figure).content["attributes"]["name"] == view.file_name
        finish(dashboard)


def test_the_candidates_of_a_finished_run_are_compared_the_best_first(dashboard):
    finish(dashboard)
    state = dashboard.state
    misfits = [candidate.misfit for candidate in dashboard.runner.snapshot.candidates]
    assert state.picked == ((1, int(np.argmin(misfits))), (1, int(np.argmax(misfits))))
    assert [shown.name for shown in state.compared] == [f"1.{index + 1}" for _, index in state.picked]
    assert "mean of 2" in dashboard.spectrum.spectrum.legend()
    mean, spread = mean_and_spread([candidate.spectrum for candidate in dashboard.runner.snapshot.candidates])
    table = dashboard.spectrum.spectrum.table()
    assert np.allclose(table["prediction_mean"], mean)
    assert np.allclose(table["prediction_std"], spread)
    assert np.allclose(table["residual"], state.target.intensity - mean)


def test_energies_are_listed_where_candidates_have_them(dashboard):
    finish(dashboard)
    table, finished = dashboard.candidates.table, dashboard.runner.snapshot.finished
    known = [item.candidate.energy for item in finished]
    shown = [None if value != value else value for value in table.value["energy"]]
    assert shown == known
    assert ("energy" in table.hidden_columns) == (not any(known))


def test_a_ticked_candidate_is_shown_and_none_goes_back_to_the_run(dashboard):
    finish(dashboard)
    dashboard.candidates.table.selection = [1]
    dashboard.tick()
    second = dashboard.runner.snapshot.candidates[1]
    assert np.allclose(dashboard.state.shown.atoms.positions, second.atoms.get_positions(wrap=True))
    assert dashboard.state.shown.prediction is second.spectrum
    assert "± model error" in dashboard.spectrum.spectrum.legend()
    dashboard.candidates.table.selection = []
    dashboard.tick()
    assert dashboard.state.shown.name == f"step {dashboard.runner.snapshot.frame.step}"


def test_candidates_of_several_runs_are_listed_together(dashboard):
    finish(dashboard)
    dashboard.state.density = 3.0
    finish(dashboard)
    table = dashboard.candidates.table.value
    assert list(table["name"]) == ["1.1", "1.2", "2.1", "2.2"]
    assert table["density"].round(0).tolist() == [2, 2, 3, 3]
    np.testing.assert_allclose(table[[f"cn{cn}" for cn in range(6)]].sum(axis=1), 100, err_msg="no atom vanishes")
    assert dashboard.state.picked[0][0] == 2, "the new ones are compared"


def test_without_a_target_the_plots_say_so(dashboard):
    dashboard.state.target_name = NO_TARGET
    dashboard.spectrum.spectrum.refresh()
    assert "without guidance" in dashboard.spectrum.spectrum.note.object
    finish(dashboard)
    assert "no misfit" in dashboard.misfit.empty()


def test_settings_that_the_core_refuses_are_shown_and_the_page_lives_on():
    def refuses(settings, models, strength):
        raise ValueError("the cell is 6.00 Å between its closest faces: give at least 7.0 Å")
        yield

    dashboard = Dashboard(refuses, lambda: MODELS)
    finish(dashboard)
    assert dashboard.transport.problem.visible
    assert "at least 7.0" in dashboard.transport.problem.text
    assert not dashboard.transport.start.disabled


def test_controls_are_locked_while_a_run_is_active(dashboard):
    dashboard.runner.pause()
    dashboard.transport.start.clicks += 1
    dashboard.runner.pause()
    dashboard.tick()
    assert all(widget.disabled for widget in dashboard.controls.locked)
    assert not dashboard.controls.xi.disabled
    assert not dashboard.transport.stop.disabled
    dashboard.transport.stop.clicks += 1
    dashboard.runner.join(LIMIT)
    dashboard.tick()
    assert not any(widget.disabled for widget in dashboard.controls.locked)


def test_a_run_ends_when_nobody_looks(dashboard):
    dashboard._context = SimpleNamespace(session=SimpleNamespace(connection_count=1))
    dashboard.state.candidates = 32
    dashboard.transport.start.clicks += 1
    dashboard.tick()
    assert dashboard.runner.snapshot.status.active
    dashboard._context.session.connection_count = 0
    dashboard.tick()
    dashboard.runner.join(LIMIT)
    assert dashboard.runner.snapshot.status is Status.STOPPED


def test_the_page_is_not_redrawn_for_the_work_of_the_server(dashboard):
    page = dashboard.page()
    turns = []
    page.param.watch(lambda event: turns.append(event.new), "busy")
    pn.state._add_busy_event("a click on any page")
    pn.state._remove_busy_event("a click on any page")
    assert turns == []


def test_sessions_share_nothing():
    one, other = State(), State()
    one.add_target(builtin_targets()["sp2"])
    one.density = 3.0
    target = builtin_targets()["sp2"]
    one.add_target(type(target)(target.intensity, target.mask, "mine"))
    assert "mine" not in other.targets
    assert "mine" not in other.param.target_name.objects
    assert other.density == 2.0


def test_every_parameter_is_explained():
    for name in ("density", "cell", "cell_b", "cell_c", "start_t", "xi", "restarts", "steps", "candidates", "seed"):
        parameter = State.param[name]
        assert parameter.label
        assert parameter.doc
        assert parameter.bounds is not None
    for name in SET_HERE:
        each, parameter = OPTIONS[name], State.param[name]
        assert parameter.doc == each.doc
        assert each.unit in parameter.label
        assert getattr(parameter, "bounds", each.soft) == each.soft
    assert {*SET_HERE, *LEFT_ALONE} == set(OPTIONS)


def test_the_number_of_atoms_is_known_before_the_start():
    assert size_text(Settings(), 90.0) == "<b>217 atoms</b>  · about <b>1:30 min</b> for all candidates"
    start = bulk("C", cubic=True).repeat(3)
    start.info["name"] = "<b>.cif"
    assert "216 atoms</b> from &lt;b&gt;.cif" in size_text(Settings(start=start), 1.0)


def test_a_structure_is_analysed_with_its_periodic_images():
    diamond = bulk("C", cubic=True).repeat(2)
    shown = Shown("diamond", carbon(diamond.positions + 100.0, np.asarray(diamond.cell)), None)
    assert shown.fractions == {0: 0, 1: 0, 2: 0, 3: 0, 4: 1, 5: 0}
    assert shown.density == pytest.approx(3.5, abs=0.05)
    inside = shown.atoms.positions
    assert np.all((inside >= 0) & (inside < diamond.cell[0, 0] + 1e-9))
    drawn = np.linalg.norm(np.diff(inside[shown.sticks], axis=1)[:, 0], axis=1)
    assert 0 < len(drawn) < 2 * len(diamond), "no stick reaches across the boundary"
    assert drawn.max() < 1.6


def test_one_colour_for_each_coordination_number():
    named = [colours.CN[cn] for cn in (1, 2, 3, 4, 5)] + [colours.TARGET, colours.PREDICTION]
    assert len(set(named)) == len(named)


def test_the_result_is_a_zip_of_the_files_of_the_command_line():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(Settings(cell=7.0, steps=8, restarts=0, candidates=2, seed=5, target=builtin_targets()["sp"]))
    runner.join(LIMIT)
    with zipfile.ZipFile(results_zip(runner.snapshot)) as file:
        assert {"candidates.extxyz", "spectra.csv", "summary.json"} <= set(file.namelist())
        summary = json.loads(file.read("summary.json"))
        rows = list(csv.reader(io.TextIOWrapper(file.open("spectra.csv"), encoding="utf-8")))
    assert [candidate["seed"] for candidate in summary["candidates"]] == [5, 6]
    assert summary["settings"]["target"]["name"] == "sp"
    assert rows[0] == ["energy_eV", "target", "candidate_000", "candidate_001"]
    assert len(rows) == 101
    assert zip_name(runner.snapshot) == "acgen_sp_2gcm3_seed5.zip"


def test_nothing_to_download_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="no candidate is finished"):
        results_zip(Snapshot())


def test_progress_reads_well():
    assert describe(Snapshot()) == "Ready"
    assert [clock(seconds) for seconds in (42, 185, 3723)] == ["42 s", "3:05 min", "1:02:03 h"]


def test_a_number_never_lies_on_the_reference_line():
    assert _above(50.0, 80.0) == _above(50.0, 20.0) == 51.5
    assert _above(50.0, 55.0) == 56.5


def test_the_front_end_is_served_from_the_installed_package():
    from panel.io.server import ComponentResourceHandler

    url = frontend.base_url()
    name = f"nglview-js-widgets@{frontend.nglview.widget.__frontend_version__}/dist/index"
    handler = ComponentResourceHandler.__new__(ComponentResourceHandler)
    path = handler.parse_url_path(f"{url}/{name}".removeprefix("components/"))
    text = Path(path).read_text(encoding="utf-8")
    assert all(new in text and old not in text for old, new in frontend.PATCHES.items())


@pytest.mark.parametrize("source", ["", 2 * "".join(frontend.PATCHES)])
def test_another_front_end_is_refused_with_what_to_do(source):
    with pytest.raises(frontend.FrontendError, match="pip install"):
        frontend.patched(source)


def test_a_page_without_the_front_end_says_what_to_do(monkeypatch):
    def missing():
        raise frontend.FrontendError("reinstall it with pip")

    monkeypatch.setattr(frontend, "base_url", missing)
    dashboard = Dashboard(fake_generate, lambda: MODELS)
    assert "reinstall" in dashboard.structure.note.object
    dashboard.state.param.update(cell=7.0, steps=8, restarts=0, candidates=1)
    finish(dashboard)
    assert dashboard.state.snapshot.status is Status.DONE


def test_a_pair_distribution_has_a_plot_once_there_is_one(dashboard):
    r = np.arange(0.05, 8, 0.05)
    curve = reduced_pdf(reference_cells()[4], r, 0.05)
    measured = read_pdf("".join(f"{x:.3f} {g:.6f}\n" for x, g in zip(r, curve, strict=True)).encode(), name="film.gr")
    choice = dashboard.distributions.choice
    assert "PDF" not in choice.options
    dashboard.state.pdf = measured
    assert choice.value == "PDF"
    dashboard.state.pdf = None
    dashboard.state.pdf = measured
    assert choice.options.count("PDF") == 1
