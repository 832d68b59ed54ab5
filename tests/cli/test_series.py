"""`acgen series`: several spectra in one table and one plot."""

import csv
import json

import pytest

from acgen.cli import main
from acgen.inference.series import as_numbered
from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import load_target


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Spectra of three densities whose names sort otherwise as words, and a file that is no spectrum."""
    path = tmp_path_factory.mktemp("series") / "film"
    path.mkdir()
    for name, target in {"step 2": "a-C-2.0", "step 10": "a-C-3.0", "step 1": "a-C-1.5"}.items():
        rows = [f"{e:.2f} {y:.6f}" for e, y in zip(ENERGY, load_target(target).intensity, strict=True)]
        (path / f"{name}.txt").write_text("\n".join(rows))
    (path / "notes.md").write_text("measured on a Tuesday")
    return path


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert main(["series", str(folder), "--out", str(out)]) == 0
    return out


def test_a_folder_gives_one_table_and_one_plot_in_the_order_of_its_numbers(made):
    with (made / "series.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["step 1", "step 2", "step 10"]
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    densities = [float(row["density_g_cm3"]) for row in rows]
    assert densities == sorted(densities)
    for row in rows:
        total = sum(float(row[f"{name}_percent"]) for name in ("sp", "sp2", "sp3"))
        assert 90 < total < 101
        assert float(row["density_error_g_cm3"]) > 0 < float(row["sp2_error"])
    content = json.loads((made / "series.json").read_text(encoding="utf-8"))
    assert [member["name"] for member in content["members"]] == ["step 1", "step 2", "step 10"]
    assert "http" not in (made / "series.svg").read_text(encoding="utf-8").replace("http://www.w3.org", "")
    assert (made / "series.png").stat().st_size > 10_000


def test_a_column_of_numbers_orders_and_names_the_axis(folder, tmp_path, capsys):
    table = tmp_path / "anneal.csv"
    table.write_text("file;Temperature (°C)\nstep 1.txt;900\nstep 2;20,5\nstep 10.txt;300\n", encoding="utf-8")
    spectra = [str(folder / f"step {k}.txt") for k in (1, 2)]
    assert main(["series", *spectra, "--against", str(table), "--out", str(tmp_path)]) == 0
    with (tmp_path / "series.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["Temperature (°C)"]) for row in rows] == [("step 2", "20.5"), ("step 1", "900")]
    assert "Temperature (°C) 900, step 1: density" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("file,T\nstep 1.txt,900\n", "no number for step 2.txt"),
        ("file,T\nstep 1.txt,hot\n", "'step 1.txt', 'hot'"),
        ("", "a header"),
    ],
)
def test_a_table_without_a_number_for_each_says_which(folder, tmp_path, capsys, table, told):
    (tmp_path / "bad.csv").write_text(table)
    spectra = [str(folder / f"step {k}.txt") for k in (1, 2)]
    assert main(["series", *spectra, "--against", str(tmp_path / "bad.csv"), "--out", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_spectrum_is_no_series_and_its_folder_is_not_written_into(folder, tmp_path, capsys):
    assert main(["series", "sp2", "--out", str(tmp_path)]) == 2
    assert "two or more" in capsys.readouterr().err
    assert main(["series", str(folder / "step 1.txt"), str(folder / "gone.txt"), "--out", str(tmp_path)]) == 2
    assert "gone.txt" in capsys.readouterr().err


def test_names_are_sorted_as_people_number_them():
    assert sorted(["film 10", "Film 2", "film 1b"], key=as_numbered) == ["film 1b", "Film 2", "film 10"]
