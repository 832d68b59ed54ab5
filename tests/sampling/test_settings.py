"""Settings: what is said of each once is what is checked, stored and offered."""

import argparse
from dataclasses import fields, replace

import numpy as np
import pytest
from ase.build import bulk

from acgen.cli.options import add_plan, add_settings, settings_from
from acgen.errors import AcgenError
from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import DEFAULT_XI, MAX_STEPS, OPTIONS, Settings
from acgen.spectra.targets import load_target

NO_OPTION = {"target", "pdf", "start", "resume"}
NUMBERS = [name for name, each in OPTIONS.items() if each.kind in (int, float) and not each.counts]


def test_every_field_is_an_option_with_words_and_bounds():
    assert set(OPTIONS) == {field.name for field in fields(Settings)} - NO_OPTION
    for name, each in OPTIONS.items():
        assert each.label
        assert each.doc.endswith(".")
        assert each.default is not None or each.otherwise
        if name in NUMBERS:
            assert each.soft[0] < each.soft[1]
            assert each.step > 0
            assert each.checked(each.soft[0]) <= each.checked(each.soft[1])
        assert name in Settings.__doc__


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_kept_and_what_is_no_number_is_refused(name):
    each = OPTIONS[name]
    low, high = each.bounds
    below = low - 1 if each.kind is int else low - 1e-3
    for wrong in (below, float("nan"), float("inf"), "1", True, [1.0], *([] if high is None else [high * 1.001 + 1])):
        with pytest.raises(AcgenError, match=name):
            Settings(**{name: wrong})
    given = np.float32(each.soft[1]) if each.kind is float else np.int64(each.soft[0])
    assert type(getattr(Settings(**{name: given}), name)) is each.kind


def test_all_that_shapes_a_run_is_stored():
    said = Settings(tolerance=0.2, guide_below=0.6, end_t=0.03, restart_t=[0.3, 0.3]).to_dict()
    assert set(OPTIONS) < set(said)
    assert (said["tolerance"], said["guide_below"], said["end_t"]) == (0.2, 0.6, 0.03)
    assert said["restart_t"] == [0.3, 0.3]
    assert Settings(end_t=0.03, restarts=0).plan[-1].t == pytest.approx(0.03)


def test_a_run_that_is_too_long_is_refused_before_its_plan_is_built():
    with pytest.raises(AcgenError, match="too long"):
        Settings(steps=10, restarts=MAX_STEPS, restart_steps=MAX_STEPS)


def test_an_instrument_is_fitted_to_what_was_measured_unless_said_otherwise():
    known = load_target("a-C-2.0")
    film = replace(known, measured=True)
    assert not Settings().instrument
    assert not Settings(target=known).instrument
    assert Settings(target=known, instrument=True).instrument
    assert Settings(target=film).instrument
    assert not Settings(target=film, instrument=False).instrument
    assert not Settings(target=film, guide="site").instrument
    assert not Settings(instrument=True).instrument, "nothing to fit it to"
    assert not replace(Settings(target=film), target=None).instrument
    with pytest.raises(AcgenError, match="mean over atoms"):
        Settings(target=film, guide="site", instrument=True)
    assert settings_from(parsed(), target=film).instrument
    assert not settings_from(parsed("--no-instrument"), target=film).instrument
    assert settings_from(parsed("--instrument"), target=known).instrument


def test_a_plan_has_a_name_and_each_of_its_parts_may_still_be_given():
    parser = argparse.ArgumentParser()
    add_settings(parser, OPTIONS)
    add_plan(parser)
    words = ["--plan", "quick", "--steps", "9"]
    usual, quick, mixed = (settings_from(parser.parse_args(words[:count])) for count in (0, 2, 4))
    assert len(usual.plan) == PLANS["default"].total
    assert len(quick.plan) == PLANS["quick"].total
    assert (mixed.steps, mixed.restarts) == (9, PLANS["quick"].restarts)
    assert quick.xi < usual.xi == DEFAULT_XI["cell"]
    refined = settings_from(parser.parse_args(["--plan", "refined"]))
    assert (refined.refine, refined.xi) == (2, usual.xi)
    assert settings_from(parser.parse_args(["--plan", "refined", "--refine", "1"])).refine == 1
    words = ["--plan", "quick", "--guide", "site"]
    assert settings_from(parser.parse_args(words)).xi < DEFAULT_XI["site"]
    assert settings_from(parser.parse_args([*words, "--xi", "7"])).xi == 7


def parsed(*words, **defaults):
    parser = argparse.ArgumentParser()
    add_settings(parser, OPTIONS, **defaults)
    return parser.parse_args(words)


def test_the_command_line_gives_the_same_settings():
    assert settings_from(parsed()) == Settings()
    assert settings_from(parsed(candidates=3)).candidates == 3
    words = ["--restart-t", "0.3", "0.2", "--cell", "9", "10", "11", "--guide", "site", "--end-t", "0.01"]
    given = settings_from(parsed(*words))
    assert given.restart_t == (0.3, 0.2)
    assert np.array_equal(given.box, np.diag([9, 10, 11]))
    assert given.xi == DEFAULT_XI["site"]
    assert given.end_t == 0.01
    with pytest.raises(AcgenError, match="cell"):
        settings_from(parsed("--cell", "9", "10"))


@pytest.mark.parametrize("words", [["--density", "2.0"], ["--cell", "12.93"], ["--density", "3", "--cell", "9"]])
def test_a_structure_to_start_from_has_its_own_density_and_cell(words):
    start = bulk("C", cubic=True).repeat(2)
    assert settings_from(parsed(), start=start).n_atoms == 64
    with pytest.raises(AcgenError, match="leave out " + words[0]):
        settings_from(parsed(*words), start=start)
