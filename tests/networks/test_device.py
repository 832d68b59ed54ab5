"""Where networks work."""

import pytest
import torch

from acgen.cli import main
from acgen.errors import AcgenError
from acgen.networks.device import device_of


def test_the_cpu_is_the_default_and_a_gpu_is_taken_where_there_is_one(monkeypatch):
    for there in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert device_of("cpu").type == "cpu"
        assert device_of("auto").type == ("cuda" if there else "cpu")
    assert device_of("cuda").type == "cuda"


def test_a_gpu_that_is_not_there_is_said_before_anything_is_made(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AcgenError, match="--device cuda needs an NVIDIA GPU"):
        device_of("cuda")
    assert main(["generate", "--device", "cuda", "--out", str(tmp_path / "out")]) == 2
    assert "leave it out" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []
