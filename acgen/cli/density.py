"""`acgen density`: density and coordination that a spectrum speaks for."""

from __future__ import annotations

import argparse
from pathlib import Path

from ase.io import write

from acgen.cli.output import output_file, write_json
from acgen.cli.progress import progress_bar
from acgen.density import GRID, estimate_density, sample_prior
from acgen.ensemble import Settings, load_models
from acgen.spectra.targets import load_target


def add_commands(commands) -> None:
    """Add `density` and `library`."""
    p = commands.add_parser("density", help="density and coordination a spectrum speaks for", description=_run.__doc__)
    p.add_argument("target", metavar="FILE|NAME", help="measured spectrum, or a name from `acgen targets`")
    p.add_argument("--exact", action="store_true", help="fit no shift, slope and broadening to the target")
    p.add_argument("--weights", metavar="F", help="forward weights instead of the shipped")
    p.add_argument("--out", metavar="F.json")
    p.set_defaults(run=_run)
    b = commands.add_parser("library", help="sample the structures `density` uses", description=_library.__doc__)
    b.add_argument("--densities", type=float, nargs="+", default=list(GRID), metavar="D")
    b.add_argument("--candidates", type=int, default=3, help="structures per density (default 3)")
    b.add_argument("--seed", type=int, default=0)
    b.add_argument("--out", required=True, metavar="F.extxyz")
    b.set_defaults(run=_library)


def _run(args: argparse.Namespace) -> None:
    """Weigh structures of the prior at every density by how close their predicted spectra lie to a target."""
    target = load_target(args.target)
    for warning in target.warnings:
        print(f"warning: {warning}")
    estimate = estimate_density(target, load_models(forward=args.weights).forward, instrument=not args.exact)
    for density, misfit, spread, probability in zip(
        estimate.densities, estimate.misfit, estimate.misfit_spread, estimate.probability, strict=True
    ):
        bar = "█" * round(40 * probability)
        print(f"{density:6.3f} g/cm³  misfit {misfit:.3f} ± {spread:.3f}  {100 * probability:5.1f} %  {bar}")
    print(estimate.words)
    if args.out:
        write_json(output_file(args.out), estimate.to_dict())


def _library(args: argparse.Namespace) -> None:
    """Sample unguided structures at many densities, 216 atoms each."""
    out = output_file(args.out)
    cells = []
    with progress_bar() as bar:
        task = bar.add_task("structures", total=len(args.densities) * args.candidates, note="")
        for atoms in sample_prior(load_models(), args.densities, Settings(candidates=args.candidates, seed=args.seed)):
            cells.append(atoms)
            bar.update(task, advance=1, note=f"{atoms.info['density']} g/cm³")
    write(Path(out), cells, format="extxyz")
    print(f"{len(cells)} structures: {out}")
