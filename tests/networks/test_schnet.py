"""The interaction block of the judge against PyTorch Geometric's, which it replaces."""

import pytest
import torch
from torch_geometric.nn.models.schnet import GaussianSmearing as TheirBasis
from torch_geometric.nn.models.schnet import InteractionBlock as TheirBlock

from acgen.assets import asset
from acgen.networks import schnet
from acgen.networks.checkpoint import load_forward
from acgen.networks.graph import edge_vectors, periodic_graph
from acgen.networks.schnet import InteractionBlock


@pytest.fixture(scope="module")
def judge():
    return load_forward(asset("weights/judge.safetensors")).double()


@pytest.fixture(scope="module")
def graph():
    positions = torch.rand(30, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 6.5
    return periodic_graph(positions, 6.5 * torch.eye(3, dtype=torch.float64), 4.0)


def test_shipped_blocks_give_what_theirs_give(judge, graph):
    config = judge.config
    length = edge_vectors(graph).norm(dim=1)
    basis = judge.network.basis(length)
    theirs = TheirBasis(0.0, config.cutoff, config.radial).double()
    assert torch.allclose(theirs(length), basis, atol=1e-6)  # their spacing is rounded to single precision
    h = torch.randn(30, config.width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for block in judge.network.blocks:
        their = TheirBlock(config.width, config.radial, config.width, config.cutoff).double()
        their.load_state_dict(block.state_dict())
        expected = their(h, graph.edge_index, length, basis)
        assert expected.abs().max() > 0.1
        assert torch.allclose(block(h, graph.edge_index, length, basis), expected, atol=1e-6)


def test_edges_in_parts_give_what_all_at_once_give(judge, graph, monkeypatch):
    with torch.no_grad():
        whole = judge(graph)
        monkeypatch.setattr(schnet, "PART", 37)
        assert torch.allclose(judge(graph), whole, rtol=1e-12, atol=1e-13)


def test_a_new_block_begins_as_theirs():
    torch.manual_seed(0)
    ours = InteractionBlock(400, 32, 4.0).state_dict()
    theirs = TheirBlock(400, 32, 400, 4.0).state_dict()
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].shape == value.shape
        assert torch.isclose(ours[name].std(), value.std(), rtol=0.05), name
