"""FEFF10: the cluster of a site, its input, its output, and the bounds of the process it runs in."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Timer

import ase.build
import numpy as np
import pytest
from ase import Atoms
from matscipy.neighbours import neighbour_list

from acgen.errors import AcgenError
from acgen.spectra import feff_run
from acgen.spectra.feff import CARDS, Cluster, Xmu, cluster, feff_input, input_key, on_grid, read_xmu
from acgen.spectra.feff_run import feff_version, run_feff
from acgen.spectra.grid import AREA, ENERGY

#: Directions of the four neighbours of a tetrahedral site.
CORNERS = np.array([[1, 1, 1], [-1, -1, 1], [1, -1, -1], [-1, 1, -1]])


@pytest.fixture
def diamond() -> Atoms:
    return ase.build.bulk("C", "diamond", 3.567)


def amorphous(count: int = 40) -> Atoms:
    """Displaced diamond in a skewed cell, some atoms outside it."""
    atoms = ase.build.bulk("C", "diamond", 3.567).repeat((4, 5, 1))[:count]
    atoms.rattle(0.1, seed=3)
    atoms.positions += atoms.cell[0] * np.arange(len(atoms))[:, None] % 2
    return atoms


def test_shells_of_diamond_from_two_atoms(diamond: Atoms) -> None:
    distances = np.linalg.norm(cluster(diamond, 1).positions, axis=1)
    shells = [int(np.sum(np.abs(distances - 3.567 * r) < 1e-6)) for r in (0, 3**0.5 / 4, 2**-0.5, 11**0.5 / 4, 1)]
    assert shells == [1, 4, 12, 12, 6]
    assert distances.max() <= 5.5
    assert np.all(np.diff(distances) > -1e-3)


def test_cluster_is_the_neighbour_list_and_ignores_images_and_order() -> None:
    atoms = amorphous()
    found = cluster(atoms, 7)
    assert len(found.positions) == 1 + np.sum(neighbour_list("i", atoms, 5.5) == 7)
    moved = atoms.copy()
    moved.positions += np.random.default_rng(0).integers(-2, 3, (len(atoms), 3)) @ np.asarray(atoms.cell)
    np.testing.assert_allclose(cluster(moved, 7).positions, found.positions, atol=1e-9)
    order = np.random.default_rng(1).permutation(len(atoms))
    shuffled = cluster(atoms[order], int(np.flatnonzero(order == 7)[0]))
    np.testing.assert_allclose(shuffled.positions, found.positions, atol=1e-9)
    assert feff_input(shuffled) == feff_input(found)


def test_other_elements_and_open_boundaries() -> None:
    methane = Atoms("CH4", np.vstack([np.zeros(3), 0.63 * CORNERS]))
    text = feff_input(cluster(methane, 0))
    assert text.count(" H") == 5
    assert "    0   6 C 2 2\n    1   1 H 2 2\n" in text
    with pytest.raises(AcgenError, match="site 1 is H"):
        cluster(methane, 1)


def test_refusals(diamond: Atoms) -> None:
    with pytest.raises(AcgenError, match="sites 0 to 1"):
        cluster(diamond, 2)
    with pytest.raises(AcgenError, match="sites 0 to 1"):
        cluster(diamond, -1)
    with pytest.raises(AcgenError, match="no other atom"):
        cluster(Atoms("C", cell=[9] * 3, pbc=True), 0)
    far = Atoms("C4", [[0, 0, 0], [0, 0, 1.5], [0, 0, 4], [0, 0, 4.2]], cell=[20] * 3, pbc=True)
    with pytest.raises(AcgenError, match="0.20 Å apart"):
        cluster(far, 0)


def test_input_has_every_card_once_and_every_atom(diamond: Atoms) -> None:
    found = cluster(diamond, 0)
    text = feff_input(found)
    lines = text.splitlines()
    assert all(lines.count(card) == 1 for card in CARDS)
    rows = [line.split() for line in lines[lines.index("ATOMS") + 1 : lines.index("END")]]
    assert [row[3] for row in rows] == ["0"] + ["1"] * (len(found.positions) - 1)
    np.testing.assert_allclose(np.array([row[:3] for row in rows], dtype=float), found.positions, atol=1e-5)
    assert "-0.00000" not in text


def test_key_knows_input_and_version(diamond: Atoms) -> None:
    text = feff_input(cluster(diamond, 0))
    assert input_key(text, "1") == input_key(text, "1")
    moved = cluster(diamond, 0).positions
    moved[1] += 0.001
    other = feff_input(Cluster(np.full(len(moved), 6), moved))
    assert len({input_key(text, "1"), input_key(text, "2"), input_key(other, "1")}) == 3


def xmu_text(rows: int = 20) -> str:
    table = [f"{270 + k:.4f} {k - 20:.4f} 0.1 {0.1 * k:.6E} 1.0E+00 -1.0E+00" for k in range(rows)]
    return "\n".join(["# # FEFF 10.0.0", "#  omega    e    k    mu    mu0     chi     @#", *table, ""])


def test_reading_xmu() -> None:
    found = read_xmu(xmu_text())
    np.testing.assert_allclose(found.energy, 270 + np.arange(20))
    np.testing.assert_allclose(found.mu, 0.1 * np.arange(20))
    for bad in ("", "# only\n", xmu_text(5), xmu_text().replace("2.000000E-01", "NaN"), xmu_text() + "1 2\n", "a b\n"):
        with pytest.raises(AcgenError, match="xmu.dat"):
            read_xmu(bad)
    with pytest.raises(AcgenError, match="do not increase"):
        read_xmu(xmu_text() + xmu_text())


def test_a_line_goes_to_its_shifted_energy_with_its_width() -> None:
    energy = np.arange(265.0, 340.0, 0.1)
    line = Xmu(energy, np.exp(-0.5 * ((energy - 288.0) / 0.6) ** 2))
    found = on_grid(line, shift=6.0, broadening=0.8)
    assert found.sum() == pytest.approx(AREA)
    mean = float(found @ ENERGY / found.sum())
    assert mean == pytest.approx(294.0, abs=0.01)
    bin_variance = 0.4**2 / 12
    assert found @ (ENERGY - mean) ** 2 / found.sum() == pytest.approx(0.6**2 + 0.8**2 + bin_variance, rel=0.01)


def test_grid_refusals() -> None:
    energy = np.arange(265.0, 340.0, 0.5)
    with pytest.raises(AcgenError, match="ends at"):
        on_grid(Xmu(energy[:60], np.ones(60)))
    with pytest.raises(AcgenError, match="vanishes"):
        on_grid(Xmu(energy, np.zeros(len(energy))))


def test_no_feff_names_the_line_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feff_run, "find_spec", lambda name: None)
    feff_version.cache_clear()
    with pytest.raises(AcgenError, match=r'pip install "acgen\[feff\]"'):
        run_feff("")
    feff_version.cache_clear()


def five_atoms() -> str:
    """A carbon atom with four others around it: the smallest calculation, some seconds."""
    return feff_input(cluster(Atoms("C5", np.vstack([np.zeros(3), 0.9 * CORNERS])), 0))


def test_a_real_calculation() -> None:
    pytest.importorskip("feff10", reason='needs FEFF10: pip install "acgen[feff]"')
    found = run_feff(five_atoms())
    assert found.converged
    assert 0 < found.seconds < feff_run.MAX_SECONDS
    assert found.spectrum.energy[0] < 285 < 340 < found.spectrum.energy[-1]
    assert found.spectrum.mu.max() > 1
    # Far above the edge little is left of the neighbours, and mu is that of the atom 50 eV above it.
    far = np.abs(found.spectrum.energy - found.spectrum.energy[0] - 55) < 10
    np.testing.assert_allclose(found.spectrum.mu[far], 1, atol=0.2)
    assert on_grid(found.spectrum).sum() == pytest.approx(AREA)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows bounds neither time nor memory of a process")
def test_bounds_of_time_and_memory_and_a_bad_input() -> None:
    pytest.importorskip("feff10", reason='needs FEFF10: pip install "acgen[feff]"')
    with pytest.raises(AcgenError, match="more than 1 s of processor time"):
        run_feff(feff_input(cluster(amorphous(), 7)), seconds=1)  # some ten seconds: five atoms may take less than one
    with pytest.raises(AcgenError, match="FEFF failed: .*memory"):
        run_feff(five_atoms(), memory=10_000)
    with pytest.raises(AcgenError, match="^FEFF "):
        run_feff("ATOMS\n0 0 0\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_a_calculation_is_stopped() -> None:
    pytest.importorskip("feff10", reason='needs FEFF10: pip install "acgen[feff]"')
    stop = Event()
    Timer(0.5, stop.set).start()
    with pytest.raises(AcgenError, match="was stopped"):
        run_feff(feff_input(cluster(amorphous(), 7)), stop)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_the_calculation_ends_with_its_parent(tmp_path: Path) -> None:
    pytest.importorskip("feff10", reason='needs FEFF10: pip install "acgen[feff]"')
    (tmp_path / "feff.inp").write_text(five_atoms())
    command = [sys.executable, "-m", "acgen.spectra.feff_child", str(tmp_path), "900", str(2 * 10**9)]
    # An input that is closed is what the end of the parent leaves behind.
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, process_group=0, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "done.json").exists()
