"""Picking an atom or a range of energies: what is said, coloured and drawn."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from bokeh.events import SelectionGeometry
from bokeh.model import Model
from bokeh.models import BoxAnnotation
from waiting import until

from acgen.networks.models import load_models, predict_sites
from acgen.spectra.grid import ENERGY
from app.look import colours
from app.session.shown import CHAINS, Shown
from app.session.snapshot import Snapshot, Status
from app.session.state import State
from app.viewer.colouring import by_coordination, by_motif, by_share, shares
from app.viewer.selection import COLOURINGS, Rings, SiteSpectra, describe_atom, measured, motif_in_words
from app.views.plot import between
from app.views.spectrum import SpectrumView
from app.workers.background import Background

DIAMOND = bulk("C", cubic=True)


def test_shares_are_multiples_of_the_average_and_have_a_colour():
    sites = np.ones((4, ENERGY.size))
    sites[0, ENERGY < 287] = 3.0
    found = shares(sites, (284.0, 286.0))
    np.testing.assert_allclose(found, np.array([3, 1, 1, 1]) / 1.5)
    assert found.mean() == pytest.approx(1.0)
    np.testing.assert_allclose(shares(sites, (300.0, 304.0)), 1.0)
    narrow = shares(sites, (285.001, 285.002))
    np.testing.assert_allclose(narrow, found, err_msg="a range between two points takes the next one")
    coloured = by_share(np.array([0.0, 1.0, 2.0, 9.0]))
    assert [coloured.palette[i] for i in coloured.place] == [colours.SHARE[i] for i in (0, 16, 32, 32)]
    np.testing.assert_allclose(shares(np.zeros((2, ENERGY.size)), (284.0, 286.0)), 1.0)


def test_five_neighbours_and_more_share_a_colour():
    coloured = by_coordination(np.array([3, 7]))
    assert [coloured.palette[i] for i in coloured.place] == [colours.CN[3], colours.CN[5]]


def test_an_atom_is_described_by_its_bonds_across_the_boundary():
    text = describe_atom(Shown("x", DIAMOND, None), 0, None)
    assert text == "Atom 1 · CN 4 · bonds 1.55, 1.55, 1.55, 1.55 Å"
    sites = np.ones((8, ENERGY.size))
    assert "1.00 of the average at 284.0-286.0 eV" in describe_atom(Shown("x", DIAMOND, None, sites), 0, (284, 286))


def test_distances_and_angles_go_to_the_nearest_images():
    cell = Shown("x", DIAMOND, None)
    pairs, shifts = cell.bonds
    across = pairs[shifts.any(axis=1)][0]
    assert measured(cell, across) == f"{across[0] + 1}–{across[1] + 1} 1.55 Å"
    middle = 0
    first, second = sorted({*pairs[(pairs == middle).any(axis=1)].ravel()} - {middle})[:2]
    assert measured(cell, (first, middle, second)).endswith("109.5°")


@pytest.fixture(scope="module")
def models():
    return load_models()


def test_site_spectra_are_predicted_when_something_was_picked_and_the_run_rests(models):
    state = State()
    clean = DIAMOND.copy()
    clean.rattle(0.1, seed=1)
    shown = Shown("step 1", DIAMOND, None, denoised=clean.positions)
    state.param.update(shown=shown, compared=(shown,), snapshot=Snapshot(status=Status.RUNNING))
    background = Background()
    sites = SiteSpectra(state, lambda: models, background, pytest.fail)
    sites.tick()
    state.atom = 2
    sites.tick()
    assert not background.busy(sites.what), "frames change too fast"
    state.snapshot = Snapshot(status=Status.PAUSED)
    until(lambda: (background.tick(), sites.tick(), state.shown.site_spectra is not None)[2], "the site spectra")
    np.testing.assert_allclose(state.shown.site_spectra, predict_sites(models.guide, clean), atol=1e-4)
    assert state.compared == (state.shown,)


def test_rings_are_looked_for_when_asked_and_their_atoms_coloured():
    state, background = State(), Background()
    state.param.update(shown=Shown("x", DIAMOND, None), snapshot=Snapshot(status=Status.PAUSED))
    state.compared = (state.shown,)
    search = Rings(state, background, pytest.fail)
    search.tick()
    assert not background.busy(search.what), "nobody asked"
    state.param.update(**COLOURINGS["Rings of 6"])
    assert motif_in_words(state.shown, 6) == "Rings of 6: as soon as the run pauses or ends"
    until(lambda: (background.tick(), search.tick(), state.shown.rings is not None)[2], "the rings")
    assert motif_in_words(state.shown, 6) == "16 rings of 6: 8 of 8 atoms"
    assert motif_in_words(state.shown, 5) == "0 rings of 5: 0 of 8 atoms"
    assert state.compared == (state.shown,)


def test_atoms_of_chains_have_a_colour_and_the_others_are_grey():
    row = Atoms("C5", positions=[[1.4 * i + (8 if i > 2 else 0), 0, 0] for i in range(5)], cell=[30, 9, 9])
    row.positions[4, 1] = 5
    shown = Shown("x", row, None)
    assert motif_in_words(shown, CHAINS) == "1 chain: 3 of 5 atoms"
    coloured = by_motif(5, shown.motif(CHAINS))
    assert [coloured.palette[i] for i in coloured.place] == [colours.MOTIF] * 3 + [colours.OTHERS] * 2


def test_atoms_are_coloured_by_energies_or_by_a_motif():
    state = State()
    state.param.update(**COLOURINGS["Rings of 5"])
    state.energies = (284.0, 286.0)
    assert state.motif is None
    state.param.update(**COLOURINGS["Chains"])
    assert (state.energies, state.motif) == (None, CHAINS)
    other = State()
    other.carry(state.carried, {})
    assert other.motif == CHAINS
    state.param.update(**COLOURINGS["Coordination"])
    assert (state.energies, state.motif) == (None, None)


def test_the_spectrum_shows_the_atom_and_takes_a_range_by_dragging(models):
    state = State()
    shown = Shown("x", DIAMOND, np.ones(ENERGY.size), np.arange(8)[:, None] * np.ones(ENERGY.size))
    state.param.update(shown=shown, compared=(shown,))
    view = SpectrumView(state)
    figure = view.figure
    state.atom = 5
    assert view.refresh()
    assert set(view.table()["atom 6"]) == {5.0}
    assert "atom 6" in view.legend()
    (mark,) = figure.select({"type": BoxAnnotation, "fill_color": colours.MARK})
    assert not mark.visible
    view._drag(SelectionGeometry(figure, {"type": "rect", "x0": 100.0, "x1": 286.0}, final=False))
    assert state.energies is None, "the drag is not at its end"
    view._drag(SelectionGeometry(figure, {"type": "rect", "x0": 100.0, "x1": 286.0}, final=True))
    assert state.energies == (ENERGY[0], 286.0), "the part that there is"
    view.refresh()
    assert (mark.left, mark.right, mark.visible) == (ENERGY[0], 286.0, True)
    state.energies = None
    view.refresh()
    assert not mark.visible


def test_a_figure_is_made_once_and_only_its_numbers_change():
    state = State()
    view = SpectrumView(state)
    parts = view.figure.select({"type": Model})
    known = {part.id for part in parts}
    shown = Shown("x", DIAMOND, np.linspace(0, 2, ENERGY.size), np.ones((8, ENERGY.size)))
    state.param.update(shown=shown, compared=(shown,))
    assert view.refresh()
    np.testing.assert_array_equal(view.data["curves"].data["mean"], shown.prediction)
    assert {part.id for part in view.figure.select({"type": Model})} == known


def test_a_band_has_no_bridge_over_a_gap():
    x = np.arange(7.0)
    low = np.array([0, 0, np.nan, 0, 0, 0, np.nan])
    shape = between(x, low, low + 1)
    assert [outline.tolist() for outline in shape["xs"]] == [[0, 1, 1, 0], [3, 4, 5, 5, 4, 3]]
    assert [outline.tolist() for outline in shape["ys"]] == [[0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]
    assert between(x, low * np.nan, low) == {"xs": [], "ys": []}
