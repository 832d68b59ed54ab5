"""The potential: forces that are a gradient, training on them, and what the shipped one knows of carbon."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from acgen.data.energy_labels import crystals
from acgen.data.public import LabelledCell
from acgen.errors import AcgenError
from acgen.networks.checkpoint import CheckpointError, load_energy
from acgen.networks.config import NetworkConfig
from acgen.networks.energies import energy_above_reference, potential_error
from acgen.networks.graph import NearList, batch_graphs, equal_graphs, periodic_graph
from acgen.networks.models import load_potential, predict_energies
from acgen.networks.network import build
from acgen.networks.train import TrainConfig, train
from acgen.structures.reference import reference_cells

CONFIG = NetworkConfig("energy", width=8, interactions=2, cutoff=3.0)
CELL = torch.diag(torch.tensor([6.5, 7.0, 8.0], dtype=torch.float64))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build(CONFIG).double()


@pytest.fixture
def graph():
    positions = torch.rand(20, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) @ CELL
    return periodic_graph(positions, CELL, CONFIG.cutoff)


def energy_at(model, positions):
    return model(periodic_graph(positions, CELL, CONFIG.cutoff)).sum().item()


def test_forces_are_minus_the_gradient_of_the_energy(model, graph):
    _, forces = model.eval().energies_and_forces(graph)
    for atom, axis in ((0, 0), (7, 2)):
        moved = torch.zeros_like(graph.pos)
        moved[atom, axis] = 1e-5
        slope = (energy_at(model, graph.pos + moved) - energy_at(model, graph.pos - moved)) / 2e-5
        assert float(forces[atom, axis]) == pytest.approx(-slope, rel=1e-5, abs=1e-8)


def test_training_and_use_have_the_same_forces(model, graph):
    trained, used = model.train().energies_and_forces(graph)[1], model.eval().energies_and_forces(graph)[1]
    assert trained.requires_grad
    assert torch.allclose(trained, used, atol=1e-12)


@pytest.mark.parametrize("name", ["network.body.messages.1.phi.0.weight", "network.body.messages.0.filter.weight"])
def test_what_is_learned_from_forces_is_their_gradient(model, graph, name):
    weight = dict(model.train().named_parameters())[name]

    def loss():
        return model.energies_and_forces(graph)[1].square().sum()

    loss().backward()
    with torch.no_grad():
        weight[0, 0] += 1e-5
        higher = loss().item()
        weight[0, 0] -= 2e-5
        lower = loss().item()
    assert float(weight.grad[0, 0]) == pytest.approx((higher - lower) / 2e-5, rel=1e-4)


def test_near_pairs_make_the_graphs_until_an_atom_has_moved_too_far(graph):
    start = torch.stack([graph.pos, graph.pos + 0.3])
    near = NearList(start, CELL, CONFIG.cutoff)
    generator = torch.Generator().manual_seed(2)
    moved = start + 0.1 * (torch.rand(start.shape, generator=generator, dtype=torch.float64) - 0.5)
    assert near.holds(moved)
    ours, theirs = near.graph(moved), equal_graphs(moved, CELL, CONFIG.cutoff)
    order = [np.lexsort((*each.offset.T.numpy(), *each.edge_index.numpy())) for each in (ours, theirs)]
    assert torch.equal(ours.edge_index[:, order[0]], theirs.edge_index[:, order[1]])
    assert torch.allclose(ours.offset[order[0]], theirs.offset[order[1]])
    assert torch.equal(ours.batch, theirs.batch)
    far = moved.clone()
    far[0, 0, 0] += 0.3
    assert not near.holds(far)


def spring_cells(count, seed):
    """Pairs on a spring of 5 eV/Å² and 1.4 Å, with energies and forces."""
    rng, made = np.random.default_rng(seed), []
    for number in range(count):
        length = rng.uniform(1.2, 1.6)
        axis = rng.standard_normal(3)
        axis /= np.linalg.norm(axis)
        atoms = Atoms("C2", positions=[[4, 4, 4], 4 + length * axis], cell=[8, 8, 8], pbc=True)
        force = 5 * (length - 1.4) * axis
        energy = 2.5 * (length - 1.4) ** 2 - 14
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.array([force, -force]))
        made.append(LabelledCell(f"pair{number}", "0.5", atoms))
    return made


def test_a_spring_is_learned_and_the_weights_come_back(tmp_path):
    torch.manual_seed(0)
    out = tmp_path / "spring.safetensors"
    config = TrainConfig(updates=400, batch=8, rate=5e-3, warmup=20, ema=0.98, clip=10.0)
    list(train(build(CONFIG), spring_cells(60, 0), config, out))
    error = potential_error(load_energy(out), [cell.atoms for cell in spring_cells(30, 1)])
    assert error.force < 0.3 * error.force_rms
    assert error.energy < 0.05
    assert error.rank > 0.7


def test_energies_of_atoms_are_learned_where_labels_have_them(tmp_path):
    cells = []
    for number in range(8):
        half = 1.3 + 0.01 * number
        atoms = Atoms("C3", positions=[[4, 4, 4 + z] for z in (-half, 0, half)], cell=[8, 8, 8], pbc=True)
        atoms.calc = SinglePointCalculator(atoms, energy=-21.0, energies=[-6.0, -9.0, -6.0], forces=np.zeros((3, 3)))
        cells.append(LabelledCell(f"row{number}", "0.5", atoms))
    torch.manual_seed(0)
    out = tmp_path / "row.safetensors"
    config = TrainConfig(updates=300, batch=4, rate=5e-3, warmup=20, ema=0.98, clip=10.0)
    list(train(build(CONFIG), cells, config, out))
    found = predict_energies(load_energy(out), cells[3].atoms)
    np.testing.assert_allclose(found, [-6, -9, -6], atol=0.5)


def test_what_has_no_forces_is_refused(tmp_path):
    cell = LabelledCell("bare", "3.5", bulk("C", cubic=True))
    with pytest.raises(AcgenError, match="no energy or forces"):
        list(train(build(CONFIG), [cell], TrainConfig(updates=1), tmp_path / "w.safetensors"))
    with pytest.raises(AcgenError, match="without compile"):
        list(train(build(CONFIG), spring_cells(1, 0), TrainConfig(updates=1), tmp_path / "w.safetensors", compile=True))
    with pytest.raises(AcgenError, match="no energy or forces"):
        potential_error(load_potential(), [bulk("C", cubic=True)])


def test_a_network_for_something_else_is_no_potential():
    from acgen.assets import asset

    with pytest.raises(CheckpointError, match="forward network where a potential"):
        load_energy(asset("weights/forward.safetensors"))


def test_the_shipped_potential_knows_crystals():
    potential = load_potential()
    perfect = crystals()[2:4]  # at the lattice constants of experiment
    strained = [crystals()[k] for k in (0, 4, 1, 5)]
    energies = [predict_energies(potential, atoms).mean() for atoms in perfect]
    assert abs(energies[0] - energies[1]) < 0.15, "diamond and graphite are within 0.03 eV per atom of each other"
    for atoms, energy in zip(strained, np.repeat(energies, 2), strict=True):
        assert predict_energies(potential, atoms).mean() > energy


def test_symmetry_leaves_no_force():
    potential = load_potential().double()
    for atoms in crystals():
        positions, cell = (torch.tensor(each) for each in (atoms.positions, atoms.cell.array))
        _, forces = potential.energies_and_forces(periodic_graph(positions, cell, potential.config.cutoff))
        assert forces.abs().max().item() < 1e-5


def test_energies_of_the_shipped_cells_are_those_of_their_own_potential():
    potential = load_potential()
    errors = []
    for atoms in reference_cells():
        errors.append(predict_energies(potential, atoms).mean() - atoms.info["energy_per_atom"])
        assert abs(energy_above_reference(atoms, potential)) < 0.3
    assert max(map(abs, errors)) < 0.1
    slow, fast = (np.mean([energy_above_reference(a, potential) for a in reference_cells() if a.info["quench_fs"] == q])
                  for q in (6000, 1200))
    assert slow < fast, "slower quenches end lower"


def test_a_supercell_has_the_energies_of_its_cell():
    potential = load_potential()
    atoms = reference_cells()[0]
    energies = predict_energies(potential, atoms)
    assert np.allclose(predict_energies(potential, atoms * (2, 1, 1)), np.tile(energies, 2), atol=1e-4)


def test_structures_side_by_side_do_not_see_each_other(model, graph):
    one = model.eval().energies_and_forces(graph)
    both = model.energies_and_forces(batch_graphs([graph, graph]))
    for ours, theirs in zip(both, one, strict=True):
        assert torch.allclose(ours, torch.cat([theirs, theirs]), atol=1e-12)
