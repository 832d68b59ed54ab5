"""The random atoms that a run starts from."""

import torch

from acgen.sampling.sampler import random_positions


def test_random_positions_fill_a_skewed_cell_evenly():
    cell = torch.tensor([[3.0, 0, 0], [2, 4, 0], [1, -1, 5]])
    x = random_positions(20000, cell, torch.Generator().manual_seed(0)) @ torch.linalg.inv(cell)
    assert x.min() >= -1e-5
    assert x.max() <= 1 + 1e-5
    assert torch.allclose(x.mean(0), torch.full((3,), 0.5), atol=0.01)
    assert torch.allclose(x.var(0), torch.full((3,), 1 / 12), atol=0.003)
