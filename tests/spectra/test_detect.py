"""Warnings: each is given where it should be, and not on sound spectra; noise, edge step, I0 and calibration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgen.spectra.calibration import calibration_shift, pi_star_energy
from acgen.spectra.grid import ENERGY
from acgen.spectra.io.export import read_target, spectrum_xdi, target_csv, target_xdi
from acgen.spectra.io.read import read_spectrum
from acgen.spectra.noise import noise_level
from acgen.spectra.normalise import divide, edge_step
from acgen.spectra.prepare import prepare
from acgen.spectra.recipe import Choice, Recipe
from acgen.spectra.references import reference_spectra
from acgen.spectra.spectrum import Spectrum, SpectrumError

FINE = np.round(np.arange(268.0, 325.0, 0.1), 6)


def curve(name: str = "a-C-2.5", energy: np.ndarray = FINE) -> np.ndarray:
    """A shipped reference on fine energies, on a background of 0.2."""
    return 0.2 + np.interp(energy, ENERGY, reference_spectra()[name])


def warnings_of(intensity: np.ndarray, energy: np.ndarray = FINE, **options) -> str:
    return " ".join(prepare(Spectrum(energy, intensity), **options).warnings)


def bump(centre: float, width: float, energy: np.ndarray = FINE) -> np.ndarray:
    return np.exp(-0.5 * ((energy - centre) / width) ** 2)


def test_a_sound_spectrum_has_no_warnings() -> None:
    noisy = curve() + np.random.default_rng(0).normal(scale=0.003, size=FINE.size)
    assert warnings_of(noisy) == ""


ODD = {
    "raw counts": np.round(10000 * curve()),
    "probably saturated": np.minimum(curve(), 0.5),
    "only 3% of the signal": curve() + 5.0,
    "times the noise": curve() + np.random.default_rng(1).normal(scale=0.05, size=FINE.size),
    "more than in any graphite": curve() + 0.8 * bump(285.3, 0.3),
    "likely saturated": 0.2 + np.tanh(20 * (curve() - 0.2)),
    "potassium L edges": curve() + 0.15 * bump(297.3, 0.35) + 0.1 * bump(299.9, 0.35),
    "spikes": curve() + 0.2 * (np.arange(FINE.size) == 300),
}


@pytest.mark.parametrize("words", ODD)
def test_what_is_odd_is_said(words: str) -> None:
    assert words in warnings_of(ODD[words])


def test_an_oriented_graphite_is_told_by_its_small_pi_star() -> None:
    pi_star = reference_spectra()["graphite"] * (ENERGY < 287)
    weak = curve("graphite") - 0.75 * np.interp(FINE, ENERGY, pi_star)
    assert "likely an oriented sample" in warnings_of(weak)
    assert "oriented" not in warnings_of(curve("graphite"))


def test_nitrogen_is_seen_beyond_the_grid() -> None:
    energy = np.round(np.arange(268.0, 420.0, 0.2), 6)
    plain = curve(energy=energy)
    assert "N K edge" not in warnings_of(plain, energy)
    assert "N K edge" in warnings_of(plain + 0.1 * (energy > 399), energy)


def test_a_derivative_and_kilo_electronvolts_are_refused_with_a_hint() -> None:
    with pytest.raises(SpectrumError, match="derivative, integrate it|integrate a derivative"):
        prepare(Spectrum(FINE, np.gradient(curve("graphite"), FINE)))
    with pytest.raises(SpectrumError, match="they seem to be keV"):
        prepare(Spectrum(FINE / 1000, curve()))


# noise


@pytest.mark.parametrize("sigma", [0.001, 0.02])
def test_noise_is_found_under_a_spectrum(sigma: float) -> None:
    noisy = curve("sp3") + np.random.default_rng(2).normal(scale=sigma, size=FINE.size)
    assert np.median(noise_level(FINE, noisy)) == pytest.approx(sigma, rel=0.15)
    target = prepare(Spectrum(FINE, noisy))
    clean = prepare(Spectrum(FINE, curve("sp3")))
    deviation = (target.intensity - clean.intensity)[target.mask]
    assert np.sqrt(np.mean(deviation**2)) == pytest.approx(np.sqrt(np.mean(target.noise**2)), rel=0.5)


def test_noise_grows_where_the_measurement_is_noisier() -> None:
    scale = np.where(FINE < 295, 0.002, 0.02)
    target = prepare(Spectrum(FINE, curve() + np.random.default_rng(3).normal(size=FINE.size) * scale))
    assert target.noise[ENERGY > 298].mean() > 5 * target.noise[ENERGY < 292].mean()


# edge step


def test_edge_step_of_a_straight_step_is_exact() -> None:
    intensity = 3.0 + 0.01 * (FINE - 285.4) + 2.0 * (FINE > 285.4)
    found = edge_step(FINE, intensity)
    assert found.step == pytest.approx(2.0)
    np.testing.assert_allclose(found.normalised, (FINE > 285.4), atol=1e-9)
    with pytest.raises(SpectrumError, match="post-edge region .* holds 0 points"):
        edge_step(FINE[FINE < 300], intensity[FINE < 300])
    with pytest.raises(SpectrumError, match="not higher than the pre-edge"):
        edge_step(FINE, -intensity)


def test_normalisations_differ_by_the_sensitivity() -> None:
    steep = Spectrum(FINE, 0.2 + (curve() - 0.2) * (1 + 0.03 * (FINE - 285.4)))
    area, edge = prepare(steep), prepare(steep, normalisation="edge")
    np.testing.assert_allclose(edge.intensity, area.intensity * (1 + area.sensitivity))
    assert edge.sensitivity == pytest.approx(1 / (1 + area.sensitivity) - 1)
    assert area.sensitivity < -0.1
    assert abs(prepare(Spectrum(FINE, curve())).sensitivity) < 0.05
    short = Spectrum(FINE[FINE < 304], curve()[FINE < 304])
    assert prepare(short).sensitivity is None
    with pytest.raises(SpectrumError, match="cannot normalise by the edge step"):
        prepare(short, normalisation="edge")


# I0 and calibration


def test_i0_is_divided_out_on_its_own_energies() -> None:
    coarse = np.round(np.arange(265.0, 330.0, 0.25), 6)
    beam = Spectrum(coarse, 5.0 - 0.03 * (coarse - 265.0), "mesh", warnings=("odd",), sha256="ab")
    raw = Spectrum(FINE, curve() * (5.0 - 0.03 * (FINE - 265.0)))
    target = prepare(raw, i0=beam)
    assert target.misfit(prepare(Spectrum(FINE, curve())).intensity) < 1e-9
    assert "SHA-256 of the file of I0: ab." in target.record
    assert "SHA" not in " ".join(target.history), "which is what one reads"
    assert read_target(target_xdi(target).encode()).sources == target.sources
    assert "I0: odd" in target.warnings
    with pytest.raises(SpectrumError, match="changes sign"):
        divide(raw, Spectrum(coarse, coarse - 290))
    with pytest.raises(SpectrumError, match="same energies"):
        divide(raw, Spectrum(coarse + 100, coarse))


def test_double_normalisation_of_a_raw_beamline_file(shared_data: Path) -> None:
    folder = shared_data / "measured"
    recipe = Recipe(sample=Choice(columns=(4, 5, 6)), i0=Choice(columns=(4, 8, 6)))
    target = recipe.apply(
        folder / "AusSync_SXR_129578_sampleZ1_CK.asc", i0=folder / "AusSync_SXR_129577_photodiode_reffoil_CK.asc"
    )
    assert abs(target.sensitivity) < 0.03  # raw counts: -0.3
    assert [warning.split(":")[0] for warning in target.warnings] == ["Out of domain"]


def test_pi_star_of_graphite_scans(shared_data: Path) -> None:
    assert pi_star_energy(Spectrum(FINE, bump(285.23, 0.5))) == pytest.approx(285.23, abs=0.005)
    foil = read_spectrum(shared_data / "measured" / "RefFoil_AusSync_ref_over_photodiode.csv")
    assert calibration_shift(foil) == pytest.approx(0.5, abs=0.05)
    with pytest.raises(SpectrumError, match="no maximum"):
        pi_star_energy(Spectrum(FINE, FINE))
    with pytest.raises(SpectrumError, match="is it a scan of graphite"):
        calibration_shift(Spectrum(FINE, bump(283.0, 0.5)), 287.0)
    with pytest.raises(SpectrumError, match="not both"):
        prepare(foil, reference=foil, shift="auto")


NAMES = st.sampled_from(["sp2", "sp3", "a-C-1.5", "a-C-2.5", "a-C-3.5", "graphite"])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(NAMES, st.floats(-10, 10), st.integers(0, 99), st.sampled_from(["constant", "linear"]))
def test_scale_and_offset_change_nothing(name: str, offset: float, seed: int, pre_edge: str) -> None:
    intensity = curve(name) + np.random.default_rng(seed).normal(scale=0.003, size=FINE.size)
    first = prepare(Spectrum(FINE, intensity), pre_edge=pre_edge)
    second = prepare(Spectrum(FINE, 7 * intensity + offset), pre_edge=pre_edge)
    assert first.misfit(second.intensity) < 0.01 * np.linalg.norm(first.intensity)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(NAMES, st.floats(-0.3, 0.3), st.integers(0, 99))
def test_a_shift_together_with_the_reference_scan_changes_nothing(name: str, error: float, seed: int) -> None:
    intensity = curve(name) + np.random.default_rng(seed).normal(scale=0.003, size=FINE.size)
    graphite = curve("graphite")
    first = prepare(Spectrum(FINE, intensity), reference=Spectrum(FINE, graphite))
    second = prepare(Spectrum(FINE + error, intensity), reference=Spectrum(FINE + error, graphite))
    assert first.misfit(second.intensity) < 0.01 * np.linalg.norm(first.intensity)


# recipes and export


def test_a_recipe_repeats_to_the_bit_and_survives_json(shared_data: Path) -> None:
    path = shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv"
    foil = shared_data / "measured" / "RefFoil_AusSync_ref_over_photodiode.csv"
    recipe = Recipe(sample=Choice(columns=(1, 2)), slope="auto", pre_edge="linear", normalisation="edge")
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    first, second = recipe.apply(path, reference=foil), again.apply(path.read_bytes(), reference=foil, name=path.stem)
    np.testing.assert_array_equal(first.intensity, second.intensity)
    np.testing.assert_array_equal(first.noise, second.noise)
    assert (first.history, first.warnings) == (second.history, second.warnings)
    assert "SHA-256 of the file: 101c73d4" in " ".join(first.record)
    with pytest.raises(SpectrumError, match="this is no recipe .*colour"):
        Recipe.from_dict({"colour": 1})
    with pytest.raises(SpectrumError, match="the I0 file: the file is empty"):
        recipe.apply(path, i0=b"")


@pytest.mark.parametrize("kind", ["csv", "xdi"])
def test_written_targets_come_back_without_being_prepared_again(kind: str) -> None:
    target = prepare(Spectrum(FINE[FINE < 305], curve()[FINE < 305], "film\n# x"), slope=0.01)
    text = target_csv(target) if kind == "csv" else target_xdi(target, Recipe(slope=0.01))
    back = read_target(text.encode())
    np.testing.assert_array_equal(back.mask, target.mask)
    np.testing.assert_array_equal(back.intensity, target.intensity)
    assert read_target(b"1 2") is None
    if kind == "csv":
        assert text.splitlines()[0] == "energy_eV,target"
        assert text.splitlines()[-1] == "314.2,"
    else:
        np.testing.assert_array_equal(back.noise, target.noise)
        assert (back.name, back.warnings, back.sensitivity) == ("film # x", target.warnings, target.sensitivity)
        np.testing.assert_array_equal(read_spectrum(text.encode()).intensity, target.intensity[target.mask])


def test_damaged_written_targets_are_refused() -> None:
    target = prepare(Spectrum(FINE, curve()))
    with pytest.raises(SpectrumError, match="not on the grid"):
        read_target("\n".join(target_csv(target).splitlines()[:50]).encode())
    with pytest.raises(SpectrumError, match="a row that is not"):
        read_target(target_csv(target).replace("275.0,", "275.0,x").encode())
    with pytest.raises(SpectrumError, match="not on the grid"):
        read_target(target_xdi(target).replace("\n275.0  ", "\n275.1  ").encode())


def test_a_spectrum_goes_through_xdi_unchanged() -> None:
    spectrum = Spectrum(FINE, curve(), "film", ("Read it.",))
    back = read_spectrum(spectrum_xdi(spectrum).encode())
    np.testing.assert_array_equal(back.energy, spectrum.energy)
    np.testing.assert_array_equal(back.intensity, spectrum.intensity)


def test_edge_normalisation_agrees_with_larch(shared_data: Path, larch) -> None:
    asked, ours = [], []
    for name in ("DLC_CKedge_SLRI_LG4X.csv", "RefFoil_AusSync_ref_over_photodiode.csv"):
        spectrum = read_spectrum(shared_data / "measured" / name)
        energy, mu = spectrum.energy, spectrum.intensity
        at = [int(np.argmin(np.abs(energy - wanted))) for wanted in (285.4, 272.0, 281.0, 306.0, 314.0)]
        edge, first, second, third, fourth = energy[at].tolist()
        # Larch leaves out the last point of a region.
        pre, post = (first - edge, second - edge - 0.02), (third - edge, fourth - edge - 0.02)
        limits = {"pre1": pre[0], "pre2": pre[1], "norm1": post[0], "norm2": post[1]}
        for degree in (0, 1):
            request = {"function": "normalise", "energy": energy.tolist(), "mu": mu.tolist()}
            asked.append(request | {"e0": edge, "nnorm": degree, "nvict": 0} | limits)
            ours.append(edge_step(energy, mu, pre, post, post_degree=degree, edge=edge))
    for mine, theirs in zip(ours, larch(asked), strict=True):
        assert mine.step == pytest.approx(theirs["edge_step"], rel=1e-6)
        np.testing.assert_allclose(mine.normalised, theirs["norm"], atol=1e-6)
