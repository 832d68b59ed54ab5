"""Training: that it learns, resumes exactly, and refuses what it cannot do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from ase import Atoms

from acgen.data.cells import LabelledCell
from acgen.networks.checkpoint import CheckpointError, load_score, read_tensors
from acgen.networks.config import NetworkConfig
from acgen.networks.graph import periodic_graph
from acgen.networks.network import build
from acgen.networks.train import TrainConfig, kind, train

SCORE = NetworkConfig("score", width=16, interactions=2, radial=8)
FORWARD = NetworkConfig("forward", width=16, interactions=1, radial=8)


@pytest.fixture
def cells():
    diamond = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * 0.89
    rng = np.random.default_rng(0)
    made = []
    for index, network in enumerate(("1.5", "1.5", "3.5")):
        atoms = Atoms("C8", positions=diamond * (2 + index / 4) + rng.normal(0, 0.02, (8, 3)), cell=[3.6, 3.6, 4.0])
        atoms.pbc = True
        made.append(LabelledCell(f"cell{index}", network, atoms, rng.random((8, 100))))
    return made


def fresh(config):
    torch.manual_seed(0)
    return build(config)


@pytest.mark.parametrize(("network", "least"), [(SCORE, 0.9), (FORWARD, 0.8)], ids=["score", "forward"])
def test_the_loss_falls(cells, tmp_path, network, least):
    config = TrainConfig(updates=300, rate=3e-3, warmup=20)
    losses = [p.loss for p in train(fresh(network), cells, config, tmp_path / "w.safetensors", every=50)]
    assert losses[-1] < least * losses[0]


def test_resuming_gives_the_same_bits(cells, tmp_path):
    config = TrainConfig(updates=20, warmup=5, seed=4)
    whole = tmp_path / "whole.safetensors"
    list(train(fresh(SCORE), cells, config, whole, every=1))
    halves = tmp_path / "halves.safetensors"
    for now in train(fresh(SCORE), cells, config, halves, every=1):
        if now.update == 11:
            break
    list(train(fresh(SCORE), cells, config, halves, resume=True, every=1))
    one, two = read_tensors(whole)[0], read_tensors(halves)[0]
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_is_kept_is_the_average(cells, tmp_path):
    out = tmp_path / "w.safetensors"
    model = fresh(SCORE)
    list(train(model, cells, TrainConfig(updates=30, ema=0.9), out, every=10))
    kept = load_score(out)
    provenance = read_tensors(out)[1]["provenance"]
    pairs = zip(model.state_dict().values(), kept.state_dict().values(), strict=True)
    assert max(float((a - b).abs().max()) for a, b in pairs) > 0
    assert provenance["updates"] == 30
    assert provenance["cells"] == {"1.5": 2, "3.5": 1}


def test_a_deeper_network_starts_where_another_ended(cells, tmp_path):
    first, out = tmp_path / "first.safetensors", tmp_path / "deep.safetensors"
    list(train(fresh(SCORE), cells, TrainConfig(updates=3), first))
    deep = fresh(replace(SCORE, interactions=4))
    training = train(deep, cells, TrainConfig(updates=2, rate=1e-12), out, start=first, every=1)
    next(training)
    graph = periodic_graph(torch.rand(9, 3) * 6, torch.eye(3) * 6, 3.0)
    shallow = load_score(first)(graph, torch.tensor([0.3]))
    assert torch.allclose(deep(graph, torch.tensor([0.3])), shallow, atol=1e-6)
    training.close()
    list(train(fresh(deep.config), cells, TrainConfig(updates=3), out, resume=True))
    assert read_tensors(out)[1]["provenance"]["start"]["updates"] == 3
    with pytest.raises(ValueError, match="cannot start"):
        next(train(fresh(replace(SCORE, width=8)), cells, TrainConfig(updates=1), out, start=first))


def test_a_resumption_needs_the_same_network(cells, tmp_path):
    out = tmp_path / "w.safetensors"
    list(train(fresh(SCORE), cells, TrainConfig(updates=2), out))
    with pytest.raises(CheckpointError, match="another network"):
        list(train(fresh(NetworkConfig("score", width=8)), cells, TrainConfig(updates=4), out, resume=True))
    with pytest.raises(CheckpointError, match="no weights file"):
        list(train(fresh(SCORE), cells, TrainConfig(updates=4), tmp_path / "new.safetensors", resume=True))


def test_the_learning_rate_rises_stays_and_falls():
    config = TrainConfig(updates=1000, rate=1.0, warmup=100, constant=0.5)
    rates = [config.rate_at(k, config.done(k, 0)) for k in range(1001)]
    assert rates[0] == 0.01
    assert rates[200] == rates[500] == 1.0
    assert rates[750] == pytest.approx(0.5)
    assert rates[1000] == pytest.approx(0.0)


def test_kinds_of_cells_tell_quenches_apart(cells):
    assert kind(cells[0]) == "1.5"
    cells[0].atoms.info["quench_fs"] = 600
    assert kind(cells[0]) == "1.5, 600 fs quench"


def test_what_cannot_be_trained_is_refused(cells, tmp_path):
    out = tmp_path / "w.safetensors"
    with pytest.raises(ValueError, match="no cells"):
        next(train(fresh(SCORE), [], TrainConfig(updates=1), out))
    bare = LabelledCell("bare", "2.0", cells[0].atoms)
    with pytest.raises(ValueError, match="bare has no spectra"):
        next(train(fresh(FORWARD), [bare], TrainConfig(updates=1), out))
    with pytest.raises(ValueError, match="needs an end"):
        TrainConfig()
    with pytest.raises(ValueError, match="positive"):
        TrainConfig(updates=1, batch=0)


def test_a_diverging_run_says_what_to_lower(cells, tmp_path):
    config = TrainConfig(updates=400, rate=1e12, warmup=1, clip=1e12)
    with pytest.raises(ValueError, match="lower the learning rate"):
        list(train(fresh(SCORE), cells, config, tmp_path / "w.safetensors", every=20))
