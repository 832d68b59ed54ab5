"""How far a target is from what a density allows, on spectra whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from acgen.cli import main
from acgen.inference.flags import NEAR, WITHIN, prediction_flags
from acgen.inference.reach import KnownSpectrum, Verdict, from_candidates, reach, shipped_spectra
from acgen.sampling.generate import Candidate
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.references import NETWORKS, reference_spectra
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.reference import reference_cells

EVERYWHERE = np.ones(ENERGY.size, dtype=bool)


def pure(spectrum, mask=EVERYWHERE, name="made up") -> Target:
    return Target(spectrum, mask, name)


def without(kind: str) -> list[KnownSpectrum]:
    """What is known but for one kind of structures, so that none of them is compared with itself."""
    known = [item for item in shipped_spectra() if item.kind != kind]
    assert 5 <= len(known) < len(shipped_spectra())
    return known


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_near_the_melt_quench_cells_of_its_density_and_far_from_others(name):
    density, known = float(name.removeprefix("a-C-")), without("the published networks")
    found = reach(load_target(name), density, known)
    assert 0.05 < found.distance < 0.3, "quenched cells have less sp³ than the networks"
    assert found.verdict is not Verdict.OUT
    assert found.nearest.startswith(f"a melt-quench cell of {density:g}")
    assert found.flags == ()
    other = reach(load_target(name), 1.5 if density > 2.4 else 3.5, known)
    assert other.distance > found.distance + 0.1
    assert abs(other.better[0] - density) < 0.65


@pytest.mark.parametrize("name", NETWORKS)
def test_a_shipped_network_fits_nowhere_better_than_at_its_own_density(name):
    found = reach(load_target(name), float(name.removeprefix("a-C-")))
    assert found.verdict is Verdict.WITHIN
    assert found.better == ()


def test_what_the_guide_ascribes_to_the_instrument_does_not_count():
    known, network = without("the published networks"), load_target("a-C-2.0")
    did = Instrument(shift=0.8, slope=0.02, sigma=0.2)
    seen = replace(network, intensity=did.apply(network.intensity))
    bare = reach(seen, 2.0, known)
    assert bare.verdict is Verdict.OUT
    assert bare.instrument is None
    found, plain = (reach(target, 2.0, known, instrument=True) for target in (seen, network))
    assert found.verdict is not Verdict.OUT
    assert found.distance == pytest.approx(plain.distance, abs=0.03)
    assert found.instrument.shift - plain.instrument.shift == pytest.approx(did.shift, abs=0.15)
    assert f"shift {found.instrument.shift:+.2f} eV" in found.words
    assert found.flags == ()
    assert bare.flags
    measured = reach(replace(seen, measured=True), 2.0, known)
    assert measured.distance == found.distance
    assert dict(found.by_density)[2.0] == found.distance


def test_a_dense_target_is_out_of_reach_of_a_light_density_and_sent_to_its_own():
    found = reach(load_target("a-C-3.5"), 1.5)
    assert found.verdict is Verdict.OUT
    assert found.better[0] == 3.5
    assert "3.5 g/cm³ fits better" in found.words
    distances = dict(found.by_density)
    assert distances[1.5] == pytest.approx(found.distance)
    assert min(distances, key=distances.get) == 3.5


def test_densities_between_the_shipped_ones_mix_their_spectra():
    spectra = reference_spectra()
    middle = pure(0.5 * (spectra["a-C-3.0"] + spectra["a-C-3.5"]))
    assert reach(middle, 3.25).distance == pytest.approx(0, abs=1e-6)
    quarter = reach(middle, 3.125).distance
    assert quarter <= 0.25 * np.linalg.norm(spectra["a-C-3.5"] - spectra["a-C-3.0"]) + 1e-6


def test_only_measured_points_count():
    spectrum = reference_spectra()["a-C-2.5"].copy()
    mask = EVERYWHERE.copy()
    mask[60:] = False
    spectrum[60:] = 5.0
    assert reach(pure(spectrum, mask), 2.5).distance == pytest.approx(0)


def test_the_shipped_cells_lie_as_far_from_the_networks_as_the_bounds_say():
    cells = [item for item in shipped_spectra() if item.judge_spectrum is not None]
    assert len(cells) == 10
    for cell in cells:
        network = reference_spectra()[f"a-C-{cell.density:.1f}"]
        assert np.linalg.norm(cell.spectrum - network) < NEAR
        assert prediction_flags(cell.spectrum, cell.judge_spectrum) == ()
        found = reach(pure(cell.spectrum), cell.density, without(cell.kind))
        assert 0.01 < found.distance < 0.25, "other quenches, and the published networks"
        assert found.verdict is not Verdict.OUT


@pytest.mark.parametrize("name", ["sp", "diamond", "graphite"])
def test_pure_classes_and_crystals_are_out_of_reach(name):
    assert reach(load_target(name), 2.0).verdict is Verdict.OUT


def test_crystals_are_outside_the_training_range():
    assert any("outside the training range" in flag for flag in reach(load_target("diamond"), 3.5).flags)


def test_a_density_without_training_cells_is_flagged():
    found = reach(load_target("a-C-1.5"), 0.9)
    assert any("outside the 1.5-3.5" in flag for flag in found.flags)


@pytest.mark.parametrize(("slope", "shift"), [(0.0, 0.0), ("auto", 0.0), ("auto", "auto")])
def test_polystyrene_is_nothing_that_carbon_has(shared_data, slope, shift):
    path = shared_data / "measured" / "polystyrene_STXM_kkcalc.txt"
    found = reach(load_target(path, slope=slope, shift=shift), 2.0)
    assert found.verdict is Verdict.OUT
    assert any("No pure carbon" in flag for flag in found.flags)


def test_diamond_like_carbon_comes_near_once_the_slope_is_taken_out(shared_data):
    path = shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv"
    raw, levelled = (reach(load_target(path, slope=s), 1.5, instrument=False) for s in (0.0, "auto"))
    assert any("automatic slope" in flag for flag in raw.flags)
    assert ["C=O" in flag for flag in levelled.flags] == [True]
    assert levelled.distance < 0.75 * raw.distance
    assert levelled.distance < reach(load_target(path, slope="auto"), 3.5, instrument=False).distance


def test_a_graphite_foil_is_carbon_but_no_amorphous_one(shared_data):
    path = shared_data / "measured" / "RefFoil_AusSync_ref_over_photodiode.csv"
    found = reach(load_target(path), 2.0)
    assert found.verdict is Verdict.OUT
    assert any("outside the training range" in flag for flag in found.flags)
    assert not any("No pure carbon" in flag for flag in found.flags)


def test_energies_that_are_off_are_flagged():
    spectrum = reference_spectra()["a-C-2.0"]
    flags = reach(pure(np.roll(spectrum, 2)), 2.0).flags
    assert any("-0.80 eV off" in flag for flag in flags)


def candidate(atoms, spectrum) -> Candidate:
    return Candidate(0, 0, atoms, spectrum, np.tile(spectrum, (len(atoms), 1)), spectrum, None, None, 1.0)


def sp_rich() -> np.ndarray:
    return 0.6 * reference_spectra()["a-C-2.0"] + 0.4 * reference_spectra()["sp"]


def test_finished_runs_count_at_their_own_density_unless_they_fool_the_model():
    rich, known = sp_rich(), list(shipped_spectra())
    believed = candidate(reference_cells()[2], rich)
    target, more = pure(rich), [*known, *from_candidates([believed])]
    assert reach(target, 2.0, known).distance > WITHIN
    assert reach(target, 2.0, more).nearest == "candidate 0 of this run, by the judge"
    assert reach(target, 2.0, more).distance == 0
    assert reach(target, 3.0, more).distance == reach(target, 3.0, known).distance
    assert from_candidates([replace(believed, judge_spectrum=rich + 0.03)]) == []


def test_a_strained_structure_teaches_nothing_whatever_its_spectrum():
    rich, bent = sp_rich(), reference_cells()[2].copy()
    bent.positions += np.random.default_rng(0).normal(0, 0.3, bent.positions.shape)
    target, known = pure(rich), list(shipped_spectra())
    before = reach(target, 2.0, known)
    after = reach(target, 2.0, [*known, *from_candidates([candidate(bent, rich)])])
    assert (after.by_density, after.better, after.nearest) == (before.by_density, before.better, before.nearest)


def test_a_structure_that_fools_the_guide_is_flagged():
    spectra = reference_spectra()
    flags = prediction_flags(spectra["diamond"], spectra["a-C-3.5"])
    assert len(flags) == 2
    assert "outside what the forward model knows" in flags[0]
    assert "Forward model and judge disagree" in flags[1]


def test_the_verdict_follows_the_distance():
    known = [KnownSpectrum("flat", "flat", 2.0, np.zeros(100))]  # a single one counts at its own density alone
    unit = reference_spectra()["a-C-2.0"] / np.linalg.norm(reference_spectra()["a-C-2.0"])
    verdicts = {
        length: reach(pure(length * unit), 2.0, known * 2).verdict
        for length in (0.0, 0.99 * WITHIN, 1.01 * WITHIN, 0.99 * NEAR, 1.01 * NEAR, 3.0)
    }
    assert list(verdicts.values()) == [verdict for verdict in Verdict for _ in range(2)]
    with pytest.raises(ValueError, match="no spectrum is known"):
        reach(pure(unit), 3.0, known)


def test_the_command_says_it_in_words(capsys):
    assert main(["reach", "a-C-3.0", "--density", "2.0"]) == 0
    text = capsys.readouterr().out
    assert "out of reach" in text
    assert "3 g/cm³ fits better" in text


def test_the_command_refuses_a_file_that_is_no_run(tmp_path, capsys):
    (tmp_path / "run.zip").write_text("x")
    assert main(["reach", "sp", "--runs", str(tmp_path / "run.zip")]) == 2
    assert "not a zip file" in capsys.readouterr().err
