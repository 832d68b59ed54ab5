"""The strength for a wanted misfit."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from acgen.cli import main
from acgen.errors import AcgenError
from acgen.inference import strength
from acgen.inference.strength import Tried, strengths, weakest
from acgen.sampling.settings import Settings
from acgen.spectra.targets import builtin_targets

SETTINGS = Settings(target=builtin_targets()["sp2"], xi=1000.0)


@pytest.fixture
def law(monkeypatch):
    """Misfits fall as the root of the strength, to 0.05."""

    def tried(_settings, _models, xi, _together):
        misfit = 0.05 + 5 / np.sqrt(xi)
        return Tried(xi, misfit, 0.01, misfit, 0.1)

    monkeypatch.setattr(strength, "_tried", tried)


@pytest.mark.parametrize("wanted", [0.1, 0.15, 0.2083, 0.3, 0.8])
def test_the_weakest_strength_is_found_within_a_fifth(law, wanted):
    found = weakest(list(strengths(SETTINGS, SimpleNamespace(), wanted)), wanted)
    exact = (5 / (wanted - 0.05)) ** 2
    assert exact <= found.xi * (1 + 1e-12)
    assert found.xi < exact * 2**0.25 * (1 + 1e-12)


def test_what_no_strength_gives_ends_and_is_none(law):
    tried = list(strengths(SETTINGS, SimpleNamespace(), 0.04))
    assert [one.xi for one in tried] == [1000.0 * 2**k for k in range(6)]
    assert weakest(tried, 0.04) is None


@pytest.mark.parametrize("changes", [{"target": None}, {"xi": 0.0}])
def test_what_cannot_be_sought_is_said(changes):
    with pytest.raises(AcgenError, match="--target and --xi"):
        next(strengths(replace(SETTINGS, **changes), SimpleNamespace(), 0.1))
    with pytest.raises(AcgenError, match="positive number"):
        next(strengths(SETTINGS, SimpleNamespace(), -1.0))


def test_the_command_makes_candidates_and_tells_what_they_cost(tmp_path, capsys):
    short = ["--cell", "7", "--steps", "8", "--restarts", "0", "--candidates", "2", "--threads", "1", "--xi", "400"]
    out = tmp_path / "strength.json"
    assert main(["strength", "sp2", "--misfit", "5", *short, "--out", str(out)]) == 0
    tried = json.loads(out.read_text())["tried"]
    assert [one["xi"] for one in tried] == [400, 200, 100, 50, 25, 12.5], "a misfit of 5 needs no guide"
    assert all(np.isfinite(list(one.values())).all() for one in tried)
    told = capsys.readouterr().out
    assert "ξ 12 is the weakest" in told
    assert main(["strength", "sp2", "--misfit", "0.001", *short]) == 0
    assert "none of these gives 0.001" in capsys.readouterr().out
