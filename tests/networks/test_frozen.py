"""Frozen networks on a CPU against the same in plain operations of torch."""

from dataclasses import replace

import pytest
import torch

from acgen.networks import frozen as frozen_module
from acgen.networks import frozen_layer
from acgen.networks.config import NetworkConfig
from acgen.networks.frozen import fits, frozen
from acgen.networks.graph import batch_graphs, periodic_graph
from acgen.networks.network import build
from acgen.networks.painn import PaiNN

CELL = torch.tensor([[6.5, 0, 0], [1.5, 6.0, 0], [-0.5, 1.0, 7.0]], dtype=torch.float64)
SIZES = {"width": 16, "interactions": 3}


@pytest.fixture(params=["score", "forward", "energy"])
def model(request):
    torch.manual_seed(0)
    return build(NetworkConfig(request.param, **SIZES)).double().eval().requires_grad_(False)


@pytest.fixture
def graph():
    generator = torch.Generator().manual_seed(3)
    cells = [torch.rand(count, 3, generator=generator, dtype=torch.float64) @ CELL for count in (23, 17)]
    return batch_graphs([periodic_graph(x, CELL, 3.0) for x in cells])


def evaluate(model, graph):
    return model(graph, torch.tensor([0.3, 0.6]).to(graph.pos)) if model.config.task == "score" else model(graph)


def values_and_gradient(model, graph):
    pos = graph.pos.clone().requires_grad_(True)
    out = evaluate(model, replace(graph, pos=pos))
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(out)
    (gradient,) = torch.autograd.grad((out * weights).sum(), pos)
    return out.detach(), gradient


def plainly(monkeypatch, function, *arguments):
    with monkeypatch.context() as patch:
        patch.setattr(PaiNN, "forward", PaiNN.plain)
        return function(*arguments)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "worked out again"])
@pytest.mark.parametrize("block", [1000, 7])
def test_values_and_gradients_are_those_of_plain_torch(monkeypatch, model, graph, kept, block):
    monkeypatch.setattr(frozen_layer, "BLOCK", block)
    monkeypatch.setattr(frozen_module, "KEPT", 1000 if kept else 1)
    expected = plainly(monkeypatch, values_and_gradient, model, graph)
    found = values_and_gradient(model, graph)
    for ours, theirs in zip(found, expected, strict=True):
        assert theirs.abs().max() > 1e-3
        assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()
    with torch.no_grad():
        assert torch.allclose(evaluate(model, graph), found[0], rtol=1e-12, atol=1e-14)


def test_the_gradient_is_that_of_finite_differences(model, graph):
    short = periodic_graph(graph.pos[:9], CELL, 3.0)
    times = torch.tensor([0.3], dtype=torch.float64)

    def function(pos):
        moved = replace(short, pos=pos)
        return model(moved, times) if model.config.task == "score" else model(moved)[..., :7]

    assert torch.autograd.gradcheck(function, short.pos.clone().requires_grad_(True), rtol=1e-5, atol=1e-7)


def test_single_precision_errs_no_more_than_plain_torch(monkeypatch, model, graph):
    exact = plainly(monkeypatch, evaluate, model, graph)
    single = replace(graph, pos=graph.pos.float(), offset=graph.offset.float())
    model = model.float()
    ours, theirs = evaluate(model, single), plainly(monkeypatch, evaluate, model, single)
    size = exact.abs().max()
    assert (ours - exact).abs().max() < 1e-5 * size + 2 * (theirs - exact).abs().max()


def test_changed_weights_are_seen(monkeypatch, model, graph):
    before = evaluate(model, graph)
    body = model.network.body
    made = frozen(body)
    assert frozen(body) is made
    with torch.no_grad():
        body.messages[1].filter.weight.mul_(1.5)
    assert frozen(body) is not made
    after, expected = evaluate(model, graph), plainly(monkeypatch, evaluate, model, graph)
    assert (after - before).abs().max() > 1e-3 * before.abs().max()
    assert (after - expected).abs().max() < 1e-5 * expected.abs().max()


def test_training_and_other_devices_are_served_by_plain_torch(model, graph):
    body = model.network.body
    assert fits(body, graph)
    body.messages[0].filter.weight.requires_grad_(True)
    assert not fits(body, graph)
    with torch.no_grad():
        assert fits(body, graph)
        assert not fits(body, replace(graph, pos=graph.pos.to("meta")))
