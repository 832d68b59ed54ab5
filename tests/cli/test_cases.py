"""Small inputs as instruments and other programs write them (tests/cases): what each command should do with them."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import write

from acgen.cli import main
from acgen.spectra.grid import ENERGY
from acgen.spectra.io.export import read_target
from acgen.spectra.io.read import list_contents, read_spectrum

CASES = Path(__file__).parents[1] / "cases"
RAW = CASES / "01_raw.csv"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def listed(capsys: pytest.CaptureFixture, path: Path) -> list[str]:
    assert run("prepare", path, "--list") == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]


def failed(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def prepared(capsys: pytest.CaptureFixture, tmp_path: Path, *arguments: object) -> tuple[np.ndarray, str]:
    """Intensity of the target, NaN where there is none, and all warnings."""
    out = tmp_path / "target.xdi"
    assert run("prepare", *arguments, "--out", out) == 0
    target = read_target(out)
    return np.where(target.mask, target.intensity, np.nan), capsys.readouterr().err


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> np.ndarray:
    """The target of 01_raw.csv, which most cases hold in another form."""
    out = tmp_path_factory.mktemp("raw") / "raw.csv"
    assert run("prepare", RAW, "--out", out) == 0
    return read_target(out).intensity


# outputs that are inputs


@pytest.mark.parametrize("way", ["same", "symbolic link", "hard link", "other spelling"])
def test_01_no_output_overwrites_an_input(way, tmp_path, capsys):
    spectrum, structure = tmp_path / "copy.csv", tmp_path / "S.xyz"
    shutil.copy(RAW, spectrum)
    write(structure, bulk("C", cubic=True), format="extxyz")
    before = spectrum.read_bytes(), structure.read_bytes()

    def other(path: Path) -> Path:
        link = tmp_path / f"link{path.suffix}"
        link.unlink(missing_ok=True)
        if way == "symbolic link":
            link.symlink_to(path)
        elif way == "hard link":
            link.hardlink_to(path)
        else:
            return path if way == "same" else tmp_path / "x" / ".." / path.name
        return link

    (tmp_path / "x").mkdir()
    for command in (
        ["prepare", spectrum, "--out", other(spectrum)],
        ["prepare", spectrum, "--out", tmp_path / "t.csv", "--save-recipe", other(spectrum)],
        ["prepare", RAW, "--i0", spectrum, "--plot", other(spectrum)],
        ["predict", structure, "--out", other(structure)],
        ["analyze", structure, "--out", other(structure)],
        ["compare", spectrum, structure, "--out", other(structure)],
        ["compare", spectrum, structure, "--out", other(spectrum)],
        ["generate", "--start", structure, "--zip", other(structure), "--out", tmp_path / "run"],
        ["density", spectrum, "--out", other(spectrum)],
    ):
        assert "is an input" in failed(capsys, *command)
    assert (spectrum.read_bytes(), structure.read_bytes()) == before


def test_01_a_folder_of_results_is_not_written_over_its_own_start(tmp_path, capsys):
    write(tmp_path / "candidates.extxyz", bulk("C", cubic=True).repeat(2), format="extxyz")
    command = ["generate", "--start", tmp_path / "candidates.extxyz", "--out", tmp_path]
    assert "is an input" in failed(capsys, *command)
    twice = ["--out", tmp_path / "a.csv", "--plot", tmp_path / "a.csv"]
    assert "for two outputs" in failed(capsys, "prepare", RAW, *twice)


# text tables


def test_02_clock_times_are_listed_as_text_and_keep_their_place(tmp_path, capsys, raw):
    columns = listed(capsys, CASES / "02_timestamp.txt")
    assert columns[0] == "1 Time of Day (text or empty)"
    assert columns[1].startswith("2 Beamline Energy (272 to 316")
    target, _ = prepared(capsys, tmp_path, CASES / "02_timestamp.txt", "--columns", 2, 3, 4)
    np.testing.assert_allclose(target, raw, atol=1e-6)


def test_04_rows_without_a_value_are_left_out_masked_and_counted(tmp_path, capsys):
    target, warnings = prepared(capsys, tmp_path, CASES / "04_gaps.csv")
    assert "4 of 111 rows have no value" in warnings
    assert ENERGY[np.isnan(target)].tolist() == [275.8, 276.2, 276.6]


@pytest.mark.parametrize(
    "name",
    ["06_footer.txt", "09_demeter.prj", "32_fortran_d.dat", "33_kev_long.txt"]
    + ["35_long_comment.txt", "36_utf16le_no_bom.csv"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_files_that_hold_the_same_spectrum_in_another_form(name, packed, tmp_path, capsys, raw):
    path = tmp_path / name.upper()
    path.write_bytes(gzip.compress((CASES / name).read_bytes()) if packed else (CASES / name).read_bytes())
    target, _ = prepared(capsys, tmp_path, path)
    np.testing.assert_allclose(target, raw, atol=2e-4)
    assert listed(capsys, path)


def test_08_a_header_block_of_numbers_is_none_of_the_table(capsys):
    columns = listed(capsys, CASES / "08_collector_header.dat")
    assert [column.split()[1] for column in columns] == ["Energy", "TEY", "I0"]
    assert len(list_contents(CASES / "08_collector_header.dat").items[0].values) == 111


def test_09_a_demeter_project_names_its_group():
    (item,) = list_contents(CASES / "09_demeter.prj").items
    assert item.name == "film"


def test_23_commas_are_thousands_beside_decimal_points(capsys):
    assert listed(capsys, CASES / "23_thousands.txt")[1] == "2 Counts (316 to 6573)"


def test_28_two_spaces_separate_names(capsys):
    columns = listed(capsys, CASES / "28_labels_two_spaces.txt")
    assert [column.split(" (")[0] for column in columns] == ["1 Photon Energy", "2 Sample Current", "3 Mesh"]


# other formats; they need the extra io, which the tests have


def test_21_uneven_energies_of_an_emsa_file():
    (item,) = list_contents(CASES / "21_eels_uneven_xy.msa").items
    assert (item.values[0, 0], item.values[-1, 0]) == (272, 316)
    assert np.unique(np.diff(item.values[:, 0]).round(6)).size > 1
    reference = read_spectrum(RAW)
    spectrum = read_spectrum(CASES / "21_eels_uneven_xy.msa")
    top = [each.energy[np.argmax(np.where(each.energy < 287, each.intensity, 0))] for each in (reference, spectrum)]
    assert top[0] == pytest.approx(top[1], abs=0.5)


def test_26_channels_of_an_hdf5_data_set():
    (item,) = list_contents(CASES / "26_2d_channels.h5").items
    assert item.labels == ("energy", "sdd[0]", "sdd[1]")
    np.testing.assert_allclose(item.values[:, 1], read_spectrum(RAW).intensity, atol=1e-5)


# what is wrong with a spectrum


def test_16_a_negative_current_is_named_and_can_be_reversed(tmp_path, capsys, raw):
    path = CASES / "16_drain_negative.txt"
    error = failed(capsys, "prepare", path, "--out", tmp_path / "t.csv")
    assert "falls at the edge" in error
    assert "--negate" in error
    np.testing.assert_allclose(prepared(capsys, tmp_path, path, "--negate")[0], raw, atol=1e-4)


def test_16_the_same_for_a_negative_i0(tmp_path, capsys, raw):
    energy, signal = read_spectrum(RAW).energy, read_spectrum(RAW).intensity
    table, divisor = tmp_path / "both.txt", tmp_path / "i0.txt"
    np.savetxt(table, np.column_stack([energy, signal, np.full(energy.size, -2.0)]))
    np.savetxt(divisor, np.column_stack([energy, np.full(energy.size, -2.0)]))
    assert "--negate" in failed(capsys, "prepare", table, "--columns", 1, 2, 3, "--out", tmp_path / "t.csv")
    assert "--i0-negate" in failed(capsys, "prepare", RAW, "--i0", divisor, "--out", tmp_path / "t.csv")
    np.testing.assert_allclose(
        prepared(capsys, tmp_path, table, "--columns", 1, 2, 3, "--negate")[0], raw, atol=1e-4
    )
    target = prepared(capsys, tmp_path, RAW, "--i0", divisor, "--i0-negate")[0]
    np.testing.assert_allclose(target, raw, atol=1e-4)


@pytest.mark.parametrize(("name", "shift"), [("17_plus_3eV.txt", -3), ("19_minus_6eV.txt", 6)])
def test_17_19_energies_that_are_off_are_named_and_can_be_moved(name, shift, tmp_path, capsys, raw):
    _, warnings = prepared(capsys, tmp_path, CASES / name)
    assert f"after about {shift:+.1f} eV" in warnings
    assert ("holds a peak" in warnings) == (shift == 6)
    moved, warnings = prepared(capsys, tmp_path, CASES / name, f"--shift={shift}")
    assert "as asked" in warnings
    np.testing.assert_allclose(moved, raw, atol=1e-4)
    moved, warnings = prepared(capsys, tmp_path, CASES / name, "--reference", CASES / name)
    assert "more than 2.5" in warnings
    assert np.nanmax(np.abs(moved - raw)) < 0.05
    assert run("reach", CASES / name) == 0
    printed = capsys.readouterr().out
    assert "eV off" in printed
    assert "Polymers" not in printed


def test_22_a_falling_background_is_named_and_can_be_a_power_law(tmp_path, capsys, raw):
    path = CASES / "22_eels_powerlaw.txt"
    assert "--pre-edge powerlaw" in failed(capsys, "prepare", path, "--out", tmp_path / "t.csv")
    wide = prepared(capsys, tmp_path, path, "--pre-edge", "powerlaw", "--pre-range", -45, -4)[0]
    near = prepared(capsys, tmp_path, path, "--pre-edge", "powerlaw")[0]
    assert np.abs(wide - raw).max() < 0.02
    assert np.abs(near - raw).max() < 0.02


def test_25_the_picture_shows_what_is_at_the_edge(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    limits = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_args, **_options: limits.append(figure.axes[0].get_ylim()))
    assert run("prepare", CASES / "25_wide_range.txt", "--plot", tmp_path / "x.png") == 0
    assert limits[0][1] < 20 < read_spectrum(CASES / "25_wide_range.txt").intensity.max()


# structures


@pytest.mark.parametrize("name", ["a.data", "a.lammps", "a.lmp", "A.DATA", "no_ending"])
def test_10_lammps_data_is_read(name, tmp_path, capsys):
    shutil.copy(CASES / "10_lammps.data", tmp_path / name)
    assert run("analyze", tmp_path / name, "--out", tmp_path / "a.json") == 0
    assert json.loads((tmp_path / "a.json").read_text())["cn_fraction"]["4"] == 1.0


def test_10_a_prediction_of_lammps_data(tmp_path):
    assert run("predict", CASES / "10_lammps.data", "--out", tmp_path / "p.csv") == 0
    assert np.genfromtxt(tmp_path / "p.csv", delimiter=",", skip_header=1)[:, 1].sum() > 10


DUMMY = "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n"


def absurd(tmp_path: Path, name: str) -> Path:
    if name == "dummy.pdb":
        lines = [
            f"ATOM  {k:5d}  C   MOL     1    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C  \n"
            for k, (x, y, z) in enumerate(molecule("C60").positions, start=1)
        ]
        (tmp_path / name).write_text(DUMMY + "".join(lines) + "END\n")
        return tmp_path / name
    return CASES / name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("12_nanometres.xyz", "density of 3516 g/cm³, shortest distance 0.15 Å"),
        ("13_same_position.xyz", "0.00 Å from each other"),
        ("dummy.pdb", "the cell is a dummy"),
    ],
)
def test_12_13_absurd_cells_are_refused_at_once_everywhere(name, reason, tmp_path, capsys):
    path = absurd(tmp_path, name)
    assert reason in failed(capsys, "analyze", path, "--out", tmp_path / "a.json")
    assert reason in failed(capsys, "predict", path, "--out", tmp_path / "a.csv")
    assert reason in failed(capsys, "compare", "graphite", path, "--out", tmp_path / "a.json")
    assert reason in failed(capsys, "generate", "--start", path, "--out", tmp_path / "g")


def test_30_structures_of_one_name_are_told_apart(tmp_path, capsys):
    files = [CASES / "30_run1" / "POSCAR", CASES / "30_run2" / "POSCAR"]
    assert run("compare", "graphite", *files, "--copies", 0, "--out", tmp_path / "c.json") == 0
    names = {row["name"] for row in json.loads((tmp_path / "c.json").read_text())["structures"]}
    assert names == {"30_run1/POSCAR", "30_run2/POSCAR"}
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)


def test_31_a_start_has_its_own_density_and_cell(tmp_path, capsys):
    start = ["generate", "--start", CASES / "31_start64.xyz", "--steps", 16, "--restarts", 2, "--candidates", 1]
    out = ["--out", tmp_path / "g"]
    for options in (["--density", 3.0, "--cell", 8], ["--density", 2.0], ["--cell", 12.93]):
        assert "has its own density and cell" in failed(capsys, *start, *options, *out)
    assert not (tmp_path / "g").exists()
