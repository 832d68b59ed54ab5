"""The kernel regression that teaches forward networks."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from acgen.data.cells import LabelledCell
from acgen.errors import AcgenError
from acgen.networks.checkpoint import load_forward, read_tensors
from acgen.networks.config import NetworkConfig
from acgen.networks.network import build
from acgen.networks.teacher import Teacher, taught_copies
from acgen.networks.train import TrainConfig, train
from acgen.spectra.grid import ENERGY
from acgen.structures.reference import reference_cells

FORWARD = NetworkConfig("forward", width=16, interactions=1, radial=8)
TAUGHT = TrainConfig(updates=6, jitter=0.1, taught=True, warmup=2)


@pytest.fixture(scope="module")
def cells():
    """A loose and a dense cell, whose sites have a peak at an energy that says how far away their neighbours are."""
    made = []
    for atoms in (reference_cells()[0], reference_cells()[-1]):
        distances = np.sort(atoms.get_all_distances(mic=True), axis=1)[:, 1:4].mean(1)
        peaks = 285 + 40 * (distances - 1.3)
        made.append(LabelledCell("cell", "1.5", atoms, np.exp(-((ENERGY - peaks[:, None]) ** 2) / 8)))
    return made


def spectra(teacher, atoms):
    return teacher(torch.tensor(atoms.positions), torch.tensor(atoms.cell.array)).numpy()


def test_it_gives_back_what_it_knows_more_than_it_does_not(cells):
    loose, dense = cells
    both, one = Teacher(cells), Teacher([loose])
    norm = np.linalg.norm(dense.spectra - loose.spectra.mean(0))
    assert np.linalg.norm(spectra(both, dense.atoms) - dense.spectra) < 0.4 * norm
    assert np.linalg.norm(spectra(one, dense.atoms) - dense.spectra) > 0.4 * norm


def test_far_from_everything_known_it_says_the_mean(cells):
    crowd = cells[1].atoms.copy()
    crowd.positions[:] = np.random.default_rng(0).random(crowd.positions.shape) @ crowd.cell.array
    mean = np.concatenate([cell.spectra for cell in cells]).mean(0)
    off = np.abs(spectra(Teacher(cells), crowd) - mean).max(1)
    assert np.median(off) < 0.1


def test_rotation_order_and_periodic_images_change_nothing(cells):
    teacher, atoms = Teacher(cells), cells[0].atoms
    expected = spectra(teacher, atoms)
    turned = atoms.copy()
    turned.rotate(40, (1, 2, 3), rotate_cell=True)
    assert np.allclose(spectra(teacher, turned), expected, atol=1e-3)
    moved = atoms.copy()
    moved.positions += atoms.cell.array[0] + 0.7
    assert np.allclose(spectra(teacher, moved), expected, atol=1e-3)
    order = np.random.default_rng(0).permutation(len(atoms))
    assert np.allclose(spectra(teacher, atoms[order]), expected[order], atol=1e-3)


def test_displaced_copies_of_a_glass_change_their_spectra_and_those_of_a_crystal_do_not(cells):
    glass, crystal = cells[0], replace(cells[1], network="diamond")
    found = taught_copies([glass, crystal], 0.25, torch.Generator().manual_seed(0))
    moved = [max(float((one[0] - torch.tensor(cell.atoms.positions)).abs().max()) for one in copies)
             for cell, copies in zip((glass, crystal), found, strict=True)]
    assert min(moved) > 0.2
    spread = [torch.stack([spectra for _, _, spectra in copies]).std(0).max() for copies in found]
    assert spread[0] > 0.05
    assert spread[1] == 0
    assert np.allclose(found[1][0][2], crystal.spectra, atol=1e-6)


def test_a_network_learns_from_cells_without_spectra_too(cells, tmp_path):
    torch.manual_seed(0)
    mute = replace(cells[1], spectra=None, network="3.5")
    out = tmp_path / "w.safetensors"
    list(train(build(FORWARD), [cells[0], mute], TAUGHT, out))
    assert sum(read_tensors(out)[1]["provenance"]["cells"].values()) == 2
    assert load_forward(out)


def test_resuming_gives_the_same_bits(cells, tmp_path):
    found = []
    for stop in (None, 3):
        torch.manual_seed(0)
        model, out = build(FORWARD), tmp_path / f"{stop}.safetensors"
        for now in train(model, cells, TAUGHT, out, every=1):
            if now.update == stop:
                break
        if stop:
            list(train(build(FORWARD), cells, TAUGHT, out, resume=True))
        found.append(read_tensors(out)[0])
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_without_spectra_or_dscribe_it_says_what_to_do(cells, monkeypatch):
    with pytest.raises(AcgenError, match="train a forward network on cells that have them"):
        Teacher([replace(cells[0], spectra=None)])
    monkeypatch.setitem(sys.modules, "dscribe", None)
    with pytest.raises(AcgenError, match=r'pip install "acgen\[train\]"'):
        Teacher(cells)
