"""What xraylarch makes of files and curves, for the tests that compare with it.

Run by the interpreter of `.venv-larch`, which has xraylarch and no acgen: a list of requests in JSON on the standard
input, a list of answers on the standard output. Floats go through JSON unchanged.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from larch import Group
from larch.io import read_athena, read_xdi
from larch.xafs import pre_edge


def athena(file: str) -> dict:
    """Energies and absorption of every group of a project, by label."""
    groups = read_athena(file, do_preedge=False, do_bkg=False, do_fft=False).groups
    return {label: {"energy": group.energy.tolist(), "mu": group.mu.tolist()} for label, group in groups.items()}


def xdi(file: str) -> dict:
    """Energies and absorption of an XDI file."""
    group = read_xdi(file)
    return {"energy": group.energy.tolist(), "mu": group.mu.tolist()}


def normalise(energy: list[float], mu: list[float], **options) -> dict:
    """Edge step and normalised curve; options of `larch.xafs.pre_edge`."""
    group = Group(energy=np.array(energy), mu=np.array(mu))
    pre_edge(group, **options)
    return {"edge_step": float(group.edge_step), "norm": group.norm.tolist()}


if __name__ == "__main__":
    functions = {function.__name__: function for function in (athena, xdi, normalise)}
    answers = [functions[request.pop("function")](**request) for request in json.load(sys.stdin)]
    json.dump(answers, sys.stdout)
