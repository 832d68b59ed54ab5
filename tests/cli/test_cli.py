"""The command line, as scripts use it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write
from waiting import LIMIT, until

from acgen.assets import asset
from acgen.cli import main
from acgen.cli.progress import interrupts
from acgen.results.archive import read_zip
from acgen.scattering.pairs import reduced_pdf
from acgen.spectra.grid import ENERGY
from acgen.structures.reference import reference_cells

HEAD = ["energy_eV", "target", "candidate_000", "candidate_001"]
QUICK = ["--cell", "7", "--steps", "4", "--restarts", "0"]


def measured(path, energy=None, intensity=None):
    energy = np.linspace(275, 315, 81) if energy is None else energy
    intensity = 1 / (1 + np.exp(-(energy - 287))) + 0.1 if intensity is None else intensity
    np.savetxt(path, np.column_stack([energy, intensity]), delimiter=",", header="eV,signal", comments="")
    return str(path)


def test_generate_with_a_measured_spectrum(tmp_path, capsys):
    out = tmp_path / "out"
    target = measured(tmp_path / "m.csv")
    code = main(["generate", *QUICK, "--target", target, "--candidates", "2", "--trajectory", "--out", str(out)])
    assert code == 0
    assert len(read(out / "candidates.extxyz", index=":")) == 2
    assert len(read(out / "trajectory-001.extxyz", index=":")) == 4
    with open(out / "spectra.csv", newline="") as file:
        assert next(csv.reader(file)) == HEAD + ["candidate_000_seen", "candidate_001_seen"]
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary) == {"acgen", "settings", "weights", "overview", "candidates", "log"}
    assert summary["candidates"][1]["misfit"] > 0
    assert {"shift", "scale", "slope", "sigma", "errors", "at_bounds"} == set(summary["candidates"][1]["instrument"])
    printed = capsys.readouterr().out
    assert "candidates.extxyz" in printed
    assert "broadening" in printed
    assert "all: CN2" in printed
    once = ["generate", *QUICK, "--candidates", "1", "--out", str(out)]
    assert main([*once, "--target", target, "--no-instrument"]) == 0
    assert "instrument" not in json.loads((out / "summary.json").read_text())["candidates"][0]
    assert main([*once, "--target", "sp", "--instrument", "--guide", "site"]) == 2


def test_generate_with_a_pair_distribution(tmp_path, capsys):
    r = np.arange(0.02, 8, 0.02)
    np.savetxt(tmp_path / "film.gr", np.column_stack([r, reduced_pdf(reference_cells()[3], r, 0.05)]))
    once = ["generate", *QUICK, "--candidates", "1", "--out", str(tmp_path)]
    assert main([*once, "--target", "sp2", "--pdf", str(tmp_path / "film.gr"), "--xi-pdf", "50"]) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["settings"]["xi_pdf"] == 50
    printed = capsys.readouterr().out
    assert f"PDF {summary['candidates'][0]['pdf_misfit']:.3f}" in printed
    assert (tmp_path / "pdf.csv").read_text().startswith("r_A,measured,candidate_000")
    assert main([*once, "--pdf", str(tmp_path / "film.gr"), "--pdf-kind", "S"]) == 2
    assert "--pdf-kind G" in capsys.readouterr().err
    assert main([*once, "--xi-pdf", "50"]) == 2
    assert "give one with --pdf" in capsys.readouterr().err


def test_generate_with_known_shares(tmp_path, capsys):
    once = ["generate", *QUICK, "--candidates", "1", "--out", str(tmp_path), "--zip", str(tmp_path / "run.zip")]
    assert main([*once, "--target", "sp2", "--sp", "0", "--sp3", "95", "--xi-cn", "50"]) == 0
    settings = json.loads((tmp_path / "summary.json").read_text())["settings"]
    assert [settings[name] for name in ("sp", "sp2", "sp3", "xi_cn")] == [0, None, 95, 50]
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        report = archive.read("report.html").decode()
    assert "0 % sp, 95 % sp³ were asked for, with ξ = 50" in report
    assert "not the 95 % that were asked for" in report
    assert read_zip(tmp_path / "run.zip").settings.shares == {2: 0, 4: 0.95}
    assert main([*once, "--sp2", "70", "--sp3", "40"]) == 2
    assert "sp2, sp3 add up to 110 %, not 100" in capsys.readouterr().err
    assert main([*once, "--sp", "1", "--sp2", "2", "--sp3", "3"]) == 2
    assert "add up to 6 %" in capsys.readouterr().err
    assert main([*once, "--sp3", "150"]) == 2
    assert "0 to 100 %" in capsys.readouterr().err
    assert main([*once, "--xi-cn", "50"]) == 2
    assert "give one with --sp or --sp2 or --sp3" in capsys.readouterr().err


def test_generate_without_a_target_and_with_three_edges(tmp_path):
    command = ["generate", "--cell", "7", "8", "9", "--steps", "4", "--restarts", "0", "--candidates", "1"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    entry = json.loads((tmp_path / "summary.json").read_text())["candidates"][0]
    assert entry["misfit"] is None
    assert entry["judge_misfit"] is None
    assert np.allclose(read(tmp_path / "candidates.extxyz").cell.lengths(), [7, 8, 9])


def test_generate_from_a_noised_structure(tmp_path):
    write(tmp_path / "diamond.cif", bulk("C", "diamond", a=3.567, cubic=True).repeat(2))
    start = ["--start", str(tmp_path / "diamond.cif"), "--start-t", "0.1"]
    assert main(["generate", *start, *QUICK, "--out", str(tmp_path / "out")]) == 2  # --cell beside --start
    assert not (tmp_path / "out").exists()
    code = main(["generate", *start, *QUICK[2:], "--candidates", "1", "--out", str(tmp_path / "out")])
    assert code == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["candidates"][0]["n_atoms"] == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "nowhere.csv"], "nowhere.csv"),
        (["--target", "EMPTY"], "empty"),
        (["--target", "WORDS"], "number"),
        (["--target", "FAR"], "274.6"),
        (["--target", "INF"], "infinite"),
        (["--target", "FEW"], "10"),
        (["--density", "9"], "density"),
        (["--density", "nan"], "density"),
        (["--cell", "5"], "two images"),
        (["--cell", "1", "2"], "1 or 3 numbers"),
        (["--xi", "-3"], "xi"),
        (["--weights", "BROKEN"], "checksum|weights"),
        (["--start", "nowhere.cif"], "nowhere.cif"),
        (["--out", "FILE/under"], "folder"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "EMPTY").write_text("")
    (tmp_path / "WORDS").write_text("no spectrum here\nat all\n")
    (tmp_path / "FILE").write_text("")
    measured(tmp_path / "FAR", energy=np.linspace(500, 600, 50))
    measured(tmp_path / "FEW", energy=np.linspace(290, 291, 5))
    measured(tmp_path / "INF", intensity=np.r_[np.ones(40), np.inf, np.ones(40)])
    broken = bytearray(asset("weights/score.safetensors").read_bytes())
    broken[-5] ^= 1
    (tmp_path / "BROKEN").write_bytes(broken)
    names = {"EMPTY", "WORDS", "FAR", "INF", "FEW", "BROKEN", "FILE/under"}
    arguments = [str(tmp_path / word) if word in names else word for word in arguments]
    command = ["generate", "--steps", "2", "--restarts", "0", "--candidates", "1", "--out", str(tmp_path / "out")]
    assert main([*command, *arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert error[0].startswith("acgen generate: ")
    assert re.search(message, error[0])


def test_interrupting_keeps_what_is_finished(tmp_path):
    command = [sys.executable, "-c", "import sys; from acgen.cli import main; sys.exit(main())"]
    options = ["generate", "--cell", "7", "--steps", "20", "--restarts", "1", "--candidates", "500"]
    process = subprocess.Popen(
        [*command, *options, "--out", str(tmp_path)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    until(lambda: (tmp_path / "summary.json").exists() or process.poll() is not None, "the first candidate is written")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    kept = len(read(tmp_path / "candidates.extxyz", index=":"))
    assert 1 <= kept < 500
    assert f"{kept} of 500 candidates kept in {tmp_path}" in output


def test_an_interruption_that_was_swallowed_is_raised_again():
    before = signal.getsignal(signal.SIGINT)
    with interrupts() as check:
        check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)  # what a library may swallow
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is before


def test_analyze_and_predict(tmp_path):
    write(tmp_path / "d.vasp", bulk("C", "diamond", a=3.567))
    write(tmp_path / "d.cif", bulk("C", "diamond", a=3.567))
    assert main(["analyze", str(tmp_path / "d.vasp"), "--out", str(tmp_path / "d.json")]) == 0
    assert json.loads((tmp_path / "d.json").read_text())["cn_fraction"]["4"] == 1.0
    out = tmp_path / "p.csv"
    assert main(["predict", str(tmp_path / "d.vasp"), str(tmp_path / "d.cif"), "--sites", "--out", str(out)]) == 0
    table = np.genfromtxt(out, delimiter=",", skip_header=1)
    assert table.shape == (100, 1 + 2 * (1 + 2))
    assert np.allclose(table[:, 0], ENERGY)
    assert np.allclose(table[:, 1], table[:, 2:4].mean(1), atol=1e-5)


def test_analyze_tells_copies(tmp_path, capsys):
    known = [str(asset(f"reference/a-C_2.5_{quench}fs.extxyz")) for quench in (1200, 6000)]
    out = str(tmp_path / "a.json")
    assert main(["analyze", known[0], "--copies-of", *known, "--out", out]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["copied"] == 1.0
    assert "100.0 % of the atoms have copied surroundings (1 % is none)" in capsys.readouterr().out
    assert main(["analyze", known[0], "--copies-of", known[1], "--out", out]) == 2
    assert "two or more" in capsys.readouterr().err


def test_train_resumes_and_writes_its_curve(tmp_path):
    for index in range(2):
        atoms = bulk("C", "diamond", a=3.567, cubic=True).repeat((2, 2, 2))
        atoms.rattle(0.05, seed=index)
        write(tmp_path / f"c{index}.extxyz", atoms)
    out = tmp_path / "w.safetensors"
    command = ["train", "score", "--data", str(tmp_path), "--out", str(out)]
    assert main([*command, "--updates", "100"]) == 0
    assert main([*command, "--updates", "200", "--resume"]) == 0
    with open(tmp_path / "w.loss.csv", newline="") as file:
        assert [row["update"] for row in csv.DictReader(file)] == ["100", "200"]
    assert (tmp_path / "w.loss.png").stat().st_size > 1000
    assert main(["generate", *QUICK, "--candidates", "1", "--weights", str(out), "--out", str(tmp_path / "g")]) == 0


def test_targets_are_listed(capsys):
    assert main(["targets"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"sp", "sp2", "sp3", "a-C-1.5", "a-C-3.5", "diamond", "graphite"} <= set(names)


def test_training_needs_an_end(tmp_path, capsys):
    assert main(["train", "score", "--data", str(tmp_path), "--out", str(tmp_path / "w.safetensors")]) == 2
    assert "--minutes or --updates" in capsys.readouterr().err
