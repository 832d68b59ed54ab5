"""Machine code is the same whether it was just compiled or found on disk."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, torch
from acgen.networks.graph import periodic_graph
from acgen.networks.models import load_models
from acgen.structures.reference import reference_cells

models, atoms = load_models(), reference_cells()[0]
graph = periodic_graph(
    torch.tensor(atoms.positions, dtype=torch.float32),
    torch.tensor(atoms.cell.array, dtype=torch.float32),
    models.score.config.cutoff,
)
torch.set_num_threads(1)
with torch.no_grad():
    found = models.score(graph, torch.tensor([0.2])), models.forward(graph)
print(*(hashlib.sha256(each.numpy().tobytes()).hexdigest() for each in found))
"""


@pytest.mark.slow
def test_a_process_that_compiles_computes_the_same_bits_as_one_that_does_not(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def found() -> str:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
        ).stdout

    first = found()
    assert list(tmp_path.rglob("*.nbc"))
    assert found() == first
