"""Weights files: round trip, and every way in which one can be wrong."""

import pytest
import torch

from acgen.assets import asset
from acgen.networks.checkpoint import CheckpointError, load_forward, load_score, read_tensors, save_model, write_tensors
from acgen.networks.config import NetworkConfig
from acgen.networks.network import build

SMALL = NetworkConfig("forward", width=8, interactions=1, radial=4, points=5)


def test_round_trip(tmp_path):
    model = build(SMALL)
    save_model(tmp_path / "w.safetensors", model, SMALL, {"updates": 3})
    again = load_forward(tmp_path / "w.safetensors")
    assert again.config == SMALL
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert read_tensors(tmp_path / "w.safetensors")[1]["provenance"] == {"updates": 3}
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_a_changed_weight_fails_the_checksum(tmp_path):
    path = tmp_path / "w.safetensors"
    save_model(path, build(SMALL), SMALL, {})
    data = bytearray(path.read_bytes())
    data[-3] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="checksum"):
        load_forward(path)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x10" * 400])
def test_garbage_is_refused(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a weights file"):
        load_forward(path)


def test_missing_and_mistaken_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no weights file"):
        load_score(tmp_path / "none.safetensors")
    save_model(tmp_path / "w.safetensors", build(SMALL), SMALL, {})
    with pytest.raises(CheckpointError, match="forward network where a score"):
        load_score(tmp_path / "w.safetensors")
    write_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(2)}, {"config": {"task": "forward", "depth": 3}})
    with pytest.raises(CheckpointError, match="this version"):
        load_forward(tmp_path / "x.safetensors")


@pytest.mark.parametrize(("name", "task"), [("score", "score"), ("forward", "forward"), ("judge", "forward")])
def test_shipped_weights_load_and_say_where_they_come_from(name, task):
    path = asset(f"weights/{name}.safetensors")
    model = load_score(path) if task == "score" else load_forward(path)
    info = read_tensors(path)[1]
    assert model.config.task == task
    assert info["provenance"]["updates"] > 1000
    assert info["units"]["length"] == "angstrom"


def test_the_judge_is_of_another_kind_than_the_guide():
    guide, judge = (load_forward(asset(f"weights/{name}.safetensors")) for name in ("forward", "judge"))
    assert guide.config.kind != judge.config.kind
