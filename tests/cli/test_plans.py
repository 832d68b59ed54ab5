"""`acgen validate plans`: what plans give and cost, and going on where it was interrupted."""

import json

import pytest

from acgen.cli import main
from acgen.inference.plans import plan_settings
from acgen.sampling.schedule import PLANS

ASK = ["validate", "plans", "--plans", "quick", "--candidates", "2", "--seed", "9"]


def test_it_measures_what_is_asked_and_nothing_twice(tmp_path, capsys):
    file = tmp_path / "plans.json"
    assert main([*ASK, "--cases", "none@2.0", "--out", str(file)]) == 0
    (free,) = json.loads(file.read_text())
    assert (free["evaluations"], free["target"], free["misfit"]) == (PLANS["quick"].total, "", None)
    assert 50 < free["cn_percent"]["3"][0] < 95
    assert free["seconds"] > 0 < free["cn_percent"]["3"][1], "a standard error of two candidates"
    told = capsys.readouterr().out
    assert main([*ASK, "--cases", "none@2.0", "a-C-2.0@2.0", "--out", str(file)]) == 0
    rows = json.loads(file.read_text())
    assert rows[0] == free, "not measured again"
    assert rows[1]["target"] == "a-C-2.0"
    assert rows[1]["misfit"][0] > 0 < rows[1]["judge_misfit"][0]
    assert "quick  72  none" in told
    assert "none" not in capsys.readouterr().out


def test_the_first_plan_is_that_of_version_0_1():
    settings = plan_settings("0.1")
    assert (len(settings.plan), settings.rho, settings.gradient, settings.xi) == (264, 1.0, "score", 3000.0)


@pytest.mark.parametrize("case", ["2.0", "sp2@9", "sp2@", "@2.0"])
def test_a_case_is_a_target_and_a_density(case, capsys):
    with pytest.raises(SystemExit):
        main([*ASK, "--cases", case])
    assert "give a target and a density" in capsys.readouterr().err
