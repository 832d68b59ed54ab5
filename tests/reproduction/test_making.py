"""Structures of a figure are made once, kept as they are finished, and the same after an interruption."""

from dataclasses import replace

import numpy as np
import pytest

from acgen.networks.models import load_models
from acgen.reproduction.figure import Case, Row, row_of
from acgen.reproduction.files import table_of
from acgen.reproduction.making import make, steps_left
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings

SETTINGS = Settings(density=2.0, cell=7.0, candidates=2, steps=4, restarts=2, restart_steps=2, seed=5)


@pytest.fixture(scope="module")
def models():
    return load_models()


def test_structures_are_those_of_a_run_whenever_it_was_interrupted(models, tmp_path):
    case = Case("case", SETTINGS)
    steps = 0

    def stop_in_the_second() -> None:
        nonlocal steps
        steps += 1
        if steps == len(SETTINGS.plan) + 3:
            raise KeyboardInterrupt

    assert steps_left(case, models, tmp_path) == 2 * len(SETTINGS.plan)
    with pytest.raises(KeyboardInterrupt):
        make(case, models, tmp_path, stop_in_the_second)
    assert steps_left(case, models, tmp_path) == len(SETTINGS.plan)
    made = make(case, models, tmp_path, lambda: None)
    assert steps_left(case, models, tmp_path) == 0
    whole = [event for event in generate(SETTINGS, models) if isinstance(event, Candidate)]
    for one, other in zip(made, whole, strict=True):
        assert one.candidate.seed == other.seed
        assert len(one.passes) == 1 + SETTINGS.restarts
        np.testing.assert_allclose(one.atoms.positions, other.atoms.positions, atol=1e-6)
        np.testing.assert_allclose(one.candidate.spectrum, other.spectrum, atol=1e-4)


def test_what_is_kept_belongs_to_its_settings(models, tmp_path):
    case = Case("case", replace(SETTINGS, candidates=1))
    make(case, models, tmp_path, lambda: None)
    assert steps_left(case, models, tmp_path) == 0
    others = (replace(SETTINGS, density=2.1), replace(SETTINGS, noise_scale=1.0), replace(SETTINGS, seed=6))
    assert all(steps_left(Case("case", settings), models, tmp_path) for settings in others)


def test_a_row_tells_mean_spread_and_unit():
    row = row_of("share", "some", [1.0, 2.0, 3.0], "%", "a | b")
    assert row.words == "2 ± 1 %"
    assert Row("kind", "", "amorphous").words == "amorphous"
    assert table_of([row]).splitlines()[-1] == "| share | some | 2 ± 1 % | a / b |"
