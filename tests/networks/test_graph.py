"""The neighbour list against ase's, in every kind of cell."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list
from torch_geometric.data import Batch

from acgen.networks.graph import (
    all_pairs,
    batch_graphs,
    edge_vectors,
    equal_graphs,
    gather,
    periodic_graph,
    scatter_sum,
)

CELLS = {
    "cube": np.eye(3) * 8.0,
    "triclinic": np.array([[7.0, 0, 0], [2.5, 6.0, 0], [-1, 2, 9.0]]),
    "small": np.array([[2.5, 0, 0], [1.2, 2.2, 0], [0.3, 0.2, 2.9]]),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_edges_are_those_of_ase(name, spread):
    cell = CELLS[name]
    rng = np.random.default_rng(1)
    positions = (rng.random((12, 3)) * spread) @ cell
    graph = periodic_graph(torch.tensor(positions), torch.tensor(cell), 3.0)
    i, j, vectors = neighbor_list("ijD", Atoms("C12", positions=positions, cell=cell, pbc=True), 3.0)
    senders, receivers = graph.edge_index.numpy()
    ours = np.column_stack([receivers, senders, edge_vectors(graph).numpy()])
    theirs = np.column_stack([i, j, vectors])
    assert len(ours) == len(theirs) > 0
    assert np.allclose(_sorted(ours), _sorted(theirs), atol=1e-9)


@pytest.mark.parametrize("name", ["cube", "triclinic"])
def test_all_pairs_give_the_same_edges_wherever_atoms_lie(name):
    cell, rng = torch.tensor(CELLS[name]), np.random.default_rng(3)
    positions = torch.tensor(rng.normal(size=(15, 3)) * 20)
    found, known = all_pairs(positions, cell, 3.0), periodic_graph(positions, cell, 3.0)
    ours, theirs = (np.column_stack([g.edge_index.numpy()[::-1].T, edge_vectors(g).numpy()]) for g in (found, known))
    assert len(ours) == len(theirs) > 0
    assert np.allclose(_sorted(ours), _sorted(theirs), atol=1e-9)
    receivers = found.edge_index[1]
    assert (receivers.diff() >= 0).all(), "sorted by receiver"


def test_several_structures_make_one_graph_each_with_its_own_edges():
    cell, positions = torch.eye(3) * 8.0, torch.rand(3, 10, 3, generator=torch.Generator().manual_seed(1)) * 8
    joined = equal_graphs(positions, cell, 3.0)
    parts = [periodic_graph(each, cell, 3.0) for each in positions]
    assert torch.equal(joined.pos, positions.view(-1, 3))
    assert torch.equal(joined.batch, torch.arange(3).repeat_interleave(10))
    assert torch.equal(edge_vectors(joined), torch.cat([edge_vectors(part) for part in parts]))


def test_an_atom_is_its_own_neighbour_in_a_small_cell():
    graph = periodic_graph(torch.zeros(1, 3), torch.eye(3) * 2.0, 2.5)
    assert graph.edge_index.shape == (2, 6)
    assert torch.allclose(edge_vectors(graph).norm(dim=1), torch.full((6,), 2.0))


def test_edge_vectors_are_differentiable():
    positions = torch.rand(5, 3, dtype=torch.float64) * 4
    graph = periodic_graph(positions, torch.eye(3, dtype=torch.float64) * 4, 2.5)

    def lengths(x):
        return edge_vectors(replace(graph, pos=x)).norm(dim=1)

    assert torch.autograd.gradcheck(lengths, positions.requires_grad_(True))


def test_batches_keep_graphs_apart():
    graphs = [periodic_graph(torch.rand(n, 3) * 4, torch.eye(3) * 4, 2.5) for n in (4, 6)]
    batch = batch_graphs(graphs)
    senders, receivers = batch.edge_index
    assert torch.equal(batch.batch[senders], batch.batch[receivers])
    assert torch.allclose(edge_vectors(batch), torch.cat([edge_vectors(graph) for graph in graphs]))


def test_pytorch_geometric_joins_and_reads_graphs_as_we_do():
    graphs = [periodic_graph(torch.rand(n, 3) * 4, torch.eye(3) * 4, 2.5) for n in (4, 1, 6)]
    theirs = Batch.from_data_list([graph.to_pyg() for graph in graphs])
    ours = batch_graphs(graphs)
    for name in ("pos", "cell", "edge_index", "offset"):
        assert torch.equal(getattr(ours, name), theirs[name])
    assert torch.equal(ours.batch, torch.tensor([0] * 4 + [1] + [2] * 6))
    again = batch_graphs([batch_graphs(graphs[:2]), graphs[2]])
    assert torch.equal(again.batch, ours.batch)
    assert torch.equal(again.edge_index, ours.edge_index)


def test_gather_and_scatter_are_transposes():
    index = torch.tensor([0, 2, 2, 1])
    a, b = torch.rand(3, 2), torch.rand(4, 2)
    assert torch.isclose((gather(a, index) * b).sum(), (a * scatter_sum(b, index, 3)).sum())


def _sorted(rows):
    rows = np.round(rows, 6)
    return rows[np.lexsort(rows.T[::-1])]
