"""Symmetries of every network, on periodic cells of every kind."""

import numpy as np
import pytest
import torch

from acgen.networks.aggregate import neighbour_sum, plain_neighbour_sum
from acgen.networks.config import CONFIGS, NetworkConfig
from acgen.networks.graph import batch_graphs, periodic_graph
from acgen.networks.network import build

CELL = torch.tensor([[5.0, 0, 0], [1.5, 4.0, 0], [-0.5, 1.0, 4.5]], dtype=torch.float64)


@pytest.fixture
def atoms():
    return torch.rand(9, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64) @ CELL


@pytest.fixture(params=sorted(CONFIGS), ids="-".join)
def model(request):
    torch.manual_seed(0)
    return build(CONFIGS[request.param]).double().eval()


def evaluate(model, positions, cell=CELL):
    graph = periodic_graph(positions, cell, model.config.cutoff)
    with torch.no_grad():
        if model.config.task == "score":
            return model(graph, torch.tensor([0.3], dtype=torch.float64))
        return model(graph)


def rotation(*, mirror):
    q, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    return q if (torch.linalg.det(q) < 0) == mirror else -q


@pytest.mark.parametrize("mirror", [False, True])
def test_rotation_and_reflection(model, atoms, mirror):
    turn = rotation(mirror=mirror)
    before, after = evaluate(model, atoms), evaluate(model, atoms @ turn, CELL @ turn)
    expected = before @ turn if model.config.task == "score" else before
    scale = before.abs().max()
    assert scale > 1e-4
    if model.config.equivariant:
        assert (after - expected).abs().max() < 1e-9 * max(scale, 1)
    else:  # the paper's network learns it from rotated cells
        assert (after - expected).abs().max() > 1e-3 * scale


@pytest.mark.parametrize("change", ["translation", "permutation", "images", "supercell"])
def test_invariances(model, atoms, change):
    before = evaluate(model, atoms)
    order = torch.arange(len(atoms))
    cell, changed = CELL, atoms
    if change == "translation":
        changed = atoms + torch.tensor([0.3, -7.0, 1.1], dtype=torch.float64)
    elif change == "permutation":
        order = torch.randperm(len(atoms), generator=torch.Generator().manual_seed(0))
        changed = atoms[order]
    elif change == "images":
        shifts = torch.randint(-2, 3, (len(atoms), 3), generator=torch.Generator().manual_seed(0))
        changed = atoms + shifts.double() @ CELL
    else:
        changed, cell = torch.cat([atoms, atoms + CELL[0]]), CELL * torch.tensor([[2.0], [1], [1]], dtype=torch.float64)
        order = order.repeat(2)
    assert torch.allclose(evaluate(model, changed, cell), before[order], rtol=1e-7, atol=1e-9)


def test_a_batch_gives_what_its_graphs_give(model, atoms):
    graphs = [periodic_graph(x, CELL, model.config.cutoff) for x in (atoms, atoms[:5])]
    times = torch.tensor([0.2, 0.7], dtype=torch.float64)
    with torch.no_grad():
        if model.config.task == "score":
            together = model(batch_graphs(graphs), times)
            apart = [model(graph, t[None]) for graph, t in zip(graphs, times, strict=True)]
        else:
            together, apart = model(batch_graphs(graphs)), [model(graph) for graph in graphs]
    assert torch.allclose(together, torch.cat(apart), atol=1e-10)


def test_the_score_depends_on_time(model, atoms):
    if model.config.task != "score":
        return
    graph = periodic_graph(atoms, CELL, model.config.cutoff)
    early, late = (model(graph, torch.tensor([t], dtype=torch.float64)) for t in (0.1, 0.9))
    assert (early - late).abs().max() > 1e-4


def test_outputs_vary_smoothly_as_a_neighbour_leaves(atoms):
    torch.manual_seed(0)
    model = build(NetworkConfig("score", interactions=1)).double()
    cell = torch.eye(3, dtype=torch.float64) * 20
    jump = []
    for gap in (2.999999, 3.000001):
        pair = torch.tensor([[0.0, 0, 0], [gap, 0, 0], [0, 1.5, 0]], dtype=torch.float64)
        jump.append(evaluate(model, pair, cell))
    assert (jump[0] - jump[1]).abs().max() < 1e-9


@pytest.mark.parametrize("parts", [2, 3])
def test_the_written_out_gradient_of_the_neighbour_sum(parts):
    generator = torch.Generator().manual_seed(0)
    width, atoms, edges = 3, 4, 9

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)

    senders, receivers = torch.randint(0, atoms, (2, edges), generator=generator)
    features = random(atoms, {2: 2, 3: 5}[parts] * width)
    filters, direction = random(edges, parts * width), random(edges, 3)
    arguments = (features, filters, direction, senders, receivers)
    assert torch.allclose(neighbour_sum(*arguments), plain_neighbour_sum(*arguments))
    assert torch.autograd.gradcheck(neighbour_sum, arguments)


@pytest.mark.parametrize(
    "wrong", [{"task": "guess"}, {"task": "score", "kind": "schnet"}, {"task": "score", "width": 0}]
)
def test_wrong_configurations_are_refused(wrong):
    with pytest.raises(ValueError, match="network"):
        NetworkConfig(**wrong)


def test_paper_sizes_are_those_of_table_1():
    score, forward = CONFIGS["score", "paper"], CONFIGS["forward", "paper"]
    assert (score.width, score.interactions) == (256, 5)
    assert (forward.width, forward.interactions) == (256, 3)
    assert np.isclose(score.k, 0.8)
