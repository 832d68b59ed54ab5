"""Recoveries of known cells: that figures are those of the cell, and that nothing is measured twice."""

import json

from ase.build import bulk
from ase.io import write

from acgen.cli import main
from acgen.inference.recovery import measured_pdf, recover
from acgen.networks.models import load_models
from acgen.sampling.settings import Settings
from acgen.structures.reference import reference_cells


def test_a_cell_recovers_itself():
    cell = reference_cells()[4]
    # noised so little that it falls back to where it was
    settings = Settings(start=cell, start_t=0.002, steps=2, restarts=0, candidates=2)
    found = recover(load_models(), cell, "both", settings, "cell")
    assert (found.cell, found.guide, found.energy_above) == ("cell", "both", None)
    assert found.cn_error[0] < 2
    assert found.ring_error[0] < 0.2
    assert found.pdf_misfit[0] < 0.15
    assert found.misfit[0] < 0.05 > found.judge_misfit[0]


def test_the_measurement_is_of_the_cell():
    one, other = reference_cells()[2], reference_cells()[8]
    assert measured_pdf(one).compare(one)[0] < 0.1
    assert measured_pdf(one).compare(other)[0] > 0.3


def test_the_command_goes_on(tmp_path, capsys):
    cell, file = tmp_path / "cell.extxyz", tmp_path / "rows.json"
    write(cell, bulk("C", cubic=True).repeat(2))
    ask = ["validate", "recovery", str(cell), "--plan", "quick", "--candidates", "1", "--out", str(file)]
    assert main([*ask, "--guides", "pdf"]) == 0
    assert "cell  pdf  " in capsys.readouterr().out
    rows = json.loads(file.read_text())
    assert main([*ask, "--guides", "pdf", "none"]) == 0
    assert "cell  pdf  " not in capsys.readouterr().out
    after = json.loads(file.read_text())
    assert after[0] == rows[0]
    assert after[1]["guide"] == "none"
    assert after[1]["pdf_misfit"][0] > rows[0]["pdf_misfit"][0] > 0.1
