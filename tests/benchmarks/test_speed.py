"""Timings, as ratios within one run; nothing here asserts a time. Run: pytest tests/benchmarks --benchmark-only -s."""

import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from acgen.memory import keep_freed_memory
from acgen.networks.config import CONFIGS
from acgen.networks.models import load_models
from acgen.networks.network import build
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.guidance import GuidedScore, SpectrumGuide
from acgen.sampling.sampler import random_positions
from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import DEFAULT_XI, Settings
from acgen.spectra.targets import builtin_targets
from acgen.structures.cell import cell_matrix, edge_of, n_atoms

T = 0.2


@pytest.fixture(scope="module")
def models():
    torch.set_num_threads(1)  # as the program does for small cells
    keep_freed_memory()
    return load_models()


def paper():
    return (build(CONFIGS[task, "paper"]).eval().requires_grad_(False) for task in ("score", "forward"))


def step(score, forward, edge, density=2.0, *, guided=True, weak=None, gradient=None):
    """A function that evaluates the posterior score of atoms as far apart as denoised ones are."""
    box = cell_matrix(edge)
    cell = torch.tensor(box, dtype=torch.float32)
    x = spread(random_positions(n_atoms(density, box), cell, torch.Generator().manual_seed(0)), cell)
    guides = [SpectrumGuide(forward, builtin_targets()["sp2"], 200.0)] if guided else []
    posterior = GuidedScore(
        score, cell, guides, weak=weak, autoguidance=Settings.autoguidance, gradient=gradient or Settings.gradient
    )
    return lambda: posterior(x, T), len(x)


def spread(x, cell):
    """Random atoms after a few noise-free steps, so that the number of neighbours is that of a structure."""
    posterior = GuidedScore(load_models().score, cell)
    for t in (0.6, 0.5, 0.4, 0.3):
        x = posterior(x, t).denoised
    return x


def processor():
    """What the processor calls itself."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def product_seconds():
    """Of a product of two matrices of 1024 x 1024 in single precision: the unit in which machines are compared."""
    a = torch.randn(1024, 1024)
    return median(lambda: a @ a)


def test_this_machine(benchmark, models):
    for threads in (1, os.cpu_count() or 1):
        torch.set_num_threads(threads)
        seconds = product_seconds()
        rate = 2 * 1024**3 / seconds / 1e9
        print(f"\n{processor()}, {threads} threads: a 1024³ product in {1e3 * seconds:.1f} ms, {rate:.0f} GFLOP/s")
    benchmark.pedantic(lambda: None, rounds=1)


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
    score, forward, weak = (models.score, models.guide, models.weak) if network == "default" else (*paper(), None)
    function, atoms = step(score, forward, edge_of(216, 2.0), guided=guided, weak=weak)
    benchmark.extra_info["atoms"] = atoms
    benchmark.pedantic(function, rounds=15, warmup_rounds=2)


def test_a_guided_step_against_its_bound(benchmark, models):
    """Arithmetic of all products and sums of a step, over the rate of a 1024³ product on one thread."""
    torch.set_num_threads(1)
    edge = edge_of(216, 2.0)
    for name, gradient in {"estimate": "estimate", "through the score": "score"}.items():
        function, atoms = step(models.score, models.guide, edge, weak=models.weak, gradient=gradient)
        edges = 11.2 * atoms
        score, weak, forward = (operations(each, atoms, edges) for each in (models.score, models.weak, models.guide))
        total = score * (1 if gradient == "estimate" else 2) + weak + 2 * forward
        bound = total / (2 * 1024**3) * product_seconds()
        seconds = median(function)
        print(
            f"\nguided step, gradient {name}: {1e3 * seconds:.1f} ms; {total / 1e9:.2f} GFLOP take at least "
            f"{1e3 * bound:.1f} ms: {seconds / bound:.1f} times the bound"
        )
    benchmark.pedantic(lambda: None, rounds=1)


def operations(model, atoms, edges):
    """Floating-point operations of a PaiNN forward: products per atom, filters and sums per edge, by interaction."""
    config = model.config
    return config.interactions * (30 * config.width**2 * atoms + 37 * config.width * edges)


def test_sixteen_candidates_side_by_side(benchmark, models):
    torch.set_num_threads(1)
    target = builtin_targets()["a-C-2.0"]
    settings = Settings(cell=edge_of(216, 2.0), target=target, candidates=16)
    alone, beside = (
        median(lambda together=together: list(generate(settings, models, together=together)), 1)
        for together in (1, os.cpu_count() or 1)
    )
    print(f"\n16 candidates, {os.cpu_count()} at a time: {alone / beside:.2f} times as fast as one at a time")
    benchmark.pedantic(lambda: None, rounds=1)


def test_a_guided_step_against_the_paper(benchmark, models):
    ours, _ = step(models.score, models.guide, edge_of(216, 2.0), weak=models.weak)
    theirs, _ = step(*paper(), edge_of(216, 2.0))
    ratio = median(theirs) / median(ours)
    benchmark.extra_info["paper over default"] = ratio
    print(f"\na guided step of the paper's networks takes {ratio:.1f} times as long")
    benchmark.pedantic(ours, rounds=5)


def test_time_per_atom_of_a_large_cell(benchmark, models):
    small, few = step(models.score, models.guide, edge_of(216, 2.0))
    large, many = step(models.score, models.guide, 35.0)
    ratio = (median(large, 5) / many) / (median(small) / few)
    benchmark.extra_info["large over small, per atom"] = ratio
    print(f"\n{many} atoms: {ratio:.2f} times the time per atom and step of {few} atoms")
    benchmark.pedantic(large, rounds=1)


@pytest.mark.parametrize("plan", PLANS)
def test_a_guided_candidate(benchmark, models, plan):
    torch.set_num_threads(1)
    parts = asdict(PLANS[plan])
    xi = parts.pop("pull") * DEFAULT_XI["cell"]
    target = builtin_targets()["a-C-2.0"]
    settings = Settings(cell=edge_of(216, 2.0), target=target, candidates=1, xi=xi, **parts)

    def run():
        return next(event for event in generate(settings, models) if isinstance(event, Candidate))

    begin = time.perf_counter()
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    seconds = (time.perf_counter() - begin) / 4
    torch.set_num_threads(os.cpu_count() or 1)
    products = seconds / product_seconds()
    print(f"\nplan {plan}: {seconds:.2f} s a candidate, {products:.0f} products of 1024³ on all threads")
