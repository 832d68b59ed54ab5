"""Melt-quench runs: schedule, start, thermostat, restart."""

import json

import numpy as np
import pytest
from matscipy.neighbours import neighbour_list

from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import density
from acgen.structures.melt_quench import MeltQuench, melt_quench, random_start

SMALL = {"density": 2.0, "n_atoms": 16, "quench_fs": 20, "seed": 5, "melt_fs": 10, "anneal_fs": 5}


@pytest.fixture(scope="module")
def potential(shared_data):
    pytest.importorskip("calorine", reason='needs calorine: pip install "acgen[md]"')
    path = shared_data / "potentials" / "C_2022_NEP4.txt"
    if not path.is_file():
        pytest.skip(f"needs the potential {path}")
    return path


def test_temperature_falls_exponentially():
    run = MeltQuench(2.0, 216, quench_fs=3000, seed=1)
    assert run.steps == 4500
    assert run.temperature(0) == run.temperature(1000) == 5000
    assert run.temperature(4000) == run.temperature(4500) == pytest.approx(300)
    assert run.temperature(2500) == pytest.approx(np.sqrt(5000 * 300))
    assert [run.phase(step) for step in (0, 999, 1000, 3999, 4000, 4500)] == [
        "melt",
        "melt",
        "quench",
        "quench",
        "anneal",
        "anneal",
    ]


@pytest.mark.parametrize(
    "cell", [None, (1, 2, 3), ((1, 0, 0), (-0.5, np.sqrt(0.75), 0), (0, 0, 1.5))], ids=["cube", "edges", "hexagonal"]
)
@pytest.mark.parametrize("grams", [0.5, 2.0, 4.0])
def test_random_start(grams, cell):
    run = MeltQuench(grams, 200, quench_fs=100, seed=1, cell=cell)
    atoms = random_start(run, np.random.default_rng(1))
    assert density(atoms) == pytest.approx(grams, rel=1e-6)
    distances = neighbour_list("d", atoms, 3.0)
    assert distances.min() >= 1.3
    assert atoms.get_temperature() == pytest.approx(5000, rel=0.2)
    if cell is not None:
        shape = np.array(atoms.cell)
        wanted = np.diag(cell) if np.ndim(cell) == 1 else np.array(cell)
        np.testing.assert_allclose(shape / shape[0, 0], wanted / wanted[0, 0], atol=1e-9)


def test_states_of_a_run(potential):
    states = list(melt_quench(**SMALL, potential=potential, every=10))
    assert [state.step for state in states] == [0, 10, 20, 30, 35]
    assert {state.steps for state in states} == {35}
    assert [state.phase for state in states] == ["melt", "quench", "quench", "anneal", "anneal"]
    assert [state.finished for state in states] == [False] * 4 + [True]
    last = states[-1]
    assert density(last.atoms) == pytest.approx(2.0, rel=1e-6)
    assert last.atoms.info == {"density": 2.0, "seed": 5, "quench_fs": 20}
    assert last.atoms.arrays["nep_energy"].mean() == pytest.approx(last.energy)
    assert last.atoms.get_temperature() == pytest.approx(last.temperature)
    assert not np.allclose(states[0].atoms.positions, last.atoms.positions)


def test_seed_decides_and_reporting_does_not(potential):
    def final(seed, every):
        *_, last = melt_quench(**{**SMALL, "seed": seed}, potential=potential, every=every)
        return last.atoms.positions

    np.testing.assert_array_equal(final(5, 7), final(5, 100))
    assert not np.allclose(final(5, 100), final(6, 100))


def test_a_stopped_run_goes_on_bit_by_bit(potential, tmp_path):
    *_, whole = melt_quench(**SMALL, potential=potential)
    file = tmp_path / "run.json"
    stopped = melt_quench(**SMALL, potential=potential, every=6, checkpoint=file)
    steps = [next(stopped).step for _ in range(4)]
    stopped.close()
    assert steps == [0, 6, 12, 18]
    states = list(melt_quench(**SMALL, potential=potential, every=6, checkpoint=file))
    assert [state.step for state in states] == [18, 24, 30, 35]
    np.testing.assert_array_equal(states[-1].atoms.positions, whole.atoms.positions)
    np.testing.assert_array_equal(states[-1].atoms.get_momenta(), whole.atoms.get_momenta())
    (again,) = melt_quench(**SMALL, potential=potential, checkpoint=file)
    np.testing.assert_array_equal(again.atoms.positions, whole.atoms.positions)


def test_checkpoint_of_another_run_is_refused(potential, tmp_path):
    file = tmp_path / "run.json"
    next(melt_quench(**SMALL, potential=potential, checkpoint=file))
    with pytest.raises(ValueError, match="another run .*quench_fs"):
        next(melt_quench(**{**SMALL, "quench_fs": 30}, potential=potential, checkpoint=file))
    file.write_text(json.dumps({"step": 3}))
    with pytest.raises(ValueError, match="not a checkpoint"):
        next(melt_quench(**SMALL, potential=potential, checkpoint=file))
    with pytest.raises(ValueError, match="cannot be written"):
        next(melt_quench(**SMALL, potential=potential, checkpoint=tmp_path / "absent" / "run.json"))


def test_thermostat_and_network(potential):
    """A fast quench of 64 atoms follows the thermostat and freezes into a carbon network."""
    states = list(melt_quench(2.0, 64, 150, 1, potential, melt_fs=150, anneal_fs=150, every=5))
    melt = [state.temperature for state in states if 75 <= state.step <= 150]
    frozen = [state.temperature for state in states if state.step >= 400]
    assert np.mean(melt) == pytest.approx(5000, rel=0.2)
    assert np.mean(frozen) < 700
    assert states[-1].energy < states[0].energy - 0.5
    assert states[-1].energy < -1.7
    fractions = coordination_fractions(states[-1].atoms)
    assert fractions[2] + fractions[3] + fractions[4] > 0.85


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"density": 9.0}, "density 9.0"),
        ({"n_atoms": 1}, "at least 2"),
        ({"quench_fs": 0}, "at least 1 fs"),
        ({"anneal_fs": -1}, "no negative"),
        ({"cell": (1, 0, 1)}, "volume"),
        ({"cell": (1, 1, 300)}, "too thin"),
        ({"every": 0}, "every 0 steps"),
    ],
)
def test_bad_input_is_said(potential, change, message):
    with pytest.raises(ValueError, match=message):
        next(melt_quench(**{**SMALL, **change}, potential=potential))
