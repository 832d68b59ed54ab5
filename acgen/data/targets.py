"""Making the shipped reference spectra from the public data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acgen.data.public import COMMIT, LabelledCell, load_public
from acgen.errors import AcgenError
from acgen.spectra.grid import ENERGY
from acgen.spectra.references import CLASSES, CRYSTALS, NAMES, NETWORKS
from acgen.structures.analysis import BOND_CUTOFF, coordination_numbers

_HEADER = f"""\
# Carbon K-edge spectra for use as targets, on the grid of acgen.spectra.grid; sums over 100 points are about 22.
# Derived by acgen.data.targets from the per-site DFT spectra of github.com/LLNL/graphite (MIT) at commit
# {COMMIT}, notebooks/amorph-gen/data/a-C/dgp; cite arXiv:2312.05472.
# sp, sp2, sp3: means over all sites with 2, 3, 4 neighbours below {BOND_CUTOFF} A in its 25 training cells.
# a-C-D: mean over the training cells of D g/cm3. diamond, graphite: rescaled to the area of the rest.
"""


def build_targets(public_dir: str | Path) -> dict[str, np.ndarray]:
    """Compute the reference spectra from the public data set.

    Parameters
    ----------
    public_dir
        Folder that `acgen.data.public.fetch` filled.

    Returns
    -------
    dict[str, np.ndarray]
        Spectra of shape (100,) on `ENERGY`, by the names and in the order of `acgen.spectra.references.NAMES`.

    Raises
    ------
    AcgenError
        If the data set is incomplete.
    """
    cells = load_public(public_dir)
    amorphous = [cell for cell in cells if cell.network not in CRYSTALS]
    sites = np.concatenate([cell.spectra for cell in amorphous])
    neighbours = np.concatenate([coordination_numbers(cell.atoms) for cell in amorphous])
    targets = {name: sites[neighbours == n].mean(axis=0) for n, name in enumerate(CLASSES, start=2)}
    targets |= {name: _network_mean(cells, name.removeprefix("a-C-")) for name in NETWORKS + CRYSTALS}
    return {name: targets[name] for name in NAMES}


def write_targets(public_dir: str | Path, path: str | Path) -> Path:
    """Write the reference spectra as the CSV file that ships as ``assets/targets.csv``.

    Parameters
    ----------
    public_dir
        Folder that `acgen.data.public.fetch` filled.
    path
        File to write.

    Raises
    ------
    AcgenError
        If the data set is incomplete.
    """
    targets = build_targets(public_dir)
    rows = np.column_stack([ENERGY, *targets.values()])
    lines = [",".join([f"{row[0]:.1f}", *(f"{value:.6f}" for value in row[1:])]) for row in rows]
    path = Path(path)
    path.write_text(_HEADER + "\n".join([",".join(["energy_eV", *targets]), *lines]) + "\n", encoding="utf-8")
    return path


def _network_mean(cells: list[LabelledCell], network: str) -> np.ndarray:
    spectra = [cell.spectra.mean(axis=0) for cell in cells if cell.network == network and cell.spectra is not None]
    if not spectra:
        raise AcgenError(f"the data set has no cell of the network {network}: fetch it again")
    return np.mean(spectra, axis=0)
