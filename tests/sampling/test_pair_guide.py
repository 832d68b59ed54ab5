"""The guide of a pair distribution: its gradient, that it means the same at every size, and that it adds."""

import numpy as np
import pytest
import torch

from acgen.errors import AcgenError
from acgen.networks.config import NetworkConfig
from acgen.networks.network import build
from acgen.sampling import pair_guide
from acgen.sampling.guidance import GuidedScore, SpectrumGuide
from acgen.sampling.pair_guide import PairGuide, differentiable_pdf
from acgen.sampling.sampler import random_positions
from acgen.scattering.pairs import reduced_pdf
from acgen.scattering.read import read_pdf
from acgen.spectra.targets import builtin_targets
from acgen.structures.cell import carbon
from acgen.structures.reference import reference_cells

CELL = torch.tensor([[7.5, 0.0, 0.0], [0.5, 7.8, 0.0], [0.0, -0.4, 8.0]], dtype=torch.float64)
R = np.arange(0.02, 7, 0.02)


@pytest.fixture(scope="module")
def target():
    rows = zip(R, reduced_pdf(reference_cells()[4], R, 0.05), strict=True)
    return read_pdf("".join(f"{r:.3f} {g:.6f}\n" for r, g in rows).encode(), name="cell.gr")


@pytest.fixture
def atoms():
    return random_positions(40, CELL, torch.Generator().manual_seed(0)) + 3


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return [build(NetworkConfig(task, width=16, interactions=2)).double().eval() for task in ("score", "forward")]


@pytest.mark.parametrize("most", [1000, 10], ids=["all pairs", "neighbour list"])
def test_it_is_the_plain_sum(target, atoms, most, monkeypatch):
    monkeypatch.setattr(pair_guide, "ALL_PAIRS_ATOMS", most)
    r = target.r[: target.points(CELL.numpy())]
    known = reduced_pdf(carbon(atoms.numpy(), CELL.numpy()), r, 0.1)
    found = differentiable_pdf(atoms, CELL, torch.tensor(r), 0.1)
    # atoms nearer than `CLOSEST` weigh less, but lie below the first point
    assert np.allclose(found, known, atol=1e-3)


def test_the_gradient_is_that_of_the_penalty(target, atoms):
    guide = PairGuide(target, 100.0)
    x = atoms[None].clone().requires_grad_(True)
    penalty, (seen,) = guide(x, CELL)
    (gradient,) = torch.autograd.grad(penalty, x)
    assert seen.misfit == pytest.approx(target.compare(carbon(atoms.numpy(), CELL.numpy()))[0], rel=1e-3)
    direction, h = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 1e-4
    with torch.no_grad():
        ends = [float(guide(x + step * direction, CELL)[0]) for step in (h, -h)]
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(float((gradient * direction).sum()), rel=1e-3)


def test_a_supercell_and_company_pull_an_atom_alike(target, atoms):
    def pull(x, cell):
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad(PairGuide(target, 100.0)(x, cell)[0], x)[0]

    one = pull(atoms[None], CELL)[0]
    wide = CELL * torch.tensor([[1.0], [1], [2]])  # as low as before
    two = pull(torch.cat([atoms, atoms + CELL[2]])[None], wide)[0]
    assert torch.allclose(two[: len(atoms)], one, rtol=1e-4, atol=1e-6)
    both = pull(torch.stack([atoms, atoms.flip(0)]), CELL)
    assert torch.allclose(both[0], one)
    assert torch.allclose(both[1].flip(0), one)


def test_guides_of_a_spectrum_and_of_pairs_add_in_any_order(target, atoms, networks):
    score, forward = networks
    guides = [SpectrumGuide(forward, builtin_targets()["sp2"], 100.0), PairGuide(target, 30.0)]

    def seen(*chosen):
        return GuidedScore(score, CELL, chosen)(atoms, 0.2)

    free, spectrum, pairs = seen(), seen(guides[0]), seen(guides[1])
    both, turned = seen(*guides), seen(*reversed(guides))
    assert torch.allclose(both.score - free.score, spectrum.score + pairs.score - 2 * free.score, atol=1e-9)
    assert (free.seen, free.pairs, spectrum.pairs, pairs.seen) == (None, None, None, None)
    assert both.seen.misfit == turned.seen.misfit == pytest.approx(spectrum.seen.misfit)
    assert both.pairs.misfit == turned.pairs.misfit == pytest.approx(pairs.pairs.misfit)


def test_no_strength_is_refused(target):
    with pytest.raises(AcgenError, match="not negative"):
        PairGuide(target, -1.0)
