"""`acgen check`: structures checked by FEFF10, or by the spectra of another code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgen.cli.cluster_options import feff_runner
from acgen.cli.options import add_settings, add_sites, add_threads, add_workers
from acgen.cli.output import output_directory
from acgen.cli.progress import progress_bar
from acgen.errors import AcgenError
from acgen.inference.defaults import CHECK_SITES
from acgen.threads import use_threads

if TYPE_CHECKING:
    from acgen.data.public import LabelledCell
    from acgen.inference.check import Site
    from acgen.spectra.feff_correction import FeffCorrection


def add_commands(commands) -> None:
    """Add `check`."""
    p = commands.add_parser("check", help="check structures by FEFF10 or another code", description=_run.__doc__)
    p.add_argument("structures", nargs="+", metavar="STRUCTURE", help="extxyz, CIF, POSCAR, LAMMPS data, …")
    p.add_argument("--target", metavar="FILE|NAME", help="measured spectrum, or a name from `acgen targets`")
    add_settings(p, ("instrument",))
    add_sites(p, CHECK_SITES)
    about = "the first structure is what the others were before: say how far each moved towards the target"
    p.add_argument("--changes", action="store_true", help=about)
    p.add_argument("--cache", metavar="DIR", help="where FEFF's spectra are kept (default: your cache folder)")
    p.add_argument("--correction", metavar="F.csv", help="of `acgen data feff-correction`, instead of the shipped")
    p.add_argument("--results", metavar="DIR", help="spectra calculated elsewhere: SITE/xmu.dat of FEFF, or SITE.txt")
    p.add_argument("--shift", type=float, metavar="E", help="what to add to the energies of --results, eV")
    about = "standard deviation of the Gaussian on --results, eV (default: FEFF's, 0 for others)"
    p.add_argument("--broadening", type=float, metavar="E", help=about)
    add_workers(p)
    add_threads(p)
    p.add_argument("--out", required=True, metavar="DIR", help="folder for check.json and plots")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Calculate spectra of sites with FEFF10 (pip install "acgen[feff]"), bring their mean to DFT by what FEFF leaves
    out at that density, and compare it with the forward model, the judge and the target, every distance with its error.

    Sites that were calculated before are not calculated again.
    """
    from acgen.data.cells import load_cells
    from acgen.inference.check import change_words, changes, check, verdict
    from acgen.networks.models import load_models, predict_sites
    from acgen.results.check_files import TABLE, write_checks
    from acgen.spectra.feff_correction import read_correction, shipped_correction
    from acgen.spectra.targets import load_target

    cells = load_cells([Path(path) for path in args.structures], carbon_only=False)
    target = None if args.target is None else load_target(args.target)
    if args.changes and (target is None or len(cells) < 2):
        raise AcgenError("--changes needs a --target and two structures or more, the first as it was before")
    correction: FeffCorrection | None = None
    if args.results is None:
        correction = read_correction(args.correction) if args.correction else shipped_correction()
        sites, about = _by_feff(args, cells)
    else:
        sites, about = _read(args, cells)
        if about["code"] == "FEFF":
            correction = read_correction(args.correction) if args.correction else shipped_correction()
    out = output_directory(args.out)
    use_threads(max(len(cell.atoms) for cell in cells), args.threads)
    models, checks = load_models(), []
    for cell, own in zip(cells, sites, strict=True):
        pure = set(cell.atoms.symbols) == {"C"}
        both = {"forward": models.forward, "judge": models.judge} if pure else {}
        networks = {name: predict_sites(model, cell.atoms).mean(0) for name, model in both.items()}
        asked = getattr(args, "instrument", None)
        checks.append(check(cell.atoms, own, correction, target, networks, name=cell.name, instrument=asked))
        print(f"{cell.name}: {verdict(checks[-1])}")
    if args.changes:
        moved = changes(checks)
        about["changes"] = {name: {by: each.to_dict() for by, each in along.items()} for name, along in moved.items()}
        for name, along in moved.items():
            print(f"{name}: {change_words(along)}")
    write_checks(out, checks, about)
    print(f"written to {out / TABLE}, with a plot of each beside it")


def _by_feff(args: argparse.Namespace, cells: list[LabelledCell]) -> tuple[list[list[Site]], dict[str, Any]]:
    """Sites of each structure with FEFF's spectra, and how they were made."""
    from acgen.data.labels import chosen_sites, feff_cache, labels_of, make_labels
    from acgen.inference.check import sites_of
    from acgen.spectra.feff import BROADENING, ENERGY_SHIFT
    from acgen.spectra.feff_run import feff_version

    version, folder = feff_version(), feff_cache() if args.cache is None else args.cache
    folder, chosen = output_directory(str(folder)), [chosen_sites(cell.atoms, args.sites, args.seed) for cell in cells]
    with feff_runner(args) as how, progress_bar() as bar:
        task = bar.add_task("sites", total=sum(map(len, chosen)), note="")
        for done, _, label in make_labels(cells, args.sites, folder, args.seed, retry=True, **how):
            bar.update(task, completed=done, note="" if label is None else label.structure)
            if label is not None and label.error:
                print(f"{label.structure} site {label.site}: {label.error}", flush=True)
    sites = [sites_of(labels_of(cell.atoms, own, folder)) for cell, own in zip(cells, chosen, strict=True)]
    return sites, {"code": version, "shift_eV": ENERGY_SHIFT, "broadening_eV": BROADENING}


def _read(args: argparse.Namespace, cells: list[LabelledCell]) -> tuple[list[list[Site]], dict[str, Any]]:
    """Sites of each structure that a folder has results of, and how they were brought onto the grid."""
    from acgen.inference.check import Site
    from acgen.spectra.calculated import calculated_files, read_calculated
    from acgen.spectra.feff import BROADENING, ENERGY_SHIFT, check_site, on_grid
    from acgen.structures.analysis import coordination_numbers

    found: list[list[Site]] = []
    by_feff = False
    for cell in cells:
        files, by_feff = calculated_files(args.results, cell.name)
        if args.shift is None and not by_feff:
            raise AcgenError("say by --shift what to add to the energies of these spectra, eV: every code has its zero")
        shift = ENERGY_SHIFT if args.shift is None else args.shift
        broadening = args.broadening if args.broadening is not None else BROADENING if by_feff else 0.0
        numbers, own = coordination_numbers(cell.atoms), []
        for site, path in files.items():
            check_site(cell.atoms, site)
            try:
                own.append(Site(site, int(numbers[site]), on_grid(read_calculated(path), shift, broadening)))
            except AcgenError as error:
                own.append(Site(site, int(numbers[site]), None, str(error)))
                print(f"{cell.name} site {site}: {error}")
        found.append(own)
    code = "FEFF" if by_feff else "another code"
    return found, {"code": code, "folder": str(args.results), "shift_eV": shift, "broadening_eV": broadening}
