"""A candidate of the page checked by FEFF: progress, stop, what is drawn, listed and stored."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from app_fakes import MODELS, fake_generate
from waiting import LIMIT, until

from acgen.data import labels
from acgen.errors import AcgenError
from acgen.inference.check import LIMIT as WARNING
from acgen.spectra.feff import Xmu
from acgen.spectra.feff_correction import FeffCorrection
from acgen.spectra.feff_run import FeffResult
from acgen.spectra.grid import ENERGY
from acgen.spectra.references import reference_spectra
from app.page import Dashboard
from app.session.archive import results_zip
from app.session.checking import Checker
from app.session.drawing import BAND, CHECK

pytestmark = [
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]
FINE = np.arange(255.0, 340.0, 0.4)


class Fake:
    """Stands for FEFF: waits until it may go on, or is stopped; spectra differ from site to site."""

    def __init__(self) -> None:
        self.may, self.inputs = Event(), []

    def __call__(self, text: str, stop: Event) -> FeffResult:
        self.inputs.append(text)
        number = len(self.inputs)
        while number > 3 and not self.may.wait(0.01):
            if stop.is_set():
                raise AcgenError("FEFF was stopped")
        name = "sp2" if number % 2 else "sp3"
        return FeffResult(Xmu(FINE, np.interp(FINE, ENERGY, reference_spectra()[name])), 9.0, True)


@pytest.fixture
def feff() -> Fake:
    return Fake()


@pytest.fixture
def dashboard(monkeypatch, tmp_path, feff):
    """With two finished candidates of a run, none of which is ticked, and a FEFF that is not one."""
    monkeypatch.setattr(labels, "feff_version", lambda: "feff 1")
    now = itertools.count(0.0, 10.0)
    made = Dashboard(fake_generate, lambda: MODELS, clock=lambda: next(now))
    correction = FeffCorrection(np.array([1.5, 2.0, 3.0]), np.zeros((3, 100)))
    made.check._missing = ""
    made.check.checker = Checker(made.check._checked, feff, lambda: correction, tmp_path)
    made.state.param.update(cell=7.0, steps=10, restarts=0, candidates=2, target_name="sp2")
    made.transport.start.clicks += 1
    made.runner.join(LIMIT)
    made.tick()
    made.state.picked = ()
    yield made
    made.close()


def press(dashboard: Dashboard) -> None:
    dashboard.check.button.clicks += 1


def test_progress_curve_table_and_files(dashboard, feff):
    button, state = dashboard.check.button, dashboard.state
    assert button.disabled
    state.picked = ((1, 1),)
    assert not button.disabled
    press(dashboard)

    def partly() -> bool:
        dashboard.tick()
        return button.label == "Stop check 3/12 sites"

    until(partly, "three sites are done")
    feff.may.set()

    def finished() -> bool:
        dashboard.tick()
        return bool(state.checks)

    until(finished, "the check is done")
    assert button.label == "Check"
    assert WARNING in dashboard.transport.problem.text
    found = state.check_of(state.chosen[0])
    assert len(found.sites) == 12
    row = dashboard.candidates.table.value.set_index("name")["check"]
    assert row["1.2"] == pytest.approx(found.distances["target"].value)
    assert row["1.1"] is None
    assert "check" not in dashboard.candidates.table.hidden_columns

    view = dashboard.spectrum.spectrum
    curve = view.spectra.curves[CHECK]
    np.testing.assert_allclose(curve.values, found.corrected.mean, atol=1e-9)
    np.testing.assert_allclose(curve.spread, found.corrected.error, atol=1e-9)
    assert CHECK in view.columns(())["each"]["name"]
    assert view.columns(())["check"]["xs"]
    assert [entry["key"] for entry in view.entries()].count(BAND) == 1
    assert f"{CHECK} error" in view.table()
    state.drawing.hidden = [CHECK]
    assert not view.columns(())["check"]["xs"]
    state.picked = ((1, 0),)
    assert CHECK not in view.spectra.curves

    with zipfile.ZipFile(results_zip(state.snapshot, state.found_checks)) as pack:
        stored = json.loads(pack.read("checks/001.json"))
        report = pack.read("report.html").decode()
    assert stored["distances"]["target"]["value"] == found.distances["target"].value
    assert "Checked by another code" in report
    assert "no substitute for DFT" in report


def test_stop_keeps_what_is_done_and_a_second_time_goes_on(dashboard, feff):
    state = dashboard.state
    state.picked = ((1, 0),)
    press(dashboard)
    until(lambda: len(feff.inputs) > 3, "a site hangs")
    press(dashboard)
    dashboard.tick()
    assert dashboard.check.button.label == "Check"
    assert not dashboard.transport.problem.visible
    feff.may.set()
    press(dashboard)

    def finished() -> bool:
        dashboard.tick()
        return bool(state.checks)

    until(finished, "the check is done")
    assert not set(feff.inputs[:3]) & set(feff.inputs[3:])  # those that hung are done again, and no others
    assert len(set(feff.inputs)) == 12
    assert list(state.checks) == [(1, 0)]


def test_a_server_that_ends_does_not_wait_for_the_sites_that_are_left(tmp_path):
    code = f"""
import itertools
from pathlib import Path
import numpy as np
from app_fakes import session
from waiting import until
from acgen.data import labels
from acgen.errors import AcgenError
from acgen.spectra.feff import Xmu
from acgen.spectra.feff_run import FeffResult
from app.session.checking import Checker

labels.feff_version = lambda: "feff 1"
calls = itertools.count()

def hangs(text, stop):
    if next(calls) == 0:
        return FeffResult(Xmu(np.arange(9.0), np.ones(9)), 1.0, True)
    stop.wait()
    raise AcgenError("FEFF was stopped")

checker = Checker(print, hangs, lambda: None, Path({str(tmp_path)!r}))
checker.start(session().finished[0])
until(lambda: checker.progress[0] == 1, "one site is done, and all others are waiting")
print("ended")
"""
    root = Path(__file__).parents[2]
    path = os.pathsep.join(map(str, (root, root / "tests", root / "tests" / "browser")))
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ended"


def test_what_is_missing_is_said(dashboard):
    dashboard.state.picked = ((1, 0),)
    dashboard.check._missing = 'FEFF is not installed: pip install "acgen[feff]"'
    press(dashboard)
    assert "pip install" in dashboard.transport.problem.text
    assert not dashboard.check.checker.busy

    def none() -> FeffCorrection:
        raise AcgenError("no correction of FEFF: make one")

    dashboard.check._missing = ""
    dashboard.check.checker = Checker(dashboard.check._checked, correction=none)
    press(dashboard)

    def told() -> bool:
        dashboard.tick()
        return "Not checked: no correction of FEFF" in dashboard.transport.problem.text

    until(told, "the reason is said")


def test_a_candidate_of_the_same_key_is_not_taken_for_another(dashboard):
    first, second = dashboard.state.snapshot.finished
    dashboard.state.checks = {first.key: (second.candidate, object())}
    assert dashboard.state.check_of(first) is None
    assert dashboard.state.found_checks == {}
