"""What a command imports: nothing that it does not need, because that is what one waits for."""

import subprocess
import sys

import numpy as np
import pytest
from ase.io import write

from acgen.spectra.grid import ENERGY
from acgen.spectra.references import reference_spectra
from acgen.structures.cell import carbon, cell_matrix

#: What takes longest to import.
HEAVY = ("torch", "torch_geometric", "numba", "matplotlib", "scipy", "freud", "pandas")
RUN = f"""
import sys
from acgen.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("imported", *(name for name in {HEAVY} if name in sys.modules))
sys.exit(code)
"""


def imported(*command: str) -> set[str]:
    """The heavy packages that a command has imported at its end."""
    done = subprocess.run([sys.executable, "-c", RUN, *command], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture
def spectrum(tmp_path):
    path = tmp_path / "film.csv"
    np.savetxt(path, np.column_stack([ENERGY, reference_spectra()["sp2"]]))
    return str(path)


@pytest.fixture
def structure(tmp_path):
    path = tmp_path / "cell.extxyz"
    write(path, carbon(np.random.default_rng(0).random((20, 3)) * 7, cell_matrix(7.0)))
    return str(path)


@pytest.mark.parametrize("command", [["--version"], ["--help"], ["generate", "--help"], ["targets"]], ids=" ".join)
def test_commands_that_compute_nothing_import_nothing_heavy(command):
    assert imported(*command) == set()


def test_listing_a_file_imports_nothing_heavy(spectrum):
    assert imported("prepare", spectrum, "--list") == set()


def test_preparing_a_spectrum_needs_no_network(spectrum, tmp_path):
    assert imported("prepare", spectrum, "--out", str(tmp_path / "film.xdi")) <= {"scipy"}


def test_analysing_a_structure_needs_no_network(structure, tmp_path):
    assert not imported("analyze", structure, "--out", str(tmp_path / "a.json")) & {"torch", "torch_geometric", "numba"}


def test_predicting_needs_no_more_than_the_networks(structure, tmp_path):
    wanted = {"torch", "numba", "scipy"}
    assert imported("predict", structure, "--out", str(tmp_path / "p.csv")) <= wanted


def test_a_sampler_process_imports_what_sampling_needs():
    code = f"import sys, app.workers.pool; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"torch", "numba", "scipy"}
