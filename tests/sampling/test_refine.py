"""The anneal: that it samples what it should, and ends well when it goes wrong."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ase import units
from ase.build import bulk

from acgen.networks.models import load_models
from acgen.networks.noise import NoiseSchedule
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.guidance import Evaluation, Seen
from acgen.sampling.refine import PULL_LIMIT, WORTH, AnnealError, Refiner, temperature_of
from acgen.sampling.sampler import sample_together
from acgen.sampling.schedule import (
    MD_STEPS,
    REFINE_TEMPERATURE,
    ROOM,
    TIMESTEP,
    Plan,
    Step,
    make_plan,
    refine_temperatures,
)
from acgen.sampling.settings import Settings
from acgen.spectra.targets import builtin_targets

CELL = 40.0 * torch.eye(3)
STIFF = 3.0
"""eV/Å²."""


class Springs:
    """A potential in which every atom is held at the place where it was first seen."""

    config = SimpleNamespace(cutoff=1.0)

    def __init__(self, stiff=STIFF):
        self.stiff, self.home = stiff, None

    def energies_and_forces(self, graph):
        self.home = graph.pos.clone() if self.home is None else self.home
        away = graph.pos - self.home
        return 0.5 * self.stiff * away.square().sum(1), -self.stiff * away


class Slope:
    """A guide whose penalty rises along x by `slope` per Å and atom."""

    def __init__(self, slope):
        self.slope = slope

    def __call__(self, denoised, cell):
        seen = [Seen(0.5, np.zeros(100)) for _ in denoised]
        return self.slope * denoised[..., 0].sum(), seen


def atoms(count, seed=0):
    return torch.rand(1, count, 3, generator=torch.Generator().manual_seed(seed)) @ CELL


def anneal(potential, temperature, steps, guides=(), count=1500):
    refiner, generators = Refiner(potential, CELL, temperature), [torch.Generator().manual_seed(3)]
    x = atoms(count)
    v = refiner.start(x, temperature, generators)
    for _ in range(steps):
        made = refiner(x, v, Step("refine", 1, 0.0, 0.0, temperature=temperature), generators, guides)
        x, v = made.positions, made.velocities
    return made, potential.home.view(x.shape)


def test_springs_have_the_energy_of_equipartition():
    made, _ = anneal(Springs(), 1000.0, 40)
    assert float(made.temperature[0]) == pytest.approx(1000, rel=0.06)
    assert float(made.energy[0]) == pytest.approx(1.5 * units.kB * 1000, rel=0.06)


def test_a_pull_displaces_by_what_it_is_worth():
    slope = 5.0
    made, home = anneal(Springs(), 1000.0, 60, [Slope(slope)])
    moved = (made.positions - home)[0].mean(0)
    spread = (units.kB * 1000 / STIFF / 1500) ** 0.5
    assert float(moved[0]) == pytest.approx(-WORTH * slope * units.kB * 1000 / STIFF, abs=5 * spread)
    assert abs(float(moved[1])) < 5 * spread
    assert made.seen[0][0].misfit == 0.5


def test_a_pull_has_a_limit():
    refiner, x = Refiner(Springs(), CELL, 300.0), atoms(50)
    (weak, _), (strong, _) = (refiner.pull(x, [Slope(slope)]) for slope in (10.0, 1e9))
    assert torch.allclose(weak[0], torch.tensor([-10.0 * WORTH * units.kB * 300, 0.0, 0.0]))
    assert torch.allclose(strong[0], torch.tensor([-PULL_LIMIT, 0.0, 0.0]))


def test_velocities_of_a_temperature_have_it():
    refiner = Refiner(Springs(), CELL, 300.0)
    v = refiner.start(atoms(5000), 700.0, [torch.Generator().manual_seed(0)])
    assert float(temperature_of(v)[0]) == pytest.approx(700, rel=0.05)


def test_what_becomes_too_hot_says_what_to_lower():
    with pytest.raises(AnnealError, match="lower refine temperature"):
        anneal(Springs(1e5), 3000.0, 20, count=20)


def test_an_anneal_is_held_and_cooled_to_room_temperature():
    temperatures = refine_temperatures(50, 2000.0)
    assert np.all(temperatures[:25] == 2000)
    assert np.all(np.diff(temperatures[25:]) < 0)
    assert temperatures[-1] == pytest.approx(ROOM)
    plan = make_plan(4, 1, 3, refine=1.0)
    anneal = [step for step in plan.steps if step.phase == "refine"]
    assert len(anneal) * MD_STEPS * TIMESTEP == pytest.approx(1000, abs=MD_STEPS * TIMESTEP / 2)
    assert anneal[0].temperature == REFINE_TEMPERATURE
    assert len(make_plan(4, 1, 3)) == len(plan) - len(anneal)


def test_an_anneal_goes_on_from_a_frame_bit_by_bit():
    steps = [Step("refine", 1, 0.0, 0.0, temperature=500.0)] * 4
    potential = Springs()

    def run(x, generators, first=0, velocities=None):
        stream = sample_together(
            lambda x, t: [Evaluation(x[0], x[0])], x, Plan(tuple(steps)), NoiseSchedule(0.8), generators, first=first,
            refiner=Refiner(potential, CELL, 500.0), velocities=velocities,
        )
        return [frames[0] for frames in stream]

    whole = run(atoms(20), [torch.Generator().manual_seed(1)])
    at = whole[1]
    generator = torch.Generator()
    generator.set_state(at.rng_state)
    rest = run(torch.tensor(at.positions)[None], [generator], at.step, torch.tensor(at.velocities)[None])
    assert len(rest) == 2
    assert np.array_equal(rest[-1].positions, whole[-1].positions)
    assert {frame.phase for frame in whole} == {"refine"}
    assert rest[-1].temperature == whole[-1].temperature


SMALL = Settings(
    start=bulk("C", cubic=True) * (2, 2, 2), start_t=0.1, steps=6, restarts=1, restart_steps=4, restart_t=(0.1, 0.1),
    candidates=1, seed=5, refine=0.03, refine_temperature=300.0, target=builtin_targets()["sp2"],
)


@pytest.fixture(scope="module")
def models():
    return load_models()


def test_a_run_with_an_anneal_resumes_and_is_the_same_beside_others(models):
    events = list(generate(SMALL, models))
    frames = [event.frame for event in events if isinstance(event, FrameEvent)]
    assert [frame.phase for frame in frames[-5:]] == ["refine"] * 5
    assert frames[-1].misfit is not None
    rest = list(generate(replace(SMALL, resume=frames[-3]), models))
    assert np.array_equal(rest[-1].atoms.positions, events[-1].atoms.positions)
    together = [e for e in generate(replace(SMALL, candidates=2), models, together=2) if isinstance(e, Candidate)]
    assert np.array_equal(together[0].atoms.positions, events[-1].atoms.positions)


def test_a_failed_anneal_leaves_the_candidate_as_it_was(models, monkeypatch):
    before = list(generate(replace(SMALL, refine=0.0), models))[-1]

    def fail(*_):
        raise AnnealError("the anneal heated a structure: give a lower refine temperature or xi")

    monkeypatch.setattr(Refiner, "__call__", fail)
    made = list(generate(SMALL, models))[-1]
    assert isinstance(made, Candidate)
    assert "lower refine temperature" in made.unrefined
    assert np.array_equal(made.atoms.positions, before.atoms.positions)
    assert made.to_dict()["unrefined"] == made.unrefined
