"""`acgen data`: the public data set, and what is made of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from acgen.cli.output import output_directory, output_file
from acgen.cli.progress import progress_bar
from acgen.data.public import BASE_URL, check, fetch, manifest
from acgen.errors import AcgenError


def add_commands(commands) -> None:
    """Add `data`."""
    data = commands.add_parser("data", help="download and verify the public XANES set")
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    p = actions.add_parser("fetch", help="download the set from its public home", description=_fetch.__doc__)
    p.add_argument("--to", required=True, metavar="DIR")
    p.add_argument("--base-url", default=BASE_URL, metavar="URL", help="a mirror of the set's folder")
    p.set_defaults(run=_fetch)
    p = actions.add_parser("check", help="verify a folder against the checksums", description=_check.__doc__)
    p.add_argument("directory", metavar="DIR")
    p.set_defaults(run=_check)
    p = actions.add_parser("energies", help="structures with energies and forces", description=_energies.__doc__)
    p.add_argument("structures", nargs="*", metavar="CELLS", help="folders or files with structures")
    p.add_argument("--crystals", action="store_true", help="diamond and graphite too")
    p.add_argument("--runs", type=int, default=0, help="melt-quench runs at each of seven densities")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--potential", required=True, metavar="FILE", help="C_2022_NEP4.txt from GPUMD")
    p.add_argument("--out", required=True, metavar="F.extxyz")
    p.set_defaults(run=_energies)
    p = actions.add_parser(
        "feff-correction", help="what FEFF leaves out, from labelled sites", description=_correct.__doc__
    )
    p.add_argument("labels", metavar="LABELS", help="folder of `acgen label DIR`")
    p.add_argument("--data", required=True, metavar="DIR", help="folder that `acgen data fetch` filled")
    p.add_argument("--out", required=True, metavar="F.csv")
    p.set_defaults(run=_correct)


def _energies(args: argparse.Namespace) -> None:
    """Label structures, and copies with displaced atoms, with the energies and forces of a neuroevolution potential;
    with --runs, frames of melt-quench runs too. `acgen train energy` learns from the file."""
    from ase.io import write

    from acgen.data.cells import load_cells
    from acgen.data.energy_labels import DENSITIES, DISPLACED, crystals, quench_frames, structure_frames

    out = output_file(args.out)
    given = load_cells([Path(each) for each in args.structures]) if args.structures else []
    structures = [cell.atoms for cell in given]
    structures += crystals() if args.crystals else []
    if not structures and not args.runs:
        raise AcgenError("nothing to label: name files or folders with structures, or give --runs")
    frames = []
    with progress_bar() as bar:
        total = len(structures) * (1 + len(DISPLACED)) + args.runs * len(DENSITIES)
        task = bar.add_task("labelling", total=total, note="")
        for frame in structure_frames(structures, args.potential, args.seed):
            frames.append(frame)
            bar.advance(task)
        for run in range(args.runs):
            for density in DENSITIES:
                frames += quench_frames(density, args.seed + run, args.potential)
                bar.advance(task)
    write(out, frames, format="extxyz")
    print(f"{len(frames)} structures with energies and forces: {out}")


def _fetch(args: argparse.Namespace) -> None:
    """Download the public data set; a stopped download resumes."""
    directory = output_directory(args.to)
    with progress_bar() as bar:
        task = bar.add_task("fetching", total=len(manifest()), note="")
        fetch(directory, args.base_url, lambda done, total, name: bar.update(task, completed=done, note=name))
    print(f"{len(manifest())} files, all verified: {directory}")


def _check(args: argparse.Namespace) -> int:
    """Compare every file of the public data set with its SHA-256."""
    result = check(Path(args.directory))
    for what, names in (("missing", result.missing), ("corrupt", result.corrupt)):
        for name in names:
            print(f"{what}: {name}")
    print(f"{result.total - len(result.missing) - len(result.corrupt)} of {result.total} files are right")
    return 0 if result.ok else 2


def _correct(args: argparse.Namespace) -> None:
    """Make the correction that `acgen check` adds to FEFF: mean DFT minus mean FEFF of each public network."""
    from acgen.data.feff_correction import write_correction

    out = output_file(args.out)
    for network, sites in write_correction(args.labels, args.data, out).items():
        print(f"{network} g/cm³: {sites} sites")
    print(f"written to {out}")
