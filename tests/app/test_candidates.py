"""Candidates compared before and after a run: flat pictures, flags, the dialog, and the gauge of reachability."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from app_fakes import MODELS, fake_generate
from ase.build import bulk
from waiting import LIMIT, until

from acgen.inference.flags import NEAR, WITHIN
from acgen.inference.reach import KnownSpectrum, Verdict
from acgen.sampling.generate import Candidate
from acgen.spectra.targets import builtin_targets
from acgen.structures.cell import carbon
from app.look import colours
from app.page import Dashboard
from app.session.shown import Shown
from app.session.state import NO_TARGET, State
from app.views.gallery import UNITS, projection
from app.views.reach import ReachView, gauge, known_spectra
from app.workers.background import Background

pytestmark = [
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]


@pytest.fixture
def diamond() -> Shown:
    crystal = bulk("C", cubic=True).repeat(2)
    return Shown("<diamond>", carbon(crystal.positions, np.asarray(crystal.cell)), None)


def dots(svg: str) -> int:
    return svg.count("h0")


def test_a_picture_has_every_atom_in_the_colour_of_its_coordination_inside_the_frame(diamond):
    svg = projection(diamond)
    assert dots(svg) == len(diamond.atoms)
    for path in re.findall(r'd="([^"]*h0)" stroke="([^"]*)"', svg):
        assert path[1] == colours.CN[4]
    places = [int(number) for found in re.findall(r"M(-?\d+) (-?\d+)", svg) for number in found]
    assert 0 <= min(places) <= max(places) <= UNITS
    assert "<title>&lt;diamond&gt;</title>" in svg


def test_of_many_atoms_only_those_in_front_are_drawn(diamond):
    assert dots(projection(diamond, most=20)) == 20


def answer(view: ReachView) -> None:
    """Let time pass until the view has nothing to do."""
    now = itertools.count(0.0, 1.0)

    def rests() -> bool:
        view._background.tick()
        view.tick(next(now))
        return view.found is not None and not view._background.busy("reach") and view._question() == view._asked

    until(rests, "the view has its answer")


def known(_finished) -> list[KnownSpectrum]:
    return [
        KnownSpectrum(name, "networks", density, builtin_targets()[name].intensity)
        for name, density in (("a-C-1.5", 1.5), ("a-C-2.0", 2.0), ("a-C-3.5", 3.5))
    ]


def test_the_gauge_follows_target_and_density_and_suggests_what_fits_better():
    state = State()
    view = ReachView(state, Background(), known=known)
    answer(view)
    assert view.found.verdict is Verdict.WITHIN
    assert [chip.label for chip in view.short] == ["Within reach"]
    assert len(view.better) == 0
    state.density = 3.5
    answer(view)
    assert view.found.verdict is Verdict.OUT
    assert view.better[1].label == "2 g/cm³"
    view.better[1].clicks += 1
    assert state.density == 2.0
    answer(view)
    assert view.found.verdict is Verdict.WITHIN
    state.target_name = NO_TARGET
    for now in (100.0, 200.0, 300.0):
        view.tick(now)
    assert view.found is None
    assert len(view.short) == 0
    assert "No target" in view.text.object


def test_what_goes_wrong_is_said_and_the_page_lives_on():
    def missing(_finished):
        raise ValueError("no <spectra>: reinstall")

    view = ReachView(State(), Background(pool=None), known=missing)
    for now in (0.0, 1.0):
        view.tick(now)
    assert "no &lt;spectra&gt;: reinstall" in view.text.object


def test_the_needle_is_in_the_zone_of_the_verdict():
    places = [float(re.search(r"left:([\d.]+)%", gauge(value)).group(1)) for value in (0.0, WITHIN, NEAR, 9.0)]
    assert places == pytest.approx([0.0, 33.3, 66.7, 100.0])


def with_known_spectra(settings, models, strength=None):
    """Candidates whose spectra are believable, outside what is known, and not what the judge sees."""
    spectra = builtin_targets()
    pairs = iter([("a-C-2.0", "a-C-2.0"), ("diamond", "diamond"), ("a-C-2.0", "a-C-3.5")])
    for event in fake_generate(settings, models, strength):
        if isinstance(event, Candidate):
            spectrum, judged = (spectra[name].intensity for name in next(pairs))
            event = replace(event, spectrum=spectrum, judge_spectrum=judged)
        yield event


def test_ticked_candidates_stand_side_by_side():
    now = itertools.count(0.0, 10.0)
    dashboard = Dashboard(with_known_spectra, lambda: MODELS, clock=lambda: next(now))
    dashboard.state.param.update(cell=7.0, steps=10, restarts=0, candidates=3, target_name="sp3")
    assert dashboard.candidates.beside.disabled
    dashboard.transport.start.clicks += 1
    dashboard.runner.join(LIMIT)
    dashboard.tick()
    dashboard.tick()
    rows = dashboard.candidates.table.value
    assert all(picture.startswith("<svg") for picture in rows["picture"])
    signs = dict(zip(rows["name"], rows["flags"], strict=True))
    assert "mixture" not in signs["1.1"], "a spectrum that amorphous carbon has"
    assert "disagree" not in signs["1.1"]
    assert "pairs are closer" in signs["1.1"], "whatever its spectrum, the structure is no carbon"
    assert "mixture" in signs["1.2"]
    assert "disagree" not in signs["1.2"]
    assert "disagree" in signs["1.3"]
    assert "mixture" not in signs["1.3"]
    dashboard.candidates.table.selection = [2, 0]
    dashboard.candidates.beside.clicks += 1
    gallery = dashboard.candidates.gallery
    assert gallery.dialog.open
    assert re.findall(r"<figcaption><b>([\d.]+)</b>", gallery.body.object) == ["1.3", "1.1"]
    assert gallery.body.object.count('class="atoms"') == 2


def test_what_is_known_by_default_are_the_shipped_spectra_and_they_are_worked_out_once():
    known = known_spectra([])
    assert {"the published networks"} < {item.kind for item in known}
    assert all(a is b for a, b in zip(known, known_spectra([]), strict=True))
