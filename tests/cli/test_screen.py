"""`acgen screen` in one process: what it writes, how it goes on, and what it refuses."""

from __future__ import annotations

import argparse
import errno
import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from ase.io import read

from acgen.cli import main
from acgen.cli.options import density_list
from acgen.cli.screening import rate_line
from acgen.inference import tasks as tasks_module
from acgen.inference.scan import Failed
from acgen.inference.tasks import Screen, Task, Weights, models_for
from acgen.networks.models import load_models
from acgen.results import whole
from acgen.results.screen_files import open_screen
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings
from acgen.spectra.references import builtin_targets
from acgen.structures.cell import n_atoms

QUICK = ["--cell", "7", "--steps", "4", "--restarts", "0", "--candidates", "2", "--seed", "5"]
SCREEN = ["screen", "--targets", "sp2", "a-C-2.0", "--densities", "1.5:2.0:0.5", *QUICK]
#: Columns that tell how a candidate was made, not what it is.
TIMES = {"wall_s"}


def rows(folder) -> dict[tuple, dict]:
    """Every finished candidate of a screen, without what it took."""
    table = pq.read_table(folder / "candidates").to_pylist()
    found = {(r["target"], r["density_g_cm3"], r["seed"]): {k: r[k] for k in r if k not in TIMES} for r in table}
    assert len(found) == len(table)
    return found


def stamps(folder) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "candidates").iterdir()}


@pytest.fixture(scope="module")
def whole_screen(tmp_path_factory):
    """A screen of two targets, two densities and two candidates, never disturbed."""
    out = tmp_path_factory.mktemp("screen") / "whole"
    assert main([*SCREEN, "--out", str(out)]) == 0
    return out


def test_candidates_are_those_that_generate_makes(whole_screen):
    found = rows(whole_screen)
    assert len(found) == 8
    row = found["sp2", 2.0, 6]
    target = builtin_targets()["sp2"]
    settings = Settings(target=target, density=2.0, cell=7.0, steps=4, restarts=0, candidates=2, seed=5)
    same = [event for event in generate(settings, load_models()) if isinstance(event, Candidate)][1]
    assert np.array_equal(np.reshape(row["positions_A"], (-1, 3)), same.atoms.positions)
    assert row["misfit"] == same.misfit == pytest.approx(target.misfit(np.array(row["spectrum"])))
    assert row["n_atoms"] == n_atoms(2.0, settings.box)
    assert sum(row[f"cn{cn}_percent"] for cn in (2, 3, 4)) <= 100


def test_structures_and_table_are_those_of_the_rows(whole_screen):
    cells = read(whole_screen / "structures" / "sp2.extxyz", index=":")
    assert [cell.info["seed"] for cell in cells] == [5, 6, 5, 6]
    assert np.allclose(cells[3].positions.ravel(), rows(whole_screen)["sp2", 2.0, 6]["positions_A"], atol=1e-7)
    table = (whole_screen / "screen.csv").read_text().splitlines()
    misfits = [row["misfit"] for key, row in rows(whole_screen).items() if key[:2] == ("a-C-2.0", 1.5)]
    line = dict(zip(table[0].split(","), table[3].split(","), strict=True))
    assert line["target"] == "a-C-2.0"
    assert float(line["misfit"]) == pytest.approx(np.mean(misfits), rel=1e-5)
    assert float(line["misfit_std"]) == pytest.approx(np.std(misfits, ddof=1), rel=1e-5)


def test_what_is_finished_is_not_made_again_and_the_rest_is_the_same(whole_screen, tmp_path):
    out = tmp_path / "cut"
    shutil.copytree(whole_screen, out)
    lost = sorted((out / "candidates").iterdir())[::3]
    for path in lost:
        path.unlink()
    (out / "screen.csv").unlink()
    with open(out / "structures" / "sp2.extxyz", "a") as file:
        file.write("34\nLattice=")  # a write that was cut off
    before = stamps(out)
    assert main([*SCREEN, "--out", str(out)]) == 0
    assert {name: at for name, at in stamps(out).items() if name in before} == before
    assert rows(out) == rows(whole_screen)
    for name in ("structures/sp2.extxyz", "structures/a-C-2.0.extxyz", "screen.csv", "screen.json"):
        assert (out / name).read_bytes() == (whole_screen / name).read_bytes()


def test_a_finished_screen_may_grow(whole_screen, tmp_path):
    out = tmp_path / "more"
    shutil.copytree(whole_screen, out)
    before = stamps(out)
    more = ["screen", "--targets", "sp2", "sp3", "--densities", "1.5,2", *QUICK, "--out", str(out)]
    assert main(more) == 0
    assert {name: at for name, at in stamps(out).items() if name in before} == before
    assert len(stamps(out)) == len(before) + 4
    assert set(json.loads((out / "screen.json").read_text())["screen"]["targets"]) == {"sp2", "sp3", "a-C-2.0"}


@pytest.mark.parametrize("other", [["--steps", "5"], ["--cell", "7.5"], ["--xi", "10"], ["--instrument"]], ids=" ".join)
def test_a_folder_with_other_settings_is_refused_and_left_alone(whole_screen, other, capsys):
    before = {path: path.read_bytes() for path in whole_screen.rglob("*") if path.is_file()}
    assert main([*SCREEN, *other, "--out", str(whole_screen)]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert other[0].strip("-") in said
    assert {path: path.read_bytes() for path in whole_screen.rglob("*") if path.is_file()} == before


def test_another_spectrum_of_the_same_name_is_refused(tmp_path, capsys):
    energy = np.linspace(275, 315, 161)
    out = tmp_path / "out"
    for width in (1.0, 2.0):
        step = 1 / (1 + np.exp(-(energy - 287) / width)) + np.exp(-((energy - 285.4) ** 2)) / 2
        np.savetxt(tmp_path / "film.csv", np.column_stack([energy, step]))
        code = main(["screen", "--targets", str(tmp_path / "film.csv"), "--densities", "2", *QUICK, "--out", str(out)])
    assert code == 2
    assert "targets film sha256" in capsys.readouterr().err


def test_results_of_something_else_are_refused(tmp_path, capsys):
    (tmp_path / "candidates").mkdir()
    assert main([*SCREEN, "--out", str(tmp_path)]) == 2
    assert "something else" in capsys.readouterr().err
    assert not (tmp_path / "screen.json").exists()


def test_a_damaged_candidate_is_named(whole_screen, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(whole_screen, out)
    damaged = next((out / "candidates").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert main([*SCREEN, "--out", str(out)]) == 2
    assert f"{damaged} is damaged" in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_the_screen_goes_on(whole_screen, tmp_path, capsys, monkeypatch):
    out, left = tmp_path / "out", [4]

    def full(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(whole.os, "fsync", full)
        assert main([*SCREEN, "--out", str(out)]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("acgen screen:")]
    assert len(said) == 1
    assert "disk is full" in said[0]
    assert len(rows(out)) == 3  # the first file was screen.json
    assert not [path for path in out.rglob(".part-*")]
    assert main([*SCREEN, "--out", str(out)]) == 0
    assert rows(out) == rows(whole_screen)


def test_a_run_that_explodes_is_a_row_without_a_structure(tmp_path):
    target = builtin_targets()["sp2"]
    settings = Settings(target=target, cell=7.0, steps=4, restarts=0, candidates=1)
    weights = Weights({"score": "0"})
    screen = Screen((settings,), (2.0,))
    folder = open_screen(tmp_path, screen, weights)
    (task,) = screen.tasks(weights)
    folder.write(task, Failed(2.0, 0, "atoms flew apart"))
    assert folder.is_done(task)
    assert next(folder.rows([task]))["failed"] == "atoms flew apart"
    assert folder.write_table([task])[0] | {"failed": 1, "candidates": 0} == folder.write_table([task])[0]
    folder.write_structures([task])
    assert not list((tmp_path / "structures").iterdir())


def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(tasks_module, "_LOADED", {})
    true = Weights.of({})
    with pytest.raises(ValueError, match=r"other weights \(judge\)"):
        models_for(Weights({**true.sha256, "judge": "0" * 64}))
    assert models_for(true) is models_for(true)


def test_the_array_steps_of_the_script_make_the_same_screen(whole_screen, tmp_path):
    """Each step in a shell of its own, the last one first, as a batch system may run them."""
    script, out = tmp_path / "jobs.sh", tmp_path / "out"
    assert main([*SCREEN, "--out", str(out), "--sbatch", str(script), "--tasks", "2"]) == 0
    text = script.read_text()
    assert "#SBATCH --array=0-1" in text
    assert not out.exists()
    program = tmp_path / "bin" / "acgen"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom acgen.cli import main\nsys.exit(main())\n")
    program.chmod(0o755)
    for step in ("1", "0"):
        path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
        environment = os.environ | {"PATH": path, "SLURM_ARRAY_TASK_ID": step}
        subprocess.run(["sh", str(script)], env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert rows(out) == rows(whole_screen)
    for name in ("structures/sp2.extxyz", "screen.csv"):
        assert (out / name).read_bytes() == (whole_screen / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--task", "2", "--tasks", "2"], "shares from 0"),
        (["--task", "0"], "needs --tasks"),
        (["--task", "0", "--tasks", "2", "--workers", "2"], "one process"),
        (["--workers", "0"], "one at least"),
        (["--cell", "3"], "images of one neighbour"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line(options, said, tmp_path, capsys):
    assert main([*SCREEN, *options, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_densities_are_a_range_or_a_list():
    assert density_list("1.5:3.5:0.25") == tuple(1.5 + 0.25 * k for k in range(9))
    assert density_list("1.5:1.95:0.1") == (1.5, 1.6, 1.7, 1.8, 1.9)
    assert density_list("1:1.3:0.1")[-1] == 1.3
    assert density_list("3,2,2.0001") == (2.0, 3.0)


@pytest.mark.parametrize("text", ["", "2:1:0.1", "1:2:0", "1:2:-0.1", "1:2", "nan", "1:inf:1", "0.1,2", "1:3:1e-9"])
def test_densities_that_make_no_sense_are_refused(text):

    with pytest.raises(argparse.ArgumentTypeError, match="give densities"):
        density_list(text)


def test_the_rate_is_what_came_in_the_time():
    assert rate_line(done=10, total=70, seconds=120.0) == "5 a minute, 0:12:00 left"


def test_a_task_carries_no_networks():

    settings = Settings(target=builtin_targets()["sp2"], cell=7.0, candidates=1)
    assert len(pickle.dumps(Task(settings, Weights.of({})))) < 10_000
