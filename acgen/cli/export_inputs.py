"""`acgen export-inputs`: inputs of sites for the codes of others."""

from __future__ import annotations

import argparse
from pathlib import Path

from acgen.cli.options import add_sites
from acgen.cli.output import output_directory
from acgen.inference.defaults import CHECK_SITES

#: Codes, and what of each site has to come back for `acgen check --results`, in the folder of all sites.
CODES = {
    "feff": "keep xmu.dat in the folder of its site",
    "vasp": "write energy (eV) and the mean of the diagonal of the spectrum of CORE_DIELECTRIC in vasprun.xml",
    "xspectra": "write energy (eV) and the mean of the three polarisations of xanes.dat",
    "ocean": "write energy (eV) and the mean of the three files absspct",
}


def add_commands(commands) -> None:
    """Add `export-inputs`."""
    summary = "inputs of sites for FEFF, VASP, XSpectra or OCEAN"
    p = commands.add_parser("export-inputs", help=summary, description=_run.__doc__)
    p.add_argument("structures", nargs="+", metavar="STRUCTURE", help="extxyz, CIF, POSCAR, LAMMPS data, …")
    p.add_argument("--code", required=True, choices=CODES)
    add_sites(p, CHECK_SITES)
    p.add_argument("--out", required=True, metavar="DIR", help="a folder NAME-SITE for each site comes here")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Write inputs for sites of structures, the absorber as the first atom; `acgen check --results` reads what comes of
    them. Settings are a start, not converged; potentials are yours."""
    from acgen.data.cells import load_cells
    from acgen.data.dft_inputs import CODES as WRITERS
    from acgen.data.labels import chosen_sites

    cells = load_cells([Path(path) for path in args.structures], carbon_only=False)
    out, count = output_directory(args.out), 0
    for cell in cells:
        for site in chosen_sites(cell.atoms, args.sites, args.seed):
            folder = out / f"{cell.name}-{site}"
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in WRITERS[args.code](cell.atoms, site).items():
                (folder / name).write_text(text, encoding="ascii")
            count += 1
    back = CODES[args.code] + ("" if args.code == "feff" else f" to {out}/NAME-SITE.txt")
    print(f"{count} sites: {out}; then {back}, and run `acgen check STRUCTURE --results {out}`")
