"""`acgen prepare` and `acgen compare` as a user runs them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from acgen.cli import main
from acgen.networks.models import load_models, predict_sites
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Instrument
from acgen.spectra.targets import load_target
from acgen.structures.cell import carbon

PHOTODIODE = "AusSync_SXR_129577_photodiode_reffoil_CK.asc"
SAMPLE = "AusSync_SXR_129578_sampleZ1_CK.asc"
RAW = ["--columns", "4", "5", "6", "--i0-columns", "4", "8", "6"]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


CASES = {
    "DLC_CKedge_SLRI_LG4X.csv": ([], ["more than detectors have"]),
    "RefFoil_AusSync_ref_over_photodiode.csv": ([], ["oriented sample"]),
    "polystyrene_STXM_kkcalc.txt": ([], ["Out of domain", "another material"]),
    SAMPLE: (RAW, ["Out of domain"]),
    PHOTODIODE: (["--columns", "4", "7", "8"], ["oriented sample"]),
}


@pytest.mark.parametrize("name", CASES)
def test_every_measured_file_goes_through_with_its_warnings(
    name: str, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options, expected = CASES[name]
    folder = shared_data / "measured"
    if "--i0-columns" in options:
        options = [*options, "--i0", folder / PHOTODIODE]
    out, recipe = tmp_path / "target.csv", tmp_path / "recipe.json"
    assert run("prepare", folder / name, *options, "--out", out, "--save-recipe", recipe) == 0
    captured = capsys.readouterr()
    warnings = [line for line in captured.err.splitlines() if line.startswith("warning")]
    for words in expected:
        assert any(words in line for line in warnings)
    assert bool(warnings) == bool(expected)
    assert "SHA-256 of the file" in captured.out
    with out.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["energy_eV", "target"]
    assert len(rows) == 101
    again = tmp_path / "again.csv"
    extra = ["--i0", folder / PHOTODIODE] if "--i0-columns" in options else []
    assert run("prepare", folder / name, *extra, "--recipe", recipe, "--out", again) == 0
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("name", [SAMPLE, PHOTODIODE])
def test_raw_files_without_a_choice_give_their_columns(
    name: str, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = shared_data / "measured" / name
    assert run("prepare", path, "--out", tmp_path / "t.csv") == 2
    assert "4 calculated ph energy (270" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()
    assert run("prepare", path, "--list") == 0
    assert "  16 Photodiode (" in capsys.readouterr().out


def test_masked_points_are_empty_and_options_matter(tmp_path: Path) -> None:
    energy = np.arange(278.0, 306.0, 0.2)
    values = np.exp(-(((energy - 292) / 6) ** 2))
    file = tmp_path / "film.txt"
    file.write_text("\n".join(f"{e} {v}" for e, v in zip(energy, values, strict=True)))
    common = ["prepare", file, "--pre-range", "-8", "-4"]
    assert run(*common, "--out", tmp_path / "a.csv") == 0
    assert run(*common, "--shift", "0.8", "--slope", "0.01", "--out", tmp_path / "b.csv") == 0
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[1] == "274.6,"
    assert lines[-1] == "314.2,"
    a, b = load_target(tmp_path / "a.csv"), load_target(tmp_path / "b.csv")
    assert b.mask[np.argmin(np.abs(ENERGY - 306.2))]
    assert not a.mask[np.argmin(np.abs(ENERGY - 306.2))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "x.txt"], "should end in .xdi or .csv"),
        ([], "nothing to do"),
        (["--out", "x.csv", "--shift", "left"], "give a number or auto"),
        (["--out", "x.csv", "--recipe", "none.json"], "none.json"),
        (["--out", "x.csv", "--item", "a"], "no data set 'a'"),
        (["--out", "x.csv", "--post-range", "30", "20"], "post-edge must lie"),
    ],
)
def test_wrong_options_are_refused_in_one_line(
    arguments: list[str],
    message: str,
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("prepare", shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_plot_is_drawn(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "measured" / "DLC_CKedge_SLRI_LG4X.csv"
    assert run("prepare", path, "--plot", tmp_path / "p.png") == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def crystal(factor: float = 1.0) -> object:
    """64 atoms of diamond, stretched."""
    from ase.build import bulk

    cell = bulk("C", "diamond", a=3.567 * factor, cubic=True) * (2, 2, 2)
    return carbon(cell.positions, cell.cell.array)


def test_compare_finds_the_instrument_and_the_right_structure(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    right, wrong = crystal(), crystal(1.08)
    write(tmp_path / "right.extxyz", right)
    write(tmp_path / "wrong.extxyz", wrong)
    prediction = predict_sites(load_models().forward, right).mean(0)
    for shift, slope, sigma in [(0.8, 0.01, 0.4), (-0.6, -0.008, 0.3)]:
        seen = Instrument(shift, 1.4, slope, sigma).apply(prediction)
        lines = ["energy_eV,target", *(f"{e:.1f},{v!r}" for e, v in zip(ENERGY, seen.tolist(), strict=True))]
        lines[1:4] = [line.split(",")[0] + "," for line in lines[1:4]]
        (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
        structures = [tmp_path / "wrong.extxyz", tmp_path / "right.extxyz"]
        assert run("compare", tmp_path / "t.csv", *structures, "--out", tmp_path / "c.json") == 0
        content = json.loads((tmp_path / "c.json").read_text())
        best, second = content["structures"]
        assert best["misfit"] < 0.02 * np.linalg.norm(seen)
        assert best["misfit"] < second["misfit"]
        found = best["instrument"]
        wanted = {"shift": shift, "scale": 1.4, "slope": slope, "sigma": sigma}
        assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=0.1)
        assert found["at_bounds"] == []
        assert content["target"]["measured_points"] == 97
        assert sum(content["linear_combination"]["shares"].values()) == pytest.approx(1.0)
        assert "linear combination: Do not trust an answer here" in capsys.readouterr().out, "diamond is none of these"


def test_compare_gives_bands_over_structures_noise_and_model(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    one, two = crystal(), crystal(1.04)
    write(tmp_path / "both.extxyz", [one, two])
    seen = predict_sites(load_models().forward, one).mean(0)
    lines = ["energy_eV,target", *(f"{e:.1f},{v!r}" for e, v in zip(ENERGY, seen.tolist(), strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    command = ["compare", tmp_path / "t.csv", tmp_path / "both.extxyz", "--out", tmp_path / "c.json"]
    assert run(*command, "--copies", 4) == 0
    content, printed = json.loads((tmp_path / "c.json").read_text()), capsys.readouterr().out
    first, second = content["structures"]
    assert all(first["errors"][name] > 0 for name in ("misfit", "derivative_correlation", "pearson", "shift", "sigma"))
    assert set(first["noise_errors"].values()) == {0.0}  # the target has no noise
    band = content["ensemble"]
    assert band["structures"] == 2
    assert band["misfit"]["mean"] == pytest.approx((first["misfit"] + second["misfit"]) / 2)
    assert band["misfit"]["std"] == pytest.approx(abs(first["misfit"] - second["misfit"]) / 2**0.5)
    shifts = [structure["instrument"]["shift"] for structure in content["structures"]]
    assert band["shift"]["mean"] == pytest.approx(np.mean(shifts))
    assert band["CN4"] == {"mean": 1.0, "std": 0.0}
    assert first["cn_fraction"]["4"] == 1.0
    assert "mean ± std over all 2: CN2 0 ± 0 %, CN3 0 ± 0 %, CN4 100 ± 0 %" in printed
    assert f"{first['misfit']:.3f} ± {first['errors']['misfit']:.3f}" in printed
    assert set(content["linear_combination"]["errors"]) == {"sp", "sp2", "sp3"}
    assert content["pi_star"]["error"] > content["pi_star"]["noise_error"] == 0
    assert run(*command, "--copies", 0) == 0
    assert "errors" not in json.loads((tmp_path / "c.json").read_text())["structures"][0]
    assert "0 ± " not in capsys.readouterr().out.split("mean ± std")[0].splitlines()[1]
    assert run(*command, "--copies", 1) == 2


def test_compare_with_references_of_the_user(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "measured"
    write(tmp_path / "a.extxyz", crystal())
    foil, dlc = folder / "RefFoil_AusSync_ref_over_photodiode.csv", folder / "DLC_CKedge_SLRI_LG4X.csv"
    out = tmp_path / "c.json"
    assert run("compare", foil, tmp_path / "a.extxyz", "--references", foil, dlc, "--copies", 3, "--out", out) == 0
    found = json.loads(out.read_text())["references"]
    assert found["shares"][foil.stem] == pytest.approx(1.0, abs=0.02)
    assert found["errors"][foil.stem] > found["noise_errors"][foil.stem]


def test_a_beamline_is_calibrated_once_and_later_files_take_its_settings(tmp_path: Path, capsys) -> None:
    seen = Instrument(shift=1.6, sigma=0.2, scale=2.0)  # further off than a fit reaches
    beam = np.linspace(2.0, 1.0, ENERGY.size)
    for name in ("graphite", "diamond", "sp3"):
        values = seen.apply(load_target(name).intensity) * beam
        rows = zip(ENERGY, beam, values, beam, strict=True)
        text = "".join(" ".join(f"{v:.7f}" for v in row) + "\n" for row in rows)
        (tmp_path / f"{name}.dat").write_text("# E mirror tey i0\n" + text)
    profile, out, recipe = tmp_path / "sxr.json", tmp_path / "film.xdi", tmp_path / "r.json"
    scans = ["--graphite", tmp_path / "graphite.dat", "--diamond", tmp_path / "diamond.dat"]
    assert run("calibrate", *scans, "--columns", "1", "3", "4", "--pre-edge", "linear", "--out", profile) == 0
    assert "sxr: energies -1.60 ± 0.01 eV, broadening 0.2" in capsys.readouterr().out
    kept = json.loads(profile.read_text())
    assert kept["columns"] == ["E", "tey", "i0"]
    film = tmp_path / "sp3.dat"
    assert run("prepare", film, "--beamline", profile, "--out", out, "--save-recipe", recipe) == 0
    assert "Settings of the beamline “sxr”: energies -1.60" in capsys.readouterr().out
    made = json.loads(recipe.read_text())
    assert made["sample"]["columns"] == [1, 3, 4]
    assert made["pre_edge"] == "linear"
    again = tmp_path / "again.xdi"
    assert run("prepare", film, "--recipe", recipe, "--out", again) == 0
    assert again.read_bytes() == out.read_bytes(), "the recipe needs no profile"
    given = ["--beamline", profile, "--shift", "-1.5", "--columns", "1", "3", "--out", again, "--save-recipe", recipe]
    assert run("prepare", film, *given) == 0
    made = json.loads(recipe.read_text())
    assert (made["shift"], made["sample"]["columns"], made["pre_edge"]) == (-1.5, [1, 3], "linear")
    beside = ["--reference", tmp_path / "graphite.dat", "--reference-columns", "1", "3", "4"]
    assert run("prepare", film, "--beamline", profile, *beside, "--out", again, "--save-recipe", recipe) == 0
    assert json.loads(recipe.read_text())["shift"] == 0.0, "a scan taken with the sample says it better"
    capsys.readouterr()
    assert run("calibrate", "--out", profile) == 2
    assert "calibrate on a scan of diamond or graphite" in capsys.readouterr().err
    assert run("calibrate", "--graphite", profile, "--out", profile) == 2
    assert "overwrite" in capsys.readouterr().err
