"""Density by guided candidates: the physics of the answer, and a scan that is interrupted and goes on."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from ase.io import read

import acgen.cli.density_scan as command
from acgen.cli import main
from acgen.inference.defaults import GRID
from acgen.inference.density import DensityEstimate
from acgen.inference.scan import Failed, ScanPoint, check_densities, default_densities, point_of, scan
from acgen.inference.scan_answer import answer, error_variance
from acgen.networks.models import load_models
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.sampler import SamplingError
from acgen.sampling.settings import Settings
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.cell import DENSEST
from acgen.structures.cell import density as density_of

TARGET = load_target("a-C-2.5")
DENSITIES = np.arange(1.5, 3.6, 0.25)
FLOOR = 0.005
"""Least squared misfit of made-up scans, within the error of the forward model."""


def shares(density: float) -> dict[str, float]:
    """Coordination that is linear in density: sp² 1 at 1.5 and 0 at 3.5 g/cm³."""
    return {"2": 0.0, "3": (3.5 - density) / 2, "4": (density - 1.5) / 2}


def parabola(at: float, width: float, scatter: float = 0.0, candidates: int = 1) -> list[ScanPoint]:
    """Points whose mean M has its least value at a density, and M² one v more at a distance of `width` from there; the
    seeds lie above and below the mean in turn."""
    curvature = error_variance(TARGET) / width**2
    points = []
    for seed in range(candidates):
        for density in DENSITIES.tolist():
            misfit = float(np.sqrt(FLOOR + curvature * (density - at) ** 2) + scatter * (-1) ** seed)
            points.append(ScanPoint(density, seed, misfit, misfit, shares(density)))
    return points


def estimate(density: float, error: float, misfit: float = 0.1) -> DensityEstimate:
    none = dict.fromkeys("234", 0.0)
    return DensityEstimate(density, error, none, none, GRID, (), (), (), misfit, False)


def test_a_parabola_gives_its_minimum_and_its_width() -> None:
    found = answer(parabola(2.6, 0.2), TARGET)
    assert found.density == pytest.approx(2.6, abs=0.002)
    assert found.density_error == pytest.approx(0.2, rel=0.01)
    assert found.cn_fraction == pytest.approx(shares(2.6), abs=0.002)
    assert found.cn_error["3"] == pytest.approx(0.1, rel=0.02)
    assert sum(found.probability) == pytest.approx(1.0)
    assert max(zip(found.probability, found.densities, strict=True))[1] == 2.5
    assert not found.at_the_edge
    assert "2.60 ± 0.20 g/cm³" in found.words
    assert "sp² 45 ± 10 %" in found.words


def test_scatter_of_candidates_widens_the_answer_and_more_of_them_narrow_it() -> None:
    none, two, many = (
        answer(parabola(2.6, 0.2, scatter, number), TARGET) for scatter, number in ((0.0, 2), (0.02, 2), (0.02, 40))
    )
    assert two.density_error > many.density_error > none.density_error
    assert many.density == pytest.approx(2.6, abs=0.02)
    assert two.judge_spread == pytest.approx([0.02 * np.sqrt(2)] * 9)
    assert many.misfit == pytest.approx(none.misfit)
    assert "one candidate" not in two.words


def test_a_spectrum_that_no_density_has_is_not_trusted_and_less_certain() -> None:
    near = answer(parabola(2.6, 0.2), TARGET)
    far = answer(
        [replace(point, judge_misfit=float(np.hypot(point.judge_misfit, 0.5))) for point in parabola(2.6, 0.2)], TARGET
    )
    assert far.density_error > 2 * near.density_error
    assert "do not trust" in far.words
    assert "do not trust" not in near.words


def test_a_scan_that_ends_too_early_gives_a_bound() -> None:
    found = answer([point for point in parabola(2.6, 0.2) if point.density < 2.3], TARGET)
    assert found.at_the_edge
    assert "bound" in found.words
    assert found.density < 2.3
    with pytest.raises(ValueError, match="two densities at least"):
        answer(parabola(2.6, 0.2)[:1], TARGET)


def test_no_answer_is_denser_than_diamond() -> None:
    misfits = {2.75: 0.5, 3.0: 0.3, 3.25: 0.15, 3.5: 0.08, 3.75: 0.08}
    found = answer([ScanPoint(density, 0, m, m, shares(density)) for density, m in misfits.items()], TARGET)
    assert 3.3 < found.density < DENSEST
    assert found.probability[-1] == 0.0


def test_a_flat_bottom_between_steep_walls_has_no_minimum_of_its_own() -> None:
    misfits = [1.0, 0.8, 0.07, 0.07, 0.07, 0.07, 0.8, 1.0, 1.2]
    points = [ScanPoint(d, 0, m, m, shares(d)) for d, m in zip(DENSITIES.tolist(), misfits, strict=True)]
    found = answer(points, TARGET)
    assert found.density == pytest.approx(2.375, abs=0.01)
    assert found.density_error == pytest.approx(0.75 / np.sqrt(12), rel=0.2)


def test_noise_widens_and_masked_points_do_not_count() -> None:
    noisy = replace(TARGET, noise=np.full(100, 0.1))
    assert answer(parabola(2.6, 0.2), noisy).density_error > 0.25
    half = Target(TARGET.intensity, np.arange(100) < 50)
    everywhere = np.where(np.arange(100) < 50, 0.02, 9.0)
    assert error_variance(replace(half, noise=everywhere)) < error_variance(replace(TARGET, noise=everywhere)) / 100


def test_the_plain_estimate_agrees_or_not() -> None:
    points = parabola(2.6, 0.2)
    assert "agrees with the 2.40 ± 0.15" in answer(points, TARGET, estimate(2.4, 0.15)).words
    assert "differs from the 1.80 ± 0.15" in answer(points, TARGET, estimate(1.8, 0.15)).words
    assert answer(points, TARGET).agrees is None


def test_default_densities_lie_around_the_plain_estimate() -> None:
    assert default_densities(estimate(2.52, 0.1)) == (2.0, 2.25, 2.5, 2.75, 3.0)
    assert default_densities(estimate(2.52, 0.35)) == (1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.25)
    assert default_densities(estimate(3.6, 0.1)) == (2.75, 3.0, 3.25, 3.5, 3.75)
    assert default_densities(estimate(2.5, 0.1, misfit=0.6)) == default_densities() == (1.25, *DENSITIES, 3.75)
    assert check_densities([3, 2, 2.0001]) == (2.0, 3.0)
    with pytest.raises(ValueError, match="9 g/cm³: give densities from 0.5 to 4.0"):
        check_densities([2, 9])


def test_a_scan_makes_what_is_missing_and_the_same_each_time() -> None:
    models = load_models()
    settings = Settings(target=TARGET, steps=3, restarts=0, candidates=2, seed=4, xi=1.0)

    def points(done=()) -> list[ScanPoint]:
        events = scan(settings, [3.0, 2.0], models, 50, done)
        made = [(density, event) for density, event in events if isinstance(event, Candidate)]
        assert all(abs(density_of(event.atoms) - density) < 1e-6 for density, event in made)
        assert all(len(event.atoms) == 50 for _, event in made)
        return [replace(point_of(density, event), wall_s=0.0) for density, event in made]

    whole = points()
    assert [(point.density, point.seed) for point in whole] == [(2.0, 4), (3.0, 4), (2.0, 5), (3.0, 5)]
    assert points(whole[1:3]) == [whole[0], whole[3]]
    with pytest.raises(ValueError, match="needs a target"):
        next(scan(replace(settings, target=None), [2.0, 3.0], models))


def test_a_run_that_explodes_does_not_end_the_scan(monkeypatch) -> None:
    def explodes_once(settings, models):
        if settings.density == 2.0 and settings.seed == 0:
            raise SamplingError("explodes")
        yield from generate(settings, models)

    monkeypatch.setattr("acgen.inference.scan.generate", explodes_once)
    settings = Settings(target=TARGET, steps=3, restarts=0, candidates=2, xi=1.0)
    events = [event for _, event in scan(settings, [2.0, 3.0], load_models(), 50) if not isinstance(event, FrameEvent)]
    assert events[0] == Failed(2.0, 0, "explodes")
    assert [event.seed for event in events[1:]] == [0, 1, 1]


SMALL = ["--guided", "2", "--densities", "2,3", "--atoms", "50", "--steps", "3", "--restarts", "0", "--xi", "1"]


def test_an_interrupted_scan_goes_on_and_ends_as_an_uninterrupted_one(tmp_path, capsys, monkeypatch) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(["density", "a-C-2.5", *SMALL, "--out", str(whole)]) == 0
    ended = capsys.readouterr().out
    kept = []

    def write_and_interrupt(directory, asked, stored, answer=None) -> None:
        original(directory, asked, stored, answer)
        kept.append(len(stored.points))
        if kept == [1, 2, 3]:
            raise KeyboardInterrupt

    original = command.write_scan
    monkeypatch.setattr(command, "write_scan", write_and_interrupt)
    assert main(["density", "a-C-2.5", *SMALL, "--out", str(parts)]) == 130
    assert "interrupted: what is finished is kept" in capsys.readouterr().out
    assert len(read(parts / "candidates.extxyz", index=":")) == 3
    assert main(["density", "a-C-2.5", *SMALL, "--out", str(parts)]) == 0
    assert "1 candidates of 50 atoms" in capsys.readouterr().out
    assert kept == [1, 2, 3, 3, 4, 4]
    one, other = (json.loads((folder / "scan.json").read_text()) for folder in (whole, parts))
    assert one["answer"] == other["answer"]
    assert one["answer"]["words"] in ended
    assert [a.info["seed"] for a in read(parts / "candidates.extxyz", index=":")] == [0, 0, 1, 1]
    assert (parts / "scan.png").read_bytes().startswith(b"\x89PNG")
    with (parts / "scan.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["density_g_cm3"]) for row in rows] == [2.0, 3.0]
    assert float(rows[1]["judge_misfit"]) == pytest.approx(one["answer"]["judge_misfit"][1], rel=1e-5)


def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path, capsys) -> None:
    folder = tmp_path / "scan"
    assert main(["density", "a-C-2.5", *SMALL, "--guided", "1", "--out", str(folder)]) == 0
    before = {file: file.read_bytes() for file in folder.iterdir()}
    capsys.readouterr()
    cases = {
        "target name: a-C-2.5, not a-C-2.0": ["a-C-2.0", *SMALL],
        "settings steps: 3, not 4": ["a-C-2.5", *SMALL, "--steps", "4"],
        "atoms: 50, not 60": ["a-C-2.5", *SMALL, "--atoms", "60"],
        "settings instrument: False, not True": ["a-C-2.5", *SMALL, "--instrument"],
    }
    for message, options in cases.items():
        assert main(["density", *options, "--out", str(folder)]) == 2
        assert message in capsys.readouterr().err
    (folder / "scan.json").write_text("{}")
    assert main(["density", "a-C-2.5", *SMALL, "--out", str(folder)]) == 2
    assert "cannot be read as a scan" in capsys.readouterr().err
    (folder / "scan.json").unlink()
    assert main(["density", "a-C-2.5", *SMALL, "--out", str(folder)]) == 2
    assert "results of something else" in capsys.readouterr().err
    assert all(file.read_bytes() == content for file, content in before.items() if file.exists())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a-C-2.5", "a-C-2.0", *SMALL, "--out", "d"], "got 2 targets"),
        (["a-C-2.5", *SMALL], "--out None"),
        (["a-C-2.5", *SMALL, "--guided", "0", "--out", "d"], "candidates is 0"),
        (["a-C-2.5", *SMALL, "--densities", "2", "--out", "d"], "two densities at least"),
        (["a-C-2.5", *SMALL, "--atoms", "8", "--out", "d"], "two images"),
    ],
)
def test_wrong_options_are_refused(options, message, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["density", *options]) == 2
    assert message in capsys.readouterr().err
