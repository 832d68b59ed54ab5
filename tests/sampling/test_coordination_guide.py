"""The guide of known shares: what it counts, its gradient, that it means the same at every size, and that it pulls."""

import numpy as np
import pytest
import torch
from ase.build import graphene

from acgen.errors import AcgenError
from acgen.networks.models import load_models
from acgen.sampling.coordination_guide import SHARE_TOLERANCE, CoordinationGuide, soft_shares
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.sampler import random_positions
from acgen.sampling.settings import Settings
from acgen.structures.analysis import coordination_fractions
from acgen.structures.crystals import diamond
from acgen.structures.reference import reference_cells

CELL = torch.tensor([[7.5, 0.0, 0.0], [0.5, 7.8, 0.0], [0.0, -0.4, 8.0]], dtype=torch.float64)
ALL = list(range(13))
SHEETS = graphene("C2", a=2.46, size=(3, 3, 1), vacuum=5.0)


@pytest.fixture
def atoms():
    return random_positions(40, CELL, torch.Generator().manual_seed(0)) + 3


def shares_of(structure, numbers):
    found = soft_shares(torch.tensor(structure.positions)[None], torch.tensor(structure.cell.array), numbers)
    return [each[0] for each in found]


@pytest.mark.parametrize(("crystal", "number"), [(diamond(), 4), (SHEETS, 3)])
def test_crystals_are_of_one_kind(crystal, number):
    soft, hard = shares_of(crystal, [2, 3, 4])
    assert hard.tolist() == [number == k for k in (2, 3, 4)]
    assert float(soft[number - 2]) > 0.8


@pytest.mark.parametrize("cell", reference_cells()[::3], ids=lambda cell: cell.info.get("name", ""))
def test_neighbours_are_counted_as_in_every_result(cell):
    soft, hard = shares_of(cell, ALL)
    known = coordination_fractions(cell)
    assert np.allclose(hard[1:5], [known[k] for k in range(1, 5)])
    assert float(soft.sum()) == pytest.approx(1)
    assert float(hard.sum()) == pytest.approx(1)


def test_the_gradient_is_that_of_soft_neighbours(atoms):
    guide = CoordinationGuide({3: 0.2, 4: 0.7}, 100.0)
    x = atoms[None].clone().requires_grad_(True)
    penalty, _ = guide(x, CELL)
    (gradient,) = torch.autograd.grad(penalty, x)
    hard = soft_shares(atoms[None], CELL, [3, 4])[1][0]
    distance = float((hard - torch.tensor([0.2, 0.7])).norm())
    assert float(penalty.detach()) == pytest.approx(200 * 40 / 216 * (distance**4 + SHARE_TOLERANCE**4) ** 0.25)

    direction, h = torch.randn(atoms.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 1e-5
    ends = [soft_shares((atoms + step * direction)[None], CELL, [3, 4])[0][0] for step in (h, -h)]
    slope = (ends[0] - ends[1]) / (2 * h)
    steepness = distance**3 / (distance**4 + SHARE_TOLERANCE**4) ** 0.75
    known = 200 * 40 / 216 * steepness * (slope @ (hard - torch.tensor([0.2, 0.7])) / distance)
    assert float((gradient[0] * direction).sum()) == pytest.approx(float(known), rel=1e-4)


def test_a_supercell_and_company_pull_an_atom_alike(atoms):
    def pull(x, cell):
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad(CoordinationGuide({4: 0.9}, 100.0)(x, cell)[0], x)[0]

    one = pull(atoms[None], CELL)[0]
    two = pull(torch.cat([atoms, atoms + CELL[2]])[None], CELL * torch.tensor([[1.0], [1], [2]]))[0]
    assert float(one.norm()) > 0
    assert torch.allclose(two[:40], one, atol=1e-9)
    both = pull(torch.stack([atoms, atoms.flip(0)]), CELL)
    assert torch.allclose(both[0], one, atol=1e-9)
    assert torch.allclose(both[1].flip(0), one, atol=1e-9)


def test_what_has_the_shares_is_left_alone():
    cell = diamond()
    x = torch.tensor(cell.positions)[None].requires_grad_(True)
    penalty, _ = CoordinationGuide({4: 1.0, 3: 0.0}, 100.0)(x, torch.tensor(cell.cell.array))
    (gradient,) = torch.autograd.grad(penalty, x)
    assert float(gradient.abs().max()) < 1e-9


@pytest.mark.parametrize("xi", [-1.0, float("nan")])
def test_a_strength_is_not_negative(xi):
    with pytest.raises(AcgenError, match="not negative"):
        CoordinationGuide({4: 0.5}, xi)
    with pytest.raises(AcgenError, match="no share"):
        CoordinationGuide({}, 100.0)


def test_candidates_come_nearer_to_what_is_asked():
    def sp3(candidates=3, steps=24, **known):
        plan = {"steps": steps, "restarts": 3, "restart_steps": 8}
        settings = Settings(density=2.0, cell=8.5, candidates=candidates, **plan, **known)
        made = [each for each in generate(settings, load_models()) if isinstance(each, Candidate)]
        return np.mean([100 * coordination_fractions(each.atoms)[4] for each in made])

    assert sp3(sp3=40.0, xi_cn=1500.0) > sp3() + 10
    assert sp3(1, 4, sp3=40.0, xi_cn=0.0) == sp3(1, 4)
