"""Energies from a neuroevolution potential: the sharpest test of a structure, and optional.

calorine, which evaluates the potential, needs a C++ compiler to install and comes with the extra `acgen[md]`. The
potential itself is not part of acgen: `C_2022_NEP4.txt` (Fan et al., J. Chem. Phys. 157, 114801 (2022), trained on the
amorphous-carbon data of Deringer and Csányi, Phys. Rev. B 95, 094203 (2017)) lies in GPUMD's repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from acgen.errors import AcgenError

POTENTIAL_URL = (
    "https://raw.githubusercontent.com/brucefan1983/GPUMD/d98135deee27068f4f30605fbc581d4c613fff99"
    "/potentials/nep/C_2022_NEP4.txt"
)
"""Where C_2022_NEP4.txt can be downloaded, at a fixed commit (GPL-3.0)."""


def nep_calculator(potential: str | Path) -> Any:
    """Load a neuroevolution potential for the CPU.

    Parameters
    ----------
    potential
        File such as `C_2022_NEP4.txt`.

    Returns
    -------
    calorine.calculators.CPUNEP
        An ase calculator, for periodic cells of any shape.

    Raises
    ------
    AcgenError
        If calorine is not installed, or the file is missing or is not such a potential.
    """
    path = Path(potential)
    if not path.is_file():
        raise AcgenError(f"the potential {str(path)!r} is not a file: download {POTENTIAL_URL} and give its path")
    with path.open(errors="replace") as file:
        first = file.readline(200).split()
    if len(first) < 3 or not first[0].startswith("nep") or "C" not in first[2:]:
        raise AcgenError(
            f"{str(path)!r} is not a neuroevolution potential for carbon (its first line is {' '.join(first)[:60]!r}, "
            f"expected something like 'nep4 1 C'): download {POTENTIAL_URL}"
        )
    try:
        from calorine.calculators import CPUNEP
    except ImportError as error:
        raise AcgenError(
            'energies and molecular dynamics need calorine: pip install "acgen[md]" (this needs a C++ compiler)'
        ) from error
    return CPUNEP(str(path))


def energy_per_atom(atoms: Atoms, potential: str | Path) -> float:
    """Mean energy of the atoms in eV; parameters and errors as `nep_energies`."""
    return float(nep_energies(atoms, potential).mean())


def nep_energies(atoms: Atoms, potential: str | Path) -> np.ndarray:
    """Energy of every atom in eV, shape (N,); the cell is taken as periodic.

    Parameters
    ----------
    atoms
        The structure, left unchanged.
    potential
        File of the neuroevolution potential, see `nep_calculator`.

    Raises
    ------
    AcgenError
        As `nep_calculator`, or if the potential is damaged or does not know an element of the structure.
    """
    calculator = nep_calculator(potential)
    copy = atoms.copy()
    copy.pbc = True
    copy.calc = calculator
    try:
        return np.asarray(copy.get_potential_energies(), dtype=float)
    except RuntimeError as error:
        raise AcgenError(f"the potential {str(potential)!r} cannot be used: {error}") from error
