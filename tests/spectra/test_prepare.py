"""Preparation of targets: resampling, background, scale, shift, slope, warnings and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acgen.spectra.grid import ENERGY
from acgen.spectra.io.read import read_spectrum
from acgen.spectra.match import DOMAIN_LIMIT, best_shift, best_slope, derivative_correlation, tilt
from acgen.spectra.prepare import prepare
from acgen.spectra.references import NAMES, NETWORKS, reference_spectra
from acgen.spectra.resample import resample
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

FINE = np.arange(268.0, 325.0, 0.1)
ALL = np.ones(100, dtype=bool)


def _measured(name: str = "a-C-2.0", energy: np.ndarray = FINE, scale: float = 3.0, offset: float = 2.0) -> Spectrum:
    """A shipped reference as an instrument would give it."""
    return Spectrum(energy, scale * np.interp(energy, ENERGY, reference_spectra()[name]) + offset, name)


def _misfit(target: Target, name: str) -> float:
    return target.misfit(reference_spectra()[name])


# resampling


def test_resampling_averages_bins_of_straight_lines_exactly() -> None:
    values, mask = resample(FINE, 2.0 * FINE - 500.0)
    assert mask.all()
    np.testing.assert_allclose(values, 2.0 * ENERGY - 500.0)


def test_resampling_keeps_the_area_of_a_line_narrower_than_the_grid() -> None:
    energy = np.arange(270.0, 320.0, 0.01)
    for centre in (290.0, 290.13, 290.2):
        peak = np.exp(-0.5 * ((energy - centre) / 0.05) ** 2) / (0.05 * np.sqrt(2 * np.pi))
        assert 0.4 * resample(energy, peak)[0].sum() == pytest.approx(1.0, abs=1e-4)


def test_resampling_suppresses_noise_instead_of_aliasing_it() -> None:
    energy = np.arange(270.0, 320.0, 0.02)
    noise = np.random.default_rng(0).normal(size=energy.size)
    assert resample(energy, noise)[0].std() < 1.5 / np.sqrt(20)


def test_resampling_leaves_data_on_the_grid_alone_and_interpolates_coarse_data() -> None:
    values = reference_spectra()["diamond"]
    np.testing.assert_allclose(resample(ENERGY, values)[0], values, atol=1e-12)
    coarse, mask = resample(ENERGY[::3], values[::3])
    assert mask.all()
    np.testing.assert_allclose(coarse, np.interp(ENERGY, ENERGY[::3], values[::3]))


def test_points_outside_the_range_and_in_wide_gaps_are_masked() -> None:
    energy = FINE[(FINE > 280.05) & (FINE < 310.0) & ((FINE < 295.05) | (FINE > 299.05))]
    values, mask = resample(energy, np.ones_like(energy))
    inside = (ENERGY > 280.05) & (ENERGY < 310.0) & ((ENERGY < 295.05) | (ENERGY > 299.05))
    np.testing.assert_array_equal(mask, inside)
    np.testing.assert_array_equal(values, np.where(inside, values, 0.0))
    np.testing.assert_allclose(values[mask], 1.0)


# preparation


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_measured_on_the_grid_comes_back_without_warnings(name: str) -> None:
    target = prepare(_measured(name, ENERGY))
    assert target.mask.all()
    assert _misfit(target, name) < 0.025 * np.linalg.norm(reference_spectra()[name])
    assert target.warnings == ()
    assert len(target.history) == 2


@pytest.mark.parametrize("pre_edge", ["constant", "linear"])
def test_unit_and_offset_do_not_matter(pre_edge: str) -> None:
    noisy = np.random.default_rng(1).normal(scale=0.02, size=FINE.size)
    first = _measured()
    first = Spectrum(FINE, first.intensity + noisy)
    second = Spectrum(FINE, 7.0 * first.intensity + 12.3)
    a, b = prepare(first, pre_edge=pre_edge), prepare(second, pre_edge=pre_edge)
    assert a.misfit(b.intensity) < 1e-9
    assert _misfit(a, "a-C-2.0") < 0.05


def test_extreme_units_do_not_overflow() -> None:
    plain = prepare(_measured())
    for factor in (1e-300, 1e300):
        assert prepare(Spectrum(FINE, factor * _measured().intensity)).misfit(plain.intensity) < 1e-6


@pytest.mark.parametrize(("low", "high"), [(278.0, 310.0), (270.0, 305.0), (280.0, 300.0)])
@pytest.mark.parametrize("name", ["sp", "sp2", "sp3", *NETWORKS])
def test_a_part_of_a_spectrum_gets_the_scale_of_the_whole(name: str, low: float, high: float) -> None:
    target = prepare(_measured(name, FINE[(FINE >= low) & (FINE <= high)]))
    part = target.mask
    assert part.sum() < 100
    assert target.intensity[part].sum() == pytest.approx(reference_spectra()[name][part].sum(), rel=0.02)


def test_backgrounds() -> None:
    spectrum = _measured("sp3", scale=1.0)
    sloped = Spectrum(FINE, spectrum.intensity + 0.01 * (FINE - 285.4))
    assert _misfit(prepare(sloped, pre_edge="linear"), "sp3") < 0.03
    assert _misfit(prepare(sloped, pre_edge="constant"), "sp3") > 0.3
    subtracted = _measured("sp3", FINE[FINE > 286.0], offset=0.0)
    target = prepare(subtracted, pre_edge="none")
    assert any("No pre-edge" in warning for warning in target.warnings)
    assert _misfit(target, "sp3") < 0.05
    with pytest.raises(SpectrumError, match="after the edge begins"):
        prepare(subtracted)


def test_without_a_pre_edge_the_lowest_value_serves_and_a_warning_is_given() -> None:
    target = prepare(_measured("a-C-3.0", FINE[FINE > 282.0]))
    assert any("No pre-edge" in warning for warning in target.warnings)
    assert _misfit(target, "a-C-3.0") < 0.1


def test_a_given_shift_moves_the_spectrum_and_is_bounded() -> None:
    shifted = Spectrum(FINE - 0.6, _measured("graphite").intensity)
    assert _misfit(prepare(shifted, shift=0.6), "graphite") < 0.1
    assert _misfit(prepare(shifted), "graphite") > 0.5
    for bad in (20.5, -21.0, float("nan"), "left"):
        with pytest.raises(SpectrumError, match="energy shift must lie within"):
            prepare(shifted, shift=bad)


@pytest.mark.parametrize("name", ["sp2", "a-C-2.0", "a-C-3.5", "graphite"])
@pytest.mark.parametrize("error", [-0.7, 0.0, 0.35])
def test_automatic_shift_finds_a_known_error(name: str, error: float) -> None:
    spectrum = Spectrum(FINE + error, _measured(name).intensity)
    found, correlation = best_shift(spectrum.energy, spectrum.intensity)
    assert found == pytest.approx(-error, abs=0.11)
    assert correlation > 0.98
    assert _misfit(prepare(spectrum, shift="auto"), name) < 0.35


def test_automatic_shift_at_its_limit_warns() -> None:
    spectrum = Spectrum(FINE + 1.6, _measured("sp2").intensity)
    assert any("energy shift ended at its limit" in warning for warning in prepare(spectrum, shift="auto").warnings)


def test_a_detector_slope_is_found_and_removed() -> None:
    tilted = Spectrum(ENERGY, 5.0 * tilt(0.03) * reference_spectra()["a-C-2.5"])
    assert best_slope(tilted.intensity, ALL) == pytest.approx(0.03)
    assert _misfit(prepare(tilted, slope=0.03), "a-C-2.5") < 0.03
    assert _misfit(prepare(tilted, slope="auto"), "a-C-2.5") < 0.03
    assert _misfit(prepare(tilted), "a-C-2.5") > 0.3
    with pytest.raises(SpectrumError, match="slope must lie within"):
        prepare(tilted, slope=0.2)


def test_arguments_stay_as_they_are_and_history_grows() -> None:
    spectrum = Spectrum(FINE, _measured().intensity, "film", ("Read it.",))
    target = prepare(spectrum, shift=0.2, name="target")
    assert spectrum.history == ("Read it.",)
    assert target.name == "target"
    assert target.history[:2] == ("Read it.", "Applied energy shift: +0.2 eV.")
    assert "Subtracted a constant background" in target.history[2]
    assert "Scaled to the area 2" in target.history[3]


def test_range_and_gap_warnings() -> None:
    short = prepare(_measured(energy=FINE[(FINE > 276.0) & (FINE < 300.0)]))
    assert any("280-305 eV or more is wanted" in warning for warning in short.warnings)
    gap = prepare(_measured(energy=FINE[(FINE < 297.0) | (FINE > 301.0)]))
    assert any("gaps wider than 2 eV" in warning for warning in gap.warnings)


@pytest.mark.parametrize(
    ("energy", "intensity", "message"),
    [
        (np.linspace(700, 740, 50), np.arange(50.0), "does not overlap"),
        (np.linspace(200, 270, 50), np.arange(50.0), "does not overlap"),
        (1e308 * np.linspace(-1, 1, 50), np.arange(50.0), "has 0 points"),
        (np.linspace(270, 550, 60), np.arange(60.0), "has 9 points"),
        (np.concatenate([np.linspace(250, 270, 50), np.linspace(274.61, 275.4, 30)]), np.arange(80.0), "only 2 points"),
        (FINE, np.ones_like(FINE), "no absorption edge"),
        (FINE, np.zeros_like(FINE), "no absorption edge"),
        (FINE, -_measured().intensity, "no absorption edge"),
        (FINE, 400.0 - FINE, "no absorption edge"),
        (FINE, np.random.default_rng(2).normal(size=FINE.size), "no absorption edge"),
        (FINE[FINE < 284.0], FINE[FINE < 284.0], "no absorption edge"),
    ],
)
def test_refusals_say_why_in_one_line(energy: np.ndarray, intensity: np.ndarray, message: str) -> None:
    with pytest.raises(SpectrumError, match=message) as caught:
        prepare(Spectrum(energy, intensity))
    assert "\n" not in str(caught.value)


def test_unknown_background_is_refused() -> None:
    with pytest.raises(SpectrumError, match="pre_edge must be"):
        prepare(_measured(), pre_edge="quadratic")


# domain


def test_derivative_correlation_ignores_scale_offset_and_slope_but_not_nonsense() -> None:
    spectrum = reference_spectra()["a-C-2.5"]
    assert derivative_correlation(spectrum, ALL) == pytest.approx(1.0)
    assert derivative_correlation(7.0 * spectrum + 3.0 + 0.02 * ENERGY, ALL) == pytest.approx(1.0)
    assert derivative_correlation(np.ones(100), ALL) == 0.0
    assert derivative_correlation(spectrum, np.arange(100) == 5) == 0.0
    assert derivative_correlation(np.sin(3.0 * ENERGY), ALL) < 0.4


def test_measured_files_become_sensible_targets(shared_data: Path) -> None:
    folder = shared_data / "measured"
    dlc = prepare(read_spectrum(folder / "DLC_CKedge_SLRI_LG4X.csv"))
    assert dlc.mask.all()
    (slope,) = dlc.warnings
    assert "slope of +3.7 %/eV, more than detectors have" in slope
    assert dlc.intensity.sum() == pytest.approx(22.0, abs=0.6)
    assert np.abs(dlc.intensity[ENERGY < 281]).max() < 0.01
    peak = (ENERGY > 283) & (ENERGY < 287)
    assert ENERGY[peak][dlc.intensity[peak].argmax()] == pytest.approx(285.0, abs=0.41)
    misfits = {name: _misfit(dlc, name) for name in NAMES}
    assert min(misfits[name] for name in NETWORKS) < min(misfits["diamond"], misfits["graphite"]) - 0.5
    foil = prepare(read_spectrum(folder / "RefFoil_AusSync_ref_over_photodiode.csv"))
    assert len(foil.warnings) == 2
    assert "slope" in foil.warnings[1]
    assert "oriented sample" in foil.warnings[0]
    assert _misfit(foil, "graphite") < _misfit(foil, "diamond") - 1.0


def test_tilting_brings_the_dlc_near_a_network(shared_data: Path) -> None:
    spectrum = read_spectrum(shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv")
    plain, tilted = prepare(spectrum), prepare(spectrum, slope="auto")
    assert min(_misfit(tilted, n) for n in NETWORKS) < 0.8 * min(_misfit(plain, n) for n in NETWORKS)


@pytest.mark.parametrize("shift", [0.0, "auto"])
def test_polystyrene_is_called_out_of_domain(shared_data: Path, shift: float | str) -> None:
    target = prepare(read_spectrum(shared_data / "measured" / "polystyrene_STXM_kkcalc.txt"), shift=shift)
    assert any("Out of domain" in warning for warning in target.warnings)


def test_organic_film_is_called_out_of_domain(shared_data: Path) -> None:
    raw = shared_data / "measured" / "AusSync_SXR_129578_sampleZ1_CK.asc"
    target = prepare(read_spectrum(raw, columns=(4, 5)))
    assert any("Out of domain" in warning for warning in target.warnings)


def test_every_public_cell_is_in_domain(shared_data: Path) -> None:
    from acgen.data.public import load_public

    for cell in load_public(shared_data / "llnl-a-C"):
        assert derivative_correlation(cell.spectra.mean(axis=0), ALL) > DOMAIN_LIMIT + 0.2


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("keV", lambda e: e / 1000),
        ("wavelengths in nm", lambda e: 1239.841984 / e),
        ("wavelengths in Å", lambda e: 12398.41984 / e),
        ("J", lambda e: 1.602176634e-19 * e),
        ("wavenumbers in 1/cm", lambda e: 8065.543937 * e),
        ("hartree", lambda e: e / 27.211386),
        ("rydberg", lambda e: e / 13.605693),
    ],
)
def test_energies_in_another_unit_are_named(unit, written):
    energy = np.linspace(270.0, 330.0, 61)
    given = np.sort(written(energy))
    with pytest.raises(SpectrumError, match=f"they seem to be {unit}, convert them to eV"):
        prepare(Spectrum(given, np.linspace(0.0, 1.0, 61)))
    with pytest.raises(SpectrumError, match=r"-314.2 eV$"):
        prepare(Spectrum(energy + 430.0, np.linspace(0.0, 1.0, 61)))  # of another element
