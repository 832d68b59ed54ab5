"""A kernel regression of site spectra, which teaches a forward network what few labelled cells cannot.

The labelled cells are snapshots of five networks of atoms. A neural network trained on them alone invents what it says
of a sixth; a smooth kernel between surroundings does not, and far from everything known it returns to the mean. So the
network learns the regression, on as many structures without labels as there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from ase import Atoms
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from torch import Tensor

from acgen.data.public import LabelledCell
from acgen.errors import AcgenError

#: Surroundings of an atom: smooth overlap of atomic positions, SOAP (Bartók et al., Phys. Rev. B 87, 184115 (2013)), by
#: dscribe. Atoms within 4.5 Å, each blurred by 0.2 Å, fade out with distance.
SOAP: dict[str, Any] = {
    "r_cut": 4.5,
    "n_max": 8,
    "l_max": 6,
    "sigma": 0.2,
    "weighting": {"function": "poly", "r0": 4.5, "c": 1, "m": 2},
}
#: Variance of what surroundings do not tell of a spectrum, in units of what they do.
NOISE = 0.1
#: Sites by which the width of the kernel is found.
_SOME = 700
#: What is no glass among the labelled cells (`LabelledCell.network`).
CRYSTALS = ("diamond", "graphite")
#: Displaced copies of each cell that a teacher labels.
COPIES = 24


class Teacher:
    """Gaussian-process regression of the spectra of sites, of normalised SOAP vectors; the width of the Gaussian is the
    root of the median squared distance between sites.

    Parameters
    ----------
    cells
        Structures; those with spectra are learned from.

    Raises
    ------
    AcgenError
        If dscribe is not installed or no cell has spectra.
    """

    def __init__(self, cells: Sequence[LabelledCell]):
        if find_spec("dscribe") is None:
            raise AcgenError('a forward network is taught by surroundings of dscribe: pip install "acgen[train]"')
        from dscribe.descriptors import SOAP as Soap  # brings scikit-learn, which only training needs

        self._soap = Soap(species=["C"], periodic=True, rbf="gto", **SOAP)
        known = [(self._surroundings(cell.atoms), cell.spectra) for cell in cells if cell.spectra is not None]
        if not known:
            raise AcgenError("no cell has site spectra; train a forward network on cells that have them")
        x, y = (np.concatenate(part) for part in zip(*known, strict=True))
        some = x[np.random.default_rng(0).permutation(len(x))[:_SOME]]
        self._width = float(np.median(cdist(some, some, "sqeuclidean")))
        mean = y.mean(0)
        kernel = np.exp(-cdist(x, x, "sqeuclidean") / (2 * self._width))
        kernel[np.diag_indices(len(x))] += NOISE
        weights = cho_solve(cho_factor(kernel, overwrite_a=True), y - mean)
        self._x, self._weights, self._mean = (torch.tensor(v, dtype=torch.float32) for v in (x, weights, mean))

    def __call__(self, positions: Tensor, cell: Tensor) -> Tensor:
        """Spectra (N, 100) of the atoms of a periodic cell; positions (N, 3) and cell (3, 3) in Å."""
        atoms = Atoms(f"C{len(positions)}", positions=positions.numpy(), cell=cell.numpy(), pbc=True)
        x = torch.tensor(self._surroundings(atoms), dtype=torch.float32)
        # of unit vectors: half the squared distance is one minus the product
        return self._mean + torch.exp((x @ self._x.T - 1) / self._width) @ self._weights

    def _surroundings(self, atoms: Atoms) -> np.ndarray:
        """Unit SOAP vectors of all atoms, shape (N, features)."""
        found = self._soap.create(atoms)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def taught_copies(
    cells: Sequence[LabelledCell], jitter: float, generator: torch.Generator
) -> list[list[tuple[Tensor, Tensor, Tensor]]]:
    """`COPIES` displaced copies of every cell, each with the spectra that a teacher of these cells gives it.

    The standard deviation of a displacement is `jitter` (Å) times the square of a uniform number: most are small, where
    a spectrum depends on them. Copies of a crystal keep its spectra: the teacher, who sees surroundings alone, would
    give them to a dense glass.

    Returns
    -------
    list[list[tuple[Tensor, Tensor, Tensor]]]
        Of every cell, of every copy: positions (N, 3) and cell (3, 3) in Å, spectra (N, 100).
    """
    teacher, copies = Teacher(cells), []
    for known in cells:
        positions = torch.tensor(known.atoms.positions, dtype=torch.float32)
        cell = torch.tensor(known.atoms.cell.array, dtype=torch.float32)
        kept = None
        if known.spectra is not None and known.network in CRYSTALS:
            kept = torch.tensor(known.spectra, dtype=torch.float32)
        sizes = jitter * torch.rand(COPIES, generator=generator).square()
        moved = [positions + size * torch.randn(positions.shape, generator=generator) for size in sizes]
        copies.append([(each, cell, teacher(each, cell) if kept is None else kept) for each in moved])
    return copies
