"""Timings, as ratios within one run; nothing here asserts a time. Run: pytest tests/benchmarks --benchmark-only -s."""

import os
import time

import pytest
import torch

from acgen.memory import keep_freed_memory
from acgen.networks.config import CONFIGS
from acgen.networks.models import load_models
from acgen.networks.network import build
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.guidance import GuidedScore, SpectrumGuide
from acgen.sampling.sampler import random_positions
from acgen.sampling.settings import Settings
from acgen.spectra.targets import builtin_targets
from acgen.structures.cell import cell_matrix, edge_of, n_atoms

T = 0.2


@pytest.fixture(scope="module")
def models():
    torch.set_num_threads(os.cpu_count() or 1)
    keep_freed_memory()
    return load_models()


def paper():
    return (build(CONFIGS[task, "paper"]).eval().requires_grad_(False) for task in ("score", "forward"))


def step(score, forward, edge, density=2.0, *, guided=True, weak=None):
    """A function that evaluates the posterior score of atoms as far apart as denoised ones are."""
    box = cell_matrix(edge)
    cell = torch.tensor(box, dtype=torch.float32)
    x = spread(random_positions(n_atoms(density, box), cell, torch.Generator().manual_seed(0)), cell)
    guides = [SpectrumGuide(forward, builtin_targets()["sp2"], 200.0)] if guided else []
    posterior = GuidedScore(score, cell, guides, weak=weak, autoguidance=Settings.autoguidance)
    return lambda: posterior(x, T), len(x)


def spread(x, cell):
    """Random atoms after a few noise-free steps, so that the number of neighbours is that of a structure."""
    posterior = GuidedScore(load_models().score, cell)
    for t in (0.6, 0.5, 0.4, 0.3):
        x = posterior(x, t).denoised
    return x


def median(function, rounds=15):
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return sorted(times)[rounds // 2]


@pytest.mark.parametrize("guided", [False, True], ids=["free", "guided"])
@pytest.mark.parametrize("network", ["default", "paper"])
def test_one_step_of_216_atoms(benchmark, models, network, guided):
    score, forward, weak = (models.score, models.forward, models.weak) if network == "default" else (*paper(), None)
    function, atoms = step(score, forward, edge_of(216, 2.0), guided=guided, weak=weak)
    benchmark.extra_info["atoms"] = atoms
    benchmark.pedantic(function, rounds=15, warmup_rounds=2)


def test_a_guided_step_against_the_paper(benchmark, models):
    ours, _ = step(models.score, models.forward, edge_of(216, 2.0), weak=models.weak)
    theirs, _ = step(*paper(), edge_of(216, 2.0))
    ratio = median(theirs) / median(ours)
    benchmark.extra_info["paper over default"] = ratio
    print(f"\na guided step of the paper's networks takes {ratio:.1f} times as long")
    benchmark.pedantic(ours, rounds=5)


def test_time_per_atom_of_a_large_cell(benchmark, models):
    small, few = step(models.score, models.forward, edge_of(216, 2.0))
    large, many = step(models.score, models.forward, 35.0)
    ratio = (median(large, 5) / many) / (median(small) / few)
    benchmark.extra_info["large over small, per atom"] = ratio
    print(f"\n{many} atoms: {ratio:.2f} times the time per atom and step of {few} atoms")
    benchmark.pedantic(large, rounds=1)


def test_a_guided_candidate(benchmark, models):
    settings = Settings(density=2.0, cell=edge_of(216, 2.0), target=builtin_targets()["sp2"], candidates=1)

    def run():
        return next(event for event in generate(settings, models) if isinstance(event, Candidate))

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
