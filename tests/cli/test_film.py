"""`acgen film`: one page about a measured film."""

import json
from dataclasses import replace

import numpy as np
import pytest

from acgen.cli import main
from acgen.inference.check import Site, check
from acgen.inference.density import DensityEstimate
from acgen.results.figures import svg
from acgen.results.film import Film, film_figure, film_page
from acgen.sampling.generate import Candidate
from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.cell import carbon, cell_matrix


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page of a film that is a shipped spectrum with a C=O line."""
    folder = tmp_path_factory.mktemp("film")
    values = load_target("a-C-2.0").intensity
    values = values + 0.1 * np.exp(-(((ENERGY - 288.6) / 0.5) ** 2) / 2)
    rows = [f"{e:.2f} {y:.6f}" for e, y in zip(ENERGY, values, strict=True)]
    (folder / "my_film [1].txt").write_text("\n".join(rows))
    options = ["--atoms", "32", "--candidates", "2", "--plan", "quick", "--known", "made at 2.0 g/cm³ (me)"]
    assert main(["film", str(folder / "my_film [1].txt"), *options, "--out", str(folder / "page")]) == 0
    return folder / "page"


def test_page_figure_and_numbers_say_one_thing(made):
    content = json.loads((made / "my_film_1.json").read_text(encoding="utf-8"))
    page = (made / "my_film_1.md").read_text(encoding="utf-8")
    assert content["candidates"]["candidates"] == 2
    assert content["estimate"]["density"] == pytest.approx(2.0, abs=0.4)
    assert any("C=O absorbs" in flag for flag in content["flags"])
    assert "C=O absorbs" in page
    assert page.startswith(r"# my\_film \[1\]")
    assert "made at 2.0 g/cm³ (me)" in page
    assert f"by the judge {content['best']['judge_misfit']:.2f}" in page
    assert (made / "my_film_1.png").stat().st_size > 10_000


def film(best_misfit: float, judged: float) -> Film:
    """A film whose nearest structure and best candidate are so far away."""
    target = Target(load_target("a-C-2.0").intensity, np.ones(ENERGY.size, bool), "film", measured=True)
    cell = cell_matrix(10.0)
    atoms = carbon(np.random.default_rng(0).random((100, 3)) @ cell, cell)
    spectrum, sites = target.intensity, np.tile(target.intensity, (100, 1))
    candidate = Candidate(0, 7, atoms, spectrum, sites, spectrum, 0.05, judged, 1.0)
    estimate = DensityEstimate(
        density=2.0,
        density_error=0.1,
        cn_fraction={"2": 0.1, "3": 0.8, "4": 0.1},
        cn_error=dict.fromkeys("234", 0.05),
        densities=(1.5, 2.0, 2.5),
        misfit=(0.3, best_misfit, 0.3),
        misfit_spread=(0.02,) * 3,
        probability=(0.1, 0.8, 0.1),
        best_misfit=best_misfit,
        at_the_edge=False,
    )
    sites = [Site(k, 3, spectrum + 0.01 * (-1) ** k) for k in range(4)]
    checked = check(atoms, sites, None, target, {"forward": spectrum, "judge": spectrum}, name="candidate 0")
    other = replace(candidate, index=1, judge_misfit=judged + 0.1)
    return Film(target, estimate, (other, candidate), checked)


@pytest.mark.parametrize(
    ("nearest", "judged", "answered"), [(0.1, 0.1, True), (0.3, 0.1, False), (0.1, 0.3, False)]
)
def test_an_answer_needs_prior_and_judge(nearest, judged, answered):
    found = film(nearest, judged)
    assert found.best.index == 0
    assert found.answered is answered
    page = film_page(found, "film.png")
    assert "## FEFF check of candidate 0" in page
    assert "FEFF check of it" in svg(film_figure(found))
    assert ("No answer that should be trusted" in page) is not answered
    assert f"{nearest:.2f} away" in page


def test_a_file_that_is_no_spectrum_is_refused(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("measured on a Tuesday")
    assert main(["film", str(tmp_path / "notes.txt"), "--out", str(tmp_path / "page")]) == 2
    assert "acgen film:" in capsys.readouterr().err
