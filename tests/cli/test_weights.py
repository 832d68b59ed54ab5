"""Which network of a run a weights file is."""

import pytest
import torch

from acgen.cli.candidates import files_by_task
from acgen.networks.checkpoint import write_tensors


@pytest.fixture
def files(tmp_path):
    def write(name, task, **training):
        path = tmp_path / f"{name}.safetensors"
        write_tensors(path, {"a": torch.zeros(1)}, {"config": {"task": task}, "provenance": {"training": training}})
        return str(path)

    return {
        "score": write("score", "score"),
        "taught": write("taught", "forward", taught=True),
        "plain": write("plain", "forward", taught=False),
        "old": write("old", "forward"),
        "energy": write("energy", "energy"),
    }


def test_a_taught_network_predicts_and_another_guides(files):
    score, taught, plain, old, energy = files.values()
    assert files_by_task([score, energy]) == {"score": score, "potential": energy}
    assert files_by_task([taught]) == {"forward": taught}
    assert files_by_task([plain, taught]) == files_by_task([taught, plain]) == {"forward": taught, "guide": plain}
    assert files_by_task([old]) == {"forward": old, "guide": old}
