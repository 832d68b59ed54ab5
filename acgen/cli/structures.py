"""`acgen analyze` and `acgen predict`: analysis and predicted spectra of structures."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

from acgen.cli.options import add_threads
from acgen.cli.output import output_file, write_json
from acgen.threads import use_threads

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms


def add_commands(commands) -> None:
    """Add `analyze` and `predict`."""
    summary = "coordination, angles, g(r) and order of a structure"
    p = commands.add_parser("analyze", help=summary, description=_analyse.__doc__)
    p.add_argument("structure", metavar="STRUCTURE", help="extxyz, CIF, POSCAR, LAMMPS data, …")
    about = "cells of its density: tell which part of the atoms have surroundings copied from these (default: shipped)"
    p.add_argument("--copies-of", nargs="+", metavar="DIR", help=about)
    p.add_argument("--out", required=True, metavar="F.json")
    p.set_defaults(run=_analyse)
    p = commands.add_parser("predict", help="predict C K-edge spectra of structures", description=_predict.__doc__)
    p.add_argument("structures", nargs="+", metavar="STRUCTURE", help="extxyz, CIF, POSCAR, LAMMPS data, …")
    p.add_argument("--sites", action="store_true", help="write a column for every atom too")
    p.add_argument("--weights", metavar="F", help="forward weights to use instead of the shipped")
    add_threads(p)
    p.add_argument("--out", required=True, metavar="F.csv")
    p.set_defaults(run=_predict)


def _analyse(args: argparse.Namespace) -> None:
    """Write coordination, bond angles, g(r), Steinhardt order and density of the last structure in a file as JSON."""
    from acgen.data.cells import read_structure
    from acgen.structures.analysis import analyse
    from acgen.structures.environments import RARE, copied_from_shipped

    atoms, out = read_structure(args.structure), output_file(args.out)
    result = analyse(atoms).to_dict()
    result["copied"] = _copied(atoms, args.copies_of) if args.copies_of else copied_from_shipped(atoms)
    write_json(out, result)
    shares = ", ".join(f"CN{cn} {100 * share:.1f} %" for cn, share in result["cn_fraction"].items() if share)
    print(f"{len(atoms)} atoms: {shares}; written to {out}")
    if result["copied"] is not None:
        print(f"{100 * result['copied']:.1f} % of the atoms have copied surroundings ({100 * RARE:.0f} % is none)")


def _copied(atoms: Atoms, paths: list[str]) -> float:
    """Part of the atoms that are copied from cells of the same density; public cells of one network count together."""
    from acgen.data.cells import load_cells
    from acgen.data.public import network_label
    from acgen.structures.environments import copied

    same = [cell for cell in load_cells(paths) if cell.network == network_label(atoms)]
    plain = [cell.atoms for cell in same if cell.spectra is None]
    return copied([atoms], plain, [cell.atoms for cell in same if cell.spectra is not None])


def _predict(args: argparse.Namespace) -> None:
    """Write the mean spectrum of every structure, and with --sites that of every atom, as CSV columns."""
    from acgen.data.cells import load_cells
    from acgen.networks.models import load_models, predict_sites
    from acgen.spectra.grid import ENERGY

    cells, out = load_cells([Path(path) for path in args.structures]), output_file(args.out)
    use_threads(max(len(cell.atoms) for cell in cells), args.threads)
    model = load_models(forward=args.weights).forward
    columns: dict[str, np.ndarray] = {}
    for cell in cells:
        sites = predict_sites(model, cell.atoms)
        columns[cell.name] = sites.mean(0)
        if args.sites:
            columns |= {f"{cell.name}:{index}": spectrum for index, spectrum in enumerate(sites)}
    with open(out, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["energy_eV", *columns])
        for k, energy in enumerate(ENERGY):
            table.writerow([f"{energy:.1f}", *(f"{column[k]:.6f}" for column in columns.values())])
    print(f"{len(cells)} structures, {len(ENERGY)} energies: {out}")
