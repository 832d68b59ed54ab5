"""Inputs of one site's carbon K-edge for codes that others have: VASP, XSpectra of Quantum ESPRESSO, and OCEAN.

Settings are those that lightshow 1.2.8 starts from (M. R. Carbone et al., J. Open Source Softw. 8, 5182 (2023)):
something to converge from, not something converged. Potentials have licences of their own and are not written. The
absorber is the first atom everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, chemical_symbols
from ase.units import Bohr, Rydberg

from acgen.spectra.feff import CARBON, check_site, cluster, feff_input
from acgen.structures.cell import heights

#: Photon energies above the edge that conduction bands have to cover, eV.
RANGE = 40.0
#: Least height of the supercell that a mesh of k points stands for, Å: of the ground state, and of plane waves.
VASP_HEIGHT, OTHER_HEIGHT = 32 * Bohr, 16 * Bohr
#: Pseudopotential of the absorber with a full core hole, and its core state, as XSpectra wants them.
HOLE, CORE = "C.fch.upf", "Core_C.wfc"
INCAR = """\
SYSTEM = carbon K edge of one site
ALGO = Normal
EDIFF = 1E-5
NELM = 200
PREC = Accurate
LREAL = Auto
ISMEAR = 0
SIGMA = 0.05
ISPIN = 2
NBANDS = {bands}
ICORELEVEL = 2
CLNT = 1
CLN = 1
CLL = 0
CLZ = 1.0
CH_LSPEC = .TRUE.
CH_SIGMA = 0.05
CH_NEDOS = 40000
LWAVE = .FALSE.
LCHARG = .FALSE.
"""
XANES = """\
&input_xspectra
    calculation = 'xanes_dipole'
    edge = 'K'
    prefix = 'pwscf'
    outdir = './'
    xniter = 5000
    xcheck_conv = 200
    xerror = 0.01
    xiabs = 1
    xcoordcrys = .false.
    xepsilon(1) = {0}
    xepsilon(2) = {1}
    xepsilon(3) = {2}
/
&plot
    xnepoint = 850
    xemin = -15.0
    xemax = 70.0
    terminator = .true.
    cut_occ_states = .true.
    gamma_mode = 'constant'
    xgamma = 0.2
/
&pseudos
    filecore = '{core}'
/
&cut_occ
    cut_desmooth = 0.3
/
{mesh} 0 0 0
"""


def feff_files(atoms: Atoms, site: int) -> dict[str, str]:
    """`feff.inp`, as `acgen check` runs it itself."""
    return {"feff.inp": feff_input(cluster(atoms, site))}


def vasp_files(atoms: Atoms, site: int) -> dict[str, str]:
    """`POSCAR`, `INCAR` and `KPOINTS` of a supercell with a core hole.

    `POTCAR` has to begin with that of carbon for the absorber, before those of the elements in the order of `POSCAR`.
    """
    ordered, kinds, counts = _absorber_first(atoms, site)
    valence = 4 * int((atoms.numbers == CARBON).sum()) + int(atoms.numbers[atoms.numbers != CARBON].sum())
    bands = valence // 2 + round(0.256 * atoms.get_volume() * (RANGE / Rydberg) ** 1.5)
    lines = [f"carbon K edge of site {site}", "1.0", *map(_row, ordered.cell.array)]
    lines += [" ".join(kinds), " ".join(map(str, counts)), "Direct", *map(_row, ordered.get_scaled_positions())]
    mesh = " ".join(map(str, k_points(atoms, VASP_HEIGHT)))
    return {
        "POSCAR": "\n".join([*lines, ""]),
        "INCAR": INCAR.format(bands=bands),
        "KPOINTS": f"k points\n0\nGamma\n{mesh}\n0 0 0\n",
    }


def xspectra_files(atoms: Atoms, site: int) -> dict[str, str]:
    """`es.in` for pw.x, and `xanes-1.in` to `-3.in` for xspectra.x, one for each polarisation."""
    ordered, kinds, counts = _absorber_first(atoms, site)
    elements = list(dict.fromkeys(kinds[1:]))
    labels = ["C1", *(kind for kind, count in zip(kinds[1:], counts[1:], strict=True) for _ in range(count))]
    mesh = " ".join(map(str, k_points(atoms, OTHER_HEIGHT)))
    lines = ["&control", "    calculation = 'scf'", "    prefix = 'pwscf'", "    outdir = './'"]
    lines += ["    pseudo_dir = '../'", "/", "&system", "    ibrav = 0", f"    nat = {len(atoms)}"]
    lines += [f"    ntyp = {len(elements) + 1}"]
    lines += ["    ecutwfc = 40", "    ecutrho = 320", "    occupations = 'smearing'", "    smearing = 'gauss'"]
    lines += ["    degauss = 0.002", "/", "&electrons", f"    conv_thr = {1e-10 * len(atoms):.1e}"]
    lines += ["    mixing_beta = 0.4", "/", "ATOMIC_SPECIES", f"C1 {atomic_masses[CARBON]:.3f} {HOLE}"]
    lines += [f"{each} {atomic_masses[chemical_symbols.index(each)]:.3f} {each}.upf" for each in elements]
    lines += ["CELL_PARAMETERS angstrom", *map(_row, ordered.cell.array), "ATOMIC_POSITIONS angstrom"]
    lines += [f"{label} {_row(place)}" for label, place in zip(labels, ordered.positions, strict=True)]
    files = {"es.in": "\n".join([*lines, "K_POINTS automatic", f"{mesh} 0 0 0", ""])}
    for number, along in enumerate(np.eye(3, dtype=int), start=1):
        files[f"xanes-{number}.in"] = XANES.format(*along, core=f"../{CORE}", mesh=mesh)
    return files


def ocean_files(atoms: Atoms, site: int) -> dict[str, str]:
    """`ocean.in` and `photon1` to `photon3`, one for each polarisation."""
    ordered, _, _ = _absorber_first(atoms, site)
    elements = np.unique(ordered.numbers)
    types = np.searchsorted(elements, ordered.numbers) + 1
    mesh = " ".join(map(str, k_points(atoms, OTHER_HEIGHT)))
    bands = -round(0.256 * atoms.get_volume() * (30 / Rydberg) ** 1.5)
    cards = {"dft": "qe", "ecut": "-1", "opf.program": "hamann", "para_prefix": "mpirun -np 24", "edges": "1 1 0"}
    cards |= {"nbands": bands, "nkpt": mesh, "ngkpt": mesh, "toldfe": f"{1e-10 * len(atoms):.1e}"}
    cards |= {"diemac": "5.7", "znucl": " ".join(map(str, elements)), "typat": " ".join(map(str, types))}
    cards |= {"acell": " ".join([f"{1 / Bohr:.10f}"] * 3), "rprim": "\n".join(map(_row, ordered.cell.array))}
    cards |= {"xred": "\n".join(map(_row, ordered.get_scaled_positions()))}
    files = {"ocean.in": "".join(f"{name} {{ {value} }}\n" for name, value in cards.items())}
    axes = ("1 0 0", "0 1 0", "0 0 1")
    for number, along in enumerate(axes, start=1):
        across = axes[number % 3]
        files[f"photon{number}"] = f"dipole\ncartesian {along}\nend\ncartesian {across}\nend\n285\n"
    return files


#: By the name of the code: what writes the files of a site of a structure, by their names.
CODES: dict[str, Callable[[Atoms, int], dict[str, str]]] = {
    "feff": feff_files,
    "vasp": vasp_files,
    "xspectra": xspectra_files,
    "ocean": ocean_files,
}


def k_points(atoms: Atoms, height: float) -> tuple[int, ...]:
    """Points along each reciprocal vector, so that a cell repeated as often is at least so high, Å."""
    return tuple(int(np.ceil(height / each - 1e-9)) for each in heights(atoms.cell.array))


def _absorber_first(atoms: Atoms, site: int) -> tuple[Atoms, list[str], list[int]]:
    """The structure with the absorber as its first atom, the rest by element; symbols and numbers of the groups."""
    check_site(atoms, site)
    rest = np.array([k for k in np.argsort(atoms.numbers, kind="stable") if k != site], dtype=int)
    elements, counts = np.unique(atoms.numbers[rest], return_counts=True)
    kinds = ["C", *(chemical_symbols[z] for z in elements)]
    return atoms[np.append(site, rest)], kinds, [1, *map(int, counts)]


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:.10f}" for value in values)
