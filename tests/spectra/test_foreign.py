"""Lines of C-H and C=O beside carbon."""

from dataclasses import replace

import numpy as np
import pytest

from acgen.inference.flags import target_flags
from acgen.spectra.foreign import foreign_lines
from acgen.spectra.grid import ENERGY
from acgen.spectra.references import NAMES, builtin_targets
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target

BASE = builtin_targets()["a-C-2.0"]


def with_line(energy: float, height: float, width: float = 0.5, base: Target = BASE) -> Target:
    """A target with a line of a height in units of its edge step."""
    step = base.intensity[ENERGY > 303].mean()
    return replace(base, intensity=base.intensity + height * step * np.exp(-(((ENERGY - energy) / width) ** 2) / 2))


@pytest.mark.parametrize("name", NAMES)
def test_pure_carbon_has_none(name):
    assert foreign_lines(builtin_targets()[name]) == ()


@pytest.mark.parametrize(("bond", "energy"), [("C-H", 287.4), ("C=O", 288.6)])
@pytest.mark.parametrize("height", [0.25, 0.5])
def test_a_line_is_found_where_it_is(bond, energy, height):
    (line,) = foreign_lines(with_line(energy, height))
    assert line.bond == bond
    assert line.energy == pytest.approx(energy, abs=0.41)
    assert line.height == pytest.approx(height, rel=0.2)
    assert any(f"where {bond} absorbs" in flag for flag in target_flags(with_line(energy, height)))


def test_small_lines_and_lines_elsewhere_are_none():
    assert foreign_lines(with_line(288.6, 0.1)) == ()
    assert foreign_lines(with_line(297.0, 0.5, width=1.5)) == ()


def test_what_is_not_covered_is_not_judged():
    full = with_line(288.6, 0.5)
    for gone in (ENERGY > 287.0, (ENERGY > 288.0) & (ENERGY < 290.0)):
        assert [line.bond for line in foreign_lines(replace(full, mask=~gone))] == []


def test_measured_films_that_are_not_clean_carbon_are_told_from_one_that_is(shared_data):
    found = {
        name: [line.bond for line in foreign_lines(load_target(shared_data / "measured" / name, columns=columns))]
        for name, columns in {
            "DLC_CKedge_SLRI_LG4X.csv": None,
            "RefFoil_AusSync_ref_over_photodiode.csv": None,
            "AusSync_SXR_129578_sampleZ1_CK.asc": (4, 5, 8),
            "polystyrene_STXM_kkcalc.txt": None,
        }.items()
    }
    assert list(found.values()) == [["C=O"], [], ["C=O"], ["C=O"]]
