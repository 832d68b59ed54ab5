"""Named beamlines: what a calibration on known crystals finds, and what later files take of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from acgen.spectra.beamline import BeamlineProfile, calibration, read_beamline
from acgen.spectra.grid import ENERGY_STEP
from acgen.spectra.instrument import NODES, WEIGHTS, Instrument, spline_of
from acgen.spectra.io.read import list_contents
from acgen.spectra.prepare import prepare
from acgen.spectra.recipe import Recipe
from acgen.spectra.references import reference_spectra
from acgen.spectra.spectrum import Spectrum, SpectrumError

#: Of a beamline whose energies are too high by 0.42 eV, and which broadens by 0.3 eV.
SEEN = Instrument(shift=0.42, sigma=0.3, scale=3.0)
PROFILE = BeamlineProfile("SXR", -0.42, 0.02, 0.3, 0.03, "graphite", ("E", "tey", "i0"), pre_edge="linear")


FINE = np.arange(274.6, 314.2, 0.1)


def scan(name: str, seen: Instrument = SEEN, noise: float = 0.0) -> Spectrum:
    """What the beamline measures of a shipped reference, in steps of 0.1 eV."""
    places = FINE[:, None] - seen.shift - seen.sigma * NODES
    values = seen.scale * spline_of(reference_spectra()[name])(places) @ WEIGHTS
    return Spectrum(FINE, values + noise * np.random.default_rng(1).normal(size=FINE.size), name)


def table(*labels: str, name: str = "sp3") -> bytes:
    """A file with columns of these names: energies, a signal times a beam, the beam, anything."""
    beam = np.linspace(2.0, 1.0, FINE.size)
    columns = {"E": FINE, "tey": beam * scan(name).intensity, "i0": beam}
    rows = zip(*(columns.get(label, 7.0 + 0 * FINE) for label in labels), strict=True)
    return ("# " + " ".join(labels) + "\n" + "".join(" ".join(f"{v:.6f}" for v in row) + "\n" for row in rows)).encode()


@pytest.mark.parametrize("crystals", [("graphite",), ("diamond",), ("graphite", "diamond")])
@pytest.mark.parametrize("before", [0.0, -0.3])
def test_a_calibration_finds_what_the_beamline_did_whatever_was_added_before(crystals, before):
    known = calibration({name: prepare(scan(name, noise=0.02), shift=before) for name in crystals})
    assert abs(known["shift"] + 0.42) < 3 * known["shift_error"]
    seen = np.hypot(SEEN.sigma, ENERGY_STEP / 12**0.5)  # the bins of the grid are as wide
    assert known["broadening"] == pytest.approx(seen, abs=0.02)
    assert 0 < known["shift_error"] < 0.05
    assert known["calibrated_on"] == " and ".join(crystals)


def test_two_scans_that_disagree_are_no_better_known_than_half_of_what_they_differ_by():
    seen = {"graphite": SEEN, "diamond": replace(SEEN, shift=0.22)}
    known = calibration({name: prepare(scan(name, each)) for name, each in seen.items()})
    assert -0.42 < known["shift"] < -0.22
    assert known["shift_error"] == pytest.approx(0.1, abs=0.01)


def test_a_scan_that_is_not_what_it_is_said_to_be_calibrates_nothing():
    with pytest.raises(SpectrumError, match="does not fit diamond within 1 eV"):
        calibration({"diamond": prepare(scan("graphite"))})
    with pytest.raises(SpectrumError, match="graphite, got none|got none"):
        calibration({})
    with pytest.raises(SpectrumError, match="got film"):
        calibration({"film": prepare(scan("sp2"))})


def test_columns_are_found_by_their_names_in_any_order():
    for labels, columns in ((("E", "tey", "i0", "x"), (1, 2, 3)), (("x", "i0", "tey", "E"), (4, 3, 2))):
        recipe = Recipe.at(PROFILE, table(*labels))
        assert recipe.sample.columns == columns
        target = recipe.apply(table(*labels))
        assert target.shift == -0.42
        assert "Settings of the beamline “SXR”: energies -0.42 ± 0.02 eV, broadening 0.30 ± 0.03 eV" in (
            target.history[-1]
        )
    assert Recipe.at(PROFILE, table("E", "y")).sample.columns is None, "a file without a choice needs no names"
    with pytest.raises(SpectrumError, match="does not have the columns E, tey, i0 of the beamline “SXR”"):
        Recipe.at(PROFILE, table("E", "tey", "y"))


def test_a_recipe_is_complete_without_its_beamline_and_both_survive_being_written():
    recipe = Recipe.at(PROFILE, table("E", "tey", "i0"))
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    alone, beside = (each.apply(table("E", "tey", "i0")) for each in (replace(recipe, beamline=None), recipe))
    assert np.array_equal(alone.intensity, beside.intensity)
    moved = replace(recipe, shift=0.1).apply(table("E", "tey", "i0"))
    assert moved.history[-1] == "Settings of the beamline “SXR”.", "its energies are not the target's"
    item = list_contents(table("E", "tey", "i0")).items[0]
    assert replace(recipe, beamline=None).as_beamline("SXR", item).columns == PROFILE.columns


def test_a_profile_is_read_again_and_anything_else_is_refused(tmp_path):
    file = tmp_path / "sxr.json"
    file.write_text(json.dumps(PROFILE.to_dict()))
    assert read_beamline(file) == PROFILE
    for bad in ("[1]", "no json", json.dumps({"name": "x", "colour": 1}), '{"name": ""}', '{"name": "x", "shift": "a"}',
                '{"name": "x", "shift": 1e999}', '{"name": "x", "broadening": -1}', '{"name": "x", "columns": ["E"]}',
                '{"name": 3}', '{"name": "x", "pre_edge": "cubic"}', '{"name": "x", "pre_range": [1]}', "[" * 30_000):
        file.write_text(bad)
        with pytest.raises(SpectrumError, match="beamline"):
            read_beamline(file)
