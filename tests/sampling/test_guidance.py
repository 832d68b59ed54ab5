"""Guides: that they pull where they should, add up, and mean the same at every size."""

import numpy as np
import pytest
import torch

from acgen.networks.config import NetworkConfig
from acgen.networks.graph import periodic_graph
from acgen.networks.network import build
from acgen.sampling.guidance import CHANGE_LIMIT, PULL_LIMIT, SCORE_LIMIT, GuidedScore, SpectrumGuide
from acgen.sampling.sampler import random_positions
from acgen.spectra.instrument import Instrument
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets

CELL = torch.diag(torch.tensor([7.0, 7.5, 8.0]))


@pytest.fixture
def networks():
    torch.manual_seed(0)
    score = build(NetworkConfig("score", width=16, interactions=2)).double().eval().requires_grad_(False)
    forward = build(NetworkConfig("forward", width=16, interactions=2)).double().eval().requires_grad_(False)
    return score, forward


@pytest.fixture
def atoms():
    return random_positions(40, CELL.double(), torch.Generator().manual_seed(0))


def posterior(networks, guides, x, cell=None, t=0.2, gradient="score"):
    score, _ = networks
    return GuidedScore(score, CELL.double() if cell is None else cell, guides, gradient=gradient)(x, t)


def test_the_gradient_is_that_of_the_penalty_through_the_clean_estimate(networks, atoms):
    score, forward = networks
    guide = SpectrumGuide(forward, builtin_targets()["sp2"], 150.0)
    free, guided = posterior(networks, [], atoms), posterior(networks, [guide], atoms)

    def penalty(x):
        denoised = posterior(networks, [], x).denoised
        return float(guide(denoised[None], CELL.double())[0])

    direction = torch.randn(atoms.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    h = 1e-5
    slope = (penalty(atoms + h * direction) - penalty(atoms - h * direction)) / (2 * h)
    assert np.isclose(-slope, float(((guided.score - free.score) * direction).sum()), rtol=1e-4)
    assert torch.allclose(guided.denoised, free.denoised)


def test_the_gradient_at_the_clean_estimate_alone_takes_the_score_as_given(networks, atoms):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp2"], 150.0)
    free = posterior(networks, [], atoms)
    guided = posterior(networks, [guide], atoms, gradient="estimate")
    direction = torch.randn(atoms.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    h = 1e-5
    ends = (float(guide((free.denoised + step * direction)[None], CELL.double())[0]) for step in (h, -h))
    slope = (next(ends) - next(ends)) / (2 * h)
    assert np.isclose(-slope, float(((guided.score - free.score) * direction).sum()), rtol=1e-4)
    assert torch.equal(guided.denoised, free.denoised)
    assert guided.seen.misfit == pytest.approx(posterior(networks, [guide], atoms).seen.misfit)


def test_an_unknown_gradient_is_refused(networks):
    with pytest.raises(ValueError, match="estimate"):
        GuidedScore(networks[0], CELL.double(), gradient="both")


def test_a_score_network_is_not_believed_beyond_what_noise_can_be(networks, atoms, monkeypatch):
    monkeypatch.setattr(type(networks[0]), "forward", lambda *_: torch.full_like(atoms, 500.0))
    found = posterior(networks, [], atoms)
    sigma = networks[0].schedule.sigma(0.2)
    assert torch.allclose((found.denoised - atoms).norm(dim=1), torch.tensor(SCORE_LIMIT * sigma).double())
    assert torch.allclose(found.score * sigma**2, found.denoised - atoms)


@pytest.mark.parametrize("mode", ["cell", "site"])
def test_a_guide_lowers_its_penalty(networks, atoms, mode):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp3"], 200.0, mode)
    free, guided = posterior(networks, [], atoms), posterior(networks, [guide], atoms)
    moved = atoms + 1e-4 * (guided.score - free.score)
    before, after = (guide(x[None], CELL.double())[0] for x in (atoms, moved))
    assert after < before


@pytest.mark.parametrize("mode", ["cell", "site"])
def test_xi_means_the_same_in_a_supercell(networks, atoms, mode):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp2"], 200.0, mode)
    one = posterior(networks, [guide], atoms)
    cell = CELL.double() * torch.tensor([[2.0], [1], [1]])
    two = posterior(networks, [guide], torch.cat([atoms, atoms + CELL.double()[0]]), cell)
    assert np.isclose(one.seen.misfit, two.seen.misfit)
    assert torch.allclose(two.score[: len(atoms)], one.score, rtol=1e-6, atol=1e-9)


def test_no_atom_is_pulled_harder_than_the_limit(networks, atoms):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp3"], 1e9)
    pull = posterior(networks, [guide], atoms).score - posterior(networks, [], atoms).score
    sigma = networks[0].schedule.sigma(0.2)
    assert torch.allclose(pull.norm(dim=1), torch.full((len(atoms),), PULL_LIMIT / sigma, dtype=torch.float64))


def test_guides_are_not_asked_where_the_clean_estimate_knows_nothing(networks, atoms):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp3"], 200.0)
    early = posterior(networks, [guide], atoms, t=0.9)
    assert early.seen is None
    assert torch.equal(early.score, posterior(networks, [], atoms, t=0.9).score)


def test_scores_of_guides_add(networks, atoms):
    targets = builtin_targets()
    a, b = (SpectrumGuide(networks[1], targets[name], 100.0) for name in ("sp", "sp3"))
    free, with_a, with_b, both = (posterior(networks, guides, atoms).score for guides in ([], [a], [b], [a, b]))
    assert torch.allclose(both - free, (with_a - free) + (with_b - free), atol=1e-9)


def test_twice_xi_pulls_twice_and_zero_not_at_all(networks, atoms):
    target = builtin_targets()["sp"]
    free = posterior(networks, [], atoms).score
    guides = [SpectrumGuide(networks[1], target, xi) for xi in (0.0, 100.0, 200.0)]
    pulls = [posterior(networks, [guide], atoms).score - free for guide in guides]
    assert torch.allclose(pulls[0], torch.zeros_like(pulls[0]))
    assert torch.allclose(pulls[2], 2 * pulls[1], atol=1e-9)


def test_only_measured_points_pull(networks, atoms):
    target = builtin_targets()["sp2"]
    mask = np.arange(100) < 60
    changed = np.where(mask, target.intensity, 9.0)
    cut, same = (type(target)(values, mask) for values in (target.intensity, changed))
    scores = [posterior(networks, [SpectrumGuide(networks[1], t, 200.0)], atoms) for t in (cut, same)]
    assert torch.equal(scores[0].score, scores[1].score)
    seen = scores[0].seen
    assert seen.misfit == pytest.approx(np.linalg.norm((seen.prediction - target.intensity)[mask]))


def test_the_pull_fades_where_the_model_cannot_tell(networks, atoms):
    _, forward = networks
    near = forward(periodic_graph(atoms, CELL.double(), 3.0)).mean(0).numpy() + 1e-3
    target = type(builtin_targets()["sp"])(near, np.ones(100, bool))
    # the clean estimate at t -> 0 is the atoms themselves, so the misfit there is what was put in
    free = posterior(networks, [], atoms, t=1e-6).score
    guides = [SpectrumGuide(forward, target, 200.0, tolerance=tolerance) for tolerance in (0.0, 0.1)]
    strict, tolerant = ((posterior(networks, [guide], atoms, t=1e-6).score - free).abs().max() for guide in guides)
    assert 0 < tolerant < 0.2 * strict


@pytest.mark.parametrize("wrong", [{"xi": -1.0}, {"xi": float("nan")}, {"xi": 1.0, "mode": "atom"}])
def test_wrong_guides_are_refused(networks, wrong):
    with pytest.raises(ValueError, match="xi|mode"):
        SpectrumGuide(networks[1], builtin_targets()["sp"], **wrong)


def test_autoguidance_leads_away_from_the_weak_network(networks, atoms):
    score, _ = networks
    torch.manual_seed(1)
    weak = build(NetworkConfig("score", width=8, interactions=1)).double().eval().requires_grad_(False)
    cell, t = CELL.double(), 0.2
    plain, poor = GuidedScore(score, cell)(atoms, t), GuidedScore(weak, cell)(atoms, t)
    led = GuidedScore(score, cell, weak=weak, autoguidance=1.5)(atoms, t)
    assert torch.allclose(led.score - plain.score, 0.5 * (plain.score - poor.score))
    assert torch.equal(led.denoised, plain.denoised)
    off = GuidedScore(score, cell, weak=weak)(atoms, t)
    assert torch.equal(off.score, plain.score)
    far = GuidedScore(score, cell, weak=weak, autoguidance=1e6)(atoms, t)
    change = (far.score - plain.score).norm(dim=1) * score.schedule.sigma(t)
    assert torch.allclose(change, torch.full_like(change, CHANGE_LIMIT))


def distorted(networks, atoms, *values):
    """Target: what an instrument makes of the spectrum of atoms."""
    spectrum = networks[1](periodic_graph(atoms, CELL.double(), 3.0)).mean(0).numpy()
    return Target(Instrument(*values).apply(spectrum), np.ones(100, bool))


def test_a_guide_with_an_instrument_sees_through_what_it_did(networks, atoms):
    target = distorted(networks, atoms, 0.4, 1.1, 0.005, 0.3)
    plain, fitted = (SpectrumGuide(networks[1], target, 200.0, instrument=instrument) for instrument in (False, True))
    (_, [before]), (_, [after]) = plain(atoms[None], CELL.double()), fitted(atoms[None], CELL.double())
    assert before.instrument is None is before.spectrum
    assert after.misfit < 1e-3 * before.misfit
    assert np.allclose(after.prediction, target.intensity, atol=1e-3)
    assert np.allclose(after.spectrum, before.prediction)
    assert np.allclose(after.instrument.apply(after.spectrum), after.prediction, atol=1e-4)


def test_its_gradient_is_that_of_the_misfit_with_the_parameters_fitted_anew(networks, atoms):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp2"], 150.0, instrument=True, tolerance=0.0)
    x = atoms.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(guide(x[None], CELL.double())[0], x)
    direction = torch.randn(atoms.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    h = 1e-4
    penalties = [float(guide((atoms + sign * h * direction)[None], CELL.double())[0]) for sign in (1, -1)]
    assert (penalties[0] - penalties[1]) / (2 * h) == pytest.approx(float((gradient * direction).sum()), rel=0.01)


def test_an_instrument_and_every_site_do_not_go_together(networks):
    with pytest.raises(ValueError, match="cell"):
        SpectrumGuide(networks[1], builtin_targets()["sp"], 1.0, "site", instrument=True)


@pytest.mark.parametrize("gradient", ["estimate", "score"])
def test_structures_in_one_graph_are_evaluated_as_alone(networks, atoms, gradient):
    guide = SpectrumGuide(networks[1], builtin_targets()["sp2"], 0.0)
    score = GuidedScore(networks[0], CELL.double(), [guide], weak=networks[0], autoguidance=2.0, gradient=gradient)
    noise = torch.randn(3, *atoms.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    structures, strengths = atoms + 0.1 * noise, torch.tensor([0.0, 500.0, 2000.0]).double()
    guide.xi = strengths
    joined = score.together(structures, 0.3)
    for x, xi, found in zip(structures, strengths, joined, strict=True):
        guide.xi = float(xi)
        alone = score(x, 0.3)
        assert torch.allclose(found.score, alone.score, rtol=1e-9, atol=1e-9)
        assert torch.allclose(found.denoised, alone.denoised, rtol=1e-9, atol=1e-9)
        assert found.seen.misfit == pytest.approx(alone.seen.misfit, rel=1e-9)


def gradient_of(guide, structures):
    pos = structures.clone().requires_grad_(True)
    penalty, seen = guide(pos, CELL.double())
    return torch.autograd.grad(penalty, pos)[0], seen


def test_a_joint_guide_pulls_equal_structures_as_a_single_one_does(networks, atoms):
    target = builtin_targets()["sp2"]
    single, _ = gradient_of(SpectrumGuide(networks[1], target, 150.0), atoms[None])
    pair, seen = gradient_of(SpectrumGuide(networks[1], target, 150.0, joint=True), torch.stack([atoms, atoms]))
    for each in pair:
        assert torch.allclose(each, single[0], rtol=1e-5, atol=1e-6)
    assert seen[0] is seen[1]


def test_a_joint_guide_sees_the_mean_of_all(networks, atoms):
    forward = networks[1]
    other = random_positions(40, CELL.double(), torch.Generator().manual_seed(7))
    spectra = [forward(periodic_graph(x, CELL.double(), forward.config.cutoff)).mean(0) for x in (atoms, other)]
    mean = torch.stack(spectra).mean(0).numpy()
    guide = SpectrumGuide(forward, Target(mean, np.ones(100, bool), "mean"), 150.0, joint=True)
    _, seen = gradient_of(guide, torch.stack([atoms, other]))
    assert seen[0].misfit < 1e-6
    assert np.allclose(seen[0].prediction, mean)
