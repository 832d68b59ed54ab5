"""`acgen reproduce`: the figures of the paper."""

import json

import pytest

from acgen.cli import main
from acgen.reproduction import IDS
from acgen.reproduction.figure import figure_of


@pytest.mark.parametrize("name", IDS)
def test_every_figure_is_in_its_file(name):
    figure = figure_of(name)
    assert figure.id == name
    assert figure.title


def check(folder, name: str) -> dict:
    """Numbers, plot and table of a figure are there and whole."""
    content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert content["rows"]
    assert all(len(case["seeds"]) == case["settings"]["candidates"] for case in content["cases"])
    assert all(len(digest) == 64 for case in content["cases"] for digest in case["weights"].values())
    assert (folder / f"{name}.png").stat().st_size > 10_000
    assert "<svg" in (folder / f"{name}.svg").read_text(encoding="utf-8")
    assert f"## {name}: " in (folder / "table.md").read_text(encoding="utf-8")
    return content


def test_a_figure_in_seconds_and_again_at_once(tmp_path, capsys):
    command = ["reproduce", "fig8", "--quick", "--threads", "1", "--out", str(tmp_path)]
    assert main(command) == 0
    first = check(tmp_path, "fig8")
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "structures").iterdir()}
    assert main(command) == 0
    assert check(tmp_path, "fig8") == first
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "structures").iterdir()} == kept
    assert "table.md" in capsys.readouterr().out


def test_all_figures_in_a_look(tmp_path):
    assert main(["reproduce", "--quick", "--threads", "1", "--out", str(tmp_path)]) == 0
    for name in IDS:
        check(tmp_path, name)


def test_a_figure_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["reproduce", "fig1", "--out", str(tmp_path)]) == 2
    assert "'fig1'; give some of fig" in capsys.readouterr().err
